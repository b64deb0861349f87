// What an item costs or pays, and how it or its poster is rated: plain numbers, as the app has them.

import { el } from "./dom.js";
import { count, counted } from "./words.js";

const isNumber = (value) => typeof value === "number";

function prices({ price, compensation, original_price: before }) {
  const [name, amount] = isNumber(price) ? ["price", price] : ["compensation", compensation];
  if (!isNumber(amount)) return [];
  const isReduced = isNumber(before) && before > amount;
  return [
    el("span", { class: "price" }, el("span", { class: "unseen" }, `${name} `), String(amount)),
    isReduced && el("s", {}, el("span", { class: "unseen" }, "before "), String(before)),
  ];
}

function stars({ rating: own, reviews: ofItem, poster_rating: poster, poster_completed_count: done }) {
  const [rating, reviews, noun] = isNumber(own) ? [own, ofItem, "review"] : [poster, done, "deal"];
  if (!isNumber(rating)) return null;
  const many = isNumber(reviews);
  const label = `rated ${rating}${many ? ` in ${counted(reviews, noun)}` : ""}`;
  return el("span", { role: "img", "aria-label": label, title: label }, `★ ${rating}${many ? ` (${count(reviews)})` : ""}`);
}

/** Price, price before and rating of an item; null where it has none of them. */
export function figures(attributes) {
  const shown = [...prices(attributes ?? {}), stars(attributes ?? {})].filter(Boolean);
  return shown.length ? el("p", { class: "figures" }, shown) : null;
}
