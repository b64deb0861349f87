"""Training: every model, of the whole log and of nothing else, the same whenever it is repeated."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from tests.train.plain import plain_recipe

from homefeed.apps import find_recipe
from homefeed.catalog import SignalsModel
from homefeed.dataset import log
from homefeed.engine import fit_model
from homefeed.environment import Environment
from homefeed.errors import HomefeedError, LeaseHeldError, NotInstalledError
from homefeed.protocols import Model
from homefeed.recipe import PartSpec, Recipe
from homefeed.retrieve.content.model import ContentModel
from homefeed.retrieve.item_item.model import ItemItemModel
from homefeed.serving import FeedRequest, LiveApp
from homefeed.store import Store, open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import append_events
from homefeed.store.items import ItemWrite, delete_item, put_items
from homefeed.train import Trained, jobs, train_app
from homefeed.types import DAY, SECOND, Event, TrainingData

APP = "streaming"
RECIPE = plain_recipe(APP)
NOW = 1_700_000_000 * SECOND
ENVIRONMENT = Environment(lambda: NOW)
MODELS = ("item_item", "sequence", "content", "signals")

either_store = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""For what is the same on every database: a database of one's own takes PostgreSQL a second."""


@pytest.fixture
def artifacts(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "models")


async def put_films(store: Store, count: int = 30) -> None:
    genres = ["Drama", "Crime", "Comedy"]
    films = [ItemWrite(f"i{n}", {"title": f"The {n} film", "genre": genres[: n % 4]}) for n in range(count)]
    await put_items(store, APP, films)


def plays(count: int = 300, items: int = 30, users: int = 12) -> list[Event]:
    rng = np.random.default_rng(0)
    return [
        Event(
            f"u{rng.integers(users)}",
            f"i{rng.integers(items)}",
            "play",
            NOW - int(rng.integers(9 * DAY)),
            float(rng.integers(5_000)),
        )
        for _ in range(count)
    ]


async def train(store: Store, artifacts: ArtifactStore, recipe: Recipe = RECIPE) -> Trained:
    return await train_app(recipe, store, artifacts, ENVIRONMENT, seed=5)


