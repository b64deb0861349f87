// The trace of one item as a picture.

import { get, path } from "./api.js";
import { byId, el, styled } from "./dom.js";
import { bar, chip, tile } from "./items.js";
import { toneOf } from "./colours.js";
import { state } from "./state.js";
import {
  ago, capital, count, counted, inWords, percent, plain, score, shortTime, tagWords, titleOf, trainedAt,
} from "./words.js";

const TINY = 1e-9;
const MOST_PARTS = 3;
const MOST_FEATURES = 12;
const BIAS = "bias";

const section = (title, ...content) => el("section", { class: "why-part" }, el("h3", {}, title), content);

/** A named bar from `start` over `share` of its track, and its value. */
function sumRow(name, detail, start, share, value, tone, kind = "") {
  const fill = styled(el("span", { class: `fill ${tone}` }), { "--start": start, "--share": share });
  return el(
    "li",
    { class: `sum-row ${kind}` },
    el("span", { class: "sum-name" }, name, detail && el("small", {}, detail)),
    el("span", { class: "track", "aria-hidden": "true" }, fill),
    el("span", { class: "sum-value" }, value),
  );
}

const inText = (words, name = null) => el("span", { class: "in-words", title: name }, words);

/** The largest contributions; where there are many more, the rest as one. */
function largest(features) {
  const added = features.filter((feature) => Math.abs(feature.contribution) > TINY);
  added.sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
  if (added.length <= MOST_FEATURES + 1) return [added, []];
  return [added.slice(0, MOST_FEATURES), added.slice(MOST_FEATURES)];
}

/** Bars that begin where the one before ends, so that they are seen to sum to the score. */
function contributions(trace) {
  if (trace.score === null) return null;
  const retrievers = trace.retrievers.map((one) => one.name);
  const wordsFor = (feature) => (retrievers.includes(feature.name) ? null : inWords(feature.name));
  const [first, rest] = largest(trace.features);
  const sum = rest.reduce((all, feature) => all + feature.contribution, 0);
  const added = rest.length ? [...first, { name: null, contribution: sum }] : first;
  const ends = [0];
  for (const feature of added) ends.push(ends.at(-1) + feature.contribution);
  const [low, high] = [Math.min(...ends, trace.score), Math.max(...ends, trace.score)];
  const range = high - low || 1;
  const row = (name, from, to, value, tone, detail, kind = "") =>
    sumRow(name, detail, (Math.min(from, to) - low) / range, Math.abs(to - from) / range, value, tone, kind);
  const rows = added.map((feature, index) => {
    const sign = feature.contribution < 0 ? "−" : "+";
    const value = `${sign}${score(Math.abs(feature.contribution))}`;
    const [from, to] = [ends[index], ends[index + 1]];
    if (feature.name === null) return row(inText(counted(rest.length, "other feature")), from, to, value, "", null);
    const detail = feature.name === BIAS ? null : `value ${score(feature.value)}`;
    const words = wordsFor(feature);
    const name = words ? inText(capital(words), feature.name) : feature.name;
    return row(name, from, to, value, toneOf(feature.name), detail);
  });
  rows.push(row("Score", 0, trace.score, score(trace.score), "is-total", null, "is-total"));
  const zero = trace.features.filter((feature) => Math.abs(feature.contribution) <= TINY).map((feature) => wordsFor(feature) ?? feature.name);
  return section(
    "How the score adds up",
    el("ol", { class: "sum" }, rows),
    zero.length ? el("p", { class: "fine" }, `Added nothing: ${zero.join(", ")}.`) : null,
  );
}

/** How likely each event is, where the ranker goes by that. */
function likelihoods(trace) {
  const likely = Object.entries(trace.probabilities ?? {}).sort(([, a], [, b]) => b - a);
  if (!likely.length) return null;
  const rows = likely.map(([event, share]) => sumRow(inText(capital(plain(event))), null, 0, share, percent(share), toneOf(event)));
  return section("How likely each event is", el("ol", { class: "sum" }, rows));
}

function retrievers(trace) {
  if (!trace.retrievers.length) return null;
  const rows = trace.retrievers.map((one) => {
    const proposed = one.rank !== null;
    const text = proposed
      ? `place ${count(one.rank)} of ${count(one.proposals)}, score ${score(one.score)}`
      : `not among its ${counted(one.proposals, "proposal")}`;
    return el(
      "li",
      { class: proposed ? "" : "is-absent" },
      chip(one.name),
      bar(proposed ? 1 - (one.rank - 1) / one.proposals : 0, toneOf(one.name)),
      el("span", { class: "fine" }, text),
    );
  });
  return section("What proposed it", el("ul", { class: "proposals" }, rows));
}

function filters(trace) {
  const rows = trace.filters.map((filter) =>
    el("li", { class: filter.passed ? "is-passed" : "is-stopped" }, filter.passed ? "✓ " : "✕ ", plain(filter.name),
      filter.why ? el("small", { class: "fine" }, ` ${filter.why}`) : null,
      el("span", { class: "unseen" }, filter.passed ? ": passed" : ": stopped it")),
  );
  const dropped = trace.dropped_by ? el("li", { class: "is-stopped" }, `✕ ${trace.dropped_by}`) : null;
  return rows.length || dropped ? section("Which filters it passed", el("ul", { class: "filters" }, rows, dropped)) : null;
}

