"""Metrics of geography: how far what is shown is, and what searching for it took."""

from __future__ import annotations

import math

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from homefeed.api.distances import DistancesShown
from homefeed.api.work import PartWork

SIGHTS = {"app": "sights", "feed": "near"}


@pytest.mark.parametrize("answers", [1, 64, 65])
def test_every_item_shown_counts_once_and_what_is_nowhere_does_not(answers: int) -> None:
    registry = CollectorRegistry()
    shown = DistancesShown(registry)
    for _ in range(answers):
        shown.add("sights", "near", np.array([0.0, 1.0, 1.5, 15_000.0, math.nan]))
    shown.add("sights", "far", np.empty(0))
    for _ in range(2):
        at_most = {
            le: registry.get_sample_value("homefeed_shown_distance_km_bucket", SIGHTS | {"le": le})
            for le in ("1", "2", "10000", "+Inf")
        }
        assert at_most == {"1": 2 * answers, "2": 3 * answers, "10000": 3 * answers, "+Inf": 4 * answers}
        assert registry.get_sample_value("homefeed_shown_distance_km_sum", SIGHTS) == 15_002.5 * answers
    assert registry.get_sample_value("homefeed_shown_distance_km_count", SIGHTS | {"feed": "far"}) == 0


def test_work_is_the_latest_totals() -> None:
    registry = CollectorRegistry()
    work = PartWork(registry)
    work.set("sights", {("nearby", "searches"): 3})
    work.set("sights", {("nearby", "searches"): 5, ("nearby", "radius_growths"): 2})
    labels = {"app": "sights", "part": "nearby"}
    assert registry.get_sample_value("homefeed_part_work_total", labels | {"work": "searches"}) == 5
    assert registry.get_sample_value("homefeed_part_work_total", labels | {"work": "radius_growths"}) == 2
