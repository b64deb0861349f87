// The tables of the overview: rates with their intervals by retriever, by new and returning users, by ranker and version.

import { between } from "./charts.js";
import { chip } from "./items.js";
import { el, sentence } from "./dom.js";
import { ago, count, exactly, percent, plain } from "./words.js";

const MOST_VERSIONS = 12;
const SHORT = 15;

const whenAgo = (time) => el("time", { datetime: time, title: exactly(time) }, ago(time));
const hint = (text) => sentence(text, { class: "fine" });
const number = (value) => el("td", { class: "number" }, value);

function table(heads, rows) {
  const head = el("thead", {}, el("tr", {}, heads.map(({ name, isNumber }) => el("th", { scope: "col", class: isNumber ? "number" : "" }, name))));
  return el("div", { class: "scrolled", tabindex: "0", role: "group", "aria-label": "Table" }, el("table", {}, head, el("tbody", {}, rows)));
}

const texts = (...names) => names.map((name) => ({ name }));
const numbers = (...names) => names.map((name) => ({ name, isNumber: true }));

/** A rate with its interval below it; `clicks` is any event that counts as one. */
function rate(rates, type) {
  const [value, interval] = type === "clicks" ? [rates.click_through_rate, rates.click_through_interval] : [rates.rates[type], rates.intervals[type]];
  if (value === null || value === undefined) return number("–");
  return number([percent(value), interval ? el("small", {}, between(interval, (bound) => (100 * bound).toFixed(1))) : null]);
}

const rateNames = (types) => numbers(...types.map((type) => (type === "clicks" ? "click-through" : plain(type))));

/** What became of what each retriever had proposed. */
export function retrieverTable(overview, feed, types) {
  const ofFeed = overview.retrievers.filter((proposed) => (proposed.feed ?? "") === feed);
  if (!ofFeed.length) return hint("What was shown tells of no retriever: it was written without features.");
  const row = (proposed) =>
    el("tr", {}, el("th", { scope: "row" }, chip(proposed.retriever)), number(count(proposed.items_shown)), number(count(proposed.items_alone)), types.map((type) => rate(proposed, type)));
  return [
    table([...texts("Retriever"), ...numbers("Items", "By it alone"), ...rateNames(types)], ofFeed.map(row)),
    hint("What several had proposed counts for each of them. Small: where the rate lies, 95 % sure, among users like these."),
  ];
}

/** How new users do, and those who had been there on an earlier day. */
export function visitTable(overview, feed, types) {
  const ofFeed = overview.visits.filter((series) => (series.feed ?? "") === feed);
  const names = { new: "New: on their first day", returning: "Returning", "not known": "Nobody known" };
  const row = (series) =>
    el("tr", {}, el("th", { scope: "row" }, names[series.visit]), number(count(series.total.users)), number(count(series.total.items_shown)), types.map((type) => rate(series.total, type)));
  return table([...texts("Users"), ...numbers("How many", "Items"), ...rateNames(types)], ofFeed.map(row));
}

/** What each ranker did, and each version of a model where a feed is chosen; what served first in this time is marked. */
export function versionTable(overview, feed, types, titleOfFeed) {
  const isNew = (series) => overview.changes.some((change) => change.time === series.first_served);
  const row = (series, name) =>
    el(
      "tr",
      { class: isNew(series) ? "is-new" : "" },
      el("th", { scope: "row" }, titleOfFeed(series.feed)),
      el("td", {}, name, isNew(series) ? el("span", { class: "live" }, "new") : null),
      el("td", {}, whenAgo(series.first_served)),
      number(count(series.total.items_shown)),
      types.map((type) => rate(series.total, type)),
    );
  const ofFeed = (series) => !feed || series.feed === feed;
  const rankers = overview.rankers.filter(ofFeed).map((series) => row(series, el("code", {}, series.ranker || "not known")));
  const versions = feed ? overview.versions.filter(ofFeed).sort((a, b) => Date.parse(b.first_served) - Date.parse(a.first_served)) : [];
  const named = ({ model, version }) => [`${model} `, el("code", {}, version.slice(0, SHORT))];
  return [
    table([...texts("Feed", "Ranker or version", "First shown"), ...numbers("Items"), ...rateNames(types)], [...rankers, ...versions.slice(0, MOST_VERSIONS).map((series) => row(series, named(series)))]),
    feed ? null : hint("Choose a feed above for its model versions."),
  ];
}
