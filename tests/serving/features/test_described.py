"""Features of users and items: embeddings of the served model, what is known of them, and whence it is taken."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from homefeed.environment import Environment
from homefeed.protocols import EmbedsUsers
from homefeed.recipe import parse_recipe
from homefeed.serving import LiveApp
from homefeed.serving.features.layout import unpack_item
from homefeed.serving.features.memory import MemoryFeatures
from homefeed.serving.features.sharing import Keys
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import append_events
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.users import put_users
from homefeed.train import train_app
from homefeed.types import DAY, SECOND, Event

RECIPE = parse_recipe(
    tomllib.loads("""
    app = "films"
    title = "Films"
    [items]
    title = "title"
    [items.fields]
    title = "text"
    watchers = "number"
    [users.fields]
    private = "category"
    [events.like]
    [privacy]
    opt_out = "private"
    [models.als]
    factors = 4
    iterations = 2
    [feeds.home]
    title = "Home"
    retrieve.als = {}
    rank.weighted = { weights = { als = 1.0 } }
    """),
    "films",
)
NOW = 1_700_000_000 * SECOND
KEYS = Keys("homefeed", "films")

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


class Counting(MemoryFeatures):
    """A store that notes what is asked of it and written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[Sequence[str]] = []
        self.writes: list[tuple[set[str], int]] = []

    async def read(self, keys: Sequence[str]) -> list[bytes | None]:
        self.reads.append(keys)
        return await super().read(keys)

    async def write(self, values: Any, seconds: int) -> None:
        if values:
            self.writes.append((set(values), seconds))
        await super().write(values, seconds)


@pytest.fixture
def features() -> Counting:
    return Counting()


@pytest.fixture
async def app(store: Store, tmp_path: Path, features: Counting) -> LiveApp:
    pytest.importorskip("implicit")
    artifacts, environment = ArtifactStore(tmp_path), Environment(lambda: NOW)
    await put_items(store, "films", [ItemWrite(i, {"title": i, "watchers": 3}, NOW - 5 * DAY) for i in "abcde"])
    await put_users(store, "films", [("u0", {"city": "Paris"}), ("hidden", {"private": "true"})])
    likes = [(f"u{n}", item) for n in range(8) for item in ("abc" if n % 2 else "bcd")] + [("hidden", "a")]
    events = [Event(user, item, "like", NOW - DAY) for user, item in likes]
    await append_events(store, "films", events, NOW)
    await train_app(RECIPE, store, artifacts, environment)
    made = LiveApp(RECIPE, store, artifacts, environment, features=features)
    await made.start()
    return made


async def test_a_user_has_an_embedding_demographics_and_a_history(app: LiveApp) -> None:
    users, items = await app.features.read(["u0", "nobody"], ["a", "b", "e", "nothing"])
    assert (set(users), set(items)) == ({"u0"}, {"a", "b", "e"})
    assert users["u0"].stored.attributes == {"city": "Paris"}
    assert len(users["u0"].stored.items) == 3
    model = users["u0"].embedding.model
    assert model == f"als/{app.model_versions['als']}"
    # In the space of the items: what the user likes is nearer to them than what they do not.
    vector = users["u0"].embedding.vector
    assert vector @ items["b"].embedding.vector > vector @ items["a"].embedding.vector
    assert items["b"].values == {"title": "b", "watchers": 3}
    assert (items["e"].embedding.vector.tolist(), items["e"].embedding.model) == ([], model)


async def test_what_is_known_is_asked_in_one_round_trip_and_kept_for_so_long(
    app: LiveApp, features: Counting
) -> None:
    first = await app.features.read(["u0", "u1"], ["a", "b"])
    users, items = {KEYS.user("u0"), KEYS.user("u1")}, {KEYS.item("a"), KEYS.item("b")}
    assert features.writes == [(users, 3_600), (items, 1_800)]
    features.reads.clear()
    features.writes.clear()
    again = await app.features.read(["u0", "u1"], ["a", "b"])
    assert (len(features.reads), features.writes) == (1, [])
    np.testing.assert_array_equal(again[0]["u0"].embedding.vector, first[0]["u0"].embedding.vector)
    np.testing.assert_array_equal(again[1]["b"].embedding.vector, first[1]["b"].embedding.vector)
    assert again[0]["u1"].stored.items.tolist() == first[0]["u1"].stored.items.tolist()


async def test_what_changed_is_described_anew(app: LiveApp, features: Counting) -> None:
    before, _ = await app.features.read(["u0", "u1"], ["a", "b"])
    await app.append([Event("u0", "a", "like", NOW)])
    await app.writes.patch_item("b", {"watchers": 9})
    features.writes.clear()
    users, items = await app.features.read(["u0", "u1"], ["a", "b"])
    assert len(users["u0"].stored.items) == 4
    assert users["u0"].embedding.vector.tolist() != before["u0"].embedding.vector.tolist()
    assert items["b"].values["watchers"] == 9
    assert [keys for keys, _ in features.writes] == [{KEYS.user("u0")}, {KEYS.item("b")}]
    await app.writes.delete_item("b")
    assert (await app.features.read((), ["a", "b"]))[1].keys() == {"a"}
    assert await features.read([KEYS.item("b")]) == [None]


async def test_what_is_damaged_is_described_anew_and_counted(app: LiveApp, features: Counting) -> None:
    await app.features.read(["u0"], ["a"])
    await features.write({KEYS.user("u0"): b"HU\x01", KEYS.item("a"): b"?"}, 60)
    users, items = await app.features.read(["u0"], ["a"])
    assert (len(users["u0"].stored.items), items["a"].values["watchers"]) == (3, 3)
    assert features.stats.unusable == 2
    (value,) = await features.read([KEYS.item("a")])
    assert value is not None
    assert unpack_item(value) is not None


async def test_of_who_opted_out_nothing_is_told_or_kept(app: LiveApp, features: Counting) -> None:
    users, _ = await app.features.read(["hidden"])
    assert (len(users["hidden"].stored.items), len(users["hidden"].embedding.vector)) == (0, 0)
    assert features.writes == []


async def test_without_a_model_there_are_no_embeddings(store: Store, tmp_path: Path) -> None:
    await put_items(store, "films", [ItemWrite("a", {"title": "a"}, NOW)])
    await append_events(store, "films", [Event("u", "a", "like", NOW)], NOW)
    app = LiveApp(RECIPE, store, ArtifactStore(tmp_path), Environment(lambda: NOW))
    await app.start()
    users, items = await app.features.read(["u"], ["a"])
    for embedding in (users["u"].embedding, items["a"].embedding):
        assert (embedding.model, embedding.vector.tolist()) == ("", [])
    parts = app.follower.parts
    (retriever, _), *_ = parts.feeds["home"].retrievers.values()
    assert isinstance(retriever, EmbedsUsers)
    assert retriever.item_embeddings(np.array([0], np.int32)).shape == (1, 0)
