// The dashboard: what is chosen, what is requested for it, and what follows from a press of a button.

import { act, forget as forgetValues, learnValues, sendSearch } from "./acts.js";
import { get, path } from "./api.js";
import { attributesOf, forget as forgetItems, loadSample } from "./catalogue.js";
import { showApps, showFilters, showPeople, showPerson, showStats, showStep, showTabs, showTitle } from "./chooser.js";
import { forget as forgetColours } from "./colours.js";
import { byId, el, emptyState, sentence } from "./dom.js";
import { listenToOverview, showOverview } from "./overview.js";
import { FeedPanel, HistoryPanel } from "./panels.js";
import {
  anchoredFeeds, backToFirstPage, feedTitle, firstPageOf, homeFeed, isSearch, otherFeeds, remember, requested,
  showMore, state,
} from "./state.js";
import { announceFound, focusSearch, forget as forgetSearch, listenToSearch, showSearch, whatToType } from "./search.js";
import { callItemsBy, counted, done, milliseconds, titleOf } from "./words.js";
import { learnRankers, showRankers } from "./rankers.js";
import { closeOnBackdrop, showWhy } from "./why.js";

const USERS = 12;
const STATS_EVERY = 10_000;
const OVERVIEW_EVERY = 60_000;
const TOAST_STAYS = 9_000;

const actions = { act: doTo, why: showWhy, similar: moreLike, more, clearFilters };
const forYou = new FeedPanel("for-you", "forYou", actions);
const explore = new FeedPanel("explore", "explore", actions);
const past = new HistoryPanel({ why: (item) => showWhy(item, forYou.parameters()) });
let toastTimer = 0;
let isActing = false;
// Whose feeds are to be asked for when they are looked at: what nobody sees is not to count as shown.
let awaitedUser = null;

function toast(text, isError = false) {
  const box = byId("toast");
  box.textContent = text;
  box.classList.toggle("is-error", isError);
  box.classList.add("is-shown");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => box.classList.remove("is-shown"), TOAST_STAYS);
}

const hideToast = () => byId("toast").classList.remove("is-shown");

function showLists(areShown) {
  for (const id of ["intro", "users", "controls", "columns"]) byId(id).hidden = !areShown;
}

/** The feeds of one user, or how the app does. */
function showView(view) {
  state.view = view;
  for (const name of ["feeds", "overview"]) byId(`view-${name}`).setAttribute("aria-pressed", String(name === view));
  byId("feeds-view").hidden = view !== "feeds";
  byId("overview").hidden = view !== "overview";
}

async function chooseView(view) {
  showView(view);
  hideToast();
  remember();
  if (view === "overview") await showOverview();
  else if (awaitedUser !== null) await lookAt(awaitedUser);
}

/** Show a user's feeds, now or when they are looked at. */
async function lookAt(user) {
  awaitedUser = state.view === "feeds" ? null : user;
  if (awaitedUser === null) {
    await chooseUser(user);
    learnValues();
  } else {
    state.userId = user;
    remember();
  }
}

/** One sentence about what is missing, instead of the page's lists. */
function showInstead(...nodes) {
  showLists(false);
  hideToast();
  byId("notices").replaceChildren(...nodes);
}

function showTrouble(trouble) {
  const again = el("button", { type: "button", class: "primary", click: () => location.reload() }, "Try again");
  showInstead(emptyState("Something is missing.", [el("p", {}, trouble.message)], again));
}

async function loadForYou(options) {
  const home = homeFeed(state.app);
  if (!home) {
    forYou.rest(emptyState("No feed to begin with.", [el("p", {}, "Every feed of this app is about an item.")]));
    return null;
  }
  const moved = await forYou.load({ feed: home.feed, anchor: null }, options);
  showFilters(filtersChanged);
  return moved;
}

async function loadExplore(options) {
  byId("explore").hidden = !state.exploreFeed;
  showTabs(chooseFeed, dropAnchor);
  showSearch();
  remember();
  if (!state.exploreFeed) return;
  const anchor = state.exploreFeed.anchored ? state.anchor : null;
  const query = isSearch(state.exploreFeed) ? state.query : null;
  if (query === "") {
    explore.rest(whatToType());
    announceFound(null);
    return;
  }
  const moved = await explore.load({ feed: state.exploreFeed.feed, anchor, query }, options);
  if (moved) announceFound(query ? explore.shown : null);
  showFilters(filtersChanged);
}

