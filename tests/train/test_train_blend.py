"""The blend of an app: made with its models, kept while it holds, and renewed when it does not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.train.plain import plain_recipe

from homefeed.engine import fit_model
from homefeed.engine.blending import ranker_of, retrievers_of
from homefeed.environment import Environment
from homefeed.evaluate.blending import Blended, TunedWeights
from homefeed.protocols import Range
from homefeed.rank.blend import Blend, FeedBlend
from homefeed.recipe import BLEND, Goal, PartSpec, Recipe
from homefeed.retrieve.item_item.trainer import ItemItemTrainer
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore, Manifest
from homefeed.store.events import append_events
from homefeed.store.items import ItemWrite, put_items
from homefeed.train import Budget, train_app
from homefeed.train.blend import made_for
from homefeed.types import DAY, SECOND, Event, TrainingData

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)

APP = "streaming"
RECIPE = plain_recipe(APP)
NOW = 1_700_000_000 * SECOND
MODELS = [spec.name for spec in RECIPE.models]
ALL = [*MODELS, "blend", "signals"]
REST = [*MODELS, "signals"]
TUNED = {"item_item": 0.5, "popular": 0.25}


@pytest.fixture
def artifacts(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "models")


@pytest.fixture
async def filled(store: Store) -> Store:
    await fill(store, 40)
    return store


async def fill(store: Store, users: int) -> None:
    """Two circles of users who each play their own half of the films."""
    rng = np.random.default_rng(0)
    films = [ItemWrite(f"i{n}", {"title": f"Film {n}", "genre": ["Drama"]}) for n in range(30)]
    await put_items(store, APP, films)
    plays = [
        Event(f"u{user}", f"i{2 * item + user % 2}", "play", NOW - int(day * DAY), 3_000.0)
        for user in range(users)
        for item, day in zip(rng.permutation(15)[:10], np.sort(rng.uniform(0, 50, 10)), strict=True)
    ]
    await append_events(store, APP, plays, NOW)


async def train(
    store: Store, artifacts: ArtifactStore, *models: str, recipe: Recipe = RECIPE, day: float = 0, **options: Any
) -> list[str]:
    """What a training so many days later publishes."""
    environment = Environment(lambda: NOW + int(day * DAY))
    trained = await train_app(recipe, store, artifacts, environment, models=models or None, seed=5, **options)
    return [manifest.model for manifest in trained.manifests]


def blend_of(artifacts: ArtifactStore) -> Blend:
    found = artifacts.load(APP, BLEND, Blend)
    assert found is not None
    return found.model


def manifest_of(artifacts: ArtifactStore) -> Manifest:
    found = artifacts.manifest(APP, BLEND)
    assert found is not None
    return found


def publish_tuned(artifacts: ArtifactStore, recipe: Recipe = RECIPE, day: float = 0) -> None:
    """The blend as it is, as if its weights had been tuned."""
    home = replace(blend_of(artifacts).feeds["home"], ranker=ranker_of(recipe.feeds["home"]), weights=TUNED)
    now, config = NOW + int(day * DAY), made_for(recipe)
    artifacts.publish(APP, BLEND, BLEND, Blend({"home": home}), now=now, watermark=0, config=config, facts={})


def with_item_item(recipe: Recipe, **changes: Any) -> Recipe:
    models: Iterable[PartSpec] = (
        replace(spec, config=spec.config.model_copy(update=changes)) if spec.name == "item_item" else spec
        for spec in recipe.models
    )
    return replace(recipe, models=tuple(models))


def with_home_k(k: int) -> Recipe:
    home = RECIPE.feeds["home"]
    retrieve = (replace(home.retrieve[0], k=k), *home.retrieve[1:])
    return replace(RECIPE, feeds={**RECIPE.feeds, "home": replace(home, retrieve=retrieve)})


async def test_a_blend_is_made_with_the_models_and_says_what_for(filled: Store, artifacts: ArtifactStore) -> None:
    assert await train(filled, artifacts) == ALL
    home = blend_of(artifacts).feeds["home"]
    assert set(home.calibrations) == {spec.name for spec in RECIPE.feeds["home"].retrieve}
    assert (home.retrievers, home.ranker, home.weights) == (retrievers_of(RECIPE.feeds["home"]), "", {})
    manifest = manifest_of(artifacts)
    assert manifest.config == made_for(RECIPE)
    assert "tuning" not in manifest.facts
    assert manifest.facts["events"] == 400


async def test_of_few_events_there_is_none_and_all_else_is_trained(store: Store, artifacts: ArtifactStore) -> None:
    await fill(store, 4)
    assert await train(store, artifacts) == REST
    assert await train(store, artifacts, BLEND) == []


async def test_it_is_kept_for_seven_days(filled: Store, artifacts: ArtifactStore) -> None:
    await train(filled, artifacts)
    assert await train(filled, artifacts, day=6.9) == REST
    assert await train(filled, artifacts, day=7) == ALL
    assert await train(filled, artifacts, day=8) == REST


async def test_one_of_a_time_to_come_is_made_anew_once_the_clock_is_right(
    filled: Store, artifacts: ArtifactStore
) -> None:
    assert await train(filled, artifacts, day=1_095) == ALL
    assert await train(filled, artifacts) == ALL
    assert await train(filled, artifacts, day=1) == REST


async def test_a_job_of_it_alone_makes_it_and_one_of_all_else_does_not(
    filled: Store, artifacts: ArtifactStore
) -> None:
    assert await train(filled, artifacts, *REST) == REST
    assert artifacts.current(APP, BLEND) is None
    assert await train(filled, artifacts, BLEND) == [BLEND]
    first = blend_of(artifacts)
    assert await train(filled, artifacts, BLEND, day=1) == [BLEND]
    assert blend_of(artifacts).feeds.keys() == first.feeds.keys()


@pytest.mark.parametrize(
    "changed",
    [with_home_k(60), with_item_item(RECIPE, neighbours=7), replace(RECIPE, goal=Goal(metric="recall@20"))],
    ids=["retrievers", "models", "goal"],
)
async def test_it_is_renewed_when_what_it_is_made_for_changes(
    filled: Store, artifacts: ArtifactStore, changed: Recipe
) -> None:
    await train(filled, artifacts)
    assert await train(filled, artifacts, recipe=changed, day=1) == ALL
    assert manifest_of(artifacts).config == made_for(changed)
    assert await train(filled, artifacts, recipe=changed, day=2) == REST


async def test_a_damaged_one_is_renewed(filled: Store, artifacts: ArtifactStore) -> None:
    await train(filled, artifacts)
    before = blend_of(artifacts)
    (artifacts.root / APP / BLEND / manifest_of(artifacts).version / "blend.json").unlink()
    assert await train(filled, artifacts, day=1) == ALL
    assert blend_of(artifacts).feeds.keys() == before.feeds.keys()


async def test_tuned_weights_are_taken_over_while_the_feed_weighs_the_same(
    filled: Store, artifacts: ArtifactStore
) -> None:
    await train(filled, artifacts)
    publish_tuned(artifacts, day=1)
    assert await train(filled, artifacts, day=9) == ALL
    home = blend_of(artifacts).feeds["home"]
    assert (home.weights, home.ranker) == (TUNED, ranker_of(RECIPE.feeds["home"]))

    config = RECIPE.feeds["home"].rank.config.model_copy(update={"weights": {"popular": 1.0}})
    rank = replace(RECIPE.feeds["home"].rank, config=config)
    other = replace(RECIPE, feeds={**RECIPE.feeds, "home": replace(RECIPE.feeds["home"], rank=rank)})
    assert await train(filled, artifacts, recipe=other, day=17) == ALL
    assert blend_of(artifacts).feeds["home"].weights == {}


async def test_they_are_forgotten_on_demand(filled: Store, artifacts: ArtifactStore) -> None:
    await train(filled, artifacts)
    publish_tuned(artifacts, day=1)
    assert await train(filled, artifacts, day=2, keep_tuned=False) == ALL
    assert blend_of(artifacts).feeds["home"].weights == {}


async def test_a_feed_with_too_few_requests_now_keeps_what_it_has(filled: Store, artifacts: ArtifactStore) -> None:
    await train(filled, artifacts)
    # Nobody whom it stands in for can have neighbours: what it blends is never chosen.
    home = RECIPE.feeds["home"]
    alone = replace(home.rank, config=home.rank.config.model_copy(update={"weights": {"item_item": 1.0}}))
    item_item = next(spec for spec in home.retrieve if spec.name == "item_item")
    retrieve = (item_item, replace(item_item, name="again"))
    lonely = replace(home, name="lonely", retrieve=retrieve, rank=alone)
    settings = home.settings.model_copy(update={"cold_start": "lonely"})
    feeds = {**RECIPE.feeds, "home": replace(home, settings=settings), "lonely": lonely}
    recipe = replace(RECIPE, feeds=feeds)
    before = blend_of(artifacts).feeds["home"]
    kept = FeedBlend({"item_item": before.calibrations["item_item"]}, retrievers_of(lonely))
    changed = replace(kept, retrievers="others")
    blend = Blend({"lonely": kept, "popular": changed})
    config = {**made_for(recipe), "goal": "another"}
    artifacts.publish(APP, BLEND, BLEND, blend, now=NOW, watermark=0, config=config, facts={})
    assert await train(filled, artifacts, recipe=recipe, day=1) == ALL
    made = blend_of(artifacts)
    assert set(made.feeds) == {"home", "lonely"}
    assert made.feeds["lonely"] == kept
    assert await train(filled, artifacts, recipe=recipe, day=2) == REST
    # Of other models it was not measured.
    other = with_item_item(recipe, neighbours=7)
    assert await train(filled, artifacts, recipe=other, day=3) == ALL
    assert set(blend_of(artifacts).feeds) == {"home"}


async def test_it_is_measured_with_the_tuned_models(
    filled: Store, artifacts: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ItemItemTrainer, "SPACE", {"neighbours": Range(1, 30, whole=True)})
    poor = with_item_item(RECIPE, neighbours=1)
    await train(filled, artifacts, recipe=poor, budget=Budget(1e9, lambda: 0.0, 6))
    tuned = artifacts.manifest(APP, "item_item")
    assert tuned is not None
    assert tuned.config["neighbours"] > 1
    facts = manifest_of(artifacts).facts["tuning"]["home"]
    assert facts["metric"] == "ndcg@10"
    assert facts["requests"] >= 20
    assert facts["taken"] == (facts["tuned_mean"] - facts["recipe_mean"] > facts["margin"])
    fitted: list[int] = []

    def watched(spec: PartSpec, data: TrainingData) -> Any:
        if spec.name == "item_item":
            fitted.append(spec.config.model_dump()["neighbours"])
        return fit_model(spec, data)

    monkeypatch.setattr("homefeed.engine.fit.fit_model", watched)
    assert await train(filled, artifacts, BLEND, recipe=poor, day=1) == [BLEND]
    assert fitted == [tuned.config["neighbours"]], "as they serve"


async def test_the_same_data_and_seed_make_the_same_file(
    filled: Store, artifacts: ArtifactStore, tmp_path: Path
) -> None:
    other = ArtifactStore(tmp_path / "again")
    budget = Budget(1e9, lambda: 0.0, 2)
    for place in (artifacts, other):
        await train(filled, place, budget=budget)
    assert manifest_of(artifacts).files == manifest_of(other).files


async def test_a_part_that_fails_at_a_replayed_request_stops_no_other_training(
    filled: Store, artifacts: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("a plug-in")

    monkeypatch.setattr("homefeed.train.blend.fit_blend", failing)
    assert await train(filled, artifacts) == REST
    with pytest.raises(ZeroDivisionError):
        await train(filled, artifacts, "blend")


NOT_TAKEN = TunedWeights("ndcg@10", 30, 0.2, 0.1, 0.1, taken=False)
SETTINGS = {"item_item": {"half_life_days": 7.0, "place_exponent": 0.8}}


def publish_settings(artifacts: ArtifactStore) -> None:
    """The blend as it is, as if its weights and a retriever's numbers had been tuned."""
    home = replace(
        blend_of(artifacts).feeds["home"],
        ranker=ranker_of(RECIPE.feeds["home"]),
        weights=TUNED,
        settings=SETTINGS,
    )
    config = made_for(RECIPE)
    artifacts.publish(APP, BLEND, BLEND, Blend({"home": home}), now=NOW, watermark=0, config=config, facts={})


