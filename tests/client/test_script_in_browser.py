"""The script in a browser, on pages of another origin: feeds, events however they are sent, and errors."""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from homefeed.client import Client, Item

if TYPE_CHECKING:
    from tests.conftest import FillSample, Server, StartServer

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
EXAMPLE = Path(__file__).parents[2] / "examples" / "news-page" / "index.html"
PATIENCE = 60
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
NEWS = """
app = "news"
items.title = "title"
[items.fields]
title = "text"
[events.view]
weight = 2
[events.read]
[events.hide]
weight = -1
[feeds.home]
retrieve.fresh = {}
rank.weighted = { weights = { fresh = 1.0 } }
"""
READER = """<script>
  const cards = () => [...document.querySelectorAll(".card")];
  const idOf = (link) => decodeURIComponent(link.hash.slice(1));
  const reader = new MutationObserver(async () => {
    if (cards().length < 20) return;
    reader.disconnect();
    const titles = cards().length;
    const [first, second] = cards();
    first.click();
    homefeed.observe(second, { item_id: idOf(second), user_id: "reader" }, { click: null, seen: "view" });
    await new Promise((resolve) => new IntersectionObserver(resolve).observe(second));
    await more.onclick();
    await homefeed.flush();
    const told = { titles, more: cards().length, clicked: idOf(first), seen: idOf(second) };
    fetch("/report", { method: "POST", body: JSON.stringify(told) });
  });
  reader.observe(list, { childList: true });
</script></body>"""
FIRST_PAGE = """<!doctype html>
<script src="$URL/v1/homefeed.js"></script>
<script type="module">
import { Homefeed } from "$URL/v1/homefeed.mjs";
const report = (told) => fetch("/report", { method: "POST", body: JSON.stringify(told) });
try {
  const homefeed = new Homefeed({ url: "$URL/", app: "streaming" });
  const asked = { userId: "u1", n: 2, filter: "content_type:movie", context: { device: "tv" } };
  const page = await homefeed.feed("home", asked);
  const next = await page.next();
  const similar = await homefeed.similar(page.items[0].item_id, { n: 3 });
  const wrong = await homefeed.feed("home", { n: 0 }).catch(({ message, status }) => ({ message, status }));
  const lost = [];
  const other = new Homefeed({ url: "$URL", app: "streaming", onError: (error) => lost.push(error.message) });
  // One that is refused does not keep the others.
  other.track("play", { userId: "browser", itemId: "nowhere", value: 60 });
  other.track("play", { userId: "browser", itemId: page.items[0].item_id, value: 60 });
  await other.flush();
  await report({
    same: globalThis.Homefeed === Homefeed,
    items: page.items.map((item) => item.item_id),
    about: [page.items[0].request_id === page.request_id, page.items[0].user_id],
    more: next.items.map((item) => item.item_id),
    similar: similar.items.length,
    wrong,
    lost,
    kept: Object.keys(localStorage).length,
  });
  // Left at once: the script's own second has not passed, and nothing has been sent.
  other.track("play", { userId: "leaving", itemId: page.items[0].item_id, value: 60 });
  location.href = "/second";
} catch (error) {
  await report({ error: String(error) });
}
</script>"""
SECOND_PAGE = """<!doctype html><script src="$URL/v1/homefeed.js"></script><script>
(async () => {
  const before = Object.keys(localStorage).length;
  const homefeed = new Homefeed({ url: "$URL", app: "streaming" });
  await homefeed.flush();
  const after = Object.keys(localStorage).length;
  // Nobody answers at this address: it stays, and no more than 1,000 do.
  const nobody = new Homefeed({ url: location.origin + "/nobody", app: "none", delay: 0 });
  for (let n = 0; n < 1005; n++) nobody.track("play", { userId: "u", itemId: String(n) });
  await nobody.flush();
  const kept = Object.keys(localStorage).sort().map((key) => JSON.parse(localStorage[key]).item_id);
  const told = { before, after, kept: kept.length, first: kept[0], last: kept.at(-1) };
  await fetch("/report", { method: "POST", body: JSON.stringify(told) });
})();
</script>"""


