"""Learned rankers: trained with the models, judged, and published only where they are taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from homefeed.apps import find_recipe
from homefeed.environment import Environment
from homefeed.errors import NotFoundError
from homefeed.evaluate import ranking
from homefeed.evaluate.bootstrap import Interval
from homefeed.evaluate.ranking import Judged
from homefeed.evaluate.ranking_verdict import Verdict
from homefeed.protocols import Model
from homefeed.rank.click_model.model import ClickModelModel
from homefeed.rank.lambdamart.model import LambdamartModel
from homefeed.rank.schema import Schema
from homefeed.recipe import Recipe
from homefeed.serving import FeedRequest, LiveApp
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import append_events
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.verdicts import verdicts_of
from homefeed.train import Trained, train_app
from homefeed.train import jobs as training
from homefeed.types import DAY, SECOND, Event

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)

APP = "streaming"
NAME = "home_ranker"
NOW = 1_700_000_000 * SECOND
ENVIRONMENT = Environment(lambda: NOW)
OTHERS = ["item_item", "sequence", "content", "blend", "signals"]
PUBLISHED = ["item_item", "sequence", "content", "blend", "exposures", "signals"]


def recipe_of(folder: Path, learned: str) -> Recipe:
    overlay = folder / "overlay.toml"
    overlay.write_text(f"[feeds.home.learned.{learned}]\n")
    return find_recipe(APP, overlay)


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return recipe_of(tmp_path, "click_model")


@pytest.fixture
def artifacts(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "models")


@pytest.fixture(autouse=True)
def _few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "MIN_JUDGED", 5)


@pytest.fixture
async def filled(store: Store) -> Store:
    """Two circles of users who each play their own half of the films."""
    rng = np.random.default_rng(0)
    films = [ItemWrite(f"i{n}", {"title": f"Film {n}", "genre": ["Drama"]}) for n in range(30)]
    await put_items(store, APP, films)
    plays = [
        Event(f"u{user}", f"i{2 * item + user % 2}", "play", NOW - int(day * DAY), 3_000.0)
        for user in range(40)
        for item, day in zip(rng.permutation(15)[:10], np.sort(rng.uniform(0, 50, 10)), strict=True)
    ]
    await append_events(store, APP, plays, NOW)
    return store


async def train(
    recipe: Recipe, store: Store, artifacts: ArtifactStore, *models: str, dry_run: bool = False
) -> Trained:
    return await train_app(recipe, store, artifacts, ENVIRONMENT, models=models or None, seed=5, dry_run=dry_run)


def names(trained: Trained) -> list[str]:
    return [manifest.model for manifest in trained.manifests]


def judge_as(monkeypatch: pytest.MonkeyPatch, taken: bool) -> None:
    """Whatever is measured, this is what comes of it."""
    lead = Interval(0.1, 0.05, 0.15) if taken else Interval(0.1, -0.05, 0.25)
    verdict = Verdict("ndcg@10", 12, "weighted", 0.2, 0.3, lead, 20, 20, taken)
    monkeypatch.setattr(ranking, "judge_ranker", lambda *_: verdict)


async def test_one_that_is_taken_is_published_with_its_verdict(
    filled: Store, artifacts: ArtifactStore, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge_as(monkeypatch, taken=True)
    trained = await train(recipe, filled, artifacts)
    assert names(trained) == [*PUBLISHED, NAME]
    why = (
        "taken: ndcg@10 0.3000 beside 0.2000 of weighted on the latest 12 requests, +0.1000 [+0.0500, +0.1500]; "
        "learned from history"
    )
    assert dict(trained.rankers) == {NAME: f"published; {why}"}
    [version] = artifacts.versions(APP, NAME)
    [noted] = verdicts_of(artifacts.root, APP, NAME)
    expected = {"judged_at": "2023-11-14T22:13:20Z", "version": version, "part": "click_model", "why": why}
    assert {name: noted[name] for name in expected} == expected
    assert (noted["finding"], noted["metric"], noted["lead"]) == ("taken", "ndcg@10", [0.1, 0.05, 0.15])
    found = artifacts.load(APP, NAME, ClickModelModel, "click_model")
    assert found is not None
    assert found.manifest.facts["verdict"]["why"] == why
    assert found.manifest.facts["verdict"]["lead"] == [0.1, 0.05, 0.15]
    assert found.manifest.config == {"regularization": 1.0}
    assert found.model.calibrated, "the blend of the same training is there"
    assert "bias" in found.model.feature_names


async def test_one_that_is_not_taken_is_noted_and_not_published(
    filled: Store, artifacts: ArtifactStore, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge_as(monkeypatch, taken=False)
    trained = await train(recipe, filled, artifacts)
    assert names(trained) == PUBLISHED
    assert trained.rankers[NAME].startswith("not published; not taken, it is not ahead beyond doubt: ")
    assert artifacts.versions(APP, NAME) == []
    [noted] = verdicts_of(artifacts.root, APP, NAME)
    assert (noted["version"], noted["why"]) == (None, trained.rankers[NAME].removeprefix("not published; "))


async def test_it_can_be_trained_alone_and_what_serves_stays_where_the_next_is_not_better(
    filled: Store, artifacts: ArtifactStore, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    await train(recipe, filled, artifacts, *OTHERS)
    assert verdicts_of(artifacts.root, APP, NAME) == [], "a job of others does not judge it"
    with monkeypatch.context() as forced:
        judge_as(forced, taken=True)
        assert names(await train(recipe, filled, artifacts, NAME)) == [NAME]
    serving = artifacts.current(APP, NAME)
    trained = await train(recipe, filled, artifacts, NAME)
    # The same of the same data: it is beside itself, and not ahead.
    assert "of click_model on the latest" in trained.rankers[NAME]
    assert trained.rankers[NAME].endswith("+0.0000 [+0.0000, +0.0000]; learned from history")
    assert (names(trained), artifacts.current(APP, NAME)) == ([], serving)
    assert [noted["version"] for noted in verdicts_of(artifacts.root, APP, NAME)] == [None, serving]


async def test_a_dry_run_publishes_nothing_and_notes_nothing(
    filled: Store, artifacts: ArtifactStore, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge_as(monkeypatch, taken=True)
    trained = await train(recipe, filled, artifacts, NAME, dry_run=True)
    assert names(trained) == []
    assert trained.rankers[NAME].startswith("dry run; taken: ")
    assert artifacts.versions(APP, NAME) == []
    assert verdicts_of(artifacts.root, APP, NAME) == []


async def test_one_that_cannot_be_made_stops_nothing_else(
    filled: Store, artifacts: ArtifactStore, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("a plug-in")

    monkeypatch.setattr(training, "judged_ranker", failing)
    trained = await train(recipe, filled, artifacts)
    assert names(trained) == PUBLISHED
    assert dict(trained.rankers) == {NAME: "not published; not made: a plug-in"}
    assert [noted["why"] for noted in verdicts_of(artifacts.root, APP, NAME)] == ["not made: a plug-in"]


async def test_of_no_events_nothing_is_learned(store: Store, artifacts: ArtifactStore, recipe: Recipe) -> None:
    await put_items(store, APP, [ItemWrite("i1", {"title": "Film"})])
    trained = await train(recipe, store, artifacts)
    assert trained.rankers[NAME] == "not published; not taken, there are no requests to learn from yet"


async def test_lambdamart_is_trained_alike_and_the_same_data_give_the_same_bytes(
    filled: Store, artifacts: ArtifactStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge_as(monkeypatch, taken=True)
    recipe = recipe_of(tmp_path, "lambdamart]\ntrees = 5\n[feeds.home.features.popularity")
    other = ArtifactStore(tmp_path / "other")
    files = []
    for place in (artifacts, other):
        await train(recipe, filled, place)
        found = place.load(APP, NAME, LambdamartModel, "lambdamart")
        assert found is not None
        assert "popularity" in found.model.feature_names
        files.append(found.manifest.files)
    assert files[0] == files[1]


async def test_it_serves_once_it_is_published_and_another_part_of_that_name_does_not(
    filled: Store, artifacts: ArtifactStore, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge_as(monkeypatch, taken=True)
    await train(recipe, filled, artifacts)
    app = LiveApp(recipe, filled, artifacts, ENVIRONMENT)
    await app.start()
    assert app.follower.parts.feeds["home"].ranked_by == "click_model"
    assert len((await app.recommend(FeedRequest("home", "u1"))).slate) > 0
    changed = LiveApp(recipe_of(tmp_path, "lambdamart"), filled, artifacts, ENVIRONMENT)
    await changed.start()
    assert changed.follower.parts.feeds["home"].ranked_by == "weighted"
    assert len((await changed.recommend(FeedRequest("home", "u1"))).slate) > 0


async def test_a_ranker_of_another_feed_is_no_name_of_a_model(
    filled: Store, artifacts: ArtifactStore, recipe: Recipe
) -> None:
    with pytest.raises(NotFoundError, match=r'no model "similar_ranker" .*: .*, home_ranker$'):
        await train(recipe, filled, artifacts, "similar_ranker")


async def test_judged_is_what_was_fitted(
    filled: Store, artifacts: ArtifactStore, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that serves is what a new one is beside, as it was published."""
    asked: list[Model | None] = []

    def fitted(*_: Any, serving: Model | None, **__: Any) -> Judged:
        asked.append(serving)
        return Judged(None, None, "not taken")

    monkeypatch.setattr("homefeed.train.ranking.fit_ranker", fitted)
    await train(recipe, filled, artifacts, NAME)
    model = ClickModelModel(Schema(("popular", "bias"), calibrated=False), np.ones(2, np.float32))
    artifacts.publish(APP, NAME, "click_model", model, now=NOW, watermark=0, config={}, facts={})
    await train(recipe, filled, artifacts, NAME)
    [before, then] = asked
    assert before is None
    assert isinstance(then, ClickModelModel)
    assert then.feature_names == ("popular", "bias")
