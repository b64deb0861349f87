// Line charts and histograms, drawn by the DOM. What has a size from data gets it by attributes of SVG.

import { el, styled } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 600;
const HEIGHT = 170;
const ROOM = 0.06;

const days = new Intl.DateTimeFormat("en", { month: "short", day: "numeric", timeZone: "UTC" });
const hours = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "UTC" });

/** A period's start in words, in UTC as periods are. */
export const periodName = (time, every) =>
  every === "hour" ? `${days.format(time)}, ${hours.format(time)}` : days.format(time);

function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** The least and the most that is drawn: from 0 where nothing is below it, with some room above up to `most`. */
function extent(lines, most = Infinity) {
  const drawsBand = lines.length === 1 || lines.every((line) => line.points.length === 1);
  const bounds = (point) => (drawsBand && point.interval ? point.interval : []);
  const values = lines.flatMap((line) => line.points.flatMap((point) => [point.value, ...bounds(point)]));
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  return [low, high === low ? low + 1 : Math.min(high + (high - low) * ROOM, most)];
}

/** One line; a point alone is drawn as a dot. */
function drawn(line, x, y) {
  const points = line.points.map((point) => `${x(point.time).toFixed(1)} ${y(point.value).toFixed(1)}`);
  const path = points.length === 1 ? `M${points[0]} h0.01` : `M${points.join(" L")}`;
  return svg("path", { d: path, class: `line ${line.tone} ${points.length === 1 ? "is-dot" : ""}` });
}

/** The interval of a line's rates as an area; a moment alone is no area. */
function band({ points, tone }, x, y) {
  const known = points.filter(({ interval }) => interval);
  if (known.length < 2) return null;
  const along = (bound) => known.map(({ time, interval }) => `${x(time).toFixed(1)} ${y(interval[bound]).toFixed(1)}`);
  return svg("path", { d: `M${[...along(0), ...along(1).reverse()].join(" L")} Z`, class: `band ${tone}` });
}

/** An interval in words. */
export const between = ([low, high], format) => `${format(low)} to ${format(high)}`;

const withInterval = ({ value, interval }, format) => (interval ? `${format(value)} (${between(interval, format)})` : format(value));

/** What was measured in a period, for a pointer that rests on it. */
function told(title, time, every, lines, format) {
  const rows = lines.flatMap(({ name, points }) =>
    points.filter((point) => point.time === time).map((point) => `${name}: ${withInterval(point, format)}`),
  );
  return [`${title}, ${periodName(time, every)}`, ...rows].join("\n");
}

function hovered(chart, x, width) {
  const times = [...new Set(chart.lines.flatMap((line) => line.points.map((point) => point.time)))];
  return times.map((time) => {
    const text = svg("title", {}, told(chart.title, time, chart.every, chart.lines, chart.format));
    const place = { x: x(time) - width / 2, y: 0, width, height: HEIGHT, class: "hover" };
    return svg("rect", place, text);
  });
}

function marked(changes, x) {
  return changes.map(({ time, text }) => {
    const line = svg("line", { x1: x(time), x2: x(time), y1: 0, y2: HEIGHT, class: "change" });
    line.append(svg("title", {}, text));
    return line;
  });
}

/** Of a single moment each line as a bar, with its interval: a line of one point would be an empty chart. */
function bars(title, lines, high, format) {
  const row = ({ name, tone, points: [point] }) => {
    const { value, interval } = point;
    const fill = styled(el("span", { class: "fill" }), { "--share": Math.max(0, value) / high });
    const reach = interval ? styled(el("span", { class: "reach" }), { "--start": interval[0] / high, "--share": (interval[1] - interval[0]) / high }) : null;
    return el("li", { class: tone, title: withInterval(point, format) }, el("span", { class: "bar-name" }, name), el("span", { class: "track", "aria-hidden": "true" }, fill, reach), el("b", {}, format(value)));
  };
  return el("figure", { class: "chart" }, el("figcaption", {}, title), el("ul", { class: "bars" }, lines.map(row)));
}

/**
 * Lines over time, or bars where there is one moment only. `lines` are not empty; they have a name, a tone and points
 * of time, value and perhaps interval; `changes` a time and a text; `step` is the length of a period in milliseconds,
 * `most` what values cannot be above.
 */
export function lineChart(chart) {
  const { title, from, to, step, every, format, changes, lines } = chart;
  const [low, high] = extent(lines, chart.most);
  const times = new Set(lines.flatMap((line) => line.points.map((point) => point.time)));
  if (times.size === 1 && low === 0) return bars(title, lines, high, format);
  const x = (time) => ((time - from) / (to - from)) * WIDTH;
  const middle = (time) => x(Math.min(time + step / 2, to));
  const y = (value) => HEIGHT - ((value - low) / (high - low)) * HEIGHT;
  const text = `${title}: ${lines.map(({ name, points }) => `${name} ${format(points.at(-1).value)}`).join(", ")}`;
  const plot = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": text },
    svg("line", { x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2, class: "rule" }),
    svg("line", { x1: 0, x2: WIDTH, y1: y(0), y2: y(0), class: "rule is-zero" }),
    ...(lines.length === 1 ? [band(lines[0], middle, y)].filter(Boolean) : []),
    ...marked(changes, x),
    ...lines.map((line) => drawn(line, middle, y)),
    ...hovered(chart, middle, Math.max((step / (to - from)) * WIDTH, 1)),
  );
  return el(
    "figure",
    { class: "chart" },
    el("figcaption", {}, title),
    el("div", { class: "plot" }, plot, el("span", { class: "most" }, format(high)), el("span", { class: "least" }, format(low))),
    el("div", { class: "span" }, el("span", {}, periodName(from, every)), el("span", {}, "now")),
  );
}

/** How many values are up to each bound, and beyond the last; without the empty ends. */
export function histogram(title, bounds, counts, format) {
  const first = counts.findIndex((count) => count > 0);
  if (first < 0) return null;
  const last = counts.findLastIndex((count) => count > 0);
  const most = Math.max(...counts);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const shown = counts.slice(first, last + 1);
  const width = WIDTH / shown.length;
  const range = (index) => {
    const [above, upTo] = [bounds[index - 1], bounds[index]];
    if (above === undefined) return `up to ${format(upTo)}`;
    return upTo === undefined ? `above ${format(above)}` : `${format(above)} to ${format(upTo)}`;
  };
  const bars = shown.map((count, index) => {
    const height = (count / most) * HEIGHT;
    const place = { x: index * width + 1, y: HEIGHT - height, width: Math.max(width - 2, 1), height, class: "bar-of" };
    const text = `${range(first + index)}: ${((100 * count) / total).toFixed(1)} % of items shown`;
    return svg("rect", place, svg("title", {}, text));
  });
  const label = `${title}, from ${range(first)} to ${range(last)}`;
  return el(
    "figure",
    { class: "chart" },
    el("div", { class: "plot" }, svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label }, ...bars)),
    el("div", { class: "span" }, el("span", {}, range(first)), el("span", {}, range(last))),
  );
}
