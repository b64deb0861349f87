"""What was chosen is compared with what was not, weighed by itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.rank.learned_sample import click_model, lambdamart, value

from homefeed.protocols import RankingModel, RankingTrainer
from homefeed.rank.lambdamart.trainer import click_groups
from homefeed.ranking import RankingData
from homefeed.testing import planted_requests
from homefeed.types import Floats


def by_hand(weights: list[float]) -> RankingData:
    """Three requests of 4, 2 and 3 candidates, of which two were chosen, none and one."""
    chosen = np.isin(np.arange(9), [0, 2, 7])
    return RankingData(
        feature_names=("bias",),
        features=np.arange(9, dtype=np.float32)[:, None],
        starts=np.array([0, 4, 6, 9]),
        event_types=("click",),
        outcomes=chosen[:, None],
        chosen=chosen,
        weights=np.array(weights, np.float32),
        items=np.arange(9, dtype=np.int32),
    )


def groups_of(data: RankingData) -> list[tuple[list[int], float]]:
    rows, lengths, weights = click_groups(data)
    stops = np.cumsum(lengths)
    groups = [sorted(rows[stop - length : stop].tolist()) for stop, length in zip(stops, lengths, strict=True)]
    return list(zip(groups, weights.tolist(), strict=True))


def test_what_counts_the_same_is_one_group_a_request() -> None:
    assert groups_of(by_hand([1] * 9)) == [([0, 1, 2, 3], 1), ([6, 7, 8], 1)]
    assert groups_of(by_hand([2, 1, 2, 1, 1, 1, 1, 5, 1])) == [([0, 1, 2, 3], 2), ([6, 7, 8], 5)]


def test_what_counts_differently_is_a_group_each_with_all_that_was_not_chosen() -> None:
    found = groups_of(by_hand([1, 1, 3, 1, 1, 1, 1, 2, 1]))
    assert found == [([0, 1, 3], 1), ([1, 2, 3], 3), ([6, 7, 8], 2)]


def test_the_weights_of_what_was_not_chosen_say_nothing() -> None:
    assert groups_of(by_hand([1, 9, 1, 9, 9, 9, 9, 1, 9])) == groups_of(by_hand([1] * 9))


def test_rows_of_a_group_are_shuffled_by_the_seed() -> None:
    data = planted_requests(200, 10)
    rows, lengths, _ = click_groups(data)
    where = rows.reshape(-1, 10) % 10
    assert (lengths == 10).all()
    assert where.mean(axis=0) == pytest.approx([4.5] * 10, abs=0.8)
    np.testing.assert_array_equal(rows, click_groups(data)[0])
    assert (rows != click_groups(replace(data, seed=1))[0]).any()


def test_that_the_clicked_stood_first_says_nothing() -> None:
    """Of trees that tell nothing apart, the order of the rows would be as good as knowing what was clicked."""
    data = planted_requests(150)
    request = np.repeat(np.arange(len(data)), np.diff(data.starts))
    order = np.lexsort((~data.chosen, request))
    first = replace(data, features=data.features[order], chosen=data.chosen[order], outcomes=data.outcomes[order])
    assert first_is_best(lambdamart(60).fit(first)) > 0.9


def first_is_best(model: RankingModel) -> float:
    """The mean of what decides in the candidates that a model puts first."""
    later = planted_requests(60, seed=1)
    best = model.scores(later.features).reshape(60, 20).argmax(axis=1)
    return float(later.features[:, 0].reshape(60, 20)[np.arange(60), best].mean())


EXAMINATION = 1 / (1 + np.arange(20))


def biased(seed: int = 0) -> tuple[RankingData, Floats]:
    """Requests shown by `popular`, which says nothing, clicked where looked at; and 1 / examination."""
    data = planted_requests(1_500, seed=seed)
    request = np.repeat(np.arange(len(data)), np.diff(data.starts))
    order = np.lexsort((-data.features[:, 2], request))
    looked_at = np.random.default_rng(seed).random(len(order)) < np.tile(EXAMINATION, len(data))
    outcomes = data.outcomes[order] & looked_at[:, None]
    shown = replace(data, features=data.features[order], outcomes=outcomes, chosen=outcomes[:, 0])
    weights = np.where(shown.chosen, np.tile(1 / EXAMINATION, len(data)), 1).astype(np.float32)
    return shown, weights


TRAINERS: dict[str, RankingTrainer[RankingModel]] = {
    "lambdamart": lambdamart(60),
    "click_model": click_model(),
    "value": value(60, click=1.0),
}


@pytest.mark.parametrize("part", TRAINERS)
def test_weighed_clicks_tell_what_is_wanted_from_what_stood_high(part: str) -> None:
    data, weights = biased()
    trainer = TRAINERS[part]
    plain, weighed = trainer.fit(data), trainer.fit(replace(data, weights=weights))
    assert reliance(weighed) < 0.5 * reliance(plain)
    assert first_is_best(weighed) > first_is_best(plain)


def reliance(model: RankingModel) -> float:
    """How much of the spread of the scores is by where an item stood."""
    spread = model.contributions(planted_requests(60, seed=1).features).std(axis=0)
    return float(spread[2] / spread[0])
