from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from homefeed.samples.cities import Places
from homefeed.samples.live.affinity import WEIGHTS, affinity
from homefeed.samples.live.clicks import FEATURES, INTERCEPT, SLOPE, click_features, draw_clicks
from homefeed.samples.live.generate import DEFAULTS, plan_world
from homefeed.samples.live.watching import World

ONE = np.zeros(1, np.int32)


@pytest.fixture(scope="module")
def world() -> World:
    return plan_world(DEFAULTS)


@pytest.fixture(scope="module")
def shown(world: World) -> tuple[pl.DataFrame, npt.NDArray[np.float64]]:
    return draw_clicks(world, DEFAULTS.clicks, DEFAULTS.rng(3))


def test_a_logistic_regression_tells_clicks_apart_but_not_all(
    shown: tuple[pl.DataFrame, npt.NDArray[np.float64]],
) -> None:
    table, likely = shown
    features, clicked = table.select(FEATURES).to_numpy().astype(np.float64), table["clicked"].to_numpy()
    train, test, was, is_ = train_test_split(features, clicked, test_size=0.2, random_state=42, stratify=clicked)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000)).fit(train, was)
    assert 0.81 < roc_auc_score(is_, model.predict_proba(test)[:, 1]) < 0.87
    assert 0.88 < roc_auc_score(clicked, likely) < 0.94, "who knows the truth does better"
    assert clicked.mean() == pytest.approx(likely.mean(), abs=0.01)
    assert 0.15 < clicked.mean() < 0.35


def test_features_are_those_of_the_pair(world: World) -> None:
    paris, versailles = Places(ONE, np.array([48.85341]), np.array([2.3488])), (48.80359, 2.13424)
    viewers = replace(world.viewers, at=paris)
    streams = replace(world.streams, at=Places(ONE, *(np.array([degrees]) for degrees in versailles)))
    found = {name: values[0] for name, values in click_features(viewers, streams, ONE, ONE).items()}
    assert tuple(found) == FEATURES
    assert found["distance_km"] == pytest.approx(16.70, abs=0.02)
    assert found["proximity_boost"] == pytest.approx(1 / 17.7, abs=1e-4)
    assert [found[name] for name in ("is_local_match", "is_regional_match", "same_city")] == [1, 1, 1]
    assert found["user_local_preference"] == world.viewers.local[0]
    assert found["user_total_watch_hours"] == world.viewers.hours[0]
    assert found["stream_quality_score"] == world.streams.quality[0]
    assert found["stream_avg_viewers"] == world.streams.audience[0]
    assert found["category_match"] == world.viewers.told[0, world.streams.category[0]]


@pytest.mark.parametrize(("degrees", "local", "regional"), [(0.89, 1, 1), (0.91, 0, 1), (8.9, 0, 1), (9.1, 0, 0)])
def test_a_match_is_local_within_100_km_and_regional_within_1000(
    world: World, degrees: float, local: int, regional: int
) -> None:
    viewers = replace(world.viewers, at=Places(ONE, np.array([0.0]), np.array([179.5])))
    streams = replace(world.streams, at=Places(ONE, np.array([0.0]), np.array([179.5 + degrees - 360])))
    found = click_features(viewers, streams, ONE, ONE)
    assert (found["is_local_match"][0], found["is_regional_match"][0]) == (local, regional)


def test_clicks_are_as_likely_as_the_truth_says(
    world: World, shown: tuple[pl.DataFrame, npt.NDArray[np.float64]]
) -> None:
    table, likely = shown
    user, item = table["user"].to_numpy(), table["item"].to_numpy()
    odds = INTERCEPT + SLOPE * affinity(world.viewers, world.streams, user, item)
    np.testing.assert_allclose(np.log(likely / (1 - likely)), odds)


def test_affinity_is_the_sum_of_its_weighted_terms(world: World) -> None:
    here = Places(ONE, np.array([10.0]), np.array([20.0]))
    viewers = replace(
        world.viewers,
        at=here,
        local=np.array([0.5]),
        liking=np.full_like(world.viewers.liking, 0.25),
        of_category=np.full_like(world.viewers.of_category, 0.75),
    )
    streams = replace(
        world.streams,
        at=here,
        language=viewers.language[:1],
        quality=np.array([4.0]),
        audience=np.array([99]),
        partnered=np.array([True]),
        mature=np.array([True]),
    )
    of = WEIGHTS
    expected = 0.5 * (of["local"] + of["regional"]) + of["language"] + 0.75 * of["category"] + 0.25 * of["taste"]
    expected += 0.4 * of["quality"] + 2 * of["audience"] + of["partnered"] + of["mature"]
    assert affinity(viewers, streams, ONE, ONE)[0] == pytest.approx(expected)
