"use strict";
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const canvas = document.querySelector("canvas"), context = canvas.getContext("2d");
const tip = document.querySelector(".tip");
const UNIT = 1e6, LINE = 1e3, CELL = 24, PEOPLE = 4, LARGEST = 20, SMALLEST = 3, NEAREST = 4e5, OTHER = 9;
const EDGE = { width: 2 * 2.7067, height: 2 * 1.3174 };

const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0)).buffer;
const items = {
  points: new Int32Array(bytes(data.items.points)), events: new Uint32Array(bytes(data.items.events)),
  category: new Uint8Array(bytes(data.items.categories)), name: new Uint32Array(bytes(data.items.names)),
  place: new Uint32Array(bytes(data.items.places)), titles: data.items.titles,
};
const users = { points: new Int32Array(bytes(data.users.points)) };
const shown = { items: true, users: true, categories: new Set([...Array(data.colours + 1).keys()]) };

let view = { x: 0, y: 0, scale: 1 }, size = { width: 0, height: 0 }, clusters = [], colours = {}, waiting = false;

const whole = () => Math.min(size.width / EDGE.width, size.height / EDGE.height) * 0.97;
const screenX = x => (x - view.x) * view.scale + size.width / 2;
const screenY = y => (view.y - y) * view.scale + size.height / 2;
const number = value => value.toLocaleString("en");

function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["sea", "land", "coast", "grid", "people", "ink", "soft", "card"]) colours[name] = style.getPropertyValue(`--${name}`).trim();
  for (let code = 0; code <= OTHER; code++) colours[code] = style.getPropertyValue(`--cat-${code}`).trim();
}

function later() {
  if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; draw(); }); }
}

function draw() {
  context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  context.clearRect(0, 0, size.width, size.height);
  context.beginPath();
  trace(data.globe);
  context.fillStyle = colours.sea;
  context.fill();
  context.beginPath();
  for (const ring of data.land) trace(ring);
  context.fillStyle = colours.land;
  context.fill("evenodd");
  context.lineWidth = 0.7;
  context.strokeStyle = colours.coast;
  context.stroke();
  context.beginPath();
  for (const line of data.graticule) trace(line);
  context.strokeStyle = colours.grid;
  context.stroke();
  if (shown.users) drawUsers();
  clusters = shown.items ? clustered() : [];
  drawClusters();
  drawLabels();
}

function trace(line) {
  for (let i = 0; i < line.length; i += 2) {
    const x = screenX(line[i] / LINE), y = screenY(line[i + 1] / LINE);
    if (i) context.lineTo(x, y); else context.moveTo(x, y);
  }
}

/* Cells of a few pixels, the darker the more users lie there. */
function drawUsers() {
  const columns = Math.ceil(size.width / PEOPLE), rows = Math.ceil(size.height / PEOPLE);
  const counts = new Uint32Array(columns * rows);
  let most = 1;
  for (let i = 0; i < users.points.length; i += 2) {
    const column = Math.floor(screenX(users.points[i] / UNIT) / PEOPLE), row = Math.floor(screenY(users.points[i + 1] / UNIT) / PEOPLE);
    if (column < 0 || row < 0 || column >= columns || row >= rows) continue;
    most = Math.max(most, ++counts[row * columns + column]);
  }
  context.fillStyle = colours.people;
  for (let cell = 0; cell < counts.length; cell++) {
    if (!counts[cell]) continue;
    context.globalAlpha = 0.45 + 0.45 * Math.log1p(counts[cell]) / Math.log1p(most);
    context.fillRect((cell % columns) * PEOPLE, Math.floor(cell / columns) * PEOPLE, PEOPLE - 0.5, PEOPLE - 0.5);
  }
  context.globalAlpha = 1;
}

