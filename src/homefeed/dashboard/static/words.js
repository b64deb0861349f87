// Words for people: titles, tags, times, amounts, verbs.

const VERBS = {
  play: ["Watch", "Watched"],
  watch: ["Watch", "Watched"],
  listen: ["Listen", "Listened to"],
  view: ["View", "Viewed"],
  click: ["Open", "Opened"],
  open: ["Open", "Opened"],
  read: ["Read", "Read"],
  like: ["Like", "Liked"],
  save: ["Save", "Saved"],
  share: ["Share", "Shared"],
  comment: ["Comment", "Commented on"],
  follow: ["Follow", "Followed"],
  join: ["Join", "Joined"],
  rate: ["Rate", "Rated"],
  bid: ["Bid", "Bid on"],
  book: ["Book", "Booked"],
  contact: ["Contact", "Contacted"],
  buy: ["Buy", "Bought"],
  purchase: ["Buy", "Bought"],
  add_to_cart: ["Add to cart", "Added to cart"],
  product_click: ["View", "Viewed"],
  apply: ["Apply", "Applied to"],
  hide: ["Hide", "Hid"],
  dismiss: ["Dismiss", "Dismissed"],
  dislike: ["Not for me", "Disliked"],
  report: ["Report", "Reported"],
};
const TIMED = new Set(["play", "watch", "listen"]);
// What people call items by: the field that the app says, else the first of these that an item has.
let titles = ["title", "name"];
const LONGEST_TAG = 40;
const ADDRESS = /^https?:/;

const numbers = new Intl.NumberFormat("en");
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "long" });
const dates = new Intl.DateTimeFormat("en", { dateStyle: "medium" });
const moments = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
const STEPS = [["day", 86_400], ["hour", 3_600], ["minute", 60]];

export const plain = (name) => name.replaceAll("_", " ");

const FEATURES = {
  bias: "the same for every item",
  boost: "boost",
  popularity: "popularity",
  proposed_by: "how many propose it",
  quality: "quality",
  recency: "how new it is",
  tag_overlap: "tags in common",
};
const NAMED_AFTER = [
  [/^(.+)_score$/, (name) => `score by ${name}`],
  [/^(.+)_rank$/, (name) => `place by ${name}`],
  [/^(.+)_affinity$/, (name) => `taste in ${plain(name)}`],
  [/^(.+)_match$/, (name) => `same ${plain(name)}`],
];

/** A feature in words; null where there are none but its name. */
export function inWords(name) {
  const [pattern, words] = NAMED_AFTER.find(([one]) => one.test(name)) ?? [];
  return FEATURES[name] ?? (pattern ? words(pattern.exec(name)[1]) : null);
}

export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** The text of the button of an event type. */
export const toDo = (type) => VERBS[type]?.[0] ?? capital(plain(type));

/** The verb for an event that happened. */
export const done = (type) => VERBS[type]?.[1] ?? capital(plain(type));

export const isTimed = (type) => TIMED.has(type);

export const callItemsBy = (field) => { titles = [...new Set([field, "title", "name"])]; };

const titleField = (attributes) => titles.find((name) => typeof attributes?.[name] === "string" && attributes[name]);

/** The name of an item for people: its title, else its name, else its id. */
export function titleOf(itemId, attributes) {
  const field = titleField(attributes);
  return field ? attributes[field] : itemId;
}

const MACHINE_MADE = /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT\d\d:\d\d.*)$/i; // UUIDs, times

const isTag = (value) =>
  typeof value === "string" && value && value.length <= LONGEST_TAG && !ADDRESS.test(value) && !MACHINE_MADE.test(value);

/** The short texts and lists of texts among the attributes, by field: what can be shown as tags. */
export function tagFields(attributes) {
  const title = titleField(attributes);
  const fields = [];
  for (const [field, value] of Object.entries(attributes ?? {})) {
    if (field === title) continue;
    const values = Array.isArray(value) ? value : [value];
    const short = values.filter(isTag);
    if (short.length) fields.push({ field, values: short, many: Array.isArray(value) });
  }
  return fields;
}

/** What a field is called that holds the names of what another holds by id. */
export const namesOf = (field) => `${field.replace(/s$/, "")}_names`;

/** The tags for people to read, each once: what is true by the name of its field, ids by their names. */
export function tagWords(attributes) {
  const fields = tagFields(attributes);
  const isNamed = ({ field, values }) =>
    fields.some((other) => other.field === namesOf(field) && other.values.length === values.length);
  const words = ({ field, values }) => values.map((value) => (value === "true" ? called(field) : value));
  const shown = fields.filter((field) => !isNamed(field)).flatMap(words).filter((word) => word !== "false");
  return [...new Map(shown.map((word) => [word.toLowerCase(), word])).values()];
}

export const count = (number) => numbers.format(number);

export function counted(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

export function seconds(value) {
  const whole = Math.round(value);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** The value of an event in words, by what the app says of values; empty where it has none. */
export function amount(value, { value_seconds: long, value_name: name }) {
  if (value === null || value === undefined) return "";
  return long ? seconds(value * long) : `${plain(name)} ${numbers.format(value)}`;
}

/** What people call a field: `community_id` the community, `tag_names` the tags, `joined_at` when they joined. */
export const called = (field) => plain(field).replace(/^is /, "").replace(/ names$/, "s").replace(/ (ids?|at)$/, "");

const MOST_LISTED = 5;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;

/** An attribute of a user in words: lists, places and times as people say them; null for what says nothing. */
export function fact(name, value) {
  if (value === null || value === "" || value === false || value === "false") return null;
  if (value === true || value === "true") return called(name);
  if (Array.isArray(value)) {
    const more = value.length > MOST_LISTED ? ` and ${value.length - MOST_LISTED} more` : "";
    return value.length ? `${called(name)}: ${value.slice(0, MOST_LISTED).join(", ")}${more}` : null;
  }
  if (typeof value === "object") {
    const { latitude, longitude } = value;
    return typeof latitude === "number" && typeof longitude === "number" ? `at ${latitude.toFixed(2)}°, ${longitude.toFixed(2)}°` : null;
  }
  if (typeof value === "string" && TIME.test(value)) return `${called(name)} ${ago(value)}`;
  if (typeof value === "string" && value.includes("|")) return fact(name, value.split("|"));
  return `${called(name)} ${typeof value === "number" ? numbers.format(value) : value}`;
}

export function ago(time) {
  const then = new Date(time);
  const past = (Date.now() - then) / 1000;
  if (past > 30 * 86_400 || past < -60) return dates.format(then);
  const [unit, size] = STEPS.find(([, long]) => past >= long) ?? [null, 1];
  return unit ? relative.format(-Math.floor(past / size), unit) : "just now";
}

export const exactly = (time) => moments.format(new Date(time));

/** When a model was trained, from its version; null where it does not hold that. */
export function trainedAt(version) {
  const found = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)/.exec(version);
  if (!found) return null;
  const [year, month, day, hour, minute, second] = found.slice(1);
  return `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
}

export function score(value) {
  if (value !== 0 && Math.abs(value) < 0.001) return value.toExponential(1);
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(3);
}

export const percent = (share) => `${(100 * share).toFixed(1)} %`;

/** A time of some millionths of a second or more. */
export const shortTime = (seconds) => `${(seconds * 1000).toFixed(2)} ms`;

export const milliseconds = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
