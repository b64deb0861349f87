"""How much an event says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from homefeed.catalog import EventWeights, strengths

WEIGHTS = EventWeights(
    names=("play", "rating", "like", "dislike"),
    weight=np.array([1, 2, 0.5, -1], np.float32),
    full=np.array([math.nan, 5, math.nan, math.nan], np.float32),
    typical=np.array([True, False, False, False]),
)


@pytest.mark.parametrize(
    ("event_type", "value", "expected"),
    [
        ("play", 1800, 0.5),
        ("play", 3600, 1),
        ("play", 90_000, 1),
        ("play", 0, 0),
        ("play", -5, 0),
        ("play", math.nan, 1),
        ("rating", 2.5, 1),
        ("rating", 5, 2),
        ("like", math.nan, 0.5),
        ("like", 17, 0.5),
        ("dislike", math.nan, -1),
        ("never declared", 3600, 0),
    ],
)
def test_weight_times_the_share_of_a_full_one(event_type: str, value: float, expected: float) -> None:
    full = np.array([3600], np.float32)
    found = strengths(WEIGHTS, WEIGHTS.codes([event_type]), np.array([value], np.float32), full)
    assert found.dtype == np.float32
    assert found.tolist() == pytest.approx([expected])


def test_no_events_no_strengths() -> None:
    empty = np.empty(0, np.float32)
    assert strengths(WEIGHTS, WEIGHTS.codes([]), empty, empty).shape == (0,)
