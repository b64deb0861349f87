// The three columns: what the user did, what is for them, what else there is.

import { get, path } from "./api.js";
import { attributesOf, note } from "./catalogue.js";
import { byId, el, emptyState, sentence } from "./dom.js";
import { showItems, tags, tile } from "./items.js";
import { rankedBadge } from "./rankers.js";
import { buttonTypes, filterTexts, homeFeed, state } from "./state.js";
import { ago, amount, done, exactly, milliseconds, titleOf, toDo } from "./words.js";

const HISTORY = 15;
const SHORT = 4; // how many of them the style sheet leaves on a narrow screen
const LATELY = 86_400_000; // milliseconds: a day
const WHY_AGAIN = "Why it is, or is not, recommended again";

/** What every column has: a body, a line with the request it shows, an aside, and a guard against stale responses. */
class Panel {
  constructor(name) {
    this.body = byId(`${name}-body`);
    this.request = byId(`${name}-request`);
    this.aside = byId(`${name}-aside`);
    this.heading = byId(`${name}-title`);
    this.latest = 0;
    this.shown = null;
  }

  /** Load and show; of several requests only the response to the last one is shown. */
  async fetchAndShow(address, show) {
    const number = ++this.latest;
    this.request.href = address;
    this.request.textContent = `GET /${address}`;
    this.request.title = "Open this request's JSON";
    try {
      const answer = await get(address);
      if (number !== this.latest) return null;
      this.aside.textContent = milliseconds(answer.milliseconds);
      return await show(answer.body, () => number === this.latest);
    } catch (trouble) {
      if (number === this.latest) this.fail(trouble);
      return null;
    }
  }

  /** Show something that was not requested, whatever responses may still come. */
  rest(node) {
    this.latest++;
    this.shown = null;
    this.request.removeAttribute("href");
    this.request.textContent = this.request.title = this.aside.textContent = "";
    this.showInstead(node);
  }

  fail(trouble) {
    this.aside.textContent = "";
    this.shown = null;
    this.showInstead(emptyState("This list could not be loaded.", [el("p", {}, trouble.message)]));
  }

  showInstead(node) {
    this.body.replaceChildren(node);
  }
}

export class FeedPanel extends Panel {
  constructor(name, key, actions) {
    super(name);
    this.key = key;
    this.actions = actions;
    // These stay where they are, so that the keyboard and moving rows keep their places.
    this.above = el("div");
    this.ranked = byId(`${name}-ranked`);
    this.list = el("ol", { class: "items" });
    this.below = el("div");
    this.body.replaceChildren(this.above, this.list, this.below);
  }

  showInstead(...nodes) {
    this.list.replaceChildren();
    this.below.replaceChildren();
    this.ranked.replaceChildren();
    this.above.replaceChildren(...nodes);
  }

  /** The parameters of the feed's request now: filters and length included. */
  parameters() {
    const { feed, anchor, query } = this.target;
    return { feed, anchor, query, n: state.shown[this.key], filters: filterTexts() };
  }

  /** Load a feed; returns how items moved if it is `compared` with the list before, null where it failed. */
  async load(target, { compared = false } = {}) {
    this.target = target;
    const { feed, anchor, query, n, filters } = this.parameters();
    const address = path(["apps", state.app.app, "feeds", feed], {
      query,
      user_id: state.userId,
      item_id: anchor?.item_id,
      n,
      filter: filters,
    });
    return this.fetchAndShow(address, (answer) => {
      note(answer.items);
      this.shown = answer;
      return this.show(answer, compared);
    });
  }

  show(answer, compared) {
    if (!answer.items.length) {
      this.showInstead(this.nothing());
      return new Map();
    }
    const more = answer.next_cursor
      ? el("button", { type: "button", class: "more", click: () => this.actions.more(this.key) }, "Show more")
      : null;
    const options = { types: buttonTypes(), actions: this.bound(answer), compared };
    const moved = showItems(this.list, answer.items, options);
    this.greet();
    this.tellRanker();
    this.below.replaceChildren(...[more].filter(Boolean));
    return moved;
  }

  /** Say by the title what ranked the list that is shown, where that can change by itself. */
  tellRanker() {
    if (!this.shown?.items.length) return;
    const isOpen = Boolean(this.ranked.querySelector("details")?.open);
    const badge = rankedBadge(this.target.feed, this.shown.cold_start, isOpen);
    this.ranked.replaceChildren(...(badge ? [badge] : []));
  }

