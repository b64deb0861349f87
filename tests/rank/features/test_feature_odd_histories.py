"""Whatever numbers a history holds, features are finite."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.recipe import find_part
from homefeed.testing import toy_world
from homefeed.testing.features import check_features, everything
from homefeed.testing.requests import toy_history
from homefeed.types import NEVER, NO_TIME

WORLD = toy_world()
PARTS: dict[str, dict[str, Any]] = {
    "activity": {},
    "age": {},
    "context": {"values": {"device": ["ios"]}},
    "price_fit": {"field": "year", "min_items": 1},
    "repeats": {"of": ["content_type"]},
    "similarity": {},
}
EXTRACTORS = {
    name: find_part("features", name)(find_part("features", name).Config.model_validate(config), WORLD.resources)
    for name, config in PARTS.items()
}

strengths = st.sampled_from([np.nan, np.inf, -np.inf, 3e38, 1e-45, -1.0, 0.0, 1.0])
times = st.one_of(st.sampled_from([NO_TIME, NEVER, 0]), st.integers(NO_TIME, NEVER))


@pytest.mark.parametrize("name", PARTS)
@given(
    rows=st.lists(st.tuples(strengths, times), min_size=5, max_size=5),
    now=st.sampled_from([-(10**17), 0, 10**17]),
)
def test_features_are_finite(name: str, rows: list[tuple[float, int]], now: int) -> None:
    history = replace(
        toy_history(WORLD, {"d1": 1.0, "d2": 1.0, "s1": 1.0, "x1": 1.0, "c1": 1.0}),
        strengths=np.array([strength for strength, _ in rows], np.float32),
        times=np.array([time for _, time in rows], np.int64),
    )
    for query in (WORLD.query("u", history=history, now=now), WORLD.query("u", history=history, anchor="d1")):
        check_features(name, EXTRACTORS[name], query, everything(WORLD))
