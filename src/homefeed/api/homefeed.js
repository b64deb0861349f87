// Homefeed for web pages: feeds, and events that are not lost. Documented in docs/clients.md.
//
// <script src="https://feeds.example/v1/homefeed.js"></script> makes `Homefeed`, and so does an import of it;
// `import { Homefeed } from "https://feeds.example/v1/homefeed.mjs"` names it.
{
  const MOST_QUEUED = 1000; // events that wait; of more the oldest are dropped
  const MOST_SENT = 100; // events in a request
  const BEACON_BYTES = 60_000; // browsers send 64 KiB at most when a page ends
  const ATTEMPTS = 3; // at a feed
  const FIRST_WAIT = 500; // ms until the second attempt; it doubles with each
  const LONGEST_WAIT = 60_000; // ms
  const LONGEST_REST = 3_600_000; // ms that a server may ask for; beyond 2^31 a timer fires at once
  const WRONG_CLOCK = 60_000; // ms between the page's clock and the server's
  const PASSING = new Set([408, 429, 502, 503, 504]); // a feed is asked for again
  const UNKNOWN = 401; // the token has ended
  const HOPELESS = new Set([400, 413, 422]); // an event is not sent again

  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  // Half of the wait is by chance, so that many pages do not come back at once.
  const waitOf = (attempt, error) =>
    Math.max(Math.min(LONGEST_REST, error.wait ?? 0), Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** attempt) * (0.5 + Math.random() / 2));

  // Where a browser keeps nothing for a page, events wait in the page alone. One that is full can still be read.
  const openStorage = () => {
    try {
      return Object.keys(localStorage) && localStorage;
    } catch {
      return {};
    }
  };

  // Half of a character is no text that a server can read.
  const wellFormed = (_, value) => (typeof value === "string" ? (value.toWellFormed?.() ?? value) : value);

  globalThis.Homefeed = class Homefeed {
    #base;
    #prefix;
    #options;
    #storage = openStorage();
    #memory = {};
    #counted = 0;
    #attempt = 0;
    #skew = 0;
    #timer;
    #sending;
    #bring;
    #token;

    // url: of the server; app: its name there; delay: ms in which events are gathered; timeout: ms a request may take;
    // credentials: as of fetch, for a proxy that goes by cookies; onError: told of events that cannot be sent; token: of
    // the page's user, or a function that brings one, which is asked again once the server refuses what it brought.
    constructor({ url, app, delay = 1000, timeout = 10_000, credentials = "same-origin", onError = console.warn, token }) {
      if (!url || !app) throw new TypeError("Homefeed: expected { url, app }");
      this.#base = `${String(url).replace(/\/+$/, "")}/v1/apps/${encodeURIComponent(app)}`;
      this.#prefix = `homefeed ${this.#base} `;
      this.#options = { delay, timeout, credentials, onError };
      if (token) this.#bring = typeof token === "function" ? token : () => token;
      addEventListener("pagehide", () => this.#beacon());
      document.addEventListener("visibilitychange", () => document.hidden && this.#beacon());
      addEventListener("online", () => this.flush());
      if (this.#waiting().length) this.#schedule(0);
    }

    // A page of a feed as the server answers it, and `next`: a function that asks for the page after it, or null.
    // Its items also say `request_id` and `user_id`, as events about them are to.
    async feed(feed, options = {}) {
      const { userId, n, cursor, itemId, query, filter = [], exclude = [], latitude, longitude, radiusKm } = options;
      const named = { user_id: userId, n, cursor, item_id: itemId, query, latitude, longitude, radius_km: radiusKm };
      const context = Object.entries(options.context ?? {}).map(([name, value]) => [`context.${name}`, value]);
      const told = [...Object.entries(named), ...context].filter(([, value]) => value != null);
      const asked = new URLSearchParams(told);
      for (const condition of [filter].flat()) asked.append("filter", condition);
      for (const left of [exclude].flat()) asked.append("exclude", left);
      const answer = await this.#ask(`feeds/${encodeURIComponent(feed)}?${asked}`);
      const about = { request_id: answer.request_id, user_id: userId };
      const more = answer.next_cursor;
      return {
        ...answer,
        items: answer.items.map((item) => ({ ...item, ...about })),
        next: more ? () => this.feed(feed, { ...options, cursor: more }) : null,
      };
    }

    similar(itemId, { feed = "similar", ...options } = {}) {
      return this.feed(feed, { ...options, itemId });
    }

    search(query, { feed = "search", ...options } = {}) {
      return this.feed(feed, { ...options, query });
    }

    // Somebody did something: it is sent in a moment, again until it is acknowledged, and counts once. Returns its id.
    track(type, { userId, itemId, requestId, value, context } = {}) {
      const now = Date.now() + this.#skew;
      const order = (this.#counted++).toString(36).padStart(4, "0");
      const id = `${now.toString(36)}-${order}-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
      this.#keep(id, {
        event_type: type,
        user_id: userId,
        item_id: itemId,
        request_id: requestId,
        value,
        context,
        event_id: id,
        timestamp: new Date(now).toISOString(),
      });
      this.#timer ?? this.#schedule(this.#options.delay);
      return id;
    }

    // Track clicks on the element of an item of a page and, where `seen` names a type of event, that half of it was
    // once in view.
    observe(element, item, { click = "click", seen, userId = item.user_id } = {}) {
      const about = { userId, itemId: item.item_id, requestId: item.request_id };
      if (click) element.addEventListener("click", () => this.track(click, about));
      if (!seen) return;
      const observer = new IntersectionObserver(
        (entries) => {
          if (!entries.some((entry) => entry.isIntersecting)) return;
          observer.disconnect();
          this.track(seen, about);
        },
        { threshold: 0.5 },
      );
      observer.observe(element);
    }

    // Send what waits now; resolves when all of it is acknowledged, or is to be sent again later.
    flush() {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#sending ??= this.#drain().finally(() => (this.#sending = undefined));
      return this.#sending;
    }

    async #drain() {
      for (let batch; (batch = this.#batch()).length; ) if (!(await this.#send(batch))) return;
    }

    // Whether events are done with. If they are refused as a whole, each half is sent, until the bad one is alone.
    async #send(batch) {
      try {
        const headers = { "Content-Type": "application/json" };
        const answer = await this.#fetch("events", { method: "POST", headers, body: this.#body(batch) });
        for (const { error } of answer.rejected) this.#options.onError(new Error(`Homefeed: ${error}`));
      } catch (error) {
        const isHopeless = HOPELESS.has(error.status);
        const half = batch.length >> 1;
        if (isHopeless && half) return (await this.#send(batch.slice(0, half))) && this.#send(batch.slice(half));
        if (error.status && !PASSING.has(error.status)) this.#options.onError(error);
        if (!isHopeless) return this.#schedule(waitOf(this.#attempt++, error));
      }
      this.#attempt = 0;
      for (const key of batch) this.#drop(key);
      return true;
    }

    // Events stay until they are acknowledged, which nobody hears when a page ends: the next page sends them again.
    #beacon() {
      const batch = this.#batch();
      while (batch.length && new Blob([this.#body(batch)]).size > BEACON_BYTES) batch.pop();
      if (!batch.length) return;
      // JSON is sent to another origin only after asking, which takes longer than a page has.
      const type = new URL(this.#base, location).origin === location.origin ? "application/json" : "text/plain";
      // A beacon has no headers, and a token in its URL would be in logs: it comes with the events.
      const events = this.#body(batch);
      const body = this.#token ? `{"token":${JSON.stringify(this.#token)},"events":${events}}` : events;
      navigator.sendBeacon(`${this.#base}/events`, new Blob([body], { type }));
    }

    async #ask(path) {
      for (let attempt = 0; ; attempt++) {
        try {
          return await this.#fetch(path);
        } catch (error) {
          const isPassing = !error.status || PASSING.has(error.status);
          if (!isPassing || attempt + 1 >= ATTEMPTS || error.wait > LONGEST_WAIT) throw error;
          await sleep(waitOf(attempt, error));
        }
      }
    }

    // With a token; where the server does not know it, once more with a new one.
    async #fetch(path, init = {}) {
      if (!this.#bring) return this.#fetchOnce(path, init);
      const known = this.#token;
      this.#token ??= await this.#bring();
      const withToken = () => ({ ...init, headers: { ...init.headers, Authorization: `Bearer ${this.#token}` } });
      try {
        return await this.#fetchOnce(path, withToken());
      } catch (error) {
        if (error.status !== UNKNOWN) throw error;
        this.#token = undefined;
        if (!known) throw error;
        this.#token = await this.#bring();
        return this.#fetchOnce(path, withToken());
      }
    }

    async #fetchOnce(path, init) {
      const { credentials, timeout } = this.#options;
      const signal = AbortSignal.timeout(timeout);
      const response = await fetch(`${this.#base}/${path}`, { credentials, signal, ...init });
      const off = Date.parse(response.headers.get("Date")) - Date.now();
      if (!Number.isNaN(off)) this.#skew = Math.abs(off) > WRONG_CLOCK ? off : 0;
      if (response.ok) return response.json();
      const problem = await response.json().catch(() => ({}));
      const error = new Error(`Homefeed: ${problem.detail ?? `answered ${response.status}`}`);
      const wait = 1000 * Number(response.headers.get("Retry-After")) || 0;
      throw Object.assign(error, { status: response.status, requestId: problem.request_id, wait });
    }

    #schedule(ms) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.flush(), ms);
    }

    // Each event has a key of its own, so that pages open side by side do not overwrite each other's.
    #keep(id, event) {
      const text = JSON.stringify(event, wellFormed);
      try {
        this.#storage[this.#prefix + id] = text;
      } catch {
        this.#memory[this.#prefix + id] = text;
      }
      for (const key of this.#waiting().slice(0, -MOST_QUEUED)) this.#drop(key);
    }

    #drop(key) {
      delete this.#storage[key];
      delete this.#memory[key];
    }

    #waiting() {
      const keys = [...Object.keys(this.#storage), ...Object.keys(this.#memory)];
      return keys.filter((key) => key.startsWith(this.#prefix)).sort();
    }

    #batch() {
      return this.#waiting().slice(0, MOST_SENT);
    }

    #body(keys) {
      const texts = keys.map((key) => this.#storage[key] ?? this.#memory[key]);
      return `[${texts.filter(Boolean).join(",")}]`;
    }
  };
}
