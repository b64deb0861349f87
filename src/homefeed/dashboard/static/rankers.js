// Which ranker ranks a feed, and why: a badge by its title, and what trainings of learned rankers found.

import { get, path } from "./api.js";
import { byId, el, styled } from "./dom.js";
import { state } from "./state.js";
import { ago, capital, counted, exactly, plain, trainedAt } from "./words.js";

const MOST_VERDICTS = 6;
const LONGEST_WHY = 80;
const SHORT_NAMES = new Set(["ndcg", "map", "mrr"]);

/** A measure as it is written, such as NDCG@10. */
function measure(metric) {
  const [name, depth] = metric.split("@");
  const written = SHORT_NAMES.has(name) ? name.toUpperCase() : capital(plain(name));
  return depth ? `${written}@${depth}` : written;
}

const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;

/** What was found, where it is plain that the ranker was not taken. */
const withoutOutcome = (finding) => finding.replace(/^not taken, (it is )?/, "");

const lead = (verdict) => (verdict?.lead ? `${signed(verdict.lead[0])} ${measure(verdict.metric)}` : null);

/** What of the badge is seen at once: the part, and in a few words why it is that one. */
function summary(feed) {
  const { learned, ranked_by: rankedBy } = feed;
  const by = ["Ranked by ", el("b", {}, plain(rankedBy))];
  if (learned.serving) return [by, ` (${["learned", lead(learned.verdict)].filter(Boolean).join(", ")})`];
  const why = withoutOutcome(learned.verdict?.finding || learned.why);
  return [by, `. The learned ranker is not serving${why.length <= LONGEST_WHY ? `: ${why}` : ""}`];
}

function details(feed) {
  const { learned } = feed;
  const trained = learned.version && trainedAt(learned.version);
  const open = async (event) => {
    event.stopPropagation(); // a press outside the list of models closes it
    byId("models").open = true;
    await showRankers();
    byId("ranker-list").scrollIntoView({ block: "nearest" });
  };
  return el(
    "div",
    { class: "ranked-why" },
    el("p", {}, learned.serving ? `${capital(learned.why)}.` : `The learned ranker is not serving: ${withoutOutcome(learned.why)}.`),
    trained ? el("p", { class: "fine" }, `Version ${learned.version}, trained ${ago(trained)}.`) : null,
    el("button", { type: "button", class: "quiet", click: open }, "Every verdict"),
  );
}

/** The badge of a feed that declares a learned ranker; null for others. New users may be answered by another feed. */
export function rankedBadge(name, isCold, isOpen) {
  const feed = state.app.feeds.find((one) => one.feed === name);
  if (!feed?.learned) return null;
  const instead = isCold && state.app.feeds.find((one) => one.feed === feed.cold_start);
  if (instead) {
    const by = [el("b", {}, instead.title || instead.feed), ", ranked by ", el("b", {}, plain(instead.ranked_by))];
    return el("p", { class: "ranked" }, el("span", { class: "ranked-line" }, "For newcomers: ", by));
  }
  return el(
    "details",
    { class: feed.learned.serving ? "ranked is-learned" : "ranked", open: isOpen },
    el("summary", { class: "ranked-line" }, summary(feed)),
    details(feed),
  );
}

/** Take over what ranks the app's feeds now; whether that is something else than before. */
export async function learnRankers() {
  const app = state.app;
  if (!app.feeds.some((feed) => feed.learned)) return false;
  const { body } = await get(path(["apps"]));
  const now = body.apps.find((one) => one.app === app.app)?.feeds ?? [];
  let isOther = false;
  for (const feed of app.feeds) {
    const { ranked_by, learned } = now.find((one) => one.feed === feed.feed) ?? feed;
    isOther ||= JSON.stringify([ranked_by, learned]) !== JSON.stringify([feed.ranked_by, feed.learned]);
    Object.assign(feed, { ranked_by, learned });
  }
  return isOther;
}

/** The interval of a lead on a scale that is the same for all, with a line at 0. */
function interval([, low, high], most) {
  const place = (value) => (value / most + 1) / 2;
  const span = styled(el("span", { class: "fill" }), { "--start": place(low), "--share": place(high) - place(low) });
  return el("span", { class: "track lead", "aria-hidden": "true" }, span);
}

function verdictRow(verdict, learned, kept, most) {
  const isTaken = verdict.version !== null;
  const isKept = isTaken && kept.includes(verdict.version);
  const isLive = isTaken && verdict.version === learned.version;
  const ofOther = verdict.part && verdict.part !== learned.part ? ` (${plain(verdict.part)})` : "";
  return el(
    "li",
    { class: isTaken ? "is-taken" : "", title: verdict.why },
    el("p", {}, capital(withoutOutcome(verdict.finding || verdict.why)), ofOther, isLive && el("span", { class: "live" }, "live")),
    el("time", { datetime: verdict.judged_at, title: exactly(verdict.judged_at) }, ago(verdict.judged_at)),
    verdict.lead ? [interval(verdict.lead, most), el("span", { class: "lead-value" }, lead(verdict))] : null,
    isKept ? el("code", {}, verdict.version) : null,
  );
}

function unjudgedRow(version, live) {
  const trained = trainedAt(version);
  return el(
    "li",
    { class: "is-taken" },
    el("p", {}, "Published without a verdict", version === live ? el("span", { class: "live" }, "live") : null),
    trained ? el("time", { datetime: trained }, ago(trained)) : null,
    el("code", {}, version),
  );
}

function ranker({ feed, ranked_by: rankedBy, learned, versions, verdicts }) {
  const shown = verdicts.slice(0, MOST_VERDICTS);
  const most = Math.max(1e-9, ...shown.flatMap((verdict) => verdict.lead ?? []).map(Math.abs));
  const judged = new Set(verdicts.map((verdict) => verdict.version));
  const rows = [
    ...shown.map((verdict) => verdictRow(verdict, learned, versions, most)),
    ...versions.filter((version) => !judged.has(version)).map((version) => unjudgedRow(version, learned.version)),
  ];
  const does = learned.serving ? `ranks ${feed}` : `not serving, ${feed} is ranked by ${plain(rankedBy)}`;
  const isFound = verdicts[0]?.why && learned.why.startsWith(verdicts[0].why);
  return el(
    "section",
    { class: learned.serving ? "ranker is-learned" : "ranker" },
    el("p", { class: "ranker-head" }, el("b", {}, learned.model), el("span", { class: "fine" }, `${plain(learned.part)}, ${does}`)),
    learned.serving || isFound ? null : el("p", { class: "fine" }, `${capital(learned.why)}.`),
    el("ol", { class: "verdicts" }, rows),
    verdicts.length > shown.length ? el("p", { class: "fine" }, `${counted(verdicts.length - shown.length, "earlier training")} not listed`) : null,
  );
}

/** The learned rankers in the list of models: what was found at each training, and which versions are kept. */
export async function showRankers() {
  const app = state.app;
  const place = byId("ranker-list");
  if (!app?.feeds.some((feed) => feed.learned)) return place.replaceChildren();
  const address = path(["apps", app.app, "rankers"]);
  const { body } = await get(address);
  if (app !== state.app) return undefined;
  const request = el("a", { class: "request", href: address, target: "_blank", rel: "noopener" }, `GET /${address}`);
  return place.replaceChildren(el("h3", {}, "Learned rankers"), ...body.rankers.map(ranker), request);
}
