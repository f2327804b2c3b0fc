// Orders by key or number, parcels by key or tracking number.

import { ask } from "../api.js";
import { h } from "../dom.js";
import { card, channelLink, empty, mark, orderLink, parcelLink, poolMark, status, table, time } from "../parts.js";
import { t } from "../text.js";

export async function search(place, _, query, { go }) {
  const wanted = query.get("q") ?? "";
  const found = await ask("search", { q: wanted });
  const all = [
    ...found.orders.map((row) => `/orders/${encodeURIComponent(row.order_key)}`),
    ...found.parcels.map((row) => `/parcels/${encodeURIComponent(row.parcel_key)}`),
  ];
  if (all.length === 1 && query.get("stay") !== "1") {
    history.replaceState(null, "", `/search?q=${encodeURIComponent(wanted)}&stay=1`); // going back shows the list
    go(all[0]);
  }
  place.append(h("div", {}, h("h1", { tabindex: "-1" }, t("search.title")), h("p", { class: "lead" }, t("search.lead", { q: wanted }))));
  if (!all.length) place.append(card(t("search.nothing"), empty(t("search.none"), "search")));
  if (found.orders.length) place.append(card(t("orders"), orders(found.orders)));
  if (found.parcels.length) place.append(card(t("parcels"), parcels(found.parcels)));
  return { title: t("search.title") };
}

function orders(rows) {
  return table(
    t("orders"),
    [
      [t("order"), (row) => orderLink(row.order_key)],
      [t("channel"), (row) => channelLink(row.channel)],
      [t("status"), (row) => status(row.status)],
      [
        t("conflicts"),
        (row) =>
          row.open_conflicts ? mark("bad", "clash", t("conflicts.n", { n: row.open_conflicts })) : mark("good", "check", t("in_step")),
      ],
      [t("pool"), (row) => poolMark(row.pool)],
      [t("updated_at"), (row) => time(row.updated_at), "time"],
    ],
    rows,
  );
}

function parcels(rows) {
  return table(
    t("parcels"),
    [
      [t("parcel"), (row) => parcelLink(row.parcel_key)],
      [t("order"), (row) => (row.order_key ? orderLink(row.order_key) : "—")],
      [t("status"), (row) => status(row.status)],
      [t("moved_at"), (row) => time(row.last_movement_at), "time"],
    ],
    rows,
  );
}
