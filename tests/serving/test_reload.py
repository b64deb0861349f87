"""Models change while an app serves: nothing fails, nothing is counted twice, nothing damaged is served."""

from __future__ import annotations

import asyncio
import gc
import re
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs
from tests.ticking import Ticking

from homefeed.apps import find_recipe
from homefeed.catalog import CatalogView, Resources
from homefeed.dataset import log
from homefeed.dataset.log import read_catalog
from homefeed.engine import build_feeds
from homefeed.engine.blending import retrievers_of
from homefeed.environment import Environment
from homefeed.funnel import Feed
from homefeed.rank.blend import Blend, FeedBlend
from homefeed.rank.calibration import Calibration
from homefeed.recipe import BLEND, Recipe
from homefeed.serving import FeedRequest, LiveApp, follower
from homefeed.store import Store, open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import rows_after
from homefeed.store.items import ItemWrite, delete_item, put_items
from homefeed.train import train_app
from homefeed.types import DAY, SECOND, Event

APP = "streaming"
NOW = 1_700_000_000 * SECOND
MODELS = {"signals", "item_item", "sequence", "content"}

either_store = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""For what is the same on every database: a database of one's own takes PostgreSQL a second."""


ENVIRONMENT = Environment(Ticking(NOW))


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    """The strength of an event does not depend on the others, so that it can be counted one by one."""
    overlay = tmp_path / "overlay.toml"
    overlay.write_text('unknown_event_types = "accept"\n[events.play]\nfull = 100\n[events.like]\nweight = 0.5\n')
    return find_recipe(APP, overlay)


@pytest.fixture
def artifacts(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "models")


@pytest.fixture
async def catalogue(store: Store) -> None:
    await put_films(store, 0, 20)


@pytest.fixture
async def app(catalogue: None, store: Store, recipe: Recipe, artifacts: ArtifactStore) -> LiveApp:
    return await opened(store, recipe, artifacts)


@pytest.fixture
async def other(app: LiveApp, store_url: str) -> AsyncIterator[LiveApp]:
    """Another server of the same app."""
    async with open_store(store_url) as store:
        yield await opened(store, app.recipe, app.artifacts)


async def opened(store: Store, recipe: Recipe, artifacts: ArtifactStore) -> LiveApp:
    app = LiveApp(recipe, store, artifacts, ENVIRONMENT)
    await app.start()
    return app


async def put_films(store: Store, start: int, stop: int) -> None:
    films = [
        ItemWrite(f"i{n}", {"title": f"Film {n}", "genre": ["Drama", "Crime"][: n % 3]})
        for n in range(start, stop)
    ]
    await put_items(store, APP, films)


def plays(seed: int, count: int = 30, items: int = 20) -> list[Event]:
    rng = np.random.default_rng(seed)
    return [
        Event(
            f"u{rng.integers(8)}",
            f"i{rng.integers(items)}",
            str(rng.choice(["play", "like", "stare"])),
            NOW - int(rng.integers(9 * DAY)),
            float(rng.integers(200)) if rng.random() < 0.8 else None,
        )
        for _ in range(count)
    ]


async def train(app: LiveApp) -> dict[str, str]:
    trained = await train_app(app.recipe, app.store, app.artifacts, ENVIRONMENT)
    return {manifest.model: manifest.version for manifest in trained.manifests}


def mapped_arrays(app: LiveApp) -> dict[str, weakref.ref[Any]]:
    found = {}
    for name, model in app.follower.parts.models.models.items():
        for field in getattr(type(model), "__dataclass_fields__", ()):
            array = getattr(model, field)
            if isinstance(array, np.ndarray):
                found[f"{name}.{field}"] = weakref.ref(array)
    assert {name.partition(".")[0] for name in found} == MODELS - {"signals"}
    return found


@pytest.fixture
def no_collector() -> Iterator[None]:
    """The collector does not see what was there when a server started, and looks at the rest now and then."""
    gc.disable()
    yield
    gc.enable()


