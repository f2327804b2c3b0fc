// One order: what each source says, side by side on one time line, and everything that followed from it.

import { ask, at } from "../api.js";
import { announce, h } from "../dom.js";
import { count, money, short } from "../format.js";
import { icon } from "../icons.js";
import {
  alertLine,
  card,
  channelLink,
  empty,
  evidence,
  facts,
  mark,
  noted,
  parcelLink,
  poolMark,
  source,
  status,
  table,
  time,
  wrong,
} from "../parts.js";
import { conflictState } from "./conflicts.js";
import { nodes, standing } from "./parcel.js";
import { named, t } from "../text.js";
import { timeline } from "./timeline.js";

const WITH_NODES = 4; // parcels shown with their nodes; the others are links
const PAGE = 200;

export async function order(place, key, _, { refresh }) {
  const found = await ask(`orders/${encodeURIComponent(key)}`);
  const parcels = await Promise.all(found.parcels.slice(0, WITH_NODES).map((row) => ask(`parcels/${encodeURIComponent(row.parcel_key)}`)));
  const head = found.order;
  place.append(
    title(head),
    summary(head, found),
    card(t("sources"), sources(found.sources)),
    noted(t("timeline"), t("timeline.note"), timeline(found)),
    h("div", { class: "columns" }, clashes(found.conflicts, head.currency), jumps(found)),
    pool(found.pool),
    shipped(found.parcels, parcels),
    audit(key, head, found.timeline),
    card(t("alerts.order"), found.alerts.length ? h("ul", { class: "list" }, found.alerts.map(alertLine)) : empty(t("alerts.none"))),
  );
  return {
    title: t("order.title", { id: head.order_id }),
    watch: [key, ...found.parcels.map((row) => row.parcel_key)].slice(0, 20),
    hear: (kind) => kind === "changed" && refresh(),
  };
}

function title(head) {
  const step = head.open_conflicts
    ? mark("bad", "clash", t("conflicts.n", { n: head.open_conflicts }))
    : mark("good", "check", t("in_step"));
  return h(
    "div",
    {},
    h(
      "div",
      { class: "title" },
      h("h1", { tabindex: "-1" }, t("order.title", { id: head.order_id })),
      status(head.status),
      head.aftersale_status && status(head.aftersale_status),
      step,
    ),
    h("p", { class: "lead key" }, head.order_key),
  );
}

function summary(head, found) {
  return card(
    t("order.now"),
    facts(
      [t("channel"), channelLink(head.channel)],
      [t("shop"), head.shop_id],
      [t("amount"), money(head.payable_minor, head.currency)],
      [t("paid_at"), time(head.paid_at)],
      [t("pool"), poolMark(head.pool), head.gate && ` ${named("gate", head.gate)}`],
      [t("jumps"), t("jumps.of", { n: head.jump_count, limit: found.jump_limit })],
      [t("province"), head.province || "—"],
      [t("updated_at"), time(head.updated_at)],
    ),
  );
}

function sources(rows) {
  return table(
    t("sources"),
    [
      [t("source"), (row) => h("span", {}, source(row.source), " ", h("span", { class: "soft" }, named("kind", row.source_kind)))],
      [t("status"), (row) => status(row.status)],
      [t("aftersale"), (row) => status(row.aftersale_status)],
      [t("said_at"), (row) => time(row.occurred_at), "time"],
      [t("amount"), (row) => money(row.payable_minor, row.currency), "num"],
      [t("observations"), (row) => count(row.observations), "num"],
      [t("duplicates"), (row) => count(row.duplicates), "num"],
    ],
    rows,
  );
}

function clashes(rows, currency) {
  const one = (row) =>
    h(
      "li",
      {},
      h("div", { class: "row" }, conflictState(row), h("b", {}, named("conflict", row.kind))),
      h(
        "p",
        { class: "say soft" },
        t("opened_at"),
        t("colon"),
        time(row.opened_at),
        row.resolved_at && ["　", t("resolved_at"), t("colon"), time(row.resolved_at)],
      ),
      evidence(row.evidence, currency),
    );
  return card(t("conflicts"), rows.length ? h("ul", { class: "list" }, rows.map(one)) : empty(t("conflicts.order.none")));
}

function jumps({ jumps: rows }) {
  const columns = [
    [t("nth"), (row) => count(row.n), "num"],
    [t("jump.kind"), (row) => mark("warn", "jump", named("jump", row.kind))],
    [t("source"), (row) => source(row.source)],
    [t("change"), (row) => [named("status", row.from_status), " → ", named("status", row.to_status)]],
    [t("at"), (row) => h("span", {}, time(row.occurred_at), row.breach && mark("bad", "stop", t("breach")))],
  ];
  return card(t("jumps"), rows.length ? table(t("jumps"), columns, rows) : empty(t("jumps.none")));
}

