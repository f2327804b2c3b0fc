// Orders that are out of step: open conflicts of all channels, the newest first.

import { ask } from "../api.js";
import { h } from "../dom.js";
import { card, channelLink, empty, evidence, mark, orderLink, paged, renew, table, time } from "../parts.js";
import { named, t } from "../text.js";

export async function conflicts(place, _, query, { refresh }) {
  const load = async (before) => {
    const page = await ask("conflicts", { before, limit: 50 });
    return { rows: page.conflicts, next: page.next };
  };
  const pages = await paged(load, (rows) => conflictTable(rows, true), empty(t("conflicts.none")));
  place.append(
    h("div", {}, h("h1", { tabindex: "-1" }, t("conflicts.title")), h("p", { class: "lead" }, t("conflicts.lead"))),
    card(t("conflicts"), pages),
  );
  let open = null;
  return {
    title: t("conflicts.title"),
    hear: (kind, data) => {
      if (kind !== "overview") return;
      if (open !== null && open !== data.totals.open_conflicts) renew(pages, refresh);
      open = data.totals.open_conflicts;
    },
  };
}

/** Open or resolved, with a shape. */
export const conflictState = (row) =>
  row.state === "opened" ? mark("bad", "clash", t("conflict.opened")) : mark("good", "check", t("conflict.resolved"));

export function conflictTable(rows, withChannel) {
  const columns = [
    [t("order"), (row) => orderLink(row.order_key)],
    withChannel && [t("channel"), (row) => channelLink(row.channel)],
    [t("conflict"), (row) => named("conflict", row.kind)],
    [t("state"), conflictState],
    [t("opened_at"), (row) => time(row.opened_at), "time"],
    [
      t("evidence"),
      (row) => h("details", { data: { name: row.conflict_id } }, h("summary", {}, t("evidence.show")), evidence(row.evidence)),
    ],
  ].filter(Boolean);
  return table(t("conflicts"), columns, rows);
}
