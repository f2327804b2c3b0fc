// Shapes that say the same as the colours beside them.

const SPACE = "http://www.w3.org/2000/svg";
const PATHS = {
  check: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM5 8.2l2.1 2.1L11.2 6",
  pause: "M2.5 2.5h11v11h-11zM6.3 5.5v5M9.7 5.5v5",
  half: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM8 1.5v13",
  warn: "M8 2 1.5 13.5h13zM8 6.5v3.2M8 11.6v.3",
  stop: "M5.3 1.5h5.4l3.8 3.8v5.4l-3.8 3.8H5.3l-3.8-3.8V5.3zM8 4.8v4M8 11v.3",
  info: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM8 7.3v4M8 4.6v.3",
  jump: "M1.5 11.5h3l3-7 2 7h5",
  clash: "M2 5h8.5M8 2.2 10.8 5 8 7.8M14 11H5.5M8 8.2 5.2 11 8 13.8",
  clock: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM8 4.5V8l2.5 1.6",
  hold: "M3.5 7h9v7h-9zM5.2 7V4.8a2.8 2.8 0 0 1 5.6 0V7",
  out: "M2 8h9M8 4.5 11.5 8 8 11.5M14 3v10",
  back: "M14 8H5M8 4.5 4.5 8 8 11.5M2 3v10",
  filter: "M2 3h12L9.5 8.5V13l-3-1.5v-3z",
  box: "M2.5 5 8 2l5.5 3v6L8 14l-5.5-3zM2.5 5 8 8l5.5-3M8 8v6",
  mail: "M2 3.5h12v9H2zM2 4.5l6 4.5 6-4.5",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.3 10.3 14 14",
  sun: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13 9.5A5.5 5.5 0 1 1 6.5 3a4.5 4.5 0 0 0 6.5 6.5Z",
  dot: "M8 5.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5Z",
  key: "M5 7.5a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM7.2 8.4 13.5 2M11 4.5l2 2",
  replay: "M13.5 8a5.5 5.5 0 1 1-1.7-4M13.5 1.5V4.5h-3",
};

/** A picture of one of these names; it says nothing to a screen reader, words stand beside it. */
export function icon(name) {
  const svg = document.createElementNS(SPACE, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  const path = document.createElementNS(SPACE, "path");
  path.setAttribute("d", PATHS[name] ?? PATHS.dot);
  svg.append(path);
  return svg;
}