async def test_models_of_old_slates_are_closed_when_new_ones_serve(app: LiveApp, no_collector: None) -> None:
    """They are mapped files: each holds its descriptor, and its disk space, while anything refers to it."""
    await app.append(plays(0, 200))
    old: dict[str, weakref.ref[Any]] = {}
    held: list[str] = []
    for round_ in range(3):
        await train(app)
        assert await (app.reload_models if round_ % 2 else app.catch_up)()
        for _ in range(100):
            held = [name for name, array in old.items() if array() is not None]
            if not held:
                break
            await asyncio.sleep(0.05)  # the thread that loaded may not have let go yet
        assert held == []
        old = mapped_arrays(app)
        for user in range(8):
            answer = await app.recommend(FeedRequest("home", f"u{user}", n=2))
            assert answer.next_cursor is not None
            await app.recommend_together([FeedRequest(name, f"u{user}") for name in ("popular", "home")])
        await app.append(plays(round_ + 1))


def counted(app: LiveApp) -> dict[str, dict[str, float]]:
    """What an app has counted, by item."""
    counters, catalog = app.follower.parts.counters, app.catalog
    columns = {
        "events": counters.events,
        "strength": counters.strength,
        "trend": counters.trend * counters.trend_at(NOW),
    }
    ids = [catalog.item_id(position) for position in range(catalog.size)]
    return {name: dict(zip(ids, column.tolist(), strict=True)) for name, column in columns.items()}


async def logged(app: LiveApp) -> dict[str, float]:
    """Of how many users the log holds events of a declared type of each item."""
    rows = await rows_after(app.store, APP, 0, 100_000)
    who_and_what = {*zip(rows.users, rows.items, rows.types, strict=True)}
    items = [item for _, item in {(user, item) for user, item, kind in who_and_what if kind != "stare"}]
    numbers = app.catalog.numbers.tolist()
    return {app.catalog.item_id(position): float(items.count(number)) for position, number in enumerate(numbers)}


def assert_same(one: dict[str, dict[str, float]], another: dict[str, dict[str, float]]) -> None:
    for name, values in one.items():
        assert another[name] == pytest.approx(values, rel=1e-5, abs=1e-9)


async def test_counting_one_by_one_comes_to_what_training_counts(app: LiveApp, other: LiveApp) -> None:
    for seed in range(4):
        await (app, other)[seed % 2].append(plays(seed) + plays(seed)[:5])
    await app.follow()
    one_by_one = counted(app)
    assert one_by_one["events"] == await logged(app)
    await train(app)
    assert await app.reload_models()
    await other.follow()
    assert_same(one_by_one, counted(app))
    assert_same(one_by_one, counted(other))
    await app.append(plays(9))
    assert await other.reload_models()
    await other.follow()
    assert_same(counted(app), counted(other))
    assert counted(app)["events"] == await logged(app)
    assert_same(counted(app), counted(await opened(app.store, app.recipe, app.artifacts)))


@either_store
async def test_events_of_deleted_items_are_left_out_by_who_reads_them_anew(app: LiveApp) -> None:
    await app.append(plays(1))
    await delete_item(app.store, APP, "i3")
    await train(app)
    newly = await opened(app.store, app.recipe, app.artifacts)
    assert "i3" not in counted(newly)["events"]
    assert counted(newly)["events"] == await logged(newly)


