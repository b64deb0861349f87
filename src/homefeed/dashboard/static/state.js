// What is chosen on the page. The address holds it too, so that a view can be passed on.

const FIRST_PAGE = 12;

export const state = {
  app: null,
  view: "feeds",
  // Of how many days, of which feed, and of which model's versions; empty for all feeds and for rankers.
  overview: { days: 7, feed: "", lines: "" },
  userId: null,
  knownUsers: new Map(),
  eventType: null,
  exploreFeed: null,
  anchor: null,
  query: "",
  // When the user last did something: null for never, undefined while that is not known.
  lastDid: undefined,
  filters: new Map(),
  shown: { forYou: FIRST_PAGE, explore: FIRST_PAGE },
};

export function backToFirstPage() {
  for (const panel of Object.keys(state.shown)) firstPageOf(panel);
}

export function firstPageOf(panel) {
  state.shown[panel] = FIRST_PAGE;
}

/** The next page is the first one, longer: one request still holds the whole list. */
export function showMore(panel) {
  state.shown[panel] = Math.min(state.shown[panel] + FIRST_PAGE, 1000);
}

export const filterTexts = () => [...state.filters].map(([field, value]) => `${field}:${value}`);

/** The feed that the app begins with; null where every feed is about an item. */
export const homeFeed = (app) => app.feeds.find((feed) => feed.home) ?? null;

/** The feeds to look around in. */
export const otherFeeds = (app) => app.feeds.filter((feed) => !feed.home && !feed.anchored);

export const anchoredFeeds = (app) => app.feeds.filter((feed) => feed.anchored);

/** The feed that searches, known by its name. */
export const isSearch = (feed) => feed?.feed === "search";

/** What one can do to an item; a search is about none. */
export const itemEventTypes = (app) => app.event_types.filter((type) => !app.query_event_types.includes(type));

export const feedTitle = (feed) => feed.title || feed.feed;

export function requested() {
  const parameters = new URLSearchParams(location.search);
  const days = Number(parameters.get("days"));
  if (Number.isInteger(days) && days > 0) state.overview.days = days;
  state.overview.feed = parameters.get("feed") ?? "";
  state.overview.lines = parameters.get("by") ?? "";
  return { app: parameters.get("app"), user: parameters.get("user"), query: parameters.get("query"), view: parameters.get("view") };
}

export function remember() {
  const parameters = new URLSearchParams();
  parameters.set("app", state.app.app);
  if (state.userId !== null) parameters.set("user", state.userId);
  if (state.view === "overview") {
    const { days, feed, lines } = state.overview;
    for (const [name, value] of Object.entries({ view: state.view, days, feed, by: lines })) if (value) parameters.set(name, value);
  }
  if (isSearch(state.exploreFeed) && state.query) parameters.set("query", state.query);
  history.replaceState(null, "", `?${parameters}`);
}
