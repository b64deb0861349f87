"""Who reads the future is found: planted leaks are named, and nobody else is."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest

from homefeed.engine import prepare
from homefeed.evaluate import rolling, setting
from homefeed.evaluate.evaluation import Evaluation
from homefeed.evaluate.leak_replay import REPLAYED, leaking_fields
from homefeed.evaluate.offline import evaluate_app
from homefeed.evaluate.protocol import Protocol
from homefeed.evaluate.setting import Setting, set_up
from homefeed.evaluate.split import Kind, by_time
from homefeed.recipe import find_part
from homefeed.testing import Play, World, make_world, toy_item
from homefeed.testing.world import RECIPE
from homefeed.types import DAY, Positions, Query, Scores, TrainingData

Attribute: TypeAlias = Callable[[int, int], float]

MODULE = "homefeed_test_time_travellers"
PARTS = """
from typing import Any
import numpy as np
from homefeed.protocols import PartConfig

class FromOthers:
    '''Learns from every request: at the time of one, it has seen later events of others.'''
    class Config(PartConfig): ...
    def __init__(self, config: Config, resources: Any) -> None:
        self.met = np.zeros(resources.catalog.size)
    def retrieve(self, query: Any, k: int) -> Any:
        np.add.at(self.met, query.user.history.items, 1)
        best = np.argsort(-self.met, kind="stable").astype(np.int32)
        best = best[query.eligible[best]][:k]
        return best, (1 + self.met[best]).astype(np.float32)
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A plug-in with a retriever that reads what no request has."""
    (tmp_path / f"{MODULE}.py").write_text(PARTS)
    info = tmp_path / f"{MODULE}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {MODULE}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[homefeed.retrieve]\nfrom_others = {MODULE}:FromOthers\n")
    monkeypatch.syspath_prepend(tmp_path)
    find_part.cache_clear()
    yield
    find_part.cache_clear()
    sys.modules.pop(MODULE, None)


def feeds(*retrievers: str) -> dict[str, Any]:
    weights = dict.fromkeys(retrievers, 1.0)
    home = {"retrieve": {name: {} for name in retrievers}, "rank": {"weighted": {"weights": weights}}}
    return {"popular": RECIPE["feeds"]["popular"], "home": home}


def world(*retrievers: str, items: int = 60, events: int = 1_500, **attributes: Attribute) -> World:
    """Items that rise and fall; an attribute is made of an item's plays of the past and of all time."""
    rng = np.random.default_rng(4)
    rates = [rng.permutation(np.geomspace(1, 60, items)) for _ in range(2)]
    plays = []
    for _ in range(events):
        days = float(rng.uniform(0, 50))
        rate = rates[days < 10] / rates[days < 10].sum()
        plays.append(Play(f"u{rng.integers(50)}", f"i{rng.choice(items, p=rate)}", 3600, days))
    cutoff = sorted(play.days_ago for play in plays)[events // 5]
    ever = Counter(play.item_id for play in plays)
    past = Counter(play.item_id for play in plays if play.days_ago > cutoff)
    made: dict[str, dict[str, Any]] = {
        item: {name: make(past[item], ever[item]) for name, make in attributes.items()}
        for item in (f"i{n}" for n in range(items))
    }
    catalog = [
        toy_item(n, item, 200, title=f"Title {n}", **values) for n, (item, values) in enumerate(made.items())
    ]
    fields = {**RECIPE["items"]["fields"], **dict.fromkeys(attributes, "number")}
    declared = {**RECIPE, "items": {"fields": fields}, "feeds": feeds(*retrievers)}
    return make_world(catalog, plays, declared=declared)


def evaluated(made: World, split: Kind = "time", **options: Any) -> Evaluation:
    return evaluate_app(made.recipe, made.catalog, made.data, protocol=Protocol(split, **options))


def test_honest_systems_are_not_named() -> None:
    result = evaluated(world("item_item", "content", "trending", "explore", "popular"))
    assert result.leaks == ()
    assert result.replayed == min(REPLAYED, result.used.test_users) > 30


@pytest.mark.parametrize("split", ["user", "last"])
def test_nor_are_they_however_it_is_split(split: Kind) -> None:
    result = evaluated(world("item_item", "trending", "popular"), split=split)
    assert result.leaks == ()
    assert result.replayed > 0


def test_a_retriever_that_learns_from_later_requests_is_named_with_all_it_is_part_of(plugin: None) -> None:
    result = evaluated(world("item_item", "from_others"))
    found = {leak.name: leak for leak in result.leaks}
    assert list(found) == ["from_others", "home: merged", "home"], "item_item and popular read nothing"
    assert found["from_others"].measure > 0.5
    assert "reads the future" in found["from_others"].why
    assert evaluated(world("item_item", "from_others"), replay=False).leaks == ()


def test_where_the_clock_runs_honest_systems_are_not_named_either() -> None:
    result = evaluated(world("item_item", "content", "trending", "explore", "popular"), "rolling")
    assert result.leaks == ()
    assert 20 < result.replayed < REPLAYED, "the requests that one training answers"
    assert result.used.trainings == 10


@pytest.mark.parametrize("options", [{"retrain": "never"}, {"repeats": True}, {"max_requests": 30}])
def test_nor_are_they_however_often_it_is_trained(options: dict[str, Any]) -> None:
    result = evaluated(world("item_item", "trending", "popular"), "rolling", **options)
    assert result.leaks == ()
    assert result.replayed > 0


def test_where_the_clock_runs_a_reader_of_later_events_is_named() -> None:
    """It looks up in the log what comes next."""
    made = world("item_item", "trending")
    events = made.data.interactions

    class Oracle:
        def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
            later = events.items[events.times >= query.now]
            found = later[np.sort(np.unique(later, return_index=True)[1])]
            found = found[query.eligible[found]][:k]
            return found, np.linspace(2, 1, len(found), dtype=np.float32)

    def prophetic(*args: Any, **options: Any) -> Setting:
        feeds = dict((found := set_up(*args, **options)).feeds)
        data: TrainingData = args[2]
        if data.interactions.times.max() == events.times.max():  # only where it has the future
            retrievers = {**feeds["home"].retrievers, "trending": (Oracle(), 100)}
            feeds["home"] = replace(feeds["home"], retrievers=retrievers)
        return replace(found, feeds=feeds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rolling, "set_up", prophetic)
        result = evaluated(made, "rolling")
    assert [leak.name for leak in result.leaks] == ["trending", "home: merged", "home"]
    assert result.comparison.systems["trending"]["recall@20"].mean > 0.9


def test_where_the_clock_runs_who_learns_from_requests_has_seen_earlier_ones_only(plugin: None) -> None:
    assert evaluated(world("item_item", "from_others"), "rolling").leaks == ()


def test_where_the_clock_runs_a_service_made_of_more_than_the_past_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = world("trending", "popular")
    cutoff = Protocol().divide(made.data.interactions).cutoff
    trainings: list[int] = []

    def careless_at_first(recipe: Any, data: TrainingData) -> Any:
        if data.now < cutoff:  # to calibrate
            return prepare(recipe, data)
        trainings.append(len(data.interactions))
        again = len(trainings) > result_trainings
        return prepare(recipe, data if again else replace(made.data, now=data.now))

    result_trainings = evaluated(made, "rolling", replay=False).used.trainings
    monkeypatch.setattr(setting, "prepare", careless_at_first)
    result = evaluated(made, "rolling")
    assert {"popular", "trending", "home"} <= {leak.name for leak in result.leaks}
    assert len(trainings) == result_trainings + 1


def test_where_the_clock_runs_counters_ahead_of_it_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    made = world("trending", "popular")
    at = rolling.RollingService.at
    cutoff = Protocol().divide(made.data.interactions).cutoff
    runs: list[int] = []

    def ahead(service: Any, time: int) -> Setting:
        if time < cutoff:  # to calibrate
            return at(service, time)
        if not runs or id(service) == runs[0]:
            runs[:] = [id(service)]
            return at(service, time + 5 * DAY)
        return at(service, time)

    monkeypatch.setattr(rolling.RollingService, "at", ahead)
    assert {"popular", "trending", "home"} <= {leak.name for leak in evaluated(made, "rolling").leaks}


def test_an_attribute_that_counts_later_plays_is_named() -> None:
    made = world(
        "popular",
        items=200,
        events=4_000,
        total_plays=lambda _, ever: ever,
        plays_then=lambda past, _: past,
        luck=lambda *_: 7.0,
    )
    result = evaluated(made)
    assert [leak.name for leak in result.leaks] == ["total_plays"]
    [leak] = result.leaks
    assert leak.measure > 0.6
    assert "remove it" in leak.why
    assert evaluated(made, replay=False).leaks == result.leaks, "that needs no second training"


def test_numbers_that_are_not_there_tell_nothing() -> None:
    made = world("popular")
    events = made.data.interactions
    assert leaking_fields(made.catalog, by_time(events), events) == ()


def test_a_service_made_of_more_than_the_past_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the replay is for: a mistake of the evaluation itself, by which counters hold the test."""
    made = world("trending", "popular")
    split = by_time(made.data.interactions)
    sizes: list[int] = []

    def careless_at_first(recipe: Any, data: TrainingData) -> Any:
        if data.now < split.cutoff:  # to calibrate
            return prepare(recipe, data)
        sizes.append(len(data.interactions))
        return prepare(recipe, made.data if len(sizes) == 1 else data)

    monkeypatch.setattr(setting, "prepare", careless_at_first)
    assert {"popular", "trending", "home"} <= {leak.name for leak in evaluated(made).leaks}
    assert sizes == [len(split.train)] * 2