REFUSED_CLICK = """<script>
  const seen = new MutationObserver(async () => {
    const [first] = document.querySelectorAll(".card");
    if (!first) return;
    seen.disconnect();
    first.click();
    await homefeed.flush();
    const told = { alert: document.querySelector("[role=alert]").textContent };
    fetch("/report", { method: "POST", body: JSON.stringify(told) });
  });
  seen.observe(list, { childList: true });
</script></body>"""
HARD_PAGE = """<!doctype html><script src="$URL/v1/homefeed.js"></script><script>
(async () => {
  const answers = [];
  const sent = [];
  window.fetch = async (url, { body } = {}) => {
    const events = body ? JSON.parse(body) : [];
    sent.push(events.map((event) => event.item_id));
    const { ahead = 0, status, wait } = answers.shift() ?? {};
    const headers = { Date: new Date(Date.now() + ahead).toUTCString(), ...(wait && { "Retry-After": wait }) };
    const refused = status ?? (events.some((event) => event.item_id === "bad") ? 422 : 200);
    const told = { items: [], rejected: [], next_cursor: null, detail: `answered ${refused}` };
    return new Response(JSON.stringify(told), { status: refused, headers });
  };
  const told = { lost: [] };
  const onError = (error) => told.lost.push(error.message);
  const made = (url) => new Homefeed({ url, app: "a", delay: 1e9, onError });
  const homefeed = made("https://one.example");
  for (let n = 0; n < 9; n++) homefeed.track("click", { userId: "u", itemId: n === 5 ? "bad" : `${n}` });
  await homefeed.flush();
  told.kept = Object.keys(localStorage).length;
  told.taken = sent.filter((items) => !items.includes("bad")).flat().sort();

  // The clock was wrong for one answer, and is right since.
  answers.push({ ahead: 3_600_000 }, {});
  await homefeed.feed("home");
  await homefeed.feed("home");
  homefeed.track("click", { userId: "u", itemId: "half \\ud83d" });
  const [event] = Object.values(localStorage).map((text) => JSON.parse(text));
  told.off = Math.abs(Date.parse(event.timestamp) - Date.now()) < 60_000;
  told.whole = event.item_id;
  await homefeed.flush();

  // Beyond 2^31 ms a timer fires at once.
  answers.push(...Array(9).fill({ status: 503, wait: "3000000" }));
  sent.length = 0;
  homefeed.track("click", { userId: "u", itemId: "later" });
  await homefeed.flush();
  await new Promise((resolve) => setTimeout(resolve, 300));
  told.asked = sent.length;
  told.busy = await homefeed.feed("home").catch(({ status }) => status);
  answers.length = 0;

  // A storage that is full is still read: what the page before left is sent and freed.
  Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };
  sent.length = 0;
  await made("https://one.example").flush();
  told.after = [sent, Object.keys(localStorage).length];
  return told;
})()
  .catch((error) => ({ error: String(error) }))
  .then((told) => navigator.sendBeacon("/report", JSON.stringify(told)));
</script>"""


