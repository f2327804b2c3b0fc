// Elements from data. Text becomes text nodes only: nothing that comes from outside is ever read as HTML.

/** An element. `props`: attributes; `on…` listeners; `class`, `data` (dataset); null, false and undefined are left out. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...flat(children));
  return element;
}

/** Children without holes: numbers and texts as text, lists in place. */
export function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== "");
}

/** Put new content into a place, and the focus back on what had it, if that is still there. */
export function swap(place, ...children) {
  const active = place.contains(document.activeElement) ? document.activeElement : null;
  const mark =
    active &&
    (active.id ? `#${CSS.escape(active.id)}` : active.getAttribute("href") ? `[href="${CSS.escape(active.getAttribute("href"))}"]` : null);
  const opened = [...place.querySelectorAll("details[open][data-name]")].map((element) => element.dataset.name);
  place.replaceChildren(...flat(children));
  for (const name of opened) place.querySelector(`details[data-name="${CSS.escape(name)}"]`)?.setAttribute("open", "");
  if (mark) place.querySelector(mark)?.focus({ preventScroll: true });
}

/** Swap only when what is shown has changed. */
export function swapped(place, data, make) {
  const seen = JSON.stringify(data);
  if (place.shownData === seen) return false;
  place.shownData = seen;
  swap(place, make());
  return true;
}

/** Say something to those who do not see the screen. */
export function announce(text) {
  document.getElementById("said").textContent = text;
}