function pool(rows) {
  const columns = [
    [t("at"), (row) => time(row.at), "time"],
    [t("decision"), (row) => poolMark(row.action)],
    [t("gate"), (row) => named("gate", row.gate)],
    [t("rule"), (row) => (row.rule_id ? h("span", { class: "mono" }, row.rule_id) : t("rule.none"))],
    [t("branch"), (row) => row.branch ?? "—"],
    [t("tags"), (row) => (row.tags?.length ? row.tags.join(", ") : "—")],
    [t("reason"), (row) => named("status", row.reason)],
  ];
  return card(t("pool.decisions"), rows.length ? table(t("pool.decisions"), columns, rows) : empty(t("pool.none"), "info"));
}

function shipped(rows, found) {
  const shown = found.map(({ parcel, events }) =>
    h(
      "li",
      {},
      h(
        "div",
        { class: "row" },
        parcelLink(parcel.parcel_key),
        h("span", {}, source(parcel.courier)),
        status(parcel.status),
        standing(parcel),
        h("span", { class: "push soft" }, t("moved_at"), t("colon"), time(parcel.last_movement_at)),
      ),
      h(
        "details",
        { class: "say", open: found.length === 1, data: { name: parcel.parcel_key } },
        h("summary", {}, t("nodes.n", { n: events.length })),
        events.length ? nodes(events) : empty(t("nodes.none"), "info"),
      ),
    ),
  );
  const others = rows
    .slice(found.length)
    .map((row) => h("li", {}, h("a", { href: at.parcel(row.parcel_key), class: "key" }, row.parcel_key), " ", status(row.status)));
  return card(t("parcels"), rows.length ? h("ul", { class: "list" }, shown, others) : empty(t("parcels.none"), "box"));
}

/** The records, and the proof of their chain, made on the server when it is asked for. */
function audit(key, head, first) {
  const said = h("div", { id: "verified", "aria-live": "polite" });
  const rows = h("div", {});
  const records = [...first];
  const draw = () =>
    rows.replaceChildren(
      records.length ? auditTable(records) : empty(t("audit.none"), "info"),
      ...(records.length < head.audit_seq && records.length
        ? [h("button", { type: "button", class: "more", onclick: more }, t("more"))]
        : []),
    );
  const more = async () => {
    try {
      records.push(...(await ask(`orders/${encodeURIComponent(key)}/audit`, { after: records.at(-1).seq, limit: PAGE })).records);
      draw();
    } catch (error) {
      rows.append(wrong(error));
    }
  };
  draw();
  const button = h(
    "button",
    { type: "button", class: "main", id: "verify", onclick: () => verify(key, said, button) },
    icon("check"),
    t("verify"),
  );
  return h(
    "section",
    { class: "card", "aria-label": t("audit") },
    h("header", {}, h("h2", {}, t("audit")), h("span", { class: "aside" }, t("audit.note", { n: count(head.audit_seq) }))),
    h("div", { class: "form" }, button),
    h("div", { class: "say" }, said),
    rows,
  );
}

async function verify(key, place, button) {
  button.disabled = true;
  place.replaceChildren(h("p", { class: "soft" }, t("verify.waits")));
  try {
    const found = await ask(`orders/${encodeURIComponent(key)}/verify`);
    place.replaceChildren(found.intact ? intact(found) : broken(found));
    announce(place.textContent);
  } catch (error) {
    place.replaceChildren(wrong(error));
  } finally {
    button.disabled = false;
    button.focus();
  }
}

function intact(found) {
  return h(
    "div",
    { class: "well" },
    h("b", {}, icon("check"), " ", t(found.whole ? "verify.intact" : "verify.begun", { n: count(found.records) })),
    h("div", {}, t("verify.heads", { n: count(found.heads) })),
    h("div", { class: "mono" }, found.head),
  );
}

function broken({ fault }) {
  return h(
    "div",
    { class: "wrong" },
    h("b", {}, icon("stop"), t("verify.broken", { seq: fault.seq })),
    h("span", {}, named("fault", fault.kind)),
  );
}

function auditTable(rows) {
  const wrap = (hash) => h("span", { class: "mono", title: hash }, short(hash));
  return table(
    t("audit"),
    [
      [t("seq"), (row) => count(row.seq), "num"],
      [
        t("at"),
        (row) => h("span", {}, time(row.occurred_at), row.clock !== "ok" && [" ", mark("warn", "clock", t("clock.ahead"))]),
        "time",
      ],
      [t("source"), (row) => source(row.source)],
      [t("change"), (row) => [row.from_status && `${named("status", row.from_status)} → `, named("status", row.to_status)]],
      [
        t("disposition"),
        (row) =>
          row.disposition === "jump" ? mark("warn", "jump", named("disposition", row.disposition)) : named("disposition", row.disposition),
      ],
      [t("trigger"), (row) => h("span", { class: "mono" }, [row.trigger, row.operator].filter(Boolean).join(" · ") || "—")],
      [t("event_id"), (row) => h("span", { class: "mono" }, row.raw_event_id)],
      [t("prev_hash"), (row) => wrap(row.prev_hash)],
      [t("hash"), (row) => wrap(row.hash)],
    ],
    rows,
    (row) => (row.disposition === "jump" ? "jump" : null),
  );
}
