// The overview: how feeds do over time, what changed, and how models, jobs and imports are.

import { get, path } from "./api.js";
import { histogram, lineChart } from "./charts.js";
import { byId, el, emptyState, option, sentence } from "./dom.js";
import { changeList, figuresOf, importList, jobList, modelList } from "./overview_parts.js";
import { retrieverTable, versionTable, visitTable } from "./overview_tables.js";
import { feedTitle, remember, state } from "./state.js";
import { capital, counted, percent, plain, score, seconds } from "./words.js";

const SPANS = [[1, "24 hours"], [7, "7 days"], [28, "28 days"], [90, "90 days"]];
const MOST_LINES = 8;
const MOST_TYPES = 4;
const STEPS = { hour: 3_600_000, day: 86_400_000 };

let found = null;

const whole = (value) => Math.round(value).toLocaleString("en");

/** What can be drawn of a period: a title, its value, null where there is none, and how it is written. */
function measures(overview) {
  const rate = (type) => ({ title: `${capital(plain(type))} rate`, of: (period) => period.rates[type] ?? null, interval: (period) => period.intervals[type] ?? null, format: percent });
  const clicks = { title: "Click-through", of: (period) => period.click_through_rate, interval: (period) => period.click_through_interval, format: percent };
  const main = overview.main_type;
  return [
    ...(main === null ? [] : [rate(main)]),
    ...(isOneClick(overview) ? [] : [clicks]),
    ...usualTypes(overview).map(rate),
    { title: "Users with personal answers", of: (period) => period.coverage, format: percent, most: 1 },
    { title: "Time spent with each item shown", of: (period) => (period.time_spent_seconds ? period.time_spent_seconds / period.items_shown : null), format: (value) => (value < 60 ? `${value.toFixed(1)} s` : seconds(value)) },
    { title: "Mean score", of: (period) => period.mean_score, format: score },
    { title: "Items shown", of: (period) => period.items_shown, format: whole },
    { title: "Different items shown", of: (period) => period.distinct_items, format: whole },
  ];
}

/** Whether what counts as a click is the event that the app is for, and nothing else. */
const isOneClick = ({ click_types: clicks, main_type: main }) => clicks.length === 1 && clicks[0] === main;

/** The other event types worth a chart of their own: those that followed most often, without what has one already. */
function usualTypes(overview) {
  const counts = overview.total?.total.items_followed ?? {};
  const isOnlyClick = (type) => overview.click_types.length === 1 && overview.click_types[0] === type;
  const types = overview.event_types.filter((type) => counts[type] && type !== overview.main_type && !isOnlyClick(type));
  return types.sort((a, b) => counts[b] - counts[a]).slice(0, MOST_TYPES);
}

const titleOfFeed = (name) => {
  const feed = state.app.feeds.find((one) => one.feed === name);
  return feed ? feedTitle(feed) : name;
};

/** What is drawn: every feed, or of one feed what ranked it, or the versions of a model. */
function seriesOf(overview) {
  if (!state.overview.feed) return overview.feeds.map((series) => ({ series, name: titleOfFeed(series.feed) }));
  const ofFeed = (series) => series.feed === state.overview.feed;
  if (!state.overview.lines) return overview.rankers.filter(ofFeed).map((series) => ({ series, name: series.ranker || "not known" }));
  return overview.versions
    .filter((series) => ofFeed(series) && series.model === state.overview.lines)
    .sort((a, b) => Date.parse(a.first_served) - Date.parse(b.first_served))
    .map((series) => ({ series, name: series.version.slice(0, 15) }));
}

/** The moments at which something changed, each with all that did: a training changes several models at once. */
function moments(overview) {
  const ofFeed = overview.changes.filter((change) => !state.overview.feed || !change.feed || change.feed === state.overview.feed);
  const grouped = new Map();
  for (const change of ofFeed) {
    const time = Date.parse(change.time);
    const near = [...grouped.keys()].find((other) => Math.abs(other - time) < 60_000) ?? time;
    grouped.set(near, [...(grouped.get(near) ?? []), change]);
  }
  return [...grouped].map(([time, changes]) => ({ time, changes, text: changes.map(({ kind, name, version }) => `${kind} ${name} ${version ?? ""}`.trim()).join("\n") }));
}

function charts(overview) {
  const every = overview.every;
  const drawn = seriesOf(overview).slice(0, MOST_LINES);
  const common = { from: Date.parse(overview.since), to: Date.parse(overview.until), step: STEPS[every], every, changes: moments(overview) };
  const lines = (of, interval = () => null) =>
    drawn.map(({ series, name }, index) => ({
      name,
      tone: `tone-${index}`,
      points: series.periods
        .map((period) => ({ time: Date.parse(period.start), value: of(period), interval: interval(period) }))
        .filter((point) => point.value !== null),
    }));
  const legend = drawn.map(({ name }, index) => el("li", { class: `tone-${index}` }, name));
  const shown = measures(overview)
    .map(({ of, interval, ...measure }) => ({ ...common, ...measure, lines: lines(of, interval).filter((line) => line.points.length) }))
    .filter((chart) => chart.lines.length)
    .map(lineChart);
  return [
    el("ul", { class: "legend", "aria-label": "Lines" }, legend, common.changes.length ? el("li", { class: "is-change" }, "something changed") : null),
    el("div", { class: "charts" }, shown),
  ];
}

/** The rates that tables have: the one that the app is for, clicks where they are others, what else is usual. */
const tableTypes = (overview) => [
  ...(overview.main_type === null ? [] : [overview.main_type]),
  ...(isOneClick(overview) ? [] : ["clicks"]),
  ...usualTypes(overview).slice(0, 2),
];