/* Items of one cell are one circle; then a circle takes over the smaller ones whose middles it would cover. */
function clustered() {
  const cells = new Map(), columns = Math.ceil(size.width / CELL) + 2;
  for (let item = 0; item < items.events.length; item++) {
    if (!shown.categories.has(items.category[item])) continue;
    const x = screenX(items.points[2 * item] / UNIT), y = screenY(items.points[2 * item + 1] / UNIT);
    if (x < -CELL || y < -CELL || x > size.width + CELL || y > size.height + CELL) continue;
    const key = Math.floor(y / CELL + 1) * columns + Math.floor(x / CELL + 1);
    let cell = cells.get(key);
    if (!cell) cells.set(key, cell = { x: 0, y: 0, events: 0, members: [] });
    cell.x += x; cell.y += y; cell.events += items.events[item]; cell.members.push(item);
  }
  const found = [...cells.values()];
  for (const cell of found) { cell.x /= cell.members.length; cell.y /= cell.members.length; }
  let most = 1;
  for (const cell of found) most = Math.max(most, cell.events);
  const radius = events => SMALLEST + (LARGEST - SMALLEST) * Math.sqrt(events / most);
  found.sort((a, b) => b.events - a.events);
  const kept = [];
  for (const cell of found) {
    const into = kept.find(large => Math.hypot(large.x - cell.x, large.y - cell.y) < large.radius + 2);
    if (into) { into.members = into.members.concat(cell.members); into.events += cell.events; }
    else kept.push(Object.assign(cell, { radius: radius(cell.events) }));
  }
  for (const cell of kept) {
    cell.radius = Math.min(radius(cell.events), LARGEST * 1.2);
    cell.colour = commonest(cell.members);
  }
  return kept;
}

/* The colour of the category with most events, each for itself, whether or not it has a colour of its own. */
function commonest(members) {
  const weight = new Float64Array(data.categories.length);
  let first = members[0];
  for (const item of members) {
    weight[items.name[item]] += items.events[item] + 0.001;
    if (weight[items.name[item]] > weight[items.name[first]]) first = item;
  }
  return items.category[first] < data.colours ? items.category[first] : OTHER;
}

function drawClusters() {
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = "600 11px system-ui, sans-serif";
  for (const cell of [...clusters].reverse()) {
    context.beginPath();
    context.arc(cell.x, cell.y, cell.radius, 0, 2 * Math.PI);
    context.globalAlpha = 0.85;
    context.fillStyle = colours[cell.colour];
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = colours.card;
    context.lineWidth = 1;
    context.stroke();
    const words = cell.members.length.toLocaleString("en", { notation: "compact" });
    if (cell.members.length > 1 && context.measureText(words).width < 2 * cell.radius - 4) {
      context.fillStyle = colours.card;
      context.fillText(words, cell.x, cell.y + 0.5);
    }
  }
}

/* The largest places first; a name that would lie on another is left out. */
function drawLabels() {
  const taken = [];
  context.font = "600 12px system-ui, sans-serif";
  context.textAlign = "left";
  context.lineJoin = "round";
  for (const place of data.places) {
    const x = screenX(place.at[0] / UNIT), y = screenY(place.at[1] / UNIT);
    if (!(x > 0 && y > 0 && x < size.width && y < size.height)) continue;
    const width = context.measureText(place.name).width;
    const near = clusters.find(cell => Math.hypot(cell.x - x, cell.y - y) < cell.radius + 4);
    const right = (near ? near.x + near.radius : x) + 4, left = (near ? near.x - near.radius : x) - 4 - width;
    const free = [right, left].find(start => !taken.some(box => start < box.right && start + width > box.left && Math.abs(box.y - y) < 14)
      && !clusters.some(cell => cell.radius > 6 && cell.x > start - cell.radius && cell.x < start + width + cell.radius && Math.abs(cell.y - y) < cell.radius + 3));
    if (free === undefined || free + width > size.width || free < 0) continue;
    taken.push({ left: free, right: free + width, y });
    context.lineWidth = 3;
    context.strokeStyle = colours.land;
    context.strokeText(place.name, free, y);
    context.fillStyle = colours.ink;
    context.fillText(place.name, free, y);
  }
}

function describe(cell) {
  const first = cell.members.reduce((best, item) => items.events[item] > items.events[best] ? item : best);
  const where = data.place_names[items.place[first]];
  const what = [data.categories[items.name[first]], where].filter(Boolean).join(" · ");
  const many = count => `${number(count)} ${count === 1 ? "event" : "events"}`;
  if (cell.members.length === 1) return [items.titles[first], what, many(items.events[first])].filter(Boolean).join("\n");
  const head = `${number(cell.members.length)} items, ${many(cell.events)}`;
  return `${head}\nmost of them of ${items.titles[first]}: ${number(items.events[first])}${what ? `\n(${what})` : ""}`;
}

