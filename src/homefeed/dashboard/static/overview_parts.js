// The parts of the overview beside its charts and tables: figures, what changed, models, jobs, imports.

import { between } from "./charts.js";
import { el, sentence } from "./dom.js";
import { ago, count, counted, done, exactly, percent, score, seconds, trainedAt } from "./words.js";

const MOST_CHANGES = 12;
const SHORT = 15;

const share = (value) => (value === null || value === undefined ? "–" : percent(value));
const whenAgo = (time) => el("time", { datetime: time, title: exactly(time) }, ago(time));
const hint = (text) => sentence(text, { class: "fine" });

/** A rate and its interval in words. */
function rateOf(name, value, interval, what) {
  return [name, share(value), interval ? `${between(interval, percent)}, 95 % sure` : what];
}

/** The figures of a feed, or of all: first the rate of what the app is for. */
export function figuresOf(total, overview, isOneClick) {
  const main = overview.main_type;
  const clicks = overview.click_types.map((type) => done(type).toLowerCase()).join(" or ");
  const tiles = [
    ...(main === null ? [] : [rateOf(done(main).toLowerCase(), total.rates[main], total.intervals[main], "of the items shown")]),
    isOneClick ? ["mean score", total.mean_score === null ? "–" : score(total.mean_score), ""] : rateOf("click-through", total.click_through_rate, total.click_through_interval, `were ${clicks}`),
    ["items shown", count(total.items_shown), `on ${counted(total.pages, "page")}`],
    ["different items", count(total.distinct_items), total.catalogue_share === null ? "" : `${share(total.catalogue_share)} of the catalogue`],
    ["known users", count(total.users), total.coverage === null ? "" : `${share(total.coverage)} with personal answers`],
    ["time spent", total.time_spent_seconds ? seconds(total.time_spent_seconds) : "–", "with items shown"],
  ];
  return el(
    "dl",
    { class: "tiles" },
    tiles.map(([name, value, more]) => el("div", {}, el("dt", {}, name), el("dd", {}, value), more ? el("dd", { class: "fine" }, more) : null)),
  );
}

/** The latest moments at which rankers or models changed. */
export function changeList(moments, titleOfFeed) {
  if (!moments.length) return hint("Nothing changed in this time: the same rankers and model versions served throughout.");
  const what = ({ kind, feed, name, version }) =>
    el("li", {}, el("b", {}, kind === "ranker" ? `${titleOfFeed(feed)} is ranked by ${name}` : name), version ? el("code", {}, version.slice(0, SHORT)) : null);
  const latest = [...moments].sort((a, b) => b.time - a.time);
  return [
    el(
      "ol",
      { class: "moments" },
      latest.slice(0, MOST_CHANGES).map(({ time, changes }) => el("li", {}, whenAgo(new Date(time).toISOString()), el("ul", {}, changes.map(what)))),
    ),
    latest.length > MOST_CHANGES ? el("p", { class: "fine" }, `${counted(latest.length - MOST_CHANGES, "earlier change")} not listed`) : null,
  ];
}

export function modelList(models, app) {
  if (!models.length) return hint(`No model trained yet. Run \`homefeed train ${app}\`; until then feeds show what is popular and new.`);
  const age = ({ version, trained_at: trained }) => whenAgo(trained ?? trainedAt(version) ?? version);
  const row = (model) => el("li", {}, el("b", {}, model.model), model.trained_at ? age(model) : null, el("code", {}, model.version));
  return el("ul", { class: "rows" }, models.map(row));
}

const OUTCOMES = { done: "✓", failed: "✕", stopped: "✕", running: "…" };

function jobRow({ job, every, runs }) {
  const [last] = runs;
  const due = every ? `every ${every}` : "";
  if (!last) return el("li", {}, el("b", {}, job), el("span", { class: "fine" }, due), hint("No run yet. `homefeed schedule` runs it when it is due."));
  const steps = last.outcome === "running" && last.total ? `, ${count(last.done)} of ${count(last.total)}` : "";
  const earlier = runs.slice(1).map((run) => el("span", { class: `run is-${run.outcome}`, title: `${run.outcome}, ${exactly(run.started)}, ${seconds(run.seconds)}` }, OUTCOMES[run.outcome]));
  return el(
    "li",
    {},
    el("b", {}, job),
    whenAgo(last.started),
    el("p", { class: `run is-${last.outcome}` }, `${OUTCOMES[last.outcome]} ${last.outcome}${steps}, ${seconds(last.seconds)}${due && ` · ${due}`}`, earlier.length ? el("span", { class: "earlier" }, "before: ", earlier) : null),
    last.detail ? el("p", { class: "fine" }, last.detail) : null,
  );
}

export const jobList = (jobs) => el("ul", { class: "rows" }, jobs.map(jobRow));

export function importList(reports, app) {
  if (!reports.length) return hint(`Nothing was imported. Run \`homefeed import ${app} FOLDER\`, or PUT items and POST events.`);
  const file = ({ kind, rows, loaded, rejected, duplicates, reasons }) =>
    el(
      "li",
      {},
      `${kind}: ${count(loaded)} of ${counted(rows, "row")} loaded`,
      rejected ? el("span", { class: "is-bad" }, `, ${count(rejected)} rejected`) : null,
      duplicates ? `, ${counted(duplicates, "duplicate")}` : null,
      reasons.length ? el("span", { class: "fine" }, ` (${reasons.map(({ reason, rows: many }) => `${reason}: ${count(many)}`).join("; ")})`) : null,
    );
  const row = (report) =>
    el(
      "li",
      {},
      el("b", {}, report.finished ? `Import, ${report.seconds.toFixed(1)} s` : "Import that did not end"),
      whenAgo(report.created_at),
      el("ul", { class: "files" }, report.files.map(file)),
    );
  return el("ul", { class: "rows" }, reports.map(row));
}
