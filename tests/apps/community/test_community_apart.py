"""A resident's pages are the same to the byte, whatever other communities have and do."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.apps.community.community_sample import END, NOW, RECIPE, Clock, Row, Town, opened, store_url

from homefeed.environment import Environment
from homefeed.ingest import find_files, import_files
from homefeed.samples.community.generate import generate
from homefeed.store import open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.train import train_app

FEEDS = ("home", "welcome", "popular", "fresh")


def written(path: Path, rows: Iterable[Row]) -> None:
    rows = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


async def town_of(home: Path, town: Town, own: str, others: Callable[[Row], Row | None]) -> Path:
    """The town with other communities as `others` has them; its own items and residents first, as numbered."""
    (home / "files").mkdir(parents=True)
    of_user = {user: row["community_id"] for user, row in town.users.items()}
    of_item = {item: row["community_id"] for item, row in town.items.items()}
    for name, rows, community in (
        ("users", list(town.users.values()), lambda row: row["community_id"]),
        ("items", list(town.items.values()), lambda row: row["community_id"]),
        ("interactions", town.events, lambda row: of_item[row["item_id"]]),
    ):
        mine = [row for row in rows if community(row) == own]
        if name == "interactions":
            mine = [row for row in mine if of_user[row["user_id"]] == own]
        changed = [new for row in rows if community(row) != own and (new := others(row)) is not None]
        written(home / "files" / f"{name}.csv", [*mine, *changed])
    async with open_store(store_url(home)) as store:
        await import_files(store, RECIPE, find_files(home / "files", RECIPE.sources), now=NOW)
        # The blend is of a few numbers for all: see decision 53.
        await train_app(
            RECIPE,
            store,
            ArtifactStore(home / "models"),
            Environment(Clock()),
            models=["item_item", "content", "signals"],
        )
    return home


def rewritten(row: Row) -> Row | None:
    """Other texts, and half of what happened, another half of it at that."""
    if "title" in row:
        return {
            **row,
            "title": f"{row['title']} yoga sale",
            "text": "bicycle repair, guitar, bread",
            "tags": "yoga",
        }
    if "event_type" in row:
        return row if row["item_id"][-1] in "02468" else None
    return {**row, "interests": "yoga"}


async def said(home: Path, users: Iterable[str], items: Iterable[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    async with opened(home) as feeds:
        for user in users:
            for feed in FEEDS:
                page = await feeds.page(user, feed=feed)
                found[f"{user} {feed}"] = page.entries
            for item in items:
                trace = asdict(await feeds.trace(user, item))
                found[f"{user} {item}"] = trace | {"seconds": {}}
    return found


async def test_pages_and_traces_are_the_same_whatever_other_communities_do(tmp_path: Path) -> None:
    town = Town(tmp_path)
    generate(town.sample, users=120, items=240, events=5_000, seed=3, end=END)
    own = town.users[town.warm[0]]["community_id"]
    here = await town_of(tmp_path / "here", town, own, lambda row: row)
    there = await town_of(tmp_path / "there", town, own, rewritten)
    residents = [user for user in town.users if town.users[user]["community_id"] == own]
    users = [user for user in residents if user in set(town.warm)][:8] + residents[-1:]
    items = town.neighbours(users[0])[:5]
    before, after = await said(here, users, items), await said(there, users, items)
    assert all(before[f"{user} home"] for user in users)
    for name, told in before.items():
        assert after[name] == told, name
