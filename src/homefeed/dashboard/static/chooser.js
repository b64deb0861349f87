// What is chosen from: apps, users, filters, feeds; and the counts beside them.

import { facets } from "./catalogue.js";
import { byId, el, option } from "./dom.js";
import { anchoredFeeds, buttonTypes, feedTitle, otherFeeds, state } from "./state.js";
import { ago, called, capital, count, counted, fact, titleOf, toDo, trainedAt } from "./words.js";

const CHIPS = 10;
const MOST_FACTS = 6;
// How the ids of newcomers begin, so that they are known again.
const NEWCOMER = { name: "newcomer-", uuid: "00000000" };

export function showApps(apps, choose) {
  const select = byId("app");
  select.replaceChildren(...apps.map((app) => option(app.app, app.title || app.app, app === state.app)));
  byId("app-choice").hidden = apps.length < 2;
  byId("app-title").hidden = apps.length !== 1;
  select.onchange = () => choose(apps.find((app) => app.app === select.value));
}

/** The app's title, by the product's name and in the browser's tab. */
export function showTitle() {
  const title = state.app.title || state.app.app;
  byId("app-title").textContent = title;
  document.title = `${title} · Homefeed`;
}

export function showStats(stats) {
  const tiles = [
    ["items", stats.items, stats.hidden_items ? `${count(stats.hidden_items)} hidden` : ""],
    ["users", stats.users, ""],
    ["events", stats.events, stats.last_event ? `the last one ${ago(stats.last_event)}` : ""],
    ["events/min", stats.events_per_minute, "in the last minute"],
  ];
  byId("counts").replaceChildren(
    ...tiles.map(([name, value, title]) => el("div", { title }, el("dt", {}, name), el("dd", {}, count(value)))),
  );
  showModels(Object.entries(stats.models));
}

function showModels(models) {
  byId("models").querySelector("summary").textContent = models.length ? counted(models.length, "model") : "No models";
  const rows = models.map(([name, version]) => {
    const trained = trainedAt(version);
    const when = trained ? el("time", { datetime: trained }, `trained ${ago(trained)}`) : null;
    return el("li", {}, el("b", {}, name), when, el("code", {}, version));
  });
  const none = el("p", {}, "No model trained yet: ", el("code", {}, "homefeed train"));
  byId("model-list").replaceChildren(rows.length ? el("ul", {}, rows) : none);
}

export function showPeople(choose) {
  const users = [...state.knownUsers.keys()].slice(0, CHIPS);
  const isNew = Object.values(NEWCOMER).some((beginning) => state.userId?.startsWith(beginning));
  const isStranger = isNew && !users.includes(state.userId);
  if (state.userId !== null && !isStranger && !users.includes(state.userId)) users.unshift(state.userId);
  const person = (text, pressed, action, kind = "") =>
    el("button", { type: "button", class: `person-chip ${kind}`, "aria-pressed": String(pressed), click: action }, text);
  const focused = document.activeElement?.closest?.("#people")
    ? [...byId("people").children].indexOf(document.activeElement)
    : -1;
  byId("people").replaceChildren(
    ...users.map((user) => person(user, user === state.userId, () => choose(user))),
    person(isStranger ? state.userId : "A newcomer", isStranger, () => choose(newcomer()), "is-newcomer"),
  );
  byId("people").children[focused]?.focus();
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const digits = (number) => Array.from({ length: number }, () => Math.floor(Math.random() * 16).toString(16)).join("");

/** An id that no user has yet; a UUID where the app's users have such, as it may take no others. */
function newcomer() {
  const isUuid = [...state.knownUsers.keys()].some((user) => UUID.test(user));
  return isUuid ? `${NEWCOMER.uuid}-${digits(4)}-4${digits(3)}-8${digits(3)}-${digits(12)}` : `${NEWCOMER.name}${digits(4)}`;
}

export function showPerson() {
  const attributes = Object.entries(state.knownUsers.get(state.userId) ?? {});
  const facts = attributes.map(([name, value]) => fact(name, value)).filter(Boolean).slice(0, MOST_FACTS);
  byId("person").replaceChildren(el("b", {}, state.userId ?? ""), ...facts.map((text) => el("span", {}, text)));
}

export function showStep() {
  const [like] = buttonTypes().likes;
  byId("step-verb").parentElement.hidden = !like;
  if (like) byId("step-verb").textContent = toDo(like);
}

/** The filters: a choice for each field worth it, keeping what is chosen. */
export function showFilters(changed) {
  if (document.activeElement?.closest?.("#filters select")) return;
  const choices = facets().map(({ field, values }) => {
    const chosen = state.filters.get(field);
    const every = chosen && !values.includes(chosen) ? [...values, chosen] : values;
    const select = el("select", {}, option("", "any", !chosen), every.map((one) => option(one, one, one === chosen)));
    select.onchange = () => {
      if (select.value) state.filters.set(field, select.value);
      else state.filters.delete(field);
      changed();
    };
    return el("label", { class: chosen ? "choice is-set" : "choice" }, el("span", {}, capital(called(field))), select);
  });
  byId("filters").replaceChildren(...choices);
}

/** The tabs of the third column: the app's other feeds, and those about the anchor if there is one. */
export function showTabs(chooseFeed, dropAnchor) {
  const pressed = (feed) => String(feed === state.exploreFeed);
  const feeds = [...otherFeeds(state.app), ...(state.anchor ? anchoredFeeds(state.app) : [])];
  const tabs = feeds.map((feed) =>
    el("button", { type: "button", "aria-pressed": pressed(feed), click: () => chooseFeed(feed) }, feedTitle(feed)),
  );
  const hadFocus = byId("explore-tabs").contains(document.activeElement);
  byId("explore-tabs").replaceChildren(...tabs);
  if (hadFocus) tabs[feeds.indexOf(state.exploreFeed)]?.focus({ preventScroll: true });
  const isAbout = state.exploreFeed?.anchored && state.anchor;
  const drop = el("button", { type: "button", class: "close", "aria-label": "Close", click: dropAnchor }, "×");
  const title = isAbout ? `Like “${titleOf(state.anchor.item_id, state.anchor.attributes)}”` : null;
  const heading = el("span", {}, title ?? (state.exploreFeed ? feedTitle(state.exploreFeed) : "More"));
  byId("explore-title").replaceChildren(heading, ...(isAbout ? [drop] : []));
}
