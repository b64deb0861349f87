"""Tuning: chosen on the latest part of the app's events, recorded, and kept until changed."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.train.plain import plain_recipe

from homefeed.engine import fit_model
from homefeed.environment import Environment
from homefeed.errors import HomefeedError
from homefeed.protocols import Range
from homefeed.recipe import Recipe
from homefeed.retrieve.item_item.trainer import ItemItemTrainer
from homefeed.store import Store, open_store
from homefeed.store.artifacts import ArtifactStore, Manifest
from homefeed.store.events import append_events
from homefeed.store.items import ItemWrite, put_items
from homefeed.train import Budget, train_app
from homefeed.types import DAY, SECOND, Event, TrainingData

if TYPE_CHECKING:
    from tests.conftest import NewStore

APP = "streaming"
RECIPE = plain_recipe(APP)
NOW = 1_700_000_000 * SECOND
ITEMS, USERS = 40, 60
SMALL_SPACE = {"cosine": Range(0, 2), "neighbours": Range(1, 60, whole=True)}

on_sqlite = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


@pytest.fixture
def artifacts(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "models")


@pytest.fixture
def small_space(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that few trials find the one value that matters here."""
    monkeypatch.setattr(ItemItemTrainer, "SPACE", SMALL_SPACE)


async def fill(store: Store, users: int = USERS) -> None:
    """Two circles of users who each play their own half of the films."""
    rng = np.random.default_rng(0)
    await put_items(
        store, APP, [ItemWrite(f"i{n}", {"title": f"Film {n}", "genre": ["Drama"]}) for n in range(ITEMS)]
    )
    plays = [
        Event(f"u{user}", f"i{2 * item + user % 2}", "play", NOW - int(day * DAY), 3_000.0)
        for user in range(users)
        for item, day in zip(rng.permutation(ITEMS // 2)[:10], np.sort(rng.uniform(0, 50, 10)), strict=True)
    ]
    await append_events(store, APP, plays, NOW)


def starved() -> Recipe:
    """A recipe whose item-item model keeps one neighbour an item: nearly anything is better."""
    specs = {spec.name: spec for spec in RECIPE.models}
    poor = specs["item_item"].config.model_copy(update={"neighbours": 1})
    specs["item_item"] = replace(specs["item_item"], config=poor)
    return replace(RECIPE, models=tuple(specs.values()))


@pytest.fixture(scope="module")
def tuned_home(tmp_path_factory: pytest.TempPathFactory, new_store: NewStore) -> tuple[Path, Manifest]:
    """A home, with its store, whose item-item model was tuned from the starved recipe."""
    home = tmp_path_factory.mktemp("tuned")

    async def make(url: str) -> Manifest:
        async with open_store(url) as store:
            await fill(store)
            return await train(store, ArtifactStore(home / "models"), starved(), budget=trials(12))

    with new_store("sqlite", home) as url, pytest.MonkeyPatch.context() as patched:
        patched.setattr(ItemItemTrainer, "SPACE", SMALL_SPACE)
        return home, asyncio.run(make(url))


@pytest.fixture
async def tuned(tuned_home: tuple[Path, Manifest], tmp_path: Path) -> AsyncIterator[tuple[Store, ArtifactStore]]:
    """A copy of it, to change."""
    home = shutil.copytree(tuned_home[0], tmp_path / "home")
    async with open_store(f"sqlite:///{home / 'homefeed.db'}") as store:
        yield store, ArtifactStore(home / "models")


async def train(store: Store, artifacts: ArtifactStore, recipe: Recipe, **options: Any) -> Manifest:
    trained = await train_app(recipe, store, artifacts, Environment(lambda: NOW), seed=5, **options)
    return next(manifest for manifest in trained.manifests if manifest.model == "item_item")


def trials(count: int) -> Budget:
    return Budget(1e9, lambda: 0.0, count)


async def test_what_was_chosen_is_written_down_and_kept(
    tuned_home: tuple[Path, Manifest], tuned: tuple[Store, ArtifactStore]
) -> None:
    (_, manifest), (store, artifacts) = tuned_home, tuned
    facts = manifest.facts["tuning"]
    assert facts["taken"]
    assert facts["metric"] == "ndcg@10"
    assert facts["trials"] == 12
    assert facts["best_mean"] - facts["start_mean"] > facts["margin"] > 0
    assert facts["changed"]["neighbours"] == manifest.config["neighbours"] > 1
    assert facts["recipe"]["neighbours"] == 1
    indptr = np.load(artifacts.root / APP / "item_item" / manifest.version / "indptr.npy")
    assert np.diff(indptr).max() > 1

    later = await train(store, artifacts, starved())
    assert (later.config, later.facts["tuning"]) == (manifest.config, facts)


async def test_it_is_forgotten_when_the_recipe_changes(tuned: tuple[Store, ArtifactStore]) -> None:
    other = await train(*tuned, RECIPE)
    assert "tuning" not in other.facts
    assert other.config["neighbours"] == 300


async def test_it_is_forgotten_when_asked_to(tuned: tuple[Store, ArtifactStore]) -> None:
    untuned = await train(*tuned, starved(), keep_tuned=False)
    assert "tuning" not in untuned.facts
    assert untuned.config["neighbours"] == 1
    # Nor does it come back.
    assert (await train(*tuned, starved())).config["neighbours"] == 1


@on_sqlite
@pytest.mark.usefixtures("small_space")
async def test_trials_are_fitted_to_what_came_before_the_validation_part(
    store: Store, artifacts: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(store)
    fitted: list[TrainingData] = []

    def watched(spec: Any, data: TrainingData) -> Any:
        fitted.append(data)
        return fit_model(spec, data)

    monkeypatch.setattr("homefeed.engine.fit.fit_model", watched)
    manifest = await train(store, artifacts, RECIPE, budget=trials(3))
    cutoff = manifest.facts["tuning"]["cutoff"]
    trial, rest = fitted[:6], fitted[6:]  # three of item-item, three of sequences
    assert len(rest) == 2 * len(RECIPE.models), "once for all trials of retrievers, once for the blend"
    assert all(data.now == cutoff < NOW for data in rest), "on the same requests"
    for data in trial:
        assert data.now == cutoff
        assert data.interactions.times.max() < cutoff
        assert len(data.interactions) == pytest.approx(0.9 * manifest.facts["events"], abs=2)


@on_sqlite
async def test_too_few_users_to_judge_on_are_reported(store: Store, artifacts: ArtifactStore) -> None:
    await fill(store, users=6)
    with pytest.raises(HomefeedError, match=r"\d+ users can be judged on, tuning needs 20"):
        await train(store, artifacts, RECIPE, budget=trials(3))
    # Nothing was published by the training that failed.
    assert artifacts.versions(APP, "item_item") == []


@on_sqlite
async def test_an_app_without_anything_to_tune_is_reported(store: Store, artifacts: ArtifactStore) -> None:
    await fill(store)
    popular = replace(RECIPE, feeds={"popular": RECIPE.feeds["popular"]})
    with pytest.raises(HomefeedError, match="no model of its feeds has values to tune; train without --tune"):
        await train(store, artifacts, popular, budget=trials(3))


@on_sqlite
@pytest.mark.usefixtures("small_space")
async def test_the_same_seed_and_trials_give_the_same_models(
    store: Store, artifacts: ArtifactStore, tmp_path: Path
) -> None:
    await fill(store)
    one = await train(store, artifacts, starved(), budget=trials(6))
    other = await train(store, ArtifactStore(tmp_path / "others"), starved(), budget=trials(6))
    assert one.files == other.files
    assert {**one.facts["tuning"], "seconds": 0} == {**other.facts["tuning"], "seconds": 0}