async def test_no_event_is_lost_or_counted_twice_while_models_come_and_go(app: LiveApp, other: LiveApp) -> None:
    async def tell(server: LiveApp, first: int) -> None:
        for seed in range(first, first + 12):
            await server.append(plays(seed, 5))
            await asyncio.sleep(0.005)

    async def follow(server: LiveApp) -> None:
        while not done.is_set():
            await asyncio.gather(server.follow(), server.reload_models(), server.reload_models())
            await server.refresh()

    async def retrain() -> None:
        for n in range(4):
            await put_films(app.store, 20 + n, 21 + n)
            await app.append(plays(500 + n, items=21 + n))
            await train(other)

    done = asyncio.Event()
    async with asyncio.TaskGroup() as following:
        for server in (app, other):
            following.create_task(follow(server))
        async with asyncio.TaskGroup() as busy:
            busy.create_task(retrain())
            for n, server in enumerate((app, other, app)):
                busy.create_task(tell(server, 100 * n))
        done.set()
    for server in (app, other):
        await server.reload_models()
        await server.follow()
        assert counted(server)["events"] == await logged(server)
        assert set(server.model_versions) == MODELS | {"exposures"}
    assert_same(counted(app), counted(other))


def publish_blend(app: LiveApp, intercept: float) -> str:
    home = app.recipe.feeds["home"]
    by_rank = Calibration(intercept, 0.0, -1.0, 0.0)
    own = FeedBlend({spec.name: by_rank for spec in home.retrieve}, retrievers_of(home))
    now = ENVIRONMENT.clock()
    blend = Blend({"home": own})
    return app.artifacts.publish(APP, BLEND, BLEND, blend, now=now, watermark=0, config={}, facts={}).version


async def best_of_popular(app: LiveApp) -> float:
    slate = (await app.recommend(FeedRequest("home", "u1"))).slate
    return float(slate.features[:, slate.feature_names.index("popular")].max())


@either_store
async def test_a_new_blend_is_taken_over_and_a_damaged_one_is_not(app: LiveApp) -> None:
    await app.append([Event("u1", "i3", "play", NOW, 50.0)])
    await train(app)
    await app.reload_models()
    assert BLEND not in app.model_versions, "of so few events there is none"
    assert await best_of_popular(app) == 1
    first = publish_blend(app, 2.0)
    damaged = app.artifacts.root / APP / BLEND / first / "blend.json"
    whole = damaged.read_bytes()
    damaged.chmod(0o600)  # what is published is read only
    damaged.write_bytes(b"{}")
    assert not await app.reload_models()
    assert BLEND not in app.model_versions
    assert app.degraded[BLEND].endswith("serving: none")
    assert await best_of_popular(app) == 1, "it serves without"
    damaged.write_bytes(whole)
    assert await app.reload_models(), "what is whole again is looked at again"
    assert app.degraded == {}
    assert await best_of_popular(app) == pytest.approx(2.01)
    for intercept in (3.0, 4.0):
        version = publish_blend(app, intercept)
        assert await app.reload_models()
        assert app.model_versions[BLEND] == version
        assert await best_of_popular(app) == pytest.approx(intercept + 0.01)
    (app.artifacts.root / APP / BLEND / publish_blend(app, 5.0) / "blend.json").unlink()
    assert not await app.reload_models()
    assert await best_of_popular(app) == pytest.approx(4.01), "the one before serves on"


@either_store
async def test_what_only_the_model_has_seen_is_not_lost(app: LiveApp, other: LiveApp) -> None:
    """Items and events that another server took, and that were trained on, before this one followed them."""
    assert len((await app.user_state("u1")).history) == 0
    await put_films(other.store, 20, 25)
    await other.append([Event("u1", "i22", "play", NOW, 50.0), Event("u1", "i3", "play", NOW, 50.0)])
    await train(other)
    assert await app.reload_models()
    assert len((await app.user_state("u1")).history) == 2
    await app.follow()
    assert counted(app)["events"] == await logged(app)
    await other.reload_models()
    for one in (app, other):
        similar = await one.recommend(FeedRequest("similar", item_id="i3"))
        first = similar.slate.positions[0]
        assert (similar.catalog.item_id(int(first)), similar.slate.sources[0][0]) == ("i22", "item_item")


