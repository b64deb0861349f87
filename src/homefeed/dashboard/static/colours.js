// Colours that mean something: one hue for each value of an app's tags, one tone for each of its retrievers.

import { tagFields } from "./words.js";

const GOLDEN_ANGLE = 137.508;
const TONES = 8;
const USUAL = ["item_item", "content", "popular", "trending", "fresh"];

let hues = new Map();
let tones = new Map();

export function forget() {
  hues = new Map();
  tones = new Map(USUAL.map((name, index) => [name, index]));
}

/** The value that stands for an item: the first of its lists of tags, else its first short text. */
function mainTag(attributes) {
  const fields = tagFields(attributes);
  return (fields.find((field) => field.many) ?? fields[0])?.values[0] ?? "";
}

/** Items alike have the same hue. */
export function hueOf(attributes) {
  const tag = mainTag(attributes);
  if (!hues.has(tag)) hues.set(tag, (165 + hues.size * GOLDEN_ANGLE) % 360);
  return Math.round(hues.get(tag));
}

/** The class of a retriever's or feature's colour, the same wherever it is named. */
export function toneOf(name) {
  if (!tones.has(name)) tones.set(name, tones.size % TONES);
  return `tone-${tones.get(name)}`;
}
