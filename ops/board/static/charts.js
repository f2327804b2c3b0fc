// Counts by hour as stacked bars (uPlot). Each series has a pattern beside its colour, and a table says the same in words.

import { h } from "./dom.js";
import { count, hour } from "./format.js";
import { t } from "./text.js";

const MOST = 6; // series with a pattern of their own; the smallest ones are added up
const drawn = new Set();

/** A chart. `hourly`: {name: [[hour, n], …]}; `called(name)` is what people read. */
export function chart(title, from, hours, hourly, called, text) {
  const series = gathered(hourly, called);
  const times = Array.from({ length: hours }, (_, index) => from + index * 3600);
  const rows = series.map((one) => times.map((at) => one.counts.get(at) ?? 0));
  const total = rows.flat().reduce((sum, n) => sum + n, 0);
  const plot = h("div", { class: "plot", role: "img", "aria-label": t("chart.label", { title, total: count(total), hours }) });
  const read = h("p", { class: "read", "aria-hidden": "true" }, t("chart.hover"));
  const legend = h(
    "ul",
    { class: "legend" },
    series.map((one, index) => h("li", {}, swatch(index), h("span", {}, one.name))),
  );
  const place = h(
    "figure",
    { class: "chart card", "aria-label": title },
    h("header", {}, h("h2", {}, title), h("span", { class: "aside" }, t("chart.span", { hours }))),
  );
  place.style.margin = "0";
  if (!total) place.append(h("p", { class: "empty" }, text));
  else {
    place.append(plot, read, legend, words(title, times, rows, series));
    requestAnimationFrame(() => plot.isConnected && draw(plot, read, { times, rows, series }));
  }
  return place;
}

/** What the series are, the largest first, named; more than MOST become one. */
function gathered(hourly, called) {
  const all = Object.entries(hourly).map(([name, pairs]) => ({
    name: called(name),
    counts: new Map(pairs),
    sum: pairs.reduce((sum, [, n]) => sum + n, 0),
  }));
  all.sort((a, b) => b.sum - a.sum);
  if (all.length <= MOST) return all;
  const rest = new Map();
  for (const one of all.splice(MOST - 1)) for (const [at, n] of one.counts) rest.set(at, (rest.get(at) ?? 0) + n);
  return [...all, { name: t("chart.rest"), counts: rest }];
}

function words(title, times, rows, series) {
  const shown = times.map((at, index) => [at, rows.map((row) => row[index])]).filter(([, counts]) => counts.some(Boolean));
  return h(
    "details",
    { data: { name: `chart-${title}` } },
    h("summary", {}, t("chart.table")),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "group", "aria-label": title },
      h(
        "table",
        {},
        h("caption", { class: "unseen" }, title),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, t("hour")),
            series.map((one) => h("th", { scope: "col", class: "num" }, one.name)),
          ),
        ),
        h(
          "tbody",
          {},
          shown.map(([at, counts]) =>
            h(
              "tr",
              {},
              h("th", { scope: "row", class: "time" }, hour(at)),
              counts.map((n) => h("td", { class: "num" }, count(n))),
            ),
          ),
        ),
      ),
    ),
  );
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** A colour with a hatching of its own. */
function pattern(index) {
  const size = 6 * devicePixelRatio;
  const tile = h("canvas", { width: size, height: size });
  const pen = tile.getContext("2d");
  pen.fillStyle = colour(`--series-${index + 1}`);
  pen.fillRect(0, 0, size, size);
  pen.strokeStyle = pen.fillStyle === "" ? "#fff" : colour("--card");
  pen.lineWidth = 1.5 * devicePixelRatio;
  pen.beginPath();
  const lines = [
    [],
    [
      [0, 1, 1, 0],
      [-0.5, 0.5, 0.5, -0.5],
      [0.5, 1.5, 1.5, 0.5],
    ],
    [[0, 0.5, 1, 0.5]],
    [[0.5, 0, 0.5, 1]],
    [
      [0, 0, 1, 1],
      [-0.5, 0.5, 0.5, 1.5],
      [0.5, -0.5, 1.5, 0.5],
    ],
    [
      [0, 0.5, 1, 0.5],
      [0.5, 0, 0.5, 1],
    ],
  ];
  for (const [x, y, toX, toY] of lines[index] ?? []) {
    pen.moveTo(x * size, y * size);
    pen.lineTo(toX * size, toY * size);
  }
  pen.stroke();
  return pen.createPattern(tile, "repeat");
}

function swatch(index) {
  const canvas = h("canvas", { width: 16 * devicePixelRatio, height: 13 * devicePixelRatio, "aria-hidden": "true" });
  const pen = canvas.getContext("2d");
  pen.fillStyle = pattern(index);
  pen.fillRect(0, 0, canvas.width, canvas.height);
  return canvas;
}

/** Bars stand on each other: the first series drawn reaches the whole height, each later one covers less of it. */
function draw(plot, read, { times, rows, series }) {
  const stacked = rows.map((_, index) => times.map((__, at) => rows.slice(index).reduce((sum, row) => sum + row[at], 0)));
  const axis = {
    stroke: colour("--soft"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui, sans-serif",
  };
  const bars = uPlot.paths.bars({ size: [0.72, 28] });
  const most = Math.max(...stacked[0]);
  const options = {
    width: plot.clientWidth,
    height: 200,
    legend: { show: false },
    padding: [8, 8, 0, 0],
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: { x: { time: false, range: [times[0] - 1800, times.at(-1) + 1800] }, y: { range: [0, Math.max(4, Math.ceil(most * 1.1))] } },
    axes: [
      {
        ...axis,
        size: 26,
        grid: { show: false },
        splits: () => times.filter((_, index) => index % (plot.clientWidth < 420 ? 6 : 3) === 0),
        values: (_, at) => at.map(hour),
      },
      {
        ...axis,
        size: 44,
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6, 1e7],
        values: (_, at) => at.map(count),
      },
    ],
    series: [
      {},
      ...series.map((one, index) => ({ label: one.name, fill: () => pattern(index), width: 0, points: { show: false }, paths: bars })),
    ],
    hooks: { setCursor: [(chart) => tell(read, chart.cursor.idx, { times, rows, series })] },
  };
  const made = new uPlot(options, [times, ...stacked], plot);
  const one = { plot, made };
  drawn.add(one);
}

function tell(read, index, { times, rows, series }) {
  const counts = index === null || index === undefined ? [] : rows.map((row, at) => `${series[at].name} ${count(row[index])}`);
  read.textContent = counts.length ? `${hour(times[index])} · ${counts.join(" · ")}` : t("chart.hover");
}

addEventListener("resize", () => {
  for (const one of drawn) {
    if (!one.plot.isConnected) {
      one.made.destroy();
      drawn.delete(one);
    } else one.made.setSize({ width: one.plot.clientWidth, height: 200 });
  }
});