async function loadPast(options) {
  const events = await past.load(options);
  if (events) {
    state.lastDid = events[0]?.timestamp ?? null;
    forYou.greet();
  }
  if (!events?.length || state.knownUsers.has(state.userId)) return;
  const user = state.userId;
  const { body } = await get(path(["apps", state.app.app, "users", user])).catch(() => ({ body: null }));
  if (body && user === state.userId) {
    state.knownUsers.set(user, body.attributes);
    showPerson();
  }
}

async function loadStats() {
  const app = state.app;
  const { body } = await get(path(["apps", app.app, "stats"]));
  if (app === state.app) showStats(body);
  return body;
}

async function chooseUser(user) {
  hideToast();
  state.userId = user;
  state.lastDid = undefined;
  backToFirstPage();
  remember();
  showPeople(chooseUser);
  showPerson();
  // First what the page is about; its time is then its own.
  await loadForYou();
  await Promise.all([loadExplore(), loadPast()]);
}

/** Send an event and load everything again: the responses already reflect it. */
async function sendAndReload(send, what) {
  if (isActing) return;
  isActing = true;
  try {
    const sent = await send();
    const moved = await loadForYou({ compared: true });
    report(what, sent, moved ?? new Map());
    await Promise.all([loadExplore({ compared: true }), loadPast({ fresh: true }), loadStats().catch(() => null)]);
  } catch (trouble) {
    toast(`Not sent: ${trouble.message}`, true);
  } finally {
    isActing = false;
  }
}

async function doTo(item, type, requestId) {
  await sendAndReload(() => act(item, type, requestId), titleOf(item.item_id, item.attributes));
}

function report(what, sent, moved) {
  const fresh = [...moved.values()].filter((change) => change.isNew).length;
  const title = `“${what}”${sent.size && ` (${sent.size})`}`;
  const list = moved.size ? `${fresh} new, ${moved.size - fresh} moved` : "the same items";
  const took = `Stored in ${milliseconds(sent.milliseconds)}, next list in ${forYou.aside.textContent}`;
  toast(`${sent.verb} ${title}. ${took}: ${list}.`);
}

async function moreLike(item) {
  state.anchor = item;
  await chooseFeed(anchoredFeeds(state.app)[0]);
  byId("explore").focus({ preventScroll: true });
  byId("explore").scrollIntoView({ behavior: "smooth", block: "nearest" });
}

async function chooseFeed(feed) {
  state.exploreFeed = feed;
  firstPageOf("explore");
  const loaded = loadExplore();
  if (isSearch(feed)) focusSearch();
  await loaded;
}

async function lookFor() {
  firstPageOf("explore");
  await loadExplore();
}

/** A search that was submitted counts as an event of the user, where the app keeps searches. */
async function searched() {
  if (!state.query || !state.app.query_event_types.length) await lookFor();
  else await Promise.all([lookFor(), sendAndReload(sendSearch, state.query)]);
}

async function dropAnchor() {
  state.anchor = null;
  await chooseFeed(otherFeeds(state.app)[0] ?? null);
}

async function more(panel) {
  showMore(panel);
  await (panel === "forYou" ? loadForYou() : loadExplore());
}

async function filtersChanged() {
  backToFirstPage();
  remember();
  await Promise.all([loadForYou(), loadExplore()]);
}

async function clearFilters() {
  state.filters.clear();
  await filtersChanged();
}

function forgetApp() {
  for (const forget of [forgetItems, forgetColours, forgetValues, forgetSearch]) forget();
  state.anchor = state.userId = null;
}

function nameColumns() {
  const types = state.app.event_types;
  past.heading.textContent = types.length === 1 ? done(types[0]) : "History";
  const home = homeFeed(state.app);
  forYou.heading.textContent = home ? feedTitle(home) : "For you";
  actions.similar = anchoredFeeds(state.app).length ? moreLike : null;
}