/** The series of all that is state.overview. */
const chosenTotal = (overview) => (state.overview.feed ? overview.feeds.find((series) => series.feed === state.overview.feed) : overview.total);

function nothingShown(overview) {
  const feed = state.app.feeds.find((one) => one.home)?.feed ?? state.app.feeds[0]?.feed;
  return emptyState("Nothing was shown in this time.", [
    sentence(`Ask for a feed: \`GET /v1/apps/${overview.app}/feeds/${feed}?user_id=...\`, or look at the feeds here. What is shown is told a minute later.`),
    sentence("A server with `impressions_days = 0` writes down nothing that it shows."),
  ]);
}

const TAKES_EVENTS = /\/(events|feedback|interactions)(\/|$)/;

/** Where the app takes events: by a path of its own, which the API document has under its name, or the general one. */
async function pathOfEvents(app) {
  const general = `/v1/apps/${app}/events`;
  const { body } = await get("openapi.json").catch(() => ({ body: { paths: {} } }));
  const isOwn = ([path, { post }]) => post?.tags?.includes(app) && TAKES_EVENTS.test(path);
  return Object.entries(body.paths).find(isOwn)?.[0] ?? general;
}

/** What to do where no event was put down to what was shown. */
function unfollowed(overview) {
  const { by_request: named, by_time: timed } = overview.events;
  if (named + timed) return null;
  const place = el("code", {}, "POST");
  pathOfEvents(overview.app).then((path) => place.append(` ${path}`));
  return el("p", { class: "notice" }, "No event was put down to what was shown. Send ", el("code", {}, "request_id"), " with events: ", place);
}

function isPartial(overview) {
  if (overview.read_from === overview.since) return null;
  return el("p", { class: "fine" }, `More was shown than is read: all of this is from ${new Date(overview.read_from).toLocaleString("en")} on.`);
}

function card(title, body, kind = "") {
  return el("section", { class: `column ${kind}` }, el("div", { class: "column-head" }, el("h2", {}, title)), body);
}

function show() {
  const overview = found;
  const series = chosenTotal(overview);
  const scores = series && histogram("Scores of items shown", overview.score_bounds, series.scores, String);
  const parts = series
    ? [
        figuresOf(series.total, overview, isOneClick(overview)),
        unfollowed(overview),
        isPartial(overview),
        card("Over time", charts(overview), "is-wide"),
        card("What changed", changeList(moments(overview), titleOfFeed), "is-double"),
        card("Scores of items shown", scores ?? el("p", { class: "fine" }, "No score was shown.")),
        card("Who proposed what was shown", retrieverTable(overview, state.overview.feed, tableTypes(overview)), "is-wide"),
        card("New and returning users", visitTable(overview, state.overview.feed, tableTypes(overview)), "is-wide"),
        card("Rankers and model versions", versionTable(overview, state.overview.feed, tableTypes(overview), titleOfFeed), "is-wide"),
      ]
    : [nothingShown(overview)];
  byId("overview-body").replaceChildren(
    ...parts.filter(Boolean),
    card("Models", modelList(overview.models, overview.app)),
    card("Jobs", jobList(overview.jobs)),
    card("Imports", importList(overview.reports, overview.app)),
  );
}

function showChoices() {
  const feeds = found?.feeds.map((series) => series.feed) ?? [];
  if (found && !feeds.includes(state.overview.feed)) Object.assign(state.overview, { feed: "", lines: "" });
  const models = [...new Set((found?.versions ?? []).filter((series) => series.feed === state.overview.feed).map((series) => series.model))];
  byId("overview-days").replaceChildren(...SPANS.map(([days, text]) => option(days, text, days === state.overview.days)));
  byId("overview-feed").replaceChildren(
    option("", "all feeds", !state.overview.feed),
    ...feeds.map((feed) => option(feed, titleOfFeed(feed), feed === state.overview.feed)),
  );
  byId("overview-lines").replaceChildren(
    option("", "what ranked", !state.overview.lines),
    ...models.map((model) => option(model, `versions of ${model}`, model === state.overview.lines)),
  );
  byId("overview-lines-choice").hidden = !state.overview.feed;
}

/** Load the overview of the app and show it; what was shown stays until then. */
export async function showOverview() {
  const app = state.app;
  const address = path(["apps", app.app, "overview"], { days: state.overview.days });
  const request = byId("overview-request");
  request.textContent = `GET /${address}`;
  request.href = address;
  if (found?.app !== app.app) {
    found = null;
    byId("overview-body").replaceChildren(el("p", { class: "fine" }, "Reading what was shown ..."));
  }
  showChoices();
  try {
    const { body } = await get(address);
    if (app !== state.app || state.view !== "overview") return;
    found = body;
    byId("overview-title").textContent = `How ${app.title || app.app} does`;
    byId("overview-aside").textContent = `${counted(body.total?.total.items_shown ?? 0, "item")} shown since ${new Date(body.read_from).toLocaleDateString("en", { dateStyle: "medium" })}`;
    showChoices();
    show();
  } catch (trouble) {
    const again = el("button", { type: "button", class: "primary", click: showOverview }, "Try again");
    byId("overview-body").replaceChildren(emptyState("No overview.", [el("p", {}, trouble.message)], again));
  }
}

export function listenToOverview() {
  byId("overview-days").addEventListener("change", (event) => {
    Object.assign(state.overview, { days: Number(event.target.value) });
    remember();
    showOverview();
  });
  byId("overview-feed").addEventListener("change", (event) => {
    Object.assign(state.overview, { feed: event.target.value, lines: "" });
    remember();
    showChoices();
    if (found) show();
  });
  byId("overview-lines").addEventListener("change", (event) => {
    Object.assign(state.overview, { lines: event.target.value });
    remember();
    if (found) show();
  });
}