  bound(answer) {
    const { act, why, similar } = this.actions;
    return {
      act: (item, type) => act(item, type, answer.request_id),
      why: (item) => why(item, this.parameters()),
      similar: similar ? (item) => similar(item) : null,
    };
  }

  /** Explain why a list is not from the user's history, once their last event is known. */
  greet() {
    if (!this.shown?.items.length) return;
    const isDue = this.key === "forYou" && this.shown.cold_start && state.lastDid !== undefined;
    this.above.replaceChildren(...(isDue ? [this.greeting()] : []));
  }

  greeting() {
    const user = el("b", {}, state.userId);
    const [like] = buttonTypes().likes;
    const press = like ? ` Press ${toDo(like)} on anything: the next list is personal.` : "";
    if (state.lastDid === null) {
      return el("p", { class: "hint" }, user, ` has no history yet, so this is what is liked most.${press}`);
    }
    // A user with recent events who still gets this has opted out.
    if (Date.now() - new Date(state.lastDid) < LATELY) {
      return el("p", { class: "hint" }, "Nothing ", user, " did is used here, so this is what is liked now.");
    }
    return el("p", { class: "hint" }, user, ` did nothing lately, so this is what is liked now.${press}`);
  }

  nothing() {
    const filters = filterTexts();
    const { query } = this.target;
    const clear = el("button", { type: "button", click: this.actions.clearFilters }, "Clear the filters");
    if (query) {
      const advice = filters.length ? `No such item has ${filters.join(" and ")}.` : "Try fewer words, or others.";
      return emptyState(`Nothing matches “${query}”.`, [el("p", {}, advice)], ...(filters.length ? [clear] : []));
    }
    if (!filters.length) return emptyState("Nothing to show here yet.", [sentence("No item qualifies for this feed.")]);
    return emptyState("Nothing matches.", [el("p", {}, `No item here has ${filters.join(" and ")}.`)], clear);
  }
}

export class HistoryPanel extends Panel {
  constructor(actions) {
    super("history");
    this.actions = actions;
    this.known = [];
  }

  /** Load the user's events; `fresh` marks the newest one as just done. */
  async load({ fresh = false } = {}) {
    const app = state.app.app;
    const address = path(["apps", app, "users", state.userId, "events"], { limit: HISTORY });
    return this.fetchAndShow(address, async (answer, isCurrent) => {
      const attributes = await attributesOf(app, answer.events.map((event) => event.item_id).filter(Boolean));
      if (!isCurrent()) return null;
      this.known = answer.events;
      this.show(answer.events, attributes, fresh);
      return answer.events;
    });
  }

  show(events, attributes, fresh) {
    if (!events.length) {
      this.body.replaceChildren(emptyState("No history.", [el("p", {}, "This user has no events yet: a cold start.")]));
      return;
    }
    const one = state.app.event_types.length === 1;
    const rows = events.map((event, index) => this.row(event, attributes.get(event.item_id), one, fresh && index === 0));
    const list = el("ol", { class: "events" }, rows);
    const whole = el("button", { type: "button", class: "more narrow-only" }, "Show all");
    whole.addEventListener("click", () => {
      list.classList.add("is-whole");
      whole.remove();
    });
    this.body.replaceChildren(list, ...(events.length > SHORT ? [whole] : []));
  }

  /** A row of an event; a search shows its words, and no reason why they might be recommended. */
  row(event, attributes, oneType, isFresh) {
    const title = event.item_id ? titleOf(event.item_id, attributes) : `“${event.context.query ?? ""}”`;
    const words = [oneType ? "" : done(event.event_type), amount(event.value, state.types)];
    const why = () => this.actions.why({ item_id: event.item_id, attributes });
    return el(
      "li",
      { class: isFresh ? "event is-fresh" : "event" },
      event.item_id ? tile(attributes) : el("span", { class: "tile is-search", "aria-hidden": "true" }),
      el(
        "div",
        { class: "item-text" },
        el("p", { class: "item-title" }, el("span", { title: event.item_id }, title)),
        tags(attributes),
        el(
          "p",
          { class: "event-when" },
          [...words.filter(Boolean), ""].join(" · "),
          el("time", { datetime: event.timestamp, title: exactly(event.timestamp) }, ago(event.timestamp)),
        ),
      ),
      attributes && homeFeed(state.app) && el("button", { type: "button", class: "quiet", title: WHY_AGAIN, "aria-label": `${WHY_AGAIN}: ${title}`, click: why }, "Why?"),
    );
  }
}
