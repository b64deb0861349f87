// Doing something to an item on a user's behalf: one event, of a size that people of this app really send.

import { get, path, post, Trouble } from "./api.js";
import { state } from "./state.js";
import { isTimed } from "./words.js";

const SAMPLE = 5;
const TIMED_DEFAULT = 1800;
const usual = new Map();

export const forget = () => usual.clear();

const valuesOf = (events, type) =>
  events.filter((event) => event.event_type === type && event.value !== null).map((event) => event.value);

async function sampled(type) {
  const users = [...state.knownUsers.keys()].slice(0, SAMPLE);
  const histories = await Promise.all(
    users.map((user) => get(path(["apps", state.app.app, "users", user, "events"], { limit: 50 }))),
  );
  return histories.flatMap(({ body }) => valuesOf(body.events, type));
}

/** A value that means it: what one in five events of the type reaches; null where they have none. */
async function usualValue(type) {
  if (!usual.has(type)) {
    const values = (await sampled(type)).sort((a, b) => a - b);
    const fallback = isTimed(type) ? TIMED_DEFAULT : null;
    usual.set(type, values.length ? values[Math.floor(values.length * 0.8)] : fallback);
  }
  return usual.get(type);
}

/** Send the event; answers its value and how long it took to be durable. */
export async function act(item, requestId) {
  const type = state.eventType;
  const value = await usualValue(type);
  const event = { user_id: state.userId, item_id: item.item_id, event_type: type, request_id: requestId };
  const address = path(["apps", state.app.app, "events"]);
  const { body, milliseconds } = await post(address, value === null ? event : { ...event, value });
  if (body.rejected.length) throw new Trouble(body.rejected[0].error);
  return { type, value, milliseconds };
}
