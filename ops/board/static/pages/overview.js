// What stands where: orders, channels, pool, stalls, alerts. Everything is renewed by events.

import { ask } from "../api.js";
import { chart } from "../charts.js";
import { h, swapped } from "../dom.js";
import { ago, count, span } from "../format.js";
import { icon } from "../icons.js";
import { alertLine, card, channelLink, empty, meter, noted, source, state, table } from "../parts.js";
import { named, t } from "../text.js";

const TIERS = ["1", "2", "3", "unsigned"];

export async function overview(place) {
  const parts = Object.fromEntries(["tiles", "channels", "pool", "charts", "alerts"].map((name) => [name, h("div", {})]));
  parts.pool.className = "columns";
  parts.charts.className = "three";
  place.append(
    h("div", { class: "title" }, h("h1", { tabindex: "-1" }, t("overview.title"))),
    parts.tiles,
    parts.channels,
    parts.pool,
    parts.charts,
    parts.alerts,
  );
  show(parts, await ask("overview"));
  return { title: t("overview.title"), hear: (kind, data) => kind === "overview" && show(parts, data) };
}

function show(parts, found) {
  swapped(parts.tiles, [found.totals, found.stalls, found.dead], () => tiles(found));
  swapped(parts.channels, [found.channels, found.limits], () => channels(found));
  swapped(parts.pool, [found.totals, found.held, found.stalls], () => [pool(found), stalls(found)]);
  swapped(parts.charts, found.hourly, () => charts(found.hourly));
  swapped(parts.alerts, found.alerts, () => alerts(found.alerts));
}

function tile(kind, shape, name, value, more, href) {
  const inside = [
    h("span", { class: "name" }, icon(shape), name),
    h("span", { class: "value" }, count(value)),
    h("span", { class: "more" }, more),
  ];
  return href ? h("a", { class: `card tile ${kind}`, href }, inside) : h("div", { class: `card tile ${kind}` }, inside);
}

function tiles({ totals, stalls, dead }) {
  const standing = Object.values(stalls.now).reduce((sum, n) => sum + n, 0);
  const letters = dead.reduce((sum, row) => sum + row.n, 0);
  const share = totals.orders ? ((100 * (totals.orders - totals.out_of_step)) / totals.orders).toFixed(2) : "100";
  return h(
    "div",
    { class: "tiles" },
    tile(
      "good",
      "check",
      t("tile.in_step"),
      totals.orders - totals.out_of_step,
      t("tile.in_step.more", { share, orders: count(totals.orders) }),
    ),
    tile(
      totals.out_of_step ? "bad" : "",
      "clash",
      t("tile.out_of_step"),
      totals.out_of_step,
      t("tile.out_of_step.more", { n: count(totals.open_conflicts) }),
      "/conflicts",
    ),
    tile(totals.held ? "warn" : "", "hold", t("tile.held"), totals.held, t("tile.held.more")),
    tile(standing ? "warn" : "", "clock", t("tile.stalled"), standing, t("tile.stalled.more")),
    tile("", "mail", t("tile.dead"), letters, t("tile.dead.more"), "/dead"),
  );
}

function channels({ channels: rows, limits }) {
  if (!rows.length) return card(t("channels"), empty(t("channels.none"), "info"));
  const columns = [
    [t("channel"), (row) => channelLink(row.channel)],
    [
      t("state"),
      (row) =>
        h(
          "span",
          {},
          state(row.state),
          row.state !== "open" && [" ", h("span", { class: "soft" }, named("reason", row.reason), row.since && ` · ${ago(row.since)}`)],
        ),
    ],
    [
      t("conflicts.today"),
      (row) => meter(row.conflicts_counted, limits.conflicts, t("conflicts.today.of", { channel: source(row.channel) })),
      "num",
    ],
    [t("orders"), (row) => count(row.orders), "num"],
    [t("out_of_step"), (row) => count(row.out_of_step), "num"],
    [t("held"), (row) => count(row.held), "num"],
  ];
  return noted(t("channels"), t("channels.limit", { n: limits.conflicts }), table(t("channels"), columns, rows));
}

function pool({ totals, held }) {
  const line = (shape, name, n, more) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, icon(shape), " ", name, more && h("div", { class: "soft" }, more)),
      h("td", { class: "num" }, count(n)),
    );
  const gates = Object.entries(held).map(([gate, n]) =>
    h("tr", {}, h("td", { class: "soft" }, "　", named("gate", gate)), h("td", { class: "num soft" }, count(n))),
  );
  return noted(
    t("pool"),
    t("pool.note"),
    h(
      "table",
      {},
      h("caption", { class: "unseen" }, t("pool")),
      h(
        "tbody",
        {},
        line("out", named("pool", "release"), totals.released),
        line("hold", named("pool", "hold"), totals.held),
        gates,
        line("filter", named("pool", "filter"), totals.filtered),
        line("back", named("pool", "withdraw"), totals.withdrawn),
      ),
    ),
  );
}

function stalls({ stalls: found, limits }) {
  const columns = [
    [t("tier"), (tier) => t("tier.after", { tier: named("tier", tier), after: span(limits.tiers[tier]) })],
    [t("stalls.now"), (tier) => (tier === "unsigned" ? "—" : count(found.now[tier])), "num"],
    [t("stalls.today"), (tier) => count(found.today[tier]), "num"],
  ];
  return card(t("stalls"), table(t("stalls"), columns, TIERS));
}

function charts({ from, hours, conflicts, jumps, stalls: standing }) {
  return [
    chart(t("chart.conflicts"), from, hours, conflicts, source, t("chart.conflicts.none")),
    chart(t("chart.jumps"), from, hours, jumps, source, t("chart.jumps.none")),
    chart(t("chart.stalls"), from, hours, standing, (tier) => named("tier", tier), t("chart.stalls.none")),
  ];
}

function alerts(rows) {
  const all = h("a", { href: "/alerts" }, t("alerts.all"));
  return noted(
    t("alerts.newest"),
    all,
    rows.length ? h("ul", { class: "list", id: "alerts" }, rows.map(alertLine)) : empty(t("alerts.none")),
  );
}
