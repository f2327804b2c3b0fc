// All alerts, the newest first, by kind where wanted.

import { ask } from "../api.js";
import { h } from "../dom.js";
import { alertLine, card, empty, paged, renew } from "../parts.js";
import { codes, named, t } from "../text.js";

export async function alerts(place, _, query, { go, refresh }) {
  const kind = query.get("kind");
  const load = async (before) => {
    const page = await ask("alerts", { kind, before, limit: 50 });
    return { rows: page.alerts, next: page.next };
  };
  const choice = h(
    "select",
    { name: "kind", onchange: (event) => go(event.target.value ? `/alerts?kind=${encodeURIComponent(event.target.value)}` : "/alerts") },
    h("option", { value: "" }, t("all")),
    codes("alert").map((one) => h("option", { value: one, selected: one === kind }, named("alert", one))),
  );
  const pages = await paged(load, (rows) => h("ul", { class: "list" }, rows.map(alertLine)), empty(t("alerts.none")));
  place.append(
    h(
      "div",
      { class: "title" },
      h("h1", { tabindex: "-1" }, t("alerts.title")),
      h("span", { class: "push" }, h("label", {}, t("alerts.kind"), choice)),
    ),
    card(t("alerts.newest"), pages),
  );
  return { title: t("alerts.title"), hear: (event, data) => event === "alert" && (!kind || data.kind === kind) && renew(pages, refresh) };
}
