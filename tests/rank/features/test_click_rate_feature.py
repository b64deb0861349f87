"""How often items are chosen where they are shown: beside others, by category, within a partition."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from homefeed.catalog import Exposures, ExposuresModel
from homefeed.catalog.columns import CategoryColumn
from homefeed.catalog.exposing import advanced
from homefeed.catalog.exposures import Choices, Showings
from homefeed.catalog.partitions import Partitions
from homefeed.errors import RecipeError
from homefeed.protocols import CountsExposures, FeatureExtractor
from homefeed.rank.features.click_rate import ClickRate
from homefeed.testing import World, toy_world
from homefeed.testing.features import FeatureContract, everything
from homefeed.testing.world import NOW
from homefeed.types import DAY, Numbers

START = NOW // DAY * DAY + DAY // 2
RATE = 0.05
MINUTE = DAY // 1_440


def exposed(world: World, shown: dict[str, int], chosen: dict[str, int]) -> ExposuresModel:
    """Items shown in the first place to so many users at one moment, and chosen by the first of them."""
    items, users = numbers(world, shown)
    showings = Showings(np.full(len(items), START), users, items, np.zeros(len(items), np.int32))
    by, choosers = numbers(world, chosen)
    choices = Choices(np.full(len(by), START), choosers, by)
    return advanced(ExposuresModel(), showings, choices, START + MINUTE, DAY)


def numbers(world: World, counts: dict[str, int]) -> tuple[Numbers, Numbers]:
    rows = [(world.position(item), user) for item, count in counts.items() for user in range(1, count + 1)]
    positions, users = (np.array(column, np.int32) for column in zip(*rows, strict=True))
    return world.catalog.numbers[positions], users


def click_rate(world: World, config: ClickRate.Config, model: ExposuresModel) -> ClickRate:
    return ClickRate(config, replace(world.resources, exposures=Exposures(model)))


def values(extractor: ClickRate, world: World, *item_ids: str) -> list[list[float]]:
    candidates = everything(world).take(world.positions(*item_ids).astype(int))
    found: list[list[float]] = extractor.extract(world.query(), candidates).tolist()
    return found


def bounded(chosen: float, expected: float, s: float = 1.0) -> float:
    x = math.log((chosen + s) / (expected + s))
    return x / (1 + abs(x))


SHOWN, CHOSEN = {"d1": 40, "d2": 20, "s1": 10}, {"d1": 4, "s1": 1}


class TestClickRate(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        model = exposed(world, SHOWN, CHOSEN) if world.catalog.size else ExposuresModel()
        return click_rate(world, ClickRate.Config(of=("content_type",)), model)


def test_it_is_the_formula() -> None:
    world = toy_world()
    config = ClickRate.Config(of=("content_type",), smoothing=2.0)
    extractor = click_rate(world, config, exposed(world, SHOWN, CHOSEN))
    assert extractor.names == ("click_rate_1d", "click_rate_7d", "content_type_click_rate", "shown")
    day, week = math.exp(-1 / 1_440), math.exp(-1 / 10_080)
    found = values(extractor, world, "d1", "d2", "s4")
    for row, item in zip(found[:2], ("d1", "d2"), strict=True):
        clicks, expected = CHOSEN.get(item, 0), RATE * SHOWN[item]
        assert row[0] == pytest.approx(bounded(clicks * day, expected * day, 2), abs=1e-6)
        assert row[1] == pytest.approx(bounded(clicks * week, expected * week, 2), abs=1e-6)
        assert row[3] == pytest.approx(expected * week / (1 + expected * week), abs=1e-6)
    assert found[2][:2] == [0, 0]


def test_a_category_has_the_rate_of_all_its_items() -> None:
    world = toy_world()
    extractor = click_rate(world, ClickRate.Config(of=("content_type",)), exposed(world, SHOWN, CHOSEN))
    column = world.catalog.column("content_type", CategoryColumn)
    codes = column.codes(world.catalog.size)
    week = math.exp(-1 / 10_080)
    for item in ("d1", "s1", "s4"):
        alike = [name for name in SHOWN if codes[world.position(name)] == codes[world.position(item)]]
        clicks, expected = sum(CHOSEN.get(name, 0) for name in alike), RATE * sum(SHOWN[name] for name in alike)
        rate = values(extractor, world, item)[0][2]
        assert rate == pytest.approx(bounded(clicks * week, expected * week), abs=1e-6)


def test_what_others_were_shown_is_of_no_account_in_another_partition() -> None:
    world = toy_world()
    column = world.catalog.column("content_type", CategoryColumn)
    resources = replace(world.resources, partitions=Partitions(column, "kind"))

    def rates(shown: dict[str, int]) -> list[float]:
        exposures = Exposures(exposed(world, shown, {"s1": 1}))
        extractor = ClickRate(ClickRate.Config(of=("content_type",)), replace(resources, exposures=exposures))
        return [row[2] for row in values(extractor, world, *map(world.catalog.item_id, range(world.catalog.size)))]

    codes = column.codes(world.catalog.size)
    other = next(n for n in range(world.catalog.size) if codes[n] != codes[world.position("s1")])
    before, after = rates({"s1": 10}), rates({"s1": 10, world.catalog.item_id(other): 50})
    same = [n for n in range(world.catalog.size) if codes[n] == codes[world.position("s1")]]
    assert [before[n] for n in same] == [after[n] for n in same]
    assert before[other] != after[other]


def test_new_exposures_count_at_once() -> None:
    world, exposures = toy_world(), Exposures()
    extractor = ClickRate(ClickRate.Config(), replace(world.resources, exposures=exposures))
    assert values(extractor, world, "d1") == [[0, 0, 0]]
    exposures.model = exposed(world, SHOWN, CHOSEN)
    extractor.refresh()
    assert values(extractor, world, "d1")[0][0] > 0.3


def test_it_is_only_of_category_fields() -> None:
    world = toy_world()
    with pytest.raises(RecipeError, match="title"):
        ClickRate(ClickRate.Config(of=("title",)), world.resources)


def test_its_settings_tell_that_exposures_are_to_be_counted() -> None:
    assert isinstance(ClickRate.Config(), CountsExposures)