@either_store
async def test_what_is_written_while_training_reads_is_followed_after(
    app: LiveApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slowly(store: Store, recipe: Recipe) -> CatalogView:
        catalog = await read_catalog(store, recipe)
        await put_films(store, 20, 21)
        await app.append([Event("u1", "i20", "play", NOW, 50.0), *plays(1)])
        return catalog

    await app.append(plays(0))
    with monkeypatch.context() as patched:
        patched.setattr(log, "read_catalog", slowly)
        await train(app)
    await app.reload_models()
    for one in (app, await opened(app.store, app.recipe, app.artifacts)):
        assert counted(one)["events"] == await logged(one)
        assert counted(one)["events"]["i20"] == 1


@either_store
async def test_requests_go_on_while_models_are_replaced(app: LiveApp) -> None:
    async def ask() -> None:
        while not done.is_set():
            for feed in ("home", "popular", "trending"):
                answer = await app.recommend(FeedRequest(feed, "u1", n=5))
                assert len(answer.slate) == 5
                assert answer.slate.failed == {}
            seen.append(app.model_versions)
            await asyncio.sleep(0.002)

    await app.append(plays(0, 60))
    done = asyncio.Event()
    seen: list[dict[str, str]] = []
    published: list[dict[str, str]] = [{}]
    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(ask())
        for n in range(3):
            published.append(await train(app))
            await app.append(plays(10 + n, 3))
            assert await app.reload_models()
            assert app.model_versions == published[-1]
            assert not await app.reload_models()
            await asyncio.sleep(0.01)
        done.set()
    order = [published.index(versions) for versions in seen]
    assert order == sorted(order)
    assert set(order) == {0, 1, 2, 3}


class Held:
    """Has the first feeds to be built, in a thread, stay so until `go`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.building, self.go = threading.Event(), threading.Event()
        monkeypatch.setattr(follower, "build_feeds", self._build)

    def _build(self, recipe: Recipe, resources: Resources) -> dict[str, Feed]:
        if not self.building.is_set():
            self.building.set()
            assert self.go.wait(10)
        return build_feeds(recipe, resources)

    async def begin(self, app: LiveApp) -> asyncio.Task[bool]:
        """A reload that is building feeds."""
        task = asyncio.create_task(app.reload_models())
        assert await asyncio.to_thread(self.building.wait, 10)
        return task


@either_store
async def test_what_happens_while_feeds_are_built_is_in_them(
    app: LiveApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    await app.append(plays(0))
    await train(app)
    held = Held(monkeypatch)
    reloading = await held.begin(app)
    await put_films(app.store, 20, 21)
    await app.append([*plays(1), Event("u1", "i20", "play", NOW, 50.0)])
    before = counted(app)
    assert before["events"] == await logged(app)
    held.go.set()
    assert await reloading
    assert_same(before, counted(app))
    await app.append(plays(2))
    await app.refresh()
    assert counted(app)["events"] == await logged(app)
    assert len((await app.recommend(FeedRequest("popular", n=50))).slate) == 21


@either_store
async def test_of_two_reloads_at_once_the_newest_models_stay(
    app: LiveApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    await train(app)
    held = Held(monkeypatch)
    first = await held.begin(app)
    newest = await train(app)
    second = asyncio.create_task(app.reload_models())
    await asyncio.wait([second], timeout=0.2)
    held.go.set()
    await asyncio.gather(first, second)
    assert app.model_versions == newest


@either_store
async def test_a_reload_that_fails_or_is_cancelled_changes_nothing_and_the_next_one_succeeds(
    app: LiveApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    await app.append(plays(0))
    published = await train(app)
    with monkeypatch.context() as patched:
        held = Held(patched)
        reloading = await held.begin(app)
        reloading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reloading
        held.go.set()
        patched.setattr(follower, "build_feeds", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await app.reload_models()
    assert app.model_versions == {}
    assert await app.reload_models()
    assert app.model_versions == published
    assert counted(app)["events"] == await logged(app)


@either_store
async def test_an_earlier_version_serves_when_it_is_chosen(app: LiveApp) -> None:
    first, second = await train(app), await train(app)
    await app.reload_models()
    assert app.model_versions == second
    app.artifacts.choose(APP, "item_item", first["item_item"])
    assert await app.reload_models()
    assert app.model_versions == second | {"item_item": first["item_item"]}


def damage(artifacts: ArtifactStore, model: str, version: str) -> None:
    for path in (artifacts.root / APP / model / version).iterdir():
        if path.name != "manifest.json":
            path.chmod(0o600)  # what is published is read only
            path.write_bytes(path.read_bytes()[:-1])


@either_store
@pytest.mark.parametrize("model", sorted(MODELS))
async def test_a_damaged_model_is_not_served_and_the_one_before_goes_on(app: LiveApp, model: str) -> None:
    await app.append(plays(0))
    first = await train(app)
    await app.reload_models()
    second = await train(app)
    damage(app.artifacts, model, second[model])
    assert await app.reload_models()
    assert app.model_versions == second | {model: first[model]}
    assert counted(app)["events"] == await logged(app)
    newly = await opened(app.store, app.recipe, app.artifacts)
    assert newly.model_versions == app.model_versions
    assert counted(newly)["events"] == await logged(newly)


@either_store
@pytest.mark.parametrize("model", sorted(MODELS))
async def test_with_every_version_damaged_what_is_in_memory_goes_on(app: LiveApp, model: str) -> None:
    await app.append(plays(0))
    first = await train(app)
    await app.reload_models()
    second = await train(app)
    before = await app.recommend(FeedRequest("home", "u1", n=20))
    # Cut in place: if they were mapped themselves, the next request would end the process.
    for version in (first[model], second[model]):
        for path in (app.artifacts.root / APP / model / version).iterdir():
            path.chmod(0o600)
            path.write_bytes(b"")
    assert await app.reload_models()
    assert app.model_versions == second | {model: first[model]}
    after = await app.recommend(FeedRequest("home", "u1", n=20))
    assert after.slate.positions.tolist() == before.slate.positions.tolist()
    newly = await opened(app.store, app.recipe, app.artifacts)
    assert newly.model_versions == {name: version for name, version in second.items() if name != model}
    assert len((await newly.recommend(FeedRequest("home", "u1", n=20))).slate) == 20
    assert counted(newly)["events"] == await logged(newly)


def lose_current(home: Path) -> None:
    (home / "CURRENT").unlink()


def empty_current(home: Path) -> None:
    (home / "CURRENT").write_bytes(b" \n")


def replace_current_by_a_folder(home: Path) -> None:
    (home / "CURRENT").unlink()
    (home / "CURRENT").mkdir()


def lose_folder(home: Path) -> None:
    home.rename(home.with_name("elsewhere"))


def unmount(home: Path) -> None:
    home.parents[1].rename(home.parents[2] / "unmounted")


def unmount_to_an_empty_folder(home: Path) -> None:
    unmount(home)
    home.parents[1].mkdir()


LOSSES: dict[Callable[[Path], None], str] = {
    lose_current: r"CURRENT is missing",
    empty_current: r"CURRENT is empty",
    replace_current_by_a_folder: r"CURRENT cannot be read: Is a directory",
    lose_folder: r"\S+/models/streaming/item_item is missing",
    unmount: r"\S+/models is missing",
    unmount_to_an_empty_folder: r"\S+/models/streaming is missing",
}


@either_store
@pytest.mark.parametrize("lose", LOSSES, ids=lambda lose: str(lose.__name__))
async def test_what_names_no_version_any_more_is_no_order_to_serve_none(
    app: LiveApp, lose: Callable[[Path], None]
) -> None:
    await app.append(plays(0))
    versions = await train(app)
    await app.reload_models()
    parts, before = app.follower.parts, await app.recommend(FeedRequest("home", "u1", n=20))
    lose(app.artifacts.root / APP / "item_item")
    for again in (False, True):
        with capture_logs() as logs:
            assert not await app.catch_up(), "nothing is told to be live that is not"
        assert app.model_versions == versions
        assert app.follower.parts.serial == parts.serial, "nothing is built anew"
        assert re.fullmatch(rf"{LOSSES[lose]}; serving: {versions['item_item']}", app.degraded["item_item"])
        expected = [] if again else [("model missing", "item_item", versions["item_item"])]
        assert [
            (log["event"], log["model"], log["serving"]) for log in logs if log["model"] == "item_item"
        ] == expected
    after = await app.recommend(FeedRequest("home", "u1", n=20))
    assert after.slate.positions.tolist() == before.slate.positions.tolist()
    newest = await train(app) if lose is not replace_current_by_a_folder else {}
    assert await app.catch_up() is bool(newest)
    assert app.model_versions == newest or versions
    assert bool(app.degraded) is not bool(newest)


@either_store
async def test_models_that_are_mounted_again_are_degraded_no_more(app: LiveApp) -> None:
    versions = await train(app)
    await app.reload_models()
    root = app.artifacts.root
    unmounted = root.rename(root.with_name("unmounted"))
    await app.reload_models()
    assert app.degraded.keys() == versions.keys()
    unmounted.rename(root)
    with capture_logs() as logs:
        assert not await app.reload_models()
    assert {(log["event"], log["model"]) for log in logs} == {("model found again", name) for name in versions}
    assert (app.degraded, app.model_versions) == ({}, versions)


@either_store
async def test_without_a_name_a_start_takes_the_newest_and_says_so(app: LiveApp) -> None:
    await train(app)
    versions = await train(app)
    lose_current(app.artifacts.root / APP / "item_item")
    newly = await opened(app.store, app.recipe, app.artifacts)
    assert newly.model_versions == versions
    assert newly.degraded == {"item_item": f"CURRENT is missing; serving: {versions['item_item']}"}


@either_store
async def test_a_version_of_which_files_are_missing_is_taken_once_they_are_there(app: LiveApp) -> None:
    """As when a copy of the models brings CURRENT first, or a folder comes and goes."""
    first = await train(app)
    await app.reload_models()
    second = await train(app)
    folder = app.artifacts.root / APP / "item_item" / second["item_item"]
    away = folder.rename(folder.with_name(".away"))
    assert await app.reload_models()
    for _again in range(2):
        assert app.model_versions == second | {"item_item": first["item_item"]}
        assert second["item_item"] in app.degraded["item_item"]
        assert not await app.reload_models()
    away.rename(folder)
    assert await app.reload_models()
    assert (app.model_versions, app.degraded) == (second, {})


@either_store
async def test_what_is_in_memory_is_no_worse_than_an_older_version_on_the_disk(app: LiveApp) -> None:
    await train(app)
    before = await train(app)
    await app.reload_models()
    newest = await train(app)
    for version in (before, newest):
        (app.artifacts.root / APP / "content" / version["content"] / "manifest.json").unlink()
    await app.reload_models()
    assert app.model_versions == newest | {"content": before["content"]}


@either_store
async def test_models_ahead_of_a_restored_store_hide_no_event(
    app: LiveApp, recipe: Recipe, artifacts: ArtifactStore, tmp_path: Path
) -> None:
    await app.append([Event(f"u{n}", "i1", "play", NOW, 100.0) for n in range(10)])
    await train_app(recipe, app.store, artifacts, ENVIRONMENT)
    async with open_store(f"sqlite:///{tmp_path / 'restored.db'}") as older:
        await put_films(older, 0, 20)
        restored = await opened(older, recipe, artifacts)
        assert (await restored.user_state("u")).is_cold
        await restored.append([Event("u", "i1", "play", NOW, 100.0)])
        assert not (await restored.user_state("u")).is_cold