class Pages:
    """A web server of another origin than Homefeed's; what its pages report waits to be taken."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.reports = queue.Queue[dict[str, Any]]()
        pages = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                text = pages.pages.get(self.path)
                self.send_response(404 if text is None else 200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write((text or "").encode())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                is_report = self.path == "/report"
                self.send_response(204 if is_report else 503)
                self.end_headers()
                if is_report:
                    pages.reports.put(json.loads(body))

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def report(self) -> dict[str, Any]:
        """What a page tells next."""
        return self.reports.get(timeout=PATIENCE)


@pytest.fixture
def pages() -> Iterator[Pages]:
    pages = Pages()
    thread = threading.Thread(target=pages.server.serve_forever, daemon=True)
    thread.start()
    yield pages
    pages.server.shutdown()
    pages.server.server_close()
    thread.join()


@pytest.fixture
def homefeed(pages: Pages, tmp_path: Path, start_server: StartServer, fill_sample: FillSample) -> Iterator[Server]:
    """A server of the sample that lets the pages ask."""
    store_url = f"sqlite:///{tmp_path / 'homefeed.db'}"
    fill_sample(store_url, tmp_path)
    with start_server(store_url, tmp_path, cors_origins=pages.url, poll_seconds="0.1") as server:
        yield server


@contextmanager
def browsing(url: str, folder: Path) -> Iterator[None]:
    """A browser with a page open."""
    assert CHROMIUM is not None
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    command = [CHROMIUM, *options, f"--user-data-dir={folder / 'browser'}", "--remote-debugging-port=0", url]
    with (folder / "browser.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def plays(server: Server, user_id: str) -> list[dict[str, Any]]:
    told = httpx.get(f"{server.url}/v1/apps/streaming/users/{user_id}/events", timeout=20).json()["events"]
    return [event for event in told if event["event_type"] == "play"]


@needs_chromium
def test_a_page_of_another_origin_shows_feeds_and_loses_no_event(
    homefeed: Server, pages: Pages, tmp_path: Path
) -> None:
    pages.pages["/"] = FIRST_PAGE.replace("$URL", homefeed.url)
    pages.pages["/second"] = SECOND_PAGE.replace("$URL", homefeed.url)
    with browsing(pages.url, tmp_path):
        told = pages.report()
        assert "error" not in told, told["error"]
        assert told["same"] is True
        assert len(set(told["items"]) | set(told["more"])) == 4
        assert told["about"] == [True, "u1"]
        assert told["similar"] == 3
        assert told["wrong"]["status"] == 422
        assert told["wrong"]["message"].startswith("Homefeed: query.n: ")
        assert told["lost"] == ['Homefeed: item_id: no item "nowhere" in streaming']
        assert [event["item_id"] for event in plays(homefeed, "browser")] == [told["items"][0]]
        # The page that was left told it as it ended; the next one cannot know and tells it again: it counts once.
        second = pages.report()
        assert second["before"] >= 1
        assert second["after"] == 0
        assert (second["kept"], second["first"], second["last"]) == (1_000, "5", "1004")
        assert [event["item_id"] for event in plays(homefeed, "leaving")] == [told["items"][0]]
    log = (tmp_path / "browser.log").read_text()
    assert "has been blocked by CORS policy" not in log


@needs_chromium
def test_the_example_page_shows_a_feed_and_tells_clicks(
    pages: Pages, tmp_path: Path, start_server: StartServer
) -> None:
    (tmp_path / "news.toml").write_text(NEWS)
    example = EXAMPLE.read_text()
    assert example.count("http://127.0.0.1:8000") == 1
    store_url = f"sqlite:///{tmp_path / 'homefeed.db'}"
    settings = {"apps": str(tmp_path / "news.toml"), "cors_origins": pages.url, "poll_seconds": "0.1"}
    with start_server(store_url, tmp_path, **settings) as server, Client(server.url, "news") as client:
        client.put_items(Item(f"n{n}", {"title": f"News {n}"}) for n in range(30))
        ours = {"http://127.0.0.1:8000": server.url, 'value="ada"': 'value="reader"', "</body>": READER}
        for theirs, own in ours.items():
            example = example.replace(theirs, own)
        pages.pages["/"] = example
        with browsing(pages.url, tmp_path):
            told = pages.report()
        assert told["titles"] == 20
        assert told["more"] == 30
        answer = httpx.get(f"{server.url}/v1/apps/news/users/reader/events", timeout=20).json()["events"]
        # Clicks of a type that the app does not have are refused, which the page shows.
        pages.pages["/"] = example.replace(READER, REFUSED_CLICK).replace("data-app", 'data-click="tap" data-app')
        with browsing(pages.url, tmp_path):
            assert "tap" in pages.report()["alert"]
    events = {event["event_type"]: event for event in answer}
    assert events.keys() == {"read", "view"}
    assert (events["read"]["item_id"], events["view"]["item_id"]) == (told["clicked"], told["seen"])
    assert events["read"]["request_id"]


@needs_chromium
def test_what_servers_clocks_and_storages_do_loses_no_event(
    homefeed: Server, pages: Pages, tmp_path: Path
) -> None:
    pages.pages["/"] = HARD_PAGE.replace("$URL", homefeed.url)
    with browsing(pages.url, tmp_path):
        told = pages.report()
    assert "error" not in told, told["error"]
    assert told["lost"] == ["Homefeed: answered 422"]
    assert (told["kept"], told["taken"]) == (0, ["0", "1", "2", "3", "4", "6", "7", "8"])
    assert (told["off"], told["whole"]) == (True, "half \ufffd")
    assert (told["asked"], told["busy"]) == (1, 503)
    assert told["after"] == [[["later"]], 0]
