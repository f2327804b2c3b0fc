// One parcel: where it is, its nodes, whether it stands still.

import { ask } from "../api.js";
import { h } from "../dom.js";
import { ago, count } from "../format.js";
import { card, empty, facts, mark, orderLink, source, status, table, time } from "../parts.js";
import { named, t } from "../text.js";

export async function parcel(place, key, _, { refresh }) {
  const found = await ask(`parcels/${encodeURIComponent(key)}`);
  const head = found.parcel;
  place.append(
    h(
      "div",
      { class: "stack" },
      h(
        "div",
        { class: "title" },
        h("h1", { tabindex: "-1" }, t("parcel.title", { key: head.tracking_no })),
        status(head.status),
        standing(head),
      ),
    ),
    card(
      t("parcel.now"),
      facts(
        [t("courier"), source(head.courier)],
        [t("tracking_no"), h("span", { class: "key" }, head.tracking_no)],
        [t("order"), head.order_key ? orderLink(head.order_key) : "—"],
        [
          t("moved_at"),
          time(head.last_movement_at),
          head.last_movement_at && [" ", h("span", { class: "soft ago" }, ago(head.last_movement_at))],
        ],
        [t("place"), head.place ?? "—"],
        [t("watch"), t(head.watching ? "watch.on" : "watch.off")],
        [t("observations"), count(head.observations)],
        [t("duplicates"), count(head.duplicates)],
      ),
    ),
    card(t("nodes"), found.events.length ? nodes(found.events) : empty(t("nodes.none"), "info")),
    card(t("stalls"), found.stalls.length ? fired(found.stalls) : empty(t("stalls.none"))),
  );
  return { title: t("parcel.title", { key: head.tracking_no }), watch: [key], hear: (kind) => kind === "changed" && refresh() };
}

/** Whether a parcel stands still. */
export function standing(head) {
  return head.watching && head.tier > 0 ? mark("warn", "clock", named("tier", String(head.tier))) : null;
}

/** What a courier said, the newest first; who linked the parcel to its order among it. */
export function nodes(rows) {
  const columns = [
    [t("at"), (row) => time(row.occurred_at), "time"],
    [t("status"), (row) => (row.kind === "link" ? mark("", "box", t("node.link")) : status(row.status))],
    [t("node.text"), (row) => (row.kind === "link" ? t("node.linked", { source: source(row.source) }) : (row.text ?? row.code ?? "—"))],
    [t("place"), (row) => row.place ?? "—"],
  ];
  return table(t("nodes"), columns, rows.toReversed());
}

function fired(rows) {
  const columns = [
    [t("tier"), (row) => named("tier", row.kind === "stall" ? String(row.tier) : row.kind)],
    [t("episode"), (row) => count(row.episode), "num"],
    [t("moved_at"), (row) => time(row.last_movement_at), "time"],
    [t("due_at"), (row) => time(row.due_at), "time"],
    [t("fired_at"), (row) => time(row.fired_at), "time"],
    [t("alerted"), (row) => t(row.alerted ? "yes" : "alerted.higher")],
  ];
  return table(t("stalls"), columns, rows);
}
