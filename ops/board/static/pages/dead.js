// Dead letters: why, of whom, what was sent, and sending them through again.

import { ask } from "../api.js";
import { announce, h } from "../dom.js";
import { count } from "../format.js";
import { icon } from "../icons.js";
import { ask as dialog, card, empty, facts, noted, paged, perform, result, source, table, time, wrong } from "../parts.js";
import { named, t } from "../text.js";

const LIMIT = 100; // letters a replay takes from here

export async function dead(place, _, query, { go, refresh }) {
  const chosen = { source: query.get("source"), reason: query.get("reason") };
  let counts = [];
  const load = async (before) => {
    const page = await ask("dead", { ...chosen, before, limit: 25 });
    counts = page.counts;
    return { rows: page.letters, next: page.next };
  };
  const pages = await paged(load, (rows) => letters(rows, refresh), empty(t("dead.none")));
  const acted = h("div", { id: "acted" });
  const wanted = chosen.source || chosen.reason;
  const button = h(
    "button",
    { type: "button", class: "main", id: "replay", onclick: () => replay(chosen, refresh) },
    icon("replay"),
    t("replay.chosen"),
  );
  place.append(
    h("div", {}, h("div", { class: "title" }, h("h1", { tabindex: "-1" }, t("dead.title"))), h("p", { class: "lead" }, t("dead.lead"))),
    acted,
    card(t("dead.counts"), counts.length ? table(t("dead.counts"), sums(chosen), counts) : empty(t("dead.none"))),
    noted(
      t("dead.letters"),
      wanted && h("a", { href: "/dead" }, t("dead.all")),
      filters(chosen, counts, go, wanted && button),
      h("div", { class: "say" }, pages),
    ),
  );
  return { title: t("dead.title") };
}

const address = ({ source: name, reason }) =>
  `/dead?${new URLSearchParams(Object.entries({ source: name, reason }).filter(([, value]) => value))}`;

function sums(chosen) {
  const link = (row) =>
    h(
      "a",
      { href: address(row), "aria-current": row.source === chosen.source && row.reason === chosen.reason ? "true" : null },
      named("dead", row.reason),
    );
  return [
    [t("reason"), link],
    [t("source"), (row) => source(row.source)],
    [t("newest"), (row) => time(row.newest), "time"],
    [t("letters"), (row) => count(row.n), "num"],
  ];
}

function filters(chosen, counts, go, button) {
  const pick = (name, words) => {
    const values = [...new Set([...counts.map((row) => row[name]), chosen[name]].filter(Boolean))].sort();
    return h(
      "label",
      {},
      t(name),
      h(
        "select",
        { name, onchange: (event) => go(address({ ...chosen, [name]: event.target.value })) },
        h("option", { value: "" }, t("all")),
        values.map((value) => h("option", { value, selected: value === chosen[name] }, words(value))),
      ),
    );
  };
  return h(
    "div",
    { class: "form" },
    pick("source", source),
    pick("reason", (code) => named("dead", code)),
    button,
  );
}

function letters(rows, refresh) {
  return table(
    t("dead.letters"),
    [
      [t("received_at"), (row) => time(row.received_at), "time"],
      [t("source"), (row) => source(row.source)],
      [t("reason"), (row) => named("dead", row.reason)],
      [t("event_id"), (row) => h("span", { class: "mono" }, row.event_id)],
      [t("result"), (row) => result(row.result)],
      [t("replays"), (row) => count(row.replays), "num"],
      [t("content"), (row) => content(row, refresh)],
    ],
    rows,
  );
}

/** What was sent: fetched when it is opened. */
function content(row, refresh) {
  const place = h("div", {}, h("p", { class: "soft" }, t("waits")));
  const opened = async (event) => {
    if (!event.target.open || place.found) return;
    try {
      place.found = await ask("dead/letter", { topic: row.origin_topic, partition: row.origin_partition, offset: row.origin_offset });
      place.replaceChildren(whole(place.found, refresh));
    } catch (error) {
      place.replaceChildren(wrong(error));
    }
  };
  return h(
    "details",
    { ontoggle: opened, data: { name: `${row.origin_topic}/${row.origin_partition}/${row.origin_offset}` } },
    h("summary", {}, t("content.show", { n: count(row.bytes) })),
    place,
  );
}

function whole(found, refresh) {
  const again =
    found.stage === "stream" &&
    h(
      "button",
      { type: "button", onclick: () => replay({ source: found.source, events: [found.event_id] }, refresh) },
      icon("replay"),
      t("replay.one"),
    );
  return h(
    "div",
    { class: "stack" },
    facts(
      [t("dead.detail"), h("span", { class: "mono", lang: "en" }, found.detail)],
      [t("connector"), found.connector],
      [t("shop"), found.shop],
      [t("origin"), h("span", { class: "mono" }, `${found.origin_topic} / ${found.origin_partition} / ${found.origin_offset}`)],
    ),
    h("pre", { tabindex: "0" }, found.payload || t("content.none")),
    found.cut && h("p", { class: "soft" }, t("content.cut")),
    again && h("div", {}, again),
  );
}

async function replay(chosen, refresh) {
  const place = document.getElementById("acted");
  const body = Object.fromEntries(Object.entries({ ...chosen, limit: LIMIT }).filter(([, value]) => value));
  try {
    const counted = await perform("dead/replay", { ...body, dry_run: true });
    if (!counted) return;
    if (!counted.would) {
      place.replaceChildren(h("p", { class: "card" }, t("replay.nothing")));
      return;
    }
    if (
      !(await dialog(
        t("replay.title"),
        t("replay.text", { n: count(counted.would), most: LIMIT }),
        null,
        t("replay.yes", { n: count(counted.would) }),
      ))
    )
      return;
    const done = await perform("dead/replay", body);
    if (!done) return;
    const said = t(done.gone.length ? "replay.done.gone" : "replay.done", { n: count(done.replayed), gone: count(done.gone.length) });
    place.replaceChildren(h("p", { class: "well", id: "replayed" }, icon("check"), " ", said));
    announce(said);
    place.scrollIntoView({ block: "nearest" });
    setTimeout(refresh, 4000);
  } catch (error) {
    place.replaceChildren(wrong(error));
  }
}
