// The search field of the third column: it searches while one types; Enter submits the search.

import { byId, el, emptyState } from "./dom.js";
import { isSearch, state } from "./state.js";
import { counted } from "./words.js";

const PAUSE = 250;

let timer = 0;

export function forget() {
  clearTimeout(timer);
  state.query = "";
  byId("search-query").value = "";
}

/** Show the field with the search feed, and only there. */
export function showSearch() {
  const field = byId("search-query");
  byId("search").hidden = !isSearch(state.exploreFeed);
  if (document.activeElement !== field) field.value = state.query;
}

export function focusSearch() {
  byId("search-query").focus({ preventScroll: true });
}

/** Listen to the field: `typed` once its words changed and it rests, `submitted` at Enter or the button. */
export function listenToSearch(typed, submitted) {
  const field = byId("search-query");
  const take = () => {
    clearTimeout(timer);
    const isNew = field.value.trim() !== state.query;
    state.query = field.value.trim();
    return isNew;
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => take() && typed(), PAUSE);
  });
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    take();
    submitted();
  });
}

/** Announce to screen readers what was found; an empty text without a response. */
export function announceFound(answer) {
  const found = answer && `${counted(answer.items.length, "item")}${answer.next_cursor ? " and more" : ""}`;
  byId("search-status").textContent = found ? `${found} for “${state.query}”` : "";
}

export function whatToType() {
  const counts = `Enter counts as something ${state.userId} did: the next list for them reflects it.`;
  return emptyState("What are you looking for?", [
    el("p", {}, "Type some words of it: what it is called, or what kind of thing it is."),
    state.app.query_event_types.length ? el("p", {}, counts) : [],
  ]);
}