function at(event) {
  const box = canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
  let best = null, least = Infinity;
  for (const cell of clusters) {
    const away = Math.hypot(cell.x - x, cell.y - y) - cell.radius;
    if (away < 4 && away < least) { least = away; best = cell; }
  }
  return { x, y, cell: best };
}

function hover(event) {
  const { x, y, cell } = at(event);
  tip.hidden = !cell;
  if (!cell) return;
  tip.textContent = describe(cell);
  tip.style.left = `${Math.min(x + 14, Math.max(0, size.width - tip.offsetWidth - 6))}px`;
  tip.style.top = `${Math.min(y + 14, Math.max(0, size.height - tip.offsetHeight - 6))}px`;
}

function zoom(factor, x = size.width / 2, y = size.height / 2) {
  const scale = Math.max(whole() * 0.8, Math.min(NEAREST, view.scale * factor)), change = 1 / view.scale - 1 / scale;
  view.x += (x - size.width / 2) * change;
  view.y -= (y - size.height / 2) * change;
  view.scale = scale;
  tip.hidden = true;
  later();
}

function move(x, y) {
  view.x -= x / view.scale;
  view.y += y / view.scale;
  tip.hidden = true;
  later();
}

function showAll() {
  view = { x: 0, y: 0, scale: whole() };
  later();
}

function resize() {
  const before = size.width ? view.scale / whole() : 1;
  size = { width: canvas.clientWidth, height: canvas.clientHeight };
  canvas.width = size.width * devicePixelRatio;
  canvas.height = size.height * devicePixelRatio;
  view.scale = whole() * before;
  draw();
}

const fingers = new Map();
let apart = 0, moved = 0;
canvas.addEventListener("pointerdown", event => {
  canvas.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, event);
  apart = moved = 0;
});
canvas.addEventListener("pointermove", event => {
  const before = fingers.get(event.pointerId);
  if (!before) return hover(event);
  fingers.set(event.pointerId, event);
  moved += Math.abs(event.clientX - before.clientX) + Math.abs(event.clientY - before.clientY);
  if (fingers.size === 1) return move(event.clientX - before.clientX, event.clientY - before.clientY);
  const [one, other] = [...fingers.values()], box = canvas.getBoundingClientRect();
  const now = Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
  if (apart) zoom(now / apart, (one.clientX + other.clientX) / 2 - box.left, (one.clientY + other.clientY) / 2 - box.top);
  apart = now;
});
for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, event => {
  const was = fingers.delete(event.pointerId), { x, y, cell } = at(event);
  if (was && end === "pointerup" && moved < 4 && cell && cell.members.length > 1) zoom(3, x, y);
});
canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
canvas.addEventListener("wheel", event => {
  event.preventDefault();
  const box = canvas.getBoundingClientRect();
  zoom(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
}, { passive: false });
canvas.addEventListener("keydown", event => {
  const act = {
    "+": () => zoom(1.6), "=": () => zoom(1.6), "-": () => zoom(1 / 1.6), 0: showAll,
    ArrowLeft: () => move(60, 0), ArrowRight: () => move(-60, 0), ArrowUp: () => move(0, 60), ArrowDown: () => move(0, -60),
  }[event.key];
  if (act) { event.preventDefault(); act(); }
});

document.addEventListener("change", event => {
  const { layer, category } = event.target.dataset, on = event.target.checked;
  if (layer) shown[layer] = on;
  if (category) shown.categories[on ? "add" : "delete"](category === "other" ? data.colours : Number(category));
  later();
});
document.addEventListener("click", event => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.zoom === "all") showAll();
  else if (button.dataset.zoom) zoom(button.dataset.zoom === "in" ? 1.6 : 1 / 1.6);
  else if (button.dataset.place) {
    const [x, y] = data.places[Number(button.dataset.place)].at;
    view = { x: x / UNIT, y: y / UNIT, scale: Math.max(view.scale, whole() * 300) };
    later();
  }
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); draw(); });
readColours();
new ResizeObserver(resize).observe(canvas);
})();
