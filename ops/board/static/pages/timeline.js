// One time line, a column a source: who said what when; jumps, conflicts and the pool's decisions stand where they happened.

import { h } from "../dom.js";
import { empty, mark, source, status, time } from "../parts.js";
import { named, t } from "../text.js";

const MOST = 400; // rows drawn; what is older stands in the audit records

export function timeline(found) {
  const names = [...new Set([...found.sources.map((row) => row.source), ...found.timeline.map((row) => row.source)])];
  const jumps = new Map(found.jumps.map((row) => [`${row.source}\n${row.event_id}`, row]));
  const rows = [...found.timeline.map((row) => [row.occurred_at, row.seq, fact(row, names, jumps)]), ...events(found)];
  if (!rows.length) return empty(t("timeline.none"), "info");
  rows.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] - b[1]));
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, t("at")),
    names.map((name) => h("th", { scope: "col" }, source(name))),
  );
  const cut = rows.length > MOST && h("p", { class: "soft" }, t("timeline.cut", { n: MOST }));
  return h(
    "div",
    {},
    cut,
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "group", "aria-label": t("timeline") },
      h(
        "table",
        { class: "fold line-time" },
        h("caption", { class: "unseen" }, t("timeline")),
        h("thead", {}, head),
        h(
          "tbody",
          {},
          rows.slice(-MOST).map((row) => row[2]),
        ),
      ),
    ),
  );
}

/** What one source said, in its own column. */
function fact(row, names, jumps) {
  const jump = row.disposition === "jump" ? jumps.get(`${row.source}\n${row.raw_event_id}`) : null;
  const cell = h(
    "div",
    {},
    status(row.to_status),
    row.disposition !== "change" && [
      " ",
      row.disposition === "jump"
        ? mark("warn", "jump", jump ? t("jump.marked", { kind: named("jump", jump.kind), n: jump.n }) : named("disposition", "jump"))
        : mark("", null, named("disposition", row.disposition)),
    ],
    (row.trigger || row.operator) && h("span", { class: "detail" }, [row.trigger, row.operator].filter(Boolean).join(" · ")),
  );
  return h(
    "tr",
    { class: row.disposition === "jump" ? "jump" : null },
    h("th", { scope: "row", class: "time" }, time(row.occurred_at)),
    names.map((name) =>
      h("td", { class: "said", data: name === row.source ? { label: source(name) } : {} }, name === row.source ? cell : null),
    ),
  );
}

/** What followed: across all columns. */
function events({ conflicts, pool, sources }) {
  const width = Math.max(1, sources.length);
  const line = (at, kind, shape, text, more) => [
    at,
    1e9,
    h(
      "tr",
      { class: "event" },
      h("th", { scope: "row", class: "time" }, time(at)),
      h("td", { colspan: String(width) }, h("span", {}, mark(kind, shape, text), more && [" ", h("span", {}, more)])),
    ),
  ];
  const found = [];
  for (const row of conflicts) {
    found.push(line(row.opened_at, "bad", "clash", t("conflict.opened.at"), named("conflict", row.kind)));
    if (row.resolved_at) found.push(line(row.resolved_at, "good", "check", t("conflict.resolved.at"), named("conflict", row.kind)));
  }
  for (const row of pool) {
    const why = [
      row.gate && t("gate.is", { gate: named("gate", row.gate) }),
      row.rule_id ? t("rule.is", { rule: row.rule_id }) : row.action === "release" || row.action === "hold" ? t("rule.none") : null,
    ]
      .filter(Boolean)
      .join(t("comma"));
    found.push(
      line(
        row.at,
        { release: "good", hold: "warn" }[row.action] ?? "",
        { release: "out", hold: "hold", filter: "filter", withdraw: "back" }[row.action],
        named("pool", row.action),
        why,
      ),
    );
  }
  return found;
}
