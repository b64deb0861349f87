// The items loaded so far: their attributes, and the values to filter by.

import { get, path } from "./api.js";
import { hueOf } from "./colours.js";
import { namesOf, tagFields } from "./words.js";

const SAMPLE = 500;
const MOST_FACETS = 4;
const MOST_VALUES = 60;

let attributes = new Map();
let seen = new Map();

export function forget() {
  attributes = new Map();
  seen = new Map();
}

/** Remember items of a response. */
export function note(items) {
  for (const item of items) {
    if (attributes.has(item.item_id)) continue;
    attributes.set(item.item_id, item.attributes);
    hueOf(item.attributes);
    for (const { field, values, many } of tagFields(item.attributes)) {
      if (!seen.has(field)) seen.set(field, { many, values: new Map() });
      const facet = seen.get(field);
      for (const value of values) facet.values.set(value, (facet.values.get(value) ?? 0) + 1);
    }
  }
}

/** Load the first items of an app: they show what there is to filter by. */
export async function loadSample(app) {
  const { body } = await get(path(["apps", app, "items"], { limit: SAMPLE }));
  note(body.items);
}

export const known = (itemId) => attributes.get(itemId);

/** The attributes of items by id, loaded where not yet known; null for one that is gone. */
export async function attributesOf(app, itemIds) {
  const missing = [...new Set(itemIds)].filter((id) => !attributes.has(id));
  await Promise.all(
    missing.map(async (id) => {
      try {
        note([(await get(path(["apps", app, "items", id]))).body]);
      } catch (trouble) {
        if (trouble.status !== 404) throw trouble;
        attributes.set(id, null);
      }
    }),
  );
  return new Map(itemIds.map((id) => [id, attributes.get(id)]));
}

/** The fields worth filtering by: lists of tags, and texts that several items share. */
export function facets() {
  return [...seen]
    .filter(([, { many, values }]) => many || [...values.values()].some((times) => times > 1))
    .filter(([, { values }]) => values.size <= MOST_VALUES)
    .filter(([field], _index, all) => !all.some(([other]) => other === namesOf(field)))
    .slice(0, MOST_FACETS)
    .map(([field, { values }]) => ({ field, values: spelledOnce(values).sort((a, b) => a.localeCompare(b)) }));
}

/** Values that differ by case alone are one, as conditions take them; in the spelling that is most frequent. */
function spelledOnce(values) {
  const often = [...values].sort(([, a], [, b]) => a - b);
  return [...new Map(often.map(([value]) => [value.toLowerCase(), value])).values()];
}
