// The frame: which page an address shows, the head with its switches, and what keeps a page live.

import { forget, token } from "./api.js";
import { announce, h, swap } from "./dom.js";
import { icon } from "./icons.js";
import { hush, listen } from "./live.js";
import { wrong } from "./parts.js";
import { language, speak, t } from "./text.js";
import { overview } from "./pages/overview.js";

const late =
  (file, name) =>
  async (...given) =>
    (await import(`./pages/${file}.js`))[name](...given);
const PAGES = [
  [/^\/$/, "overview", overview],
  [/^\/channels\/([^/]+)$/, "", late("channel", "channel")],
  [/^\/orders\/([^/]+)$/, "", late("order", "order")],
  [/^\/parcels\/([^/]+)$/, "", late("parcel", "parcel")],
  [/^\/conflicts$/, "conflicts", late("conflicts", "conflicts")],
  [/^\/alerts$/, "alerts", late("alerts", "alerts")],
  [/^\/dead$/, "dead", late("dead", "dead")],
  [/^\/search$/, "search", late("search", "search")],
];
const NAV = [
  ["/", "overview"],
  ["/conflicts", "conflicts"],
  ["/alerts", "alerts"],
  ["/dead", "dead"],
];
const THEMES = { auto: "light", light: "dark", dark: "auto" };
const main = document.getElementById("main");
const PATIENCE = 1000; // ms between two renewals of a page, however many events come
let turn = 0; // of the page that is shown: what an older one has asked for comes too late

function store(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // refused: it holds until the page is left
  }
}

function nav(current) {
  const links = NAV.map(([href, name]) =>
    h("li", {}, h("a", { href, "aria-current": name === current ? "page" : null }, t(`nav.${name}`))),
  );
  return h("nav", { "aria-label": t("nav") }, h("ul", { class: "nav" }, links));
}

function find() {
  const field = h("input", {
    type: "search",
    name: "q",
    id: "q",
    maxlength: "300",
    placeholder: t("find.hint"),
    "aria-label": t("find.hint"),
    autocomplete: "off",
    value: new URLSearchParams(location.search).get("q") ?? "",
  });
  const form = h(
    "form",
    { class: "find", role: "search" },
    field,
    h("button", { type: "submit", "aria-label": t("find") }, icon("search")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (field.value.trim()) go(`/search?q=${encodeURIComponent(field.value.trim())}`);
  });
  return form;
}

function tools() {
  const theme = document.documentElement.dataset.theme;
  const other = language() === "en" ? ["zh", "中文", "zh-CN"] : ["en", "English", "en"];
  return h(
    "div",
    { class: "tools" },
    h("span", { id: "live" }),
    token() &&
      h(
        "button",
        { type: "button", class: "quiet", id: "leave", title: t("token.forget"), "aria-label": t("token.forget"), onclick: leave },
        icon("key"),
      ),
    h(
      "button",
      {
        type: "button",
        class: "quiet",
        id: "theme",
        title: t(`theme.${theme}`),
        "aria-label": t(`theme.${theme}`),
        onclick: () => paint(THEMES[theme]),
      },
      icon({ auto: "half", light: "sun", dark: "moon" }[theme]),
    ),
    h("button", { type: "button", class: "quiet", id: "language", lang: other[2], onclick: () => talk(other[0]) }, other[1]),
  );
}

function frame(current) {
  document.getElementById("skip").textContent = t("skip");
  swap(
    document.getElementById("head"),
    h(
      "div",
      { class: "bar" },
      h("a", { class: "brand", href: "/" }, h("img", { src: "/static/icon.svg", width: "26", height: "26", alt: "" }), t("name")),
      nav(current),
      find(),
      tools(),
    ),
  );
  swap(document.getElementById("foot"), h("p", {}, h("span", {}, t("foot.time")), h("span", {}, t("foot.read"))));
}

function leave() {
  forget();
  announce(t("token.forgotten"));
  show(false);
}

function paint(theme) {
  document.documentElement.dataset.theme = theme;
  store("theme", theme);
  show(false);
}

async function talk(wanted) {
  await speak(wanted);
  store("language", wanted);
  show(false);
}

function up(on) {
  const place = document.getElementById("live");
  place?.replaceChildren(h("span", { class: `live ${on ? "on" : "off"}` }, icon(on ? "dot" : "warn"), t(on ? "live.on" : "live.off")));
}

/** Show what the address says. A page gives {title, watch, hear}. */
async function show(moved = true) {
  const mine = ++turn;
  const [pattern, current, make] = PAGES.find(([pattern]) => pattern.test(location.pathname)) ?? [/^/, "", null];
  hush();
  frame(current);
  main.setAttribute("aria-busy", "true");
  const place = h("div", { class: "stack" });
  const fresh = () => turn === mine;
  try {
    if (!make) throw Object.assign(new Error(location.pathname), { status: 404 });
    const key = decodeURIComponent(pattern.exec(location.pathname)[1] ?? "");
    const page = await make(place, key, new URLSearchParams(location.search), { go, refresh: () => later(fresh) });
    if (!fresh()) return;
    settle(place, page.title, moved);
    listen(
      page.watch ?? [],
      (kind, data) => fresh() && page.hear?.(kind, data),
      (on) => fresh() && up(on),
    );
  } catch (error) {
    if (!fresh()) return;
    place.replaceChildren(
      h("h1", { tabindex: "-1" }, t(error.status === 404 ? "error.none" : "error.title")),
      wrong(error, error.status === 404 ? null : () => show(false)),
    );
    settle(place, t("error.title"), moved);
  }
}

/** Renew the page soon, once for all that has happened until then. */
let waiting = null;
function later(fresh) {
  waiting ??= setTimeout(() => {
    waiting = null;
    if (fresh() && !document.querySelector("dialog[open]")) show(false);
    else if (fresh()) later(fresh);
  }, PATIENCE);
}

function settle(place, title, moved) {
  document.title = `${title} · ${t("name")}`;
  if (moved) main.replaceChildren(...place.childNodes);
  else swap(main, ...place.childNodes); // what was opened stays open, and the focus where it was
  main.setAttribute("aria-busy", "false");
  if (moved) {
    scrollTo(0, 0);
    if (turn > 1) main.querySelector("h1")?.focus({ preventScroll: true });
    announce(title);
  }
}

function go(address) {
  history.pushState(null, "", address);
  show();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='/']");
  if (
    !link ||
    event.defaultPrevented ||
    event.button ||
    event.metaKey ||
    event.ctrlKey ||
    event.shiftKey ||
    event.altKey ||
    link.hasAttribute("download")
  )
    return;
  event.preventDefault();
  go(link.getAttribute("href"));
});
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address stays: it says which page is shown
  main.focus();
});
addEventListener("popstate", () => show());
matchMedia("(prefers-color-scheme: dark)").addEventListener(
  "change",
  () => document.documentElement.dataset.theme === "auto" && show(false),
);

await speak(language());
await show();
