"""From a folder of files to a served feed, by the three commands of the README, in a folder of one's own."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.cli.running import done
from tests.serve_command import serving

READERS, ARTICLES = 40, 60
DESKS = ("politics", "sport")
NOW = datetime.now(UTC).replace(microsecond=0)


def written(folder: Path) -> None:
    """A news site's export: even readers read politics, odd ones sport, three articles of the last days a day."""
    folder.mkdir()
    articles = ["article_no;headline;desk;online since"]
    for number in range(ARTICLES):
        came = (NOW - timedelta(days=20 - number // 3)).strftime("%d.%m.%Y %H:%M")
        desk = DESKS[number % 2]
        articles.append(f"{number:03};News of {desk} {number};{desk};{came}")
    (folder / "articles.csv").write_text("\n".join(articles) + "\n")
    clicks = []
    for reader in range(READERS):
        for place in range(8):
            number = (reader * 7 + place * 6) % (ARTICLES - 20)
            number -= (number - reader) % 2  # of the reader's desk
            seen = NOW - timedelta(hours=200 - reader - 5 * place)
            at = round(seen.timestamp() * 1000)
            one = {"reader": f"r{reader}", "article": f"{number % ARTICLES:03}", "done": "Read", "at": at}
            clicks.append(json.dumps(one))
    (folder / "clicks.jsonl").write_text("\n".join(clicks) + "\n")


@pytest.mark.slow
def test_three_commands_serve_a_personal_feed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "export")
    done(tmp_path, "init", "news", "--from", "export", "--yes")
    done(tmp_path, "train", "news")
    with serving(tmp_path, apps=None) as server, httpx.Client(base_url=f"{server.url}/v1/apps/news") as api:

        def page(user: str, **more: Any) -> list[dict[str, Any]]:
            items: list[dict[str, Any]] = api.get("feeds/home", params={"user_id": user, **more}).json()["items"]
            return items

        for reader, desk in (("r2", "politics"), ("r3", "sport")):
            first = page(reader, n=5)
            desks = [item["title"].split()[2] for item in first]
            assert desks[0] == desk
            assert desks.count(desk) >= 4, "one of five may be what is new or trends"
            assert all(item["reason"] for item in first)
        top = page("r2", n=5)[0]["item_id"]
        event = {"user_id": "r2", "item_id": top, "event_type": "read"}
        assert api.post("events", json=event).json()["accepted"] == 1
        assert top not in [item["item_id"] for item in page("r2", n=20)], "what was read is not shown again"
        found = api.get("feeds/search", params={"query": "sport", "n": 3}).json()["items"]
        assert [item["title"].split()[2] for item in found] == ["sport"] * 3
        assert api.get("feeds/home", params={"user_id": "r2", "limit": 3}).status_code == 422
