// Acting for a user: one event, with a value that users of this app really send.

import { get, path, post, Trouble } from "./api.js";
import { known } from "./catalogue.js";
import { state } from "./state.js";
import { amount, done, isTimed, tagFields } from "./words.js";

const USERS = 8;
const EVENTS = 200;
const ENOUGH = 5;
const DECISIVE = 0.9;
const TIMED_DEFAULT = 1800;

let sample = null;

export function forget() {
  sample = null;
}

/** Read some histories, so that a press of the button has about the value of a real event. */
export function learnValues() {
  const users = [...state.knownUsers.keys()].slice(0, USERS);
  const histories = users.map((user) => get(path(["apps", state.app.app, "users", user, "events"], { limit: EVENTS })));
  sample = Promise.all(histories)
    .then((answers) => answers.flatMap(({ body }) => body.events.filter((event) => event.value !== null)))
    .catch(() => []);
}

/** What kind of thing an item is: its first text that is not a list. */
const kindOf = (attributes) => tagFields(attributes).find((field) => !field.many)?.values[0];

/** What one in ten events of the type, on items of the kind if there are enough, reaches; null without values. */
async function usualValue(type, item) {
  if (!sample) learnValues();
  const events = (await sample).filter((event) => event.event_type === type);
  const kind = kindOf(item.attributes);
  const similar = events.filter((event) => kindOf(known(event.item_id)) === kind);
  const values = (similar.length >= ENOUGH ? similar : events).map((event) => event.value).sort((a, b) => a - b);
  if (values.length) return values[Math.floor(values.length * DECISIVE)];
  return isTimed(type) && state.types.value_seconds ? TIMED_DEFAULT / state.types.value_seconds : null;
}

/** Send an event; returns how long it took to be durable. */
async function send(event) {
  const { body, milliseconds } = await post(path(["apps", state.app.app, "events"]), event);
  if (body.rejected.length) throw new Trouble(body.rejected[0].error);
  return milliseconds;
}

/** Send an event for an item; returns its verb, its value in words, and how long it took. */
export async function act(item, type, requestId) {
  const value = await usualValue(type, item);
  const event = { user_id: state.userId, item_id: item.item_id, event_type: type, request_id: requestId };
  const milliseconds = await send(value === null ? event : { ...event, value });
  return { verb: done(type), size: amount(value, state.types), milliseconds };
}

/** Send the words of the search field as a search of the user; only for an app that keeps searches. */
export async function sendSearch() {
  const event = { user_id: state.userId, event_type: state.app.query_event_types[0], context: { query: state.query } };
  return { verb: "Searched for", size: "", milliseconds: await send(event) };
}