async def test_a_tuning_that_is_not_taken_leaves_what_was_tuned_before(
    filled: Store, artifacts: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await train(filled, artifacts)
    publish_settings(artifacts)
    monkeypatch.setattr(
        "homefeed.evaluate.blending.tune_weights",
        lambda _requests, _blend, config, _metric: (dict(config.weights), NOT_TAKEN),
    )
    await train(filled, artifacts, day=1, budget=Budget(1e9, lambda: 0.0, 1))  # of one trial nothing is taken
    home = blend_of(artifacts).feeds["home"]
    assert (home.weights, home.settings) == (TUNED, SETTINGS)
    facts = manifest_of(artifacts).facts["tuning"]["home"]
    assert (facts["taken"], facts["weights"]) == (False, TUNED)
    assert (facts["settings"]["item_item"]["taken"], facts["settings"]["content"]["served"]) == (False, {})
    assert facts["settings"]["item_item"]["served"] == SETTINGS["item_item"]


async def test_retrievers_are_measured_with_their_tuned_numbers_until_the_recipe_changes(
    filled: Store, artifacts: ArtifactStore
) -> None:
    await train(filled, artifacts)
    plain = blend_of(artifacts).feeds["home"]
    publish_settings(artifacts)
    assert await train(filled, artifacts, BLEND, day=1) == [BLEND]
    measured = blend_of(artifacts).feeds["home"]
    assert measured.settings == SETTINGS
    assert measured.calibrations["item_item"] != plain.calibrations["item_item"]
    await train(filled, artifacts, recipe=with_home_k(60), day=2)
    assert blend_of(artifacts).feeds["home"].settings == {}


async def test_they_are_forgotten_on_demand_with_what_was_measured_by_them(
    filled: Store, artifacts: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await train(filled, artifacts)
    publish_settings(artifacts)
    await train(filled, artifacts, day=1, keep_tuned=False)
    home = blend_of(artifacts).feeds["home"]
    assert (home.settings, home.weights) == ({}, {})
    publish_settings(artifacts)
    monkeypatch.setattr("homefeed.train.blend.fit_blend", lambda *_, **__: Blended(Blend({}), {}))
    await train(filled, artifacts, day=1, keep_tuned=False)
    assert blend_of(artifacts).feeds == {}, "too few requests to measure anew"


async def test_untuned_forgets_weights_where_requests_are_too_few_now(
    filled: Store, artifacts: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await train(filled, artifacts)
    publish_tuned(artifacts)
    calibrations = blend_of(artifacts).feeds["home"].calibrations
    monkeypatch.setattr("homefeed.train.blend.fit_blend", lambda *_, **__: Blended(Blend({}), {}))
    await train(filled, artifacts, day=1, keep_tuned=False)
    home = blend_of(artifacts).feeds["home"]
    assert (home.weights, home.calibrations) == ({}, calibrations)
