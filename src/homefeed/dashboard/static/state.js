// What is chosen on the page. The address holds it too, so that a view can be passed on.

const FIRST_PAGE = 12;

export const state = {
  app: null,
  view: "feeds",
  // Of how many days, of which feed, and of which model's versions; empty for all feeds and for rankers.
  overview: { days: 7, feed: "", lines: "" },
  userId: null,
  knownUsers: new Map(),
  // What events there are and what each says, as the app tells it.
  types: { main_type: null, value_name: "value", value_seconds: null, event_types: [] },
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

/** What one can do to an item, as it is said of it; a search is about none. */
const itemTypes = () => state.types.event_types.filter(({ about }) => about === "item");

const LIKES = ["like", "favorite", "favourite", "save", "watch", "play", "listen"];

const lightest = (types) => types.reduce((least, type) => (least && Math.abs(least.weight) <= Math.abs(type.weight) ? least : type), null);

/**
 * The buttons of a card, by event type: `likes`, one that says "more of this" and the one that the app is for,
 * `hide`, the mildest dislike, and all the `others`.
 */
export function buttonTypes() {
  const liked = itemTypes().filter(({ weight }) => weight > 0);
  const names = liked.map((type) => type.event_type);
  const like = LIKES.find((name) => names.includes(name)) ?? lightest(liked)?.event_type ?? null;
  const likes = [...new Set([like, names.includes(state.types.main_type) ? state.types.main_type : null])].filter(Boolean);
  const hide = lightest(itemTypes().filter(({ weight }) => weight < 0))?.event_type ?? null;
  const others = itemTypes().map((type) => type.event_type).filter((type) => !likes.includes(type) && type !== hide);
  return { likes, hide, others };
}

export const feedTitle = (feed) => feed.title || feed.feed;

export function requested() {
  const parameters = new URLSearchParams(location.search);
  const view = parameters.get("view");
  const days = Number(parameters.get("days"));
  if (Number.isInteger(days) && days > 0) state.overview.days = days;
  if (view === "overview") state.overview.feed = parameters.get("feed") ?? "";
  state.overview.lines = parameters.get("by") ?? "";
  const filters = parameters.getAll("filter").map((text) => text.split(/:(.*)/s, 2)).filter(([field, value]) => field && value);
  const feed = view === "overview" ? null : parameters.get("feed");
  return { app: parameters.get("app"), user: parameters.get("user"), query: parameters.get("query"), item: parameters.get("item"), view, feed, filters };
}

export function remember() {
  const parameters = new URLSearchParams();
  parameters.set("app", state.app.app);
  if (state.userId !== null) parameters.set("user", state.userId);
  if (state.view === "overview") {
    const { days, feed, lines } = state.overview;
    for (const [name, value] of Object.entries({ view: state.view, days, feed, by: lines })) if (value) parameters.set(name, value);
  }
  else {
    if (state.exploreFeed) parameters.set("feed", state.exploreFeed.feed);
    if (state.exploreFeed?.anchored && state.anchor) parameters.set("item", state.anchor.item_id);
    for (const text of filterTexts()) parameters.append("filter", text);
  }
  if (isSearch(state.exploreFeed) && state.query) parameters.set("query", state.query);
  history.replaceState(null, "", `?${parameters}`);
}