def files_of(artifacts: ArtifactStore) -> dict[str, bytes]:
    """What the models are made of, by name, without the manifests, which hold how long it took."""
    paths = [path for path in artifacts.root.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return {
        str(path.relative_to(artifacts.root)): path.read_bytes() for path in paths if path.name != "manifest.json"
    }


async def test_every_model_is_published_with_what_it_was_made_of(store: Store, artifacts: ArtifactStore) -> None:
    await put_films(store)
    await append_events(store, APP, plays(), NOW)
    trained = await train(store, artifacts)
    assert (trained.app, trained.users, trained.items, trained.events) == (APP, 12, 30, 300)
    assert tuple(manifest.model for manifest in trained.manifests) == MODELS
    configs = {spec.name: spec.config.model_dump() for spec in RECIPE.models}
    configs["signals"] = RECIPE.signals.model_dump()
    for manifest in trained.manifests:
        assert (manifest.app, manifest.part, manifest.watermark) == (APP, manifest.model, 300)
        assert manifest.created_at == "2023-11-14T22:13:20Z"
        assert manifest.config == configs[manifest.model]
        assert {key: manifest.facts[key] for key in ("users", "items", "events")} == {
            "users": 12,
            "items": 30,
            "events": 300,
        }
        assert 0 <= manifest.facts["seconds"] <= trained.seconds
        folder = artifacts.root / APP / manifest.model / manifest.version
        assert set(manifest.files) == {path.name for path in folder.iterdir()} - {"manifest.json"}
        for name, digest in manifest.files.items():
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


@either_store
async def test_the_models_are_of_all_items_and_events(store: Store, artifacts: ArtifactStore) -> None:
    await put_films(store)
    events = plays()
    await append_events(store, APP, events, NOW)
    await train(store, artifacts)
    signals = artifacts.load(APP, "signals", SignalsModel)
    neighbours = artifacts.load(APP, "item_item", ItemItemModel)
    content = artifacts.load(APP, "content", ContentModel)
    assert signals
    assert neighbours
    assert content
    expected = [len({event.user_id for event in events if event.item_id == f"i{n}"}) for n in range(30)]
    assert signals.model.events.tolist() == expected
    assert (signals.model.watermark, signals.model.landmark) == (300, max(event.time for event in events))
    for model in (signals.model, neighbours.model, content.model):
        assert model.numbers.tolist() == list(range(1, 31))
    assert (np.diff(neighbours.model.indptr) > 0).all()


@either_store
async def test_reading_by_pages_reads_the_same(
    store: Store, artifacts: ArtifactStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_films(store)
    await append_events(store, APP, plays(), NOW)
    await train(store, artifacts)
    by_pages = ArtifactStore(tmp_path / "again")
    monkeypatch.setattr(log, "_PAGE", 7)
    stages: list[tuple[str, int, int]] = []
    await train_app(
        RECIPE, store, by_pages, ENVIRONMENT, seed=5, progress=lambda stage, n, of: stages.append((stage, n, of))
    )
    assert files_of(by_pages) == files_of(artifacts)
    assert stages[0] == ("reading events", 7, 300)
    assert ("reading events", 300, 300) in stages
    assert stages[-1] == ("training signals", 1, 1)


@either_store
async def test_the_same_data_and_seed_give_the_same_bytes_in_any_process(
    store: Store, store_url: str, artifacts: ArtifactStore, tmp_path: Path
) -> None:
    await put_films(store)
    await append_events(store, APP, plays(), NOW)
    await train(store, artifacts)
    again = tmp_path / "again"
    # Where the order of a set showed, another seed of the hashes would change it.
    environment = os.environ | {"PYTHONHASHSEED": "17", "PYTHONPATH": str(Path(__file__).parents[2])}
    process = await asyncio.create_subprocess_exec(sys.executable, __file__, store_url, again, env=environment)
    assert await process.wait() == 0
    expected = files_of(artifacts)
    assert len(expected) == 23
    assert files_of(ArtifactStore(again)) == expected


@either_store
async def test_models_that_can_use_the_text_model_of_the_settings_do(
    store: Store, artifacts: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: dict[str, object] = {}

    def see(spec: PartSpec, data: TrainingData, *_: object) -> Model:
        fitted[spec.name] = spec.config.model_dump().get("text_model", "cannot")
        plain = {"text_model": None} if fitted[spec.name] != "cannot" else {}
        return fit_model(replace(spec, config=spec.config.model_copy(update=plain)), data)

    monkeypatch.setattr(jobs, "fit_model", see)
    await put_films(store)
    await train(store, artifacts)
    assert fitted == {"item_item": "cannot", "sequence": "cannot", "content": None}
    trained = await train_app(RECIPE, store, artifacts, ENVIRONMENT, text_model="some/model")
    assert fitted == {"item_item": "cannot", "sequence": "cannot", "content": "some/model"}
    configs = {manifest.model: manifest.config for manifest in trained.manifests}
    assert configs["content"]["text_model"] == "some/model"
    assert all("text_model" not in configs[name] for name in ("item_item", "signals"))


@either_store
async def test_a_text_model_that_is_not_there_is_reported_and_no_model_made_by_it(
    store: Store, artifacts: ArtifactStore, tmp_path: Path
) -> None:
    await put_films(store)
    with pytest.raises(HomefeedError, match="nowhere"):
        await train_app(RECIPE, store, artifacts, ENVIRONMENT, text_model=str(tmp_path / "nowhere"))
    assert artifacts.current(APP, "content") is None
    assert artifacts.current(APP, "signals") is None


@either_store
async def test_what_others_stand_in_for_is_left_out_where_it_cannot_be_trained(
    store: Store, artifacts: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(find_recipe("live"), app=APP)
    await put_items(store, APP, [ItemWrite("i1", {"title": "One", "category_id": "1", "is_live": True})])
    for name in [name for name in sys.modules if name.split(".")[0] == "torch"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    trained = await train_app(recipe, store, artifacts, ENVIRONMENT, models=["item_item", "lightgcn"])
    assert [manifest.model for manifest in trained.manifests] == ["item_item"]
    assert trained.left_out == {"lightgcn": "lightgcn is not installed: pip install 'homefeed[lightgcn]'"}
    with pytest.raises(NotInstalledError, match="which cannot be imported"):
        await train_app(recipe, store, artifacts, ENVIRONMENT, models=["lightgcn"])


@either_store
async def test_without_items_there_is_nothing_to_train(store: Store, artifacts: ArtifactStore) -> None:
    for _ in range(2):
        with pytest.raises(HomefeedError, match="streaming has no items yet; import some first: homefeed import"):
            await train(store, artifacts)
    assert files_of(artifacts) == {}
    await put_films(store)
    assert len((await train(store, artifacts)).manifests) == 4


@either_store
async def test_two_trainings_at_once_are_one(store: Store, artifacts: ArtifactStore) -> None:
    await put_films(store)
    results = await asyncio.gather(*(train(store, artifacts) for _ in range(3)), return_exceptions=True)
    assert isinstance(results[0], Trained)
    for refused in results[1:]:
        assert isinstance(refused, LeaseHeldError)
        assert re.match(r"another training of streaming is running[;:].* wait for it to end", str(refused))
    assert isinstance(await train(store, artifacts), Trained)


@either_store
async def test_a_training_in_another_process_is_waited_for_by_its_own_app_only(
    store: Store, artifacts: ArtifactStore
) -> None:
    await put_films(store)
    (artifacts.root / "shop").mkdir(parents=True)
    with FileLock(artifacts.root / "shop" / ".training.lock"):
        await train(store, artifacts)
    with (
        FileLock(artifacts.root / APP / ".training.lock"),
        pytest.raises(HomefeedError, match="another training of streaming is running"),
    ):
        await train(store, artifacts)
    await train(store, artifacts)


@either_store
async def test_a_training_that_fails_leaves_the_models_and_the_way_free(
    store: Store, artifacts: ArtifactStore, tmp_path: Path
) -> None:
    overlay = tmp_path / "overlay.toml"
    overlay.write_text("[models.content.fields]\nplot = 1.0\n")
    await put_films(store)
    first = await train(store, artifacts)
    with pytest.raises(HomefeedError, match='content: no field "plot"'):
        await train(store, artifacts, find_recipe(APP, overlay))
    for manifest in first.manifests[1:]:
        assert artifacts.current(APP, manifest.model) == manifest.version
    await train(store, artifacts)


@either_store
async def test_events_of_deleted_items_and_of_undeclared_types_are_left_out(
    store: Store, artifacts: ArtifactStore
) -> None:
    await put_films(store, 3)
    batch = [Event("u", f"i{n % 3}", kind, NOW - n, 5.0) for n, kind in enumerate(["play"] * 6 + ["stare"] * 2)]
    await append_events(store, APP, [*batch, Event("v", "i0", "play", NOW, 5.0)], NOW)
    await delete_item(store, APP, "i0")
    trained = await train(store, artifacts)
    assert (trained.users, trained.items, trained.events) == (1, 2, 4)
    found = artifacts.load(APP, "signals", SignalsModel)
    assert found
    assert found.model.numbers.tolist() == [2, 3]
    assert found.model.events.tolist() == [1.0, 1.0]
    assert found.model.watermark == 9


@either_store
async def test_an_app_with_items_and_no_events_trains_and_serves(store: Store, artifacts: ArtifactStore) -> None:
    await put_films(store, 1)
    app = LiveApp(RECIPE, store, artifacts, ENVIRONMENT)
    await app.start()
    for count in (1, 2, 30):
        await put_films(store, count)
        trained = await train(store, artifacts)
        assert (trained.users, trained.items, trained.events) == (0, count, 0)
        await app.catch_up()
        assert set(app.model_versions) == set(MODELS)
        for request in (FeedRequest("home", "u"), FeedRequest("popular"), FeedRequest("similar", item_id="i0")):
            slate = (await app.recommend(request)).slate
            assert slate.failed == {}
            assert len(slate) == min(count - (request.item_id is not None), 20)
    await app.append([Event("u", "i3", "play", NOW, 50.0)])
    slate = (await app.recommend(FeedRequest("home", "u"))).slate
    assert not slate.cold_start
    assert "content" in {source for sources in slate.sources for source in sources}


async def main(url: str, folder: Path) -> None:
    async with open_store(url) as store:
        await train(store, ArtifactStore(folder))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