function rerankers(trace) {
  const moved = trace.rerankers.filter((one) => one.before !== null && one.before !== one.after);
  if (!moved.length) return null;
  const rows = moved.map((one) => {
    const to = one.after === null ? "taken out" : `to place ${count(one.after)}`;
    return el("li", {}, `${capital(plain(one.name))}: from place ${count(one.before)} ${to}`);
  });
  const chance = trace.propensity !== null && trace.propensity < 1;
  const drawn = chance ? el("li", {}, `Chance put it there, with a probability of ${score(trace.propensity)}`) : null;
  return section("What moved it", el("ul", { class: "fine plain" }, rows, drawn));
}

function models(trace) {
  const named = Object.entries(trace.models);
  if (!named.length) return section("Models used", el("p", { class: "fine" }, "None: no model is trained yet."));
  const rows = named.map(([name, version]) => {
    const trained = trainedAt(version);
    return el("li", { title: version }, el("b", {}, name), trained ? ` trained ${ago(trained)}` : ` ${version}`);
  });
  return section("Models used", el("ul", { class: "fine plain" }, rows));
}

/** How long each stage took with its parts, longest first, as shares of the whole; parts that took long are named. */
function times(trace) {
  const stages = new Map();
  for (const [name, seconds] of Object.entries(trace.seconds)) {
    const [stage, part] = name.split(".", 2);
    const one = stages.get(stage) ?? { seconds: 0, parts: [] };
    stages.set(stage, { seconds: one.seconds + seconds, parts: part ? [...one.parts, [part, seconds]] : one.parts });
  }
  const whole = [...stages.values()].reduce((sum, stage) => sum + stage.seconds, 0);
  if (!whole) return null;
  const byTime = [...stages].sort(([, a], [, b]) => b.seconds - a.seconds);
  const rows = byTime.map(([name, { seconds, parts }]) => {
    const long = parts.sort(([, a], [, b]) => b - a).slice(0, MOST_PARTS).map(([part]) => plain(part));
    return sumRow(plain(name), long.join(", "), 0, seconds / whole, shortTime(seconds), "");
  });
  rows.push(sumRow("All of it", null, 0, 1, shortTime(whole), "is-total", "is-total"));
  return section("Where the time went", el("ol", { class: "sum" }, rows));
}

function facts(trace, item) {
  const parts = [];
  if (trace.place !== null) parts.push(`place ${count(trace.place)} of ${counted(trace.candidates, "candidate")}`);
  if (trace.cold_start && trace.made_by !== trace.feed) parts.push(`made by ${trace.made_by}, as the user has no usable history`);
  if (trace.ranked_by) parts.push(`ranked by ${plain(trace.ranked_by)}`);
  parts.push(...tagWords(item.attributes));
  return parts.join(" · ");
}

function content(trace, item, address) {
  const failed = trace.failed.map((text) => el("p", { class: "notice is-error" }, `A part failed: ${text}`));
  const shown = trace.verdict.startsWith("Shown");
  return [
    el(
      "div",
      { class: "why-verdict" },
      el("p", { class: shown ? "verdict" : "verdict is-stopped" }, trace.verdict),
      trace.reason ? el("p", { class: "reason" }, trace.reason) : null,
      el("p", { class: "fine" }, facts(trace, item)),
      trace.why_not_learned ? el("p", { class: "fine" }, `Not ranked by the learned ranker: ${trace.why_not_learned}.`) : null,
    ),
    ...failed,
    contributions(trace),
    likelihoods(trace),
    retrievers(trace),
    filters(trace),
    rerankers(trace),
    times(trace),
    models(trace),
    el("a", { class: "request", href: address, target: "_blank", rel: "noopener" }, `GET /${address}`),
  ].filter(Boolean);
}

function frame(item, ...inside) {
  const dialog = byId("why");
  const title = titleOf(item.item_id, item.attributes);
  const close = el("button", { type: "button", class: "close", "aria-label": "Close", click: () => dialog.close() }, "×");
  dialog.replaceChildren(
    el(
      "div",
      { class: "why-head" },
      tile(item.attributes),
      el("div", {}, el("h2", { id: "why-title" }, title), el("p", { class: "fine" }, `${item.item_id} for ${state.userId}`)),
      close,
    ),
    el("div", { class: "why-body" }, inside),
  );
  return dialog;
}

/** Open the trace of an item in a feed's response to a request. */
export async function showWhy(item, { feed, anchor, query, n, filters }) {
  const address = path(["apps", state.app.app, "explain"], {
    feed,
    user_id: state.userId,
    item_id: item.item_id,
    anchor: anchor?.item_id,
    query,
    n,
    filter: filters,
  });
  const dialog = frame(item, el("p", { class: "fine" }, "Loading…"));
  dialog.showModal();
  try {
    const { body } = await get(address);
    frame(item, content(body, item, address));
  } catch (trouble) {
    frame(item, el("p", { class: "notice is-error" }, capital(trouble.message)));
  }
}

export function closeOnBackdrop() {
  const dialog = byId("why");
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}
