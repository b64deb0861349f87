// What a product costs and how it is rated: plain numbers, as the app has them.

import { el } from "./dom.js";
import { count, counted } from "./words.js";

const isNumber = (value) => typeof value === "number";

function prices({ price, original_price: before }) {
  if (!isNumber(price)) return [];
  const isReduced = isNumber(before) && before > price;
  return [
    el("span", { class: "price" }, el("span", { class: "unseen" }, "price "), String(price)),
    isReduced && el("s", {}, el("span", { class: "unseen" }, "before "), String(before)),
  ];
}

function stars({ rating, reviews }) {
  if (!isNumber(rating)) return null;
  const many = isNumber(reviews);
  const label = `rated ${rating}${many ? ` in ${counted(reviews, "review")}` : ""}`;
  return el("span", { role: "img", "aria-label": label, title: label }, `★ ${rating}${many ? ` (${count(reviews)})` : ""}`);
}

/** Price, price before and rating of an item; null where it has none of them. */
export function figures(attributes) {
  const shown = [...prices(attributes ?? {}), stars(attributes ?? {})].filter(Boolean);
  return shown.length ? el("p", { class: "figures" }, shown) : null;
}
