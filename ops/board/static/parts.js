// The pieces that pages are made of.

import { act, at, forget, keep, token } from "./api.js";
import { announce, h } from "./dom.js";
import { clock, count, money } from "./format.js";
import { icon } from "./icons.js";
import { named, t } from "./text.js";

/** A word with its shape and its ground. */
export function mark(kind, shape, text, props = {}) {
  return h("span", { class: `mark ${kind}`, ...props }, shape && icon(shape), h("span", {}, text));
}

const STATES = { open: ["good", "check"], paused: ["bad", "pause"], half_open: ["warn", "half"] };
const SEVERITIES = { critical: ["bad", "stop"], warning: ["warn", "warn"], info: ["note", "info"] };
const POOL = { release: ["good", "out"], hold: ["warn", "hold"], filter: ["", "filter"], withdraw: ["", "back"] };
const RESULTS = { waiting: ["warn", "clock"], sent: ["note", "replay"], "failed again": ["bad", "stop"] };
const ENDS = new Set(["Cancelled", "Closed"]);
const TROUBLE = new Set(["Exception", "Lost", "Damaged", "Rejected", "DeliveryAttemptFailed", "Held", "CustomsHold"]);

const from = (table, group) => (code) => {
  const [kind, shape] = table[code] ?? ["", "dot"];
  return code ? mark(kind, shape, named(group, code)) : "—";
};
export const state = from(STATES, "state");
export const severity = from(SEVERITIES, "severity");
export const poolMark = from(POOL, "pool");
export const result = from(RESULTS, "result");

/** A status of any axis. */
export function status(code) {
  if (!code) return "—";
  if (ENDS.has(code)) return mark("", "stop", named("status", code));
  if (TROUBLE.has(code)) return mark("warn", "warn", named("status", code));
  return mark(
    code === "Signed" || code === "Completed" ? "good" : "note",
    code === "Signed" || code === "Completed" ? "check" : "dot",
    named("status", code),
  );
}

/** What a source is called. */
export const source = (name) => named("source", name);

export const orderLink = (key) => h("a", { href: at.order(key), class: "key" }, key);
export const parcelLink = (key) => h("a", { href: at.parcel(key), class: "key" }, key);
export const channelLink = (name) => h("a", { href: at.channel(name) }, source(name));

/** A moment, with its machine-readable form. */
export function time(value) {
  return value ? h("time", { class: "time", datetime: value }, clock(value)) : "—";
}

/** A box with a heading. */
export function card(title, ...body) {
  return h("section", { class: "card", "aria-label": title }, h("header", {}, h("h2", {}, title)), body);
}

/** The same, with something small beside its heading. */
export function noted(title, aside, ...body) {
  return h(
    "section",
    { class: "card", "aria-label": title },
    h("header", {}, h("h2", {}, title), h("span", { class: "aside" }, aside)),
    body,
  );
}

/** Nothing to show, in words. */
export function empty(text, shape = "check") {
  return h("p", { class: "empty" }, icon(shape), text);
}

/** Rows in columns. `columns`: [heading, cell(row), class]; on a narrow screen each row becomes a card. */
export function table(title, columns, rows, rowClass = () => null) {
  const head = columns.map(([heading, , kind]) => h("th", { scope: "col", class: kind }, heading));
  const body = rows.map((row) =>
    h(
      "tr",
      { class: rowClass(row) },
      columns.map(([heading, cell, kind], index) =>
        h(index ? "td" : "th", { class: kind, scope: index ? null : "row", data: { label: heading } }, cell(row)),
      ),
    ),
  );
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "group", "aria-label": title },
    h("table", { class: "fold" }, h("caption", { class: "unseen" }, title), h("thead", {}, h("tr", {}, head)), h("tbody", {}, body)),
  );
}

