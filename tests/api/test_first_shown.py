"""First shown: only what is created since counts, each once, by its age."""

from __future__ import annotations

import numpy as np
from prometheus_client import CollectorRegistry

from homefeed.api.first_shown import FirstShown
from homefeed.testing import make_world, toy_item
from homefeed.testing.world import NOW
from homefeed.types import SECOND, Positions


def positions(*numbers: int) -> Positions:
    return np.array(numbers, np.int32)


def test_new_items_wait_until_they_are_shown() -> None:
    registry = CollectorRegistry()
    found = FirstShown(registry)
    day = 86_400
    items = [
        toy_item(0, "old", 2),
        toy_item(1, "new", 60 / day),
        toy_item(2, "newer", 20 / day),
        toy_item(3, "hidden", 20 / day, hidden=True),
        toy_item(4, "undated", None),
    ]
    world = make_world(items, ())
    found.begin("toy", world.catalog, NOW - 100 * SECOND)

    def told(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, {"app": "toy", **labels})

    assert (told("homefeed_new_items", state="shown"), told("homefeed_new_items", state="waiting")) == (0, 2)
    found.add("toy", world.catalog, positions(0, 1, 4), NOW)
    found.add("toy", world.catalog, positions(1, 0), NOW + 50 * SECOND)
    assert (told("homefeed_new_items", state="shown"), told("homefeed_new_items", state="waiting")) == (1, 1)
    assert told("homefeed_first_shown_seconds_count") == 1
    assert told("homefeed_first_shown_seconds_sum") == 60
    found.add("toy", world.catalog, positions(2), NOW)
    assert told("homefeed_first_shown_seconds_sum") == 80
    assert told("homefeed_first_shown_seconds_bucket", le="60") == 2
    found.add("another", world.catalog, positions(2), NOW)
