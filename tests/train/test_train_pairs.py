"""Training on click samples: published, taken over by a server while it answers, and switched off by a setting."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.rank.pairs_sample import PAIR_FEATURES, RECIPE, LiveSample
from tests.ticking import Ticking

from homefeed.environment import Environment
from homefeed.errors import DataError, HomefeedError, InvalidError, NotFoundError
from homefeed.recipe import Recipe, parse_recipe
from homefeed.serving import FeedRequest, LiveApp
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.users import put_users
from homefeed.train import train_app
from homefeed.train.pairs import samples_of, train_on_pairs
from homefeed.types import SECOND

NAME = "click_probability"
ENVIRONMENT = Environment(Ticking(1_700_000_000 * SECOND))
NEAR = parse_recipe(RECIPE, "r")


@pytest.fixture
def artifacts(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "models")


async def put_sample(store: Store, sample: LiveSample) -> None:
    streams = [row | {"location": [row["latitude"], row["longitude"]]} for row in sample.streams.rows(named=True)]
    users = [row | {"location": [row["latitude"], row["longitude"]]} for row in sample.users.rows(named=True)]
    await put_items(store, "near", [ItemWrite(row["stream_id"], row) for row in streams])
    await put_users(store, "near", [(row["user_id"], row) for row in users])


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_a_server_takes_it_over_while_it_answers(
    store: Store, tmp_path: Path, artifacts: ArtifactStore
) -> None:
    sample = LiveSample.of(tmp_path, clicks=2_000)
    await put_sample(store, sample)
    await train_app(NEAR, store, artifacts, ENVIRONMENT)
    app = LiveApp(NEAR, store, artifacts, ENVIRONMENT)
    await app.start()
    assert app.degraded == {}, "who has no samples lacks nothing"
    assert set((await served(app, "user_000003")).values()) == {0}

    manifest = train_on_pairs(NEAR, artifacts, ENVIRONMENT, NAME, tmp_path / "click_samples.parquet")
    await app.reload_models()
    assert app.model_versions[NAME] == manifest.version
    rows = sample.clicks.filter(pl.col("user_id") == "user_000003")
    found = await served(app, "user_000003")
    model = app.follower.parts.models.models[NAME]
    expected = model.probabilities(rows.select(*PAIR_FEATURES).to_numpy().astype(np.float64))  # type: ignore[attr-defined]
    assert len(rows) > 20
    assert [found[stream] for stream in rows["stream_id"]] == pytest.approx(expected.tolist(), rel=2e-3)

    off = LiveApp(switched_off(), store, artifacts, ENVIRONMENT)
    await off.start()
    assert set((await served(off, "user_000003")).values()) == {0}


def test_on_the_generated_samples_it_is_as_good_as_the_contract_asks(
    tmp_path: Path, artifacts: ArtifactStore
) -> None:
    LiveSample.of(tmp_path, users=1_000, items=500, clicks=25_000)
    file = tmp_path / "click_samples.parquet"
    manifest = train_on_pairs(NEAR, artifacts, ENVIRONMENT, NAME, file)
    facts = manifest.facts
    told = facts["validation"]
    assert (facts["rows"], told["fitted"], told["held_out"], facts["left_out"]) == (25_000, 20_000, 5_000, {})
    assert told["roc_auc"] > 0.8
    assert told["accuracy"] > 1 - told["chosen_share"], "better than to say that nothing is clicked"
    weights = {row["feature"]: row["weight"] for row in facts["importances"]}
    assert weights.keys() == PAIR_FEATURES.keys()
    assert list(weights)[:2] == ["category_match", "same_language"]
    assert min(weights["stream_quality_score"], weights["user_local_preference"], -weights["distance_km"]) > 0.1
    again = train_on_pairs(NEAR, artifacts, ENVIRONMENT, NAME, file)
    assert (again.files, again.facts["validation"]) == (manifest.files, told)
    assert artifacts.versions("near", NAME) == [again.version, manifest.version]


def test_samples_are_a_file_or_in_a_folder(tmp_path: Path) -> None:
    file = tmp_path / "click_samples.csv"
    assert samples_of(NEAR, file) == {NAME: file}, "whether it is there is found when it is read"
    with pytest.raises(
        DataError, match=r"no samples for click_probability; expected click_samples\.parquet, \.csv"
    ):
        samples_of(NEAR, tmp_path)
    file.touch()
    assert samples_of(NEAR, tmp_path) == samples_of(NEAR, tmp_path, [NAME]) == {NAME: file}
    (tmp_path / "click_samples.jsonl").touch()
    with pytest.raises(DataError, match="click_samples is there twice"):
        samples_of(NEAR, tmp_path)
    with pytest.raises(NotFoundError, match="those that do: click_probability"):
        samples_of(NEAR, file, ["signals"])


def test_each_of_several_models_has_a_file_of_its_own(tmp_path: Path) -> None:
    buys = {"part": NAME, "samples": "buy_samples", "features": {"age": {"user": "total_watch_hours"}}}
    recipe = parse_recipe({**RECIPE, "models": RECIPE["models"] | {"buys": buys}}, "r")
    files = {NAME: tmp_path / "click_samples.csv", "buys": tmp_path / "buy_samples.jsonl"}
    for file in files.values():
        file.touch()
    assert samples_of(recipe, tmp_path) == files
    with pytest.raises(
        InvalidError, match="a file is for one model: name one of click_probability, buys, or a fol"
    ):
        samples_of(recipe, files["buys"])
    none = parse_recipe({**RECIPE, "models": {}, "feeds": {"home": PLAIN}}, "r")
    with pytest.raises(InvalidError, match=r"no model of near learns from click samples"):
        samples_of(none, tmp_path)


PLAIN: dict[str, Any] = {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}}


def test_nothing_is_published_of_samples_that_teach_nothing(tmp_path: Path, artifacts: ArtifactStore) -> None:
    LiveSample.of(tmp_path, clicks=12)
    with pytest.raises(HomefeedError, match="too few samples to learn from"):
        train_on_pairs(NEAR, artifacts, ENVIRONMENT, NAME, tmp_path / "click_samples.parquet")
    with pytest.raises(DataError, match="no column distance_km"):
        train_on_pairs(NEAR, artifacts, ENVIRONMENT, NAME, tmp_path / "users.parquet")
    assert artifacts.versions("near", NAME) == []


async def served(app: LiveApp, user_id: str) -> Mapping[str, float]:
    """The probability of each stream in the home feed of a user."""
    answer = await app.recommend(FeedRequest("home", user_id, n=100))
    column = answer.slate.feature_names.index(NAME)
    ids = (answer.catalog.item_id(position) for position in answer.slate.positions.tolist())
    return dict(zip(ids, answer.slate.features[:, column].tolist(), strict=True))


def switched_off() -> Recipe:
    home = RECIPE["feeds"]["home"]
    feeds = {"home": home | {"features": {NAME: {"enabled": False}}}}
    return parse_recipe({**RECIPE, "feeds": feeds}, "r")