/** Names with their values. */
export function facts(...pairs) {
  return h(
    "dl",
    { class: "facts" },
    pairs.filter(Boolean).map(([name, ...value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

/** How much of a limit is used. */
export function meter(value, limit, label) {
  const fill = h("span", { class: "fill" });
  fill.style.width = `${Math.min(100, limit ? (100 * value) / limit : 0)}%`;
  const kind = value > limit ? "over" : value > limit * 0.66 ? "near" : "";
  const track = h(
    "span",
    {
      class: "track",
      role: "meter",
      "aria-label": label,
      "aria-valuemin": "0",
      "aria-valuemax": String(limit),
      "aria-valuenow": String(Math.min(value, limit)),
      "aria-valuetext": `${value} / ${limit}`,
    },
    fill,
  );
  return h("span", { class: `meter ${kind}` }, value > limit && icon("warn"), track, h("span", {}, `${count(value)} / ${count(limit)}`));
}

/** What went wrong, in words, and a way to try again. */
export function wrong(error, again) {
  const status = error.status ?? -1;
  const text = [0, 400, 401, 403, 404, 409, 503].includes(status) ? t(`error.${status}`) : t("error.other");
  const detail = status > 0 && status !== 404 ? h("span", { class: "mono" }, `${status}: ${error.message}`) : null;
  if (status === -1) console.error(error);
  return h(
    "div",
    { class: "wrong", role: "alert" },
    h("b", {}, icon("stop"), text),
    detail,
    again && h("button", { type: "button", onclick: again }, icon("replay"), t("again")),
  );
}

/** Rows that come by pages: `load(cursor)` → {rows, next}; `show(rows)` makes the table of all of them. */
export async function paged(load, show, none) {
  const place = h("div", {});
  let rows = [];
  const draw = (next) => {
    const more =
      next &&
      h(
        "button",
        {
          type: "button",
          class: "more",
          onclick: async () => {
            try {
              const page = await load(next);
              rows = [...rows, ...page.rows];
              place.extended = true;
              draw(page.next);
              announce(t("shown", { n: rows.length }));
            } catch (error) {
              place.append(wrong(error));
            }
          },
        },
        t("more"),
      );
    place.replaceChildren(...[rows.length ? show(rows) : none, more].filter(Boolean));
  };
  const first = await load(null);
  rows = first.rows;
  draw(first.next);
  return place;
}

/** Renew a page of rows, or say that there is something new where somebody has gone on to older ones. */
export function renew(place, refresh) {
  if (!place.extended) return refresh();
  if (!place.querySelector(".fresh"))
    place.prepend(h("button", { type: "button", class: "fresh", onclick: refresh }, icon("replay"), t("fresh")));
}

/** Ask for what an act needs; `fields` are made by the caller. Resolves to the form's data, null when it was put away. */
export function ask(title, text, fields, yes) {
  return new Promise((resolve) => {
    const form = h(
      "form",
      { method: "dialog" },
      h("h2", { id: "dialog-title" }, title),
      text && h("p", { class: "soft" }, text),
      fields,
      h(
        "div",
        { class: "acts" },
        h("button", { type: "button", onclick: () => dialog.close() }, t("cancel")),
        h("button", { type: "submit", class: "main", value: "yes" }, yes),
      ),
    );
    const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, form);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      dialog.data = new FormData(form);
      dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.data ?? null);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Do something that needs the token: ask for it once per session, and again when it was a wrong one. Null: put away. */
export async function perform(path, body) {
  for (let told = null; ; ) {
    if (!token()) {
      const field = h(
        "label",
        {},
        t("token.label"),
        h("input", { name: "token", type: "password", required: true, autocomplete: "off", autofocus: true, spellcheck: "false" }),
      );
      const data = await ask(t("token.title"), told ?? t("token.text"), field, t("token.yes"));
      if (!data) return null;
      keep(data.get("token").trim());
    }
    try {
      return await act(path, body);
    } catch (error) {
      if (error.status !== 401) throw error;
      forget();
      told = t("token.wrong");
    }
  }
}

/** A conflict's evidence, as sentences; amounts in the order's currency where the page knows it. */
export function evidence(found, currency = null) {
  const said = (found?.said ?? []).map((one) =>
    h("li", {}, h("b", {}, source(one.source)), t("colon"), status(one.status), " ", h("span", { class: "soft" }, time(one.occurred_at))),
  );
  const silent = (found?.silent ?? []).map((name) => h("li", {}, h("b", {}, source(name)), t("colon"), mark("warn", "clock", t("silent"))));
  const amounts = Object.entries(found?.amounts ?? {}).map(([name, minor]) =>
    h("li", {}, h("b", {}, source(name)), t("colon"), currency ? money(minor, currency) : t("amount.minor", { n: minor })),
  );
  return h("ul", { class: "proof" }, said, silent, amounts);
}

/** One alert in a list; in English its title is the one made from its parameters. */
export function alertLine(row) {
  const about = row.order_key
    ? orderLink(row.order_key)
    : row.parcel_key
      ? parcelLink(row.parcel_key)
      : row.channel
        ? channelLink(row.channel)
        : null;
  const title = document.documentElement.lang === "en" ? row.title_en : row.title;
  return h(
    "li",
    {},
    h(
      "div",
      { class: "row" },
      severity(row.severity),
      h("b", {}, named("alert", row.kind)),
      h("span", { class: "push soft" }, time(row.at)),
    ),
    h("div", { class: "row say" }, h("span", {}, title)),
    h(
      "div",
      { class: "row say soft" },
      about,
      h("span", {}, t("sent.to", { target: row.target })),
      h("span", {}, named("delivery", row.status)),
    ),
  );
}
