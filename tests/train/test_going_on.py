"""A job goes on where the run before it was stopped."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from tests.ticking import Ticking

from homefeed.engine import fit_model
from homefeed.environment import Environment
from homefeed.errors import HomefeedError, NotFoundError
from homefeed.protocols import Model
from homefeed.recipe import JobSpec, PartSpec, Recipe, parse_recipe
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import append_events
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.job_runs import latest_job_runs
from homefeed.store.trending import read_trending
from homefeed.train import Trained, jobs, train_app
from homefeed.types import DAY, SECOND, Event, TrainingData

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)

APP, NOW = "films", 1_700_000_000 * SECOND
FILMS = """
app = "films"
[items.fields]
title = "text"
[events.play]
weight = 2
[models.user_user]
[models.sequence]
[models.content]
fields = { title = 1.0 }
[feeds.home]
retrieve.popular = {}
rank.weighted.weights.popular = 1
"""
JOBS = {
    "daily": JobSpec("daily", DAY, 0, ("user_user", "sequence", "content", "signals")),
    "frequent": JobSpec("frequent", 900 * SECOND, 0, ("trending",)),
}
CLOCK = Ticking(NOW)
RECIPE = replace(parse_recipe(tomllib.loads(FILMS), "films"), jobs=JOBS)


class KilledError(BaseException):
    """As by a signal: nothing that catches exceptions catches it."""


@pytest.fixture
def artifacts(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "models")


@pytest.fixture
async def filled(store: Store) -> Store:
    await put_items(store, APP, [ItemWrite(f"i{n}", {"title": f"Film {n}"}) for n in range(5)])
    events = [Event(f"u{n % 3}", f"i{n % 5}", "play", NOW - n * SECOND, 3_000.0) for n in range(12)]
    await append_events(store, APP, events, NOW)
    return store


async def run(
    store: Store, artifacts: ArtifactStore, job: str = "daily", clock: Ticking = CLOCK, recipe: Recipe = RECIPE
) -> Trained:
    return await train_app(recipe, store, artifacts, Environment(clock), job=job)


async def killed(store: Store, artifacts: ArtifactStore, at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the job daily, which is killed while it fits a model."""

    def fit(spec: PartSpec, data: TrainingData, *_: object) -> Model:
        if spec.name == at:
            raise KilledError
        return fit_model(spec, data)

    with monkeypatch.context() as patched:
        patched.setattr(jobs, "fit_model", fit)
        with pytest.raises(KilledError):
            await run(store, artifacts)


async def test_what_was_published_before_the_kill_is_not_trained_again(
    filled: Store, artifacts: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await run(filled, artifacts)
    before = {made.model: made.version for made in first.manifests}
    await killed(filled, artifacts, "sequence", monkeypatch)
    assert artifacts.current(APP, "user_user") != before["user_user"]
    assert artifacts.current(APP, "sequence") == before["sequence"], "the previous one serves"
    await killed(filled, artifacts, "content", monkeypatch)
    after = await run(filled, artifacts)
    assert after.resumed == ("user_user", "sequence")
    assert [made.model for made in after.manifests] == ["content", "signals"]
    runs = await latest_job_runs(filled, APP, 9)
    assert [each.outcome for each in runs] == ["done", "stopped", "stopped", "done"]
    assert len((await run(filled, artifacts)).manifests) == 4, "a run after one that was done trains all"


async def test_it_is_trained_again_after_a_period_by_other_settings_or_by_hand(
    filled: Store, artifacts: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await killed(filled, artifacts, "content", monkeypatch)
    by_hand = await train_app(RECIPE, filled, artifacts, Environment(CLOCK), models=["user_user"])
    assert (by_hand.resumed, len(by_hand.manifests)) == ((), 1)
    user_user, *others = RECIPE.models
    changed = replace(user_user, config=user_user.config.model_copy(update={"max_users_per_item": 7}))
    other = replace(RECIPE, models=(changed, *others))
    await killed(filled, artifacts, "content", monkeypatch)
    assert (await run(filled, artifacts, recipe=other)).resumed == ("sequence",)
    await killed(filled, artifacts, "content", monkeypatch)
    assert (await run(filled, artifacts, clock=Ticking(NOW + DAY + SECOND))).resumed == ()


async def test_drafts_of_who_was_killed_are_removed(filled: Store, artifacts: ArtifactStore) -> None:
    left = artifacts.root / APP / "content" / ".draft-of-a-dead-one"
    left.mkdir(parents=True)
    (left / "part.npy").write_bytes(b"half")
    await run(filled, artifacts)
    assert not left.exists()


async def test_a_failure_says_why_and_the_next_run_begins_anew(filled: Store, artifacts: ArtifactStore) -> None:
    content = next(spec for spec in RECIPE.models if spec.name == "content")
    wrong = replace(content, config=content.config.model_copy(update={"fields": {"plot": 1.0}}))
    broken = replace(RECIPE, models=tuple(wrong if spec is content else spec for spec in RECIPE.models))
    with pytest.raises(HomefeedError, match="plot"):
        await run(filled, artifacts, recipe=broken)
    (failed,) = await latest_job_runs(filled, APP, 9)
    assert failed.outcome == "failed"
    assert 'no field "plot"' in failed.detail
    assert (await run(filled, artifacts)).resumed == ()


async def test_a_job_may_refresh_the_trending_view_and_reads_no_log_for_it(
    filled: Store, artifacts: ArtifactStore
) -> None:
    refreshed = await run(filled, artifacts, "frequent")
    assert (refreshed.trending, refreshed.manifests, refreshed.events) == (5, (), 0)
    found = await read_trending(filled, APP)
    weight = RECIPE.events["play"].weight
    assert found.scores.sum() == pytest.approx(12 * weight)
    assert found.watermark == 12
    assert (await run(filled, artifacts)).trending is None, "the job daily does not name it"


async def test_an_app_without_such_a_job_knows_no_trending_view(filled: Store, artifacts: ArtifactStore) -> None:
    plain = replace(RECIPE, jobs={"daily": JOBS["daily"]})
    with pytest.raises(NotFoundError, match='no model "trending"'):
        await train_app(plain, filled, artifacts, Environment(CLOCK), models=["trending"])