function notices(stats) {
  if (Object.keys(stats.models).length) return [];
  const text = "No model trained yet: run `homefeed train`. Until then the lists show only what is popular and new.";
  return [sentence(text, { class: "notice" })];
}

/** The third column begins with the feed, or the search, in the address, else with what is popular. */
function firstFeed(app, name) {
  const feeds = [...otherFeeds(app), ...(state.anchor ? anchoredFeeds(app) : [])];
  const named = (wanted) => feeds.find((feed) => feed.feed === wanted);
  return (state.query && feeds.find(isSearch)) || named(name) || named("popular") || named("trending") || feeds[0] || null;
}

/** The item that an address names, as lists have it; null where it is gone. */
async function anchorOf(app, itemId) {
  if (!itemId) return null;
  const attributes = (await attributesOf(app.app, [itemId])).get(itemId);
  return attributes ? { item_id: itemId, attributes } : null;
}

/** Who did most lately; before anybody did anything, who came first. */
async function usersOf(app) {
  const { body } = await get(path(["apps", app.app, "active-users"], { limit: USERS }));
  return body.users.length ? body.users : (await get(path(["apps", app.app, "users"], { limit: USERS }))).body.users;
}

async function chooseApp(app, { user = null, query = null, feed = null, item = null, filters = [] } = {}) {
  forgetApp();
  awaitedUser = null;
  state.app = app;
  callItemsBy(app.title_field);
  state.query = query ?? "";
  state.filters = new Map(filters);
  showTitle();
  if (state.view === "overview") remember();
  if (state.view === "overview") showOverview();
  byId("models").open = false;
  byId("ranker-list").replaceChildren();
  try {
    const [stats, users, types, anchor] = await Promise.all([
      loadStats(),
      usersOf(app),
      get(path(["apps", app.app, "event-types"])),
      anchorOf(app, item),
      loadSample(app.app),
    ]);
    if (app !== state.app) return;
    state.types = types.body;
    state.anchor = anchor;
    state.exploreFeed = firstFeed(app, feed);
    state.knownUsers = new Map(users.map((one) => [one.user_id, one.attributes]));
    if (!stats.items) {
      showInstead(emptyState("No items yet.", [sentence("Import some with `homefeed import`, or PUT them: see the API docs.")]));
      return;
    }
    showLists(true);
    byId("notices").replaceChildren(...notices(stats));
    showStep();
    nameColumns();
    await lookAt(user ?? users[0]?.user_id ?? "newcomer-0000");
  } catch (trouble) {
    showTrouble(trouble);
  }
}

function listen() {
  closeOnBackdrop();
  listenToSearch(lookFor, searched);
  byId("user-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const user = byId("user-id").value.trim();
    if (user && state.app) chooseUser(user);
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#models")) byId("models").open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") byId("models").open = false;
  });
  byId("models").addEventListener("toggle", () => {
    if (byId("models").open) showRankers().catch(() => {});
  });
  listenToOverview();
  for (const view of ["feeds", "overview"]) byId(`view-${view}`).addEventListener("click", () => state.app && chooseView(view));
  setInterval(() => {
    if (state.app && state.view === "overview" && !document.hidden) showOverview();
  }, OVERVIEW_EVERY);
  setInterval(() => {
    if (state.app && !document.hidden) watchStats().catch(() => {});
  }, STATS_EVERY);
}

/** The counts and what ranks, kept current; an app that had no items shows them once it has. */
async function watchStats() {
  const stats = await loadStats();
  if (stats.items && byId("columns").hidden) await chooseApp(state.app);
  else if (await learnRankers()) {
    for (const panel of [forYou, explore]) panel.tellRanker();
    if (byId("models").open) await showRankers();
  }
}

async function start() {
  listen();
  try {
    const { body } = await get(path(["apps"]));
    if (!body.apps.length) throw new Error("This server serves no app yet: name one in the setting `apps`.");
    const wanted = requested();
    if (wanted.view === "overview") showView("overview");
    const app = body.apps.find((one) => one.app === wanted.app) ?? body.apps[0];
    await chooseApp(app, app.app === (wanted.app ?? app.app) ? wanted : {});
    showApps(body.apps, (chosen) => chooseApp(chosen));
  } catch (trouble) {
    showTrouble(trouble);
  }
}

start();
