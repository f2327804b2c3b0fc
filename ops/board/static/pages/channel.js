// One channel: why it is paused, what proves it, who waits, what was done, and the act that opens it again.

import { ask } from "../api.js";
import { announce, h } from "../dom.js";
import { ago, count, money } from "../format.js";
import { icon } from "../icons.js";
import {
  ask as dialog,
  card,
  empty,
  evidence,
  facts,
  meter,
  noted,
  orderLink,
  paged,
  perform,
  source,
  state,
  table,
  time,
  wrong,
} from "../parts.js";
import { conflictTable } from "./conflicts.js";
import { known, named, t } from "../text.js";

export async function channel(place, name, query, { refresh }) {
  const path = `channels/${encodeURIComponent(name)}`;
  const all = query.get("all") === "1" ? 1 : null;
  const [found, held, clashes] = await Promise.all([ask(path), waiting(path), conflictPages(name, all)]);
  place.append(
    head(found),
    gate(found),
    found.state === "open" ? "" : proof(found),
    noted(t("conflicts"), toggle(name, all), clashes),
    noted(t("held.title"), gates(found.held), held),
    past(found.history),
  );
  const seq = found.seq ?? 0;
  let first = null; // what the counts were when the page began to listen
  return {
    title: source(name),
    hear: (kind, data) => {
      if (kind === "channel") return data.channel === name && data.seq > seq && refresh();
      if (kind !== "overview") return;
      const mine = data.channels.find((row) => row.channel === name);
      const now = JSON.stringify(mine);
      first ??= now;
      if (now !== first || (mine?.seq ?? 0) > seq) {
        first = now;
        refresh();
      }
    },
  };
}

function head(found) {
  const command = found.state === "open" ? "pause" : "resume";
  const button =
    found.configured &&
    h(
      "button",
      { type: "button", class: command === "resume" ? "main" : "", id: command, onclick: () => order(found, command) },
      icon(command === "resume" ? "out" : "pause"),
      t(`act.${command}`),
    );
  return h(
    "div",
    { class: "stack" },
    h(
      "div",
      { class: "title" },
      h("h1", { tabindex: "-1" }, source(found.channel)),
      state(found.state),
      h("span", { class: "push" }, button),
    ),
    h("div", { id: "acted" }),
  );
}

async function order(found, command) {
  const field = h("label", {}, t("why.label"), h("textarea", { name: "why", maxlength: "500", required: true, autofocus: true }));
  const data = await dialog(
    t(`act.${command}.title`, { channel: source(found.channel) }),
    t(`act.${command}.text`),
    field,
    t(`act.${command}`),
  );
  if (!data) return;
  const said = (element) => document.getElementById("acted")?.replaceChildren(element); // the page may have been renewed meanwhile
  try {
    const done = await perform(`channels/${encodeURIComponent(found.channel)}/${command}`, { why: data.get("why") });
    if (!done) return;
    said(h("p", { class: "well" }, icon("check"), " ", t(`act.${command}.done`)));
    announce(t(`act.${command}.done`));
  } catch (error) {
    said(wrong(error));
  }
}

function gate(found) {
  const counts = facts(
    [t("conflicts.today"), meter(found.conflicts_counted, found.limit, t("conflicts.today"))],
    [t("conflicts.day"), count(found.conflicts_today)],
    [t("orders"), count(found.orders)],
    [t("out_of_step"), count(found.out_of_step)],
    [t("held"), count(Object.values(found.held).reduce((sum, n) => sum + n, 0))],
  );
  return card(t("channel.now"), counts);
}

/** Why it is not open, and what says so. */
function proof(found) {
  const reason =
    found.reason === "channel_conflicts"
      ? t("why.conflicts", { n: found.limit })
      : found.reason === "order_jumps"
        ? t("why.jumps", { n: found.jump_limit })
        : known("why", found.reason)
          ? t(`why.${found.reason}`)
          : named("reason", found.reason);
  const said = facts(
    [t("reason"), named("reason", found.reason)],
    [t("since"), time(found.since), " ", h("span", { class: "soft ago" }, ago(found.since))],
    [t("by"), named("by", found.by)],
    found.why && [t("why"), found.why],
  );
  const orders = found.order_keys.length
    ? h(
        "ul",
        { class: "list" },
        found.order_keys.map((key) => h("li", {}, orderLink(key))),
      )
    : null;
  const clashes = found.evidence.map((row) =>
    h(
      "li",
      {},
      h(
        "div",
        { class: "row" },
        h("b", {}, named("conflict", row.kind)),
        orderLink(row.order_key),
        h("span", { class: "push soft" }, time(row.opened_at)),
      ),
      evidence(row.evidence),
    ),
  );
  return h(
    "section",
    { class: "card", "aria-label": t(`stopped.${found.state}`) },
    h("header", {}, h("h2", {}, t(`stopped.${found.state}`))),
    h("p", {}, reason),
    h("div", { class: "say" }, said),
    clashes.length
      ? h(
          "details",
          { class: "more", data: { name: "evidence" } },
          h("summary", {}, t("evidence.n", { n: clashes.length })),
          h("ul", { class: "list" }, clashes),
        )
      : null,
    orders &&
      h(
        "details",
        { class: "more", open: !clashes.length, data: { name: "orders" } },
        h("summary", {}, t("evidence.orders", { n: found.order_keys.length })),
        orders,
      ),
  );
}

function toggle(name, all) {
  return h("a", { href: `/channels/${encodeURIComponent(name)}${all ? "" : "?all=1"}` }, t(all ? "conflicts.open" : "conflicts.all"));
}

function conflictPages(name, all) {
  const load = async (before) => {
    const page = await ask("conflicts", { channel: name, all, before, limit: 20 });
    return { rows: page.conflicts, next: page.next };
  };
  return paged(load, (rows) => conflictTable(rows, false), empty(t(all ? "conflicts.never" : "conflicts.none")));
}

const gates = (held) =>
  Object.entries(held)
    .map(([gate, n]) => t("held.gate", { gate: named("gate", gate), n: count(n) }))
    .join(" · ");

function waiting(path) {
  const columns = [
    [t("order"), (row) => orderLink(row.order_key)],
    [t("gate"), (row) => named("gate", row.gate)],
    [t("rule"), (row) => row.rule_id ?? "—"],
    [t("paid_at"), (row) => time(row.paid_at), "time"],
    [t("amount"), (row) => money(row.payable_minor, row.currency), "num"],
  ];
  const load = async (after) => {
    const page = await ask(`${path}/held`, { after, limit: 20 });
    return { rows: page.held, next: page.next };
  };
  return paged(load, (rows) => table(t("held.title"), columns, rows), empty(t("held.none")));
}

function past(rows) {
  const columns = [
    [t("at"), (row) => time(row.since), "time"],
    [t("state"), (row) => state(row.state)],
    [t("reason"), (row) => named("reason", row.reason)],
    [t("by"), (row) => named("by", row.by)],
    [t("why"), (row) => row.why ?? "—"],
    [t("orders"), (row) => count(row.orders), "num"],
  ];
  return card(t("history"), rows.length ? table(t("history"), columns, rows) : empty(t("history.none"), "info"));
}
