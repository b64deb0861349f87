"""Metrics of what is shown: how far it is, how varied, and what searching for it took."""

from __future__ import annotations

import math

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from homefeed.api.shown import DistancesShown, ValuesShown
from homefeed.api.work import PartWork
from homefeed.testing import toy_world

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


def test_a_list_counts_once_with_how_many_values_it_has() -> None:
    world = toy_world()
    rows = {item: world.position(item) for item in ("d1", "d2", "d3", "s1", "x1")}
    registry = CollectorRegistry()
    shown = ValuesShown(registry)
    for items in (("d1", "d2"), ("d1", "d3", "s1"), ("d3", "x1"), ("x1",), ()):
        positions = np.array([rows[item] for item in items], np.int32)
        shown.add("films", "home", world.catalog, ("content_type",), positions)
    labels = {"app": "films", "feed": "home", "field": "content_type"}
    at_most = {
        le: registry.get_sample_value("homefeed_shown_values_bucket", labels | {"le": le})
        for le in ("1", "2", "+Inf")
    }
    assert at_most == {"1": 3, "2": 4, "+Inf": 4}
    assert registry.get_sample_value("homefeed_shown_values_sum", labels) == 1 + 2 + 1 + 0


def test_an_app_without_such_fields_notes_nothing() -> None:
    world = toy_world()
    registry = CollectorRegistry()
    ValuesShown(registry).add("films", "home", world.catalog, (), np.array([1, 2], np.int32))
    assert b"homefeed_shown_values_bucket" not in generate_latest(registry)
