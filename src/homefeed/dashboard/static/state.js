// What is chosen on the page. The address holds it too, so that a view can be passed on.

const FIRST_PAGE = 12;

export const state = {
  app: null,
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

/** The next page is the first one, longer: one request still answers for the whole list. */
export function showMore(panel) {
  state.shown[panel] = Math.min(state.shown[panel] + FIRST_PAGE, 1000);
}

export const filterTexts = () => [...state.filters].map(([field, value]) => `${field}:${value}`);

const PERSONAL = /^home$|for_|you|personal|recommend/;
const FOR_ALL = /popular|trend|fresh|new|latest|best|top|search|near/;

/** The feed that is for the user; an app does not tell which, so its name has to. */
export function homeFeed(app) {
  const free = app.feeds.filter((feed) => !feed.anchored);
  const named = (wanted) => free.find((feed) => wanted(feed.feed));
  return (
    named((name) => name === "home") ?? named((name) => PERSONAL.test(name)) ?? named((name) => !FOR_ALL.test(name)) ?? free[0]
  );
}

/** The feeds to look around in. */
export function otherFeeds(app) {
  const home = homeFeed(app);
  return app.feeds.filter((feed) => feed !== home && !feed.anchored);
}

export const anchoredFeeds = (app) => app.feeds.filter((feed) => feed.anchored);

/** The feed that looks for words; its name tells. */
export const isSearch = (feed) => feed?.feed === "search";

/** What one can do to an item; a search is about none. */
export const itemEventTypes = (app) => app.event_types.filter((type) => !app.query_event_types.includes(type));

export const feedTitle = (feed) => feed.title || feed.feed;

export function asked() {
  const parameters = new URLSearchParams(location.search);
  return { app: parameters.get("app"), user: parameters.get("user"), query: parameters.get("query") };
}

export function remember() {
  const parameters = new URLSearchParams();
  parameters.set("app", state.app.app);
  if (state.userId !== null) parameters.set("user", state.userId);
  if (isSearch(state.exploreFeed) && state.query) parameters.set("query", state.query);
  history.replaceState(null, "", `?${parameters}`);
}
