// A list of recommended items that shows how it changed.

import { hueOf, toneOf } from "./colours.js";
import { calmly, el, styled } from "./dom.js";
import { figures } from "./figures.js";
import { score, tagWords, titleOf, toDo } from "./words.js";

const MOST_TAGS = 5;
const SLIDE = { duration: 520, easing: "cubic-bezier(.2,.8,.2,1)" };

export function tags(attributes) {
  const values = tagWords(attributes);
  return values.length ? el("ul", { class: "tags" }, values.slice(0, MOST_TAGS).map((tag) => el("li", {}, tag))) : null;
}

export function tile(attributes, text = "") {
  return styled(el("span", { class: "tile", "aria-hidden": "true" }, text), { "--hue": hueOf(attributes) });
}

export function chip(name) {
  return el("span", { class: `chip ${toneOf(name)}` }, name);
}

/** A bar of a share (0 to 1) of its track. */
export function bar(share, tone = "") {
  const fill = styled(el("span", { class: `fill ${tone}` }), { "--share": Math.max(0, Math.min(1, share)) });
  return el("span", { class: "track", "aria-hidden": "true" }, fill);
}

/** What changed since the list before: {isNew}, or by how many places it rose. */
function movement(change) {
  if (!change) return null;
  if (change.isNew) return el("span", { class: "moved is-new" }, "new");
  const places = Math.abs(change.rose);
  const [arrow, word] = change.rose > 0 ? ["▲", "up"] : ["▼", "down"];
  const label = `${word} ${places}`;
  return el("span", { class: `moved is-${word}`, role: "img", "aria-label": label, title: label }, `${arrow} ${places}`);
}

/** The app's own event types as buttons; those that are seldom pressed behind one. */
function eventButtons(item, title, { likes, hide, others }, act) {
  const button = (type, kind, text = toDo(type)) =>
    el("button", { type: "button", class: kind, "data-event": type, "aria-label": `${toDo(type)}: ${title}`, click: () => act(item, type) }, text);
  const menu = others.length
    ? el("details", { class: "others" }, el("summary", { "aria-label": `Other events: ${title}`, title: "Other events" }, "···"), el("div", {}, others.map((type) => button(type, "quiet"))))
    : null;
  return [
    likes.map((type, index) => button(type, index ? "" : "tinted")),
    el("div", { class: "lesser" }, hide ? button(hide, "quiet is-hide", ["✕ ", toDo(hide)]) : null, menu),
  ];
}

function card(item, place, [least, best], change, types, actions) {
  const title = titleOf(item.item_id, item.attributes);
  const button = (text, label, action, kind = "") =>
    el("button", { type: "button", class: kind, "aria-label": `${label}: ${title}`, click: action }, text);
  return el(
    "li",
    { class: change ? "item is-changed" : "item", "data-id": item.item_id },
    tile(item.attributes, String(place)),
    el(
      "div",
      { class: "item-text" },
      el("p", { class: "item-title" }, el("span", { title: item.item_id }, title), movement(change)),
      tags(item.attributes),
      figures(item.attributes),
      el("p", { class: "reason" }, item.reason),
      el(
        "div",
        { class: "evidence" },
        bar(best > least ? (item.score - least) / (best - least) : 0),
        el("span", { class: "score", title: `score ${item.score}` }, score(item.score)),
        item.sources.map(chip),
        el(
          "span",
          { class: "asides" },
          button("Why?", "Why", () => actions.why(item), "quiet"),
          actions.similar && button("More like this", "More like", () => actions.similar(item), "quiet"),
        ),
      ),
    ),
    el(
      "div",
      { class: "actions" },
      eventButtons(item, title, types, actions.act),
    ),
  );
}

/** Compare two lists of ids: which are new, and by how many places the others rose. */
export function changes(before, now) {
  const old = new Map(before.map((id, index) => [id, index]));
  const found = new Map();
  now.forEach((id, index) => {
    if (!old.has(id)) found.set(id, { isNew: true });
    else if (old.get(id) !== index) found.set(id, { rose: old.get(id) - index });
  });
  return found;
}

const tops = (list) => new Map([...list.children].map((row) => [row.dataset.id, row.getBoundingClientRect().top]));

/** Where the keyboard was in a list: the row and which of its buttons. */
function focusIn(list) {
  const row = document.activeElement?.closest?.("li.item");
  if (!row || row.parentElement !== list) return null;
  const buttons = [...row.querySelectorAll("button")];
  return { id: row.dataset.id, index: [...list.children].indexOf(row), button: buttons.indexOf(document.activeElement) };
}

function refocus(list, was) {
  if (!was) return;
  const rows = [...list.children];
  const row = rows.find((one) => one.dataset.id === was.id) ?? rows[Math.min(was.index, rows.length - 1)];
  row?.querySelectorAll("button")[was.button]?.focus({ preventScroll: true });
}

function slide(list, before) {
  if (calmly()) return;
  for (const row of list.children) {
    const from = before.get(row.dataset.id);
    const by = from === undefined ? 0 : from - row.getBoundingClientRect().top;
    if (from === undefined) row.animate([{ opacity: 0, transform: "scale(.97)" }, { opacity: 1, transform: "none" }], SLIDE);
    else if (by) row.animate([{ transform: `translateY(${by}px)` }, { transform: "none" }], SLIDE);
  }
}

/** Show items in a list; with `compared` rows slide to their new places and say how they moved. */
export function showItems(list, items, { types, actions, compared }) {
  const before = tops(list);
  const was = focusIn(list);
  const moved = compared ? changes([...before.keys()], items.map((item) => item.item_id)) : new Map();
  const scores = items.map((item) => item.score);
  const scale = [Math.min(0, ...scores), Math.max(...scores)]; // learned rankers' scores can all be below 0
  const rows = items.map((item, index) => card(item, index + 1, scale, moved.get(item.item_id), types, actions));
  list.replaceChildren(...rows);
  refocus(list, was);
  if (compared) slide(list, before);
  return moved;
}
