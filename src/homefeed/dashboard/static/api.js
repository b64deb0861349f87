// The generic API of Homefeed, and no other: whatever this page shows, a program can request, too.

/** An error as a sentence for people. */
export class Trouble extends Error {
  constructor(text, status = 0) {
    super(text);
    this.status = status;
  }
}

/** The path of a call, as it is sent. Relative, so that it holds behind a proxy's prefix. */
export function path(segments, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined) query.append(name, one);
    }
  }
  const text = query.toString();
  return `v1/${segments.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

async function send(address, options) {
  const started = performance.now();
  let response;
  try {
    response = await fetch(address, { headers: { Accept: "application/json" }, ...options });
  } catch {
    throw new Trouble("Homefeed does not answer. Is the server still running?");
  }
  const body = await response.json().catch(() => null);
  if (!response.ok) throw new Trouble(body?.detail ?? `Homefeed answered ${response.status}.`, response.status);
  return { body, milliseconds: performance.now() - started };
}

/** GET: the body and how long it took. */
export const get = (address) => send(address, { cache: "no-store" });

/** POST JSON. */
export const post = (address, body) =>
  send(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
