"""The service whose clock runs: at each request it is what a real one would have been, and knows nothing later."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evaluate.offline_sample import Seen, planted_world, watched, with_events

from homefeed.catalog import Counters
from homefeed.engine import fit_signals, prepare
from homefeed.evaluate import rolling as module
from homefeed.evaluate.evaluation import Evaluation
from homefeed.evaluate.offline import evaluate_app
from homefeed.evaluate.protocol import Protocol
from homefeed.evaluate.rolling import FrozenService, RollingService, service_of, training_period, trainings_due
from homefeed.evaluate.split import by_time, rolling
from homefeed.funnel import recommend
from homefeed.protocols import Refreshable
from homefeed.recipe import parse_recipe
from homefeed.testing import Play, World, make_world, toy_item
from homefeed.testing.world import NOW, RECIPE
from homefeed.types import DAY, Times, TrainingData


def quiet(*_: Any) -> None:
    """No progress."""


def clock(world: World, due: Iterable[int], feeds: Iterable[str] = ("home", "popular")) -> RollingService:
    return RollingService(world.recipe, world.catalog, world.data, np.array([*due]), False, feeds, quiet)


def counters_of(world: World, data: TrainingData) -> Counters:
    """As a service that trained on `data` starts with."""
    signals = fit_signals(world.recipe, prepare(world.recipe, data), watermark=0)
    recipe = world.recipe
    return Counters.from_model(
        signals, world.catalog, recipe.signals.trending_half_life, recipe.signals.full_group
    )


def before(world: World, time: int) -> TrainingData:
    events = world.data.interactions
    return replace(world.data, interactions=events.take(events.times < time), now=time)


def moments(world: World, count: int = 8) -> list[int]:
    """The cutoff, and times of later events."""
    times = world.data.interactions.times
    return [int(times[row]) for row in np.linspace(0.6 * len(times), len(times) - 1, count).astype(int)]


def test_counters_have_all_that_had_happened_by_the_request_and_nothing_more() -> None:
    hours = {**RECIPE, "events": {"play": {"full": 3600.0}}}
    world = replace(planted_world(), recipe=parse_recipe(hours, "a test"))
    cutoff, *requests = moments(world)
    service = clock(world, [cutoff])
    for time in (cutoff, *requests):
        found, whole = service.at(time).counters, counters_of(world, before(world, time))
        past = world.data.interactions.take(world.data.interactions.times < time)
        once = np.array(sorted({*zip(past.users.tolist(), past.items.tolist(), strict=True)}))
        assert len(once) < len(past), "some come back to an item"
        assert found.events.tolist() == np.bincount(once[:, 1], minlength=world.catalog.size).tolist()
        np.testing.assert_allclose(found.strength, whole.strength, rtol=1e-6)
        trend, expected = (counters.trend * counters.trend_at(time) for counters in (found, whole))
        np.testing.assert_allclose(trend, expected, rtol=1e-9)


def test_strengths_are_measured_by_what_was_typical_at_the_training() -> None:
    catalog = [toy_item(n, f"i{n}", 200, title=f"Title {n}") for n in range(3)]
    plays = [Play("a", "i0", 3600, 9), Play("b", "i0", 1800, 4), Play("c", "i0", 7200, 3), Play("d", "i0", 900, 2)]
    world = make_world(catalog, plays)
    service = clock(world, [NOW - 8 * DAY, int(NOW - 2.5 * DAY)])
    strength = [float(service.at(int(NOW - days * DAY)).counters.strength[0]) for days in (8, 3.5, 2.6, 2.4, 0)]
    # By the first training a full play is an hour, by the second two.
    assert strength == pytest.approx([1, 1.5, 2.5, 0.5 + 0.25 + 1, 0.5 + 0.25 + 1 + 0.125])


def test_models_are_those_of_the_latest_training_due_and_saw_nothing_later(seen: Seen) -> None:
    world = planted_world()
    cutoff, second, third, last = moments(world, 4)
    service = clock(world, [cutoff, second, third])
    settings = [service.at(time) for time in (cutoff, second - 1, second, third, last)]
    assert [settings.index(setting) for setting in settings] == [0, 0, 2, 3, 3]
    assert [past.now for past in seen.past] == [cutoff, second, third]
    for past in seen.past:
        assert past.interactions.times.tolist() == before(world, past.now).interactions.times.tolist()


def test_a_training_that_nobody_asks_for_is_left_out(seen: Seen) -> None:
    world = planted_world()
    cutoff, second, third, last = moments(world, 4)
    service = clock(world, [cutoff, second, third])
    service.at(cutoff)
    service.at(last)
    assert [past.now for past in seen.past] == [cutoff, third]


def test_what_trends_follows_the_last_event() -> None:
    catalog = [toy_item(n, f"i{n}", 200, title=f"Title {n}") for n in range(4)]
    plays = [Play(f"u{n}", f"i{n % 2}", 3600, 20 - n / 10) for n in range(20)]
    plays += [Play(f"v{n}", "i3", 3600, 5 - n / 10) for n in range(5)]
    feed = {"retrieve": {"trending": {}}, "rank": {"weighted": {"weights": {"trending": 1.0}}}}
    world = make_world(catalog, plays, declared={**RECIPE, "feeds": {**RECIPE["feeds"], "trends": feed}})
    service = clock(world, [NOW - 6 * DAY], ["trends"])
    tops = []
    for days in (6, 4.95):
        setting = service.at(int(NOW - days * DAY))
        query = replace(world.query("nobody", n=1, now=int(NOW - days * DAY)), feed="trends")
        tops.append(world.ids(recommend(setting.feeds["trends"], query).positions))
    assert tops == [("i1",), ("i3",)]


def test_of_the_feeds_only_those_asked_for_and_those_that_stand_in_for_them_are_kept_up_to_date(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = planted_world()
    cutoff, *_, last = moments(world)
    kept: list[set[str]] = []
    monkeypatch.setattr(module, "refresh", lambda feeds: kept.append(set(feeds)))
    for feeds in (["popular"], ["home"]):
        service = clock(world, [cutoff], feeds)
        service.at(cutoff)
        service.at(last)
    assert kept == [{"popular"}, {"home", "popular"}], "none where nothing has happened"
    setting = clock(world, [cutoff]).at(cutoff)
    assert any(isinstance(part, Refreshable) for part, _ in setting.feeds["home"].retrievers.values())


def test_the_week_runs_on_through_every_training() -> None:
    world = planted_world()
    events, times = world.data.interactions, moments(world)
    service = clock(world, times[::2])
    for time in times:
        latest = events.items[(events.times < time) & (events.times >= time - 7 * DAY)]
        counts = service.at(time).week.counts
        assert counts.tolist() == np.bincount(latest, minlength=world.catalog.size).tolist()


def test_the_clock_does_not_run_back() -> None:
    world = planted_world()
    cutoff, *_, last = moments(world)
    service = clock(world, [cutoff])
    service.at(last)
    with pytest.raises(ValueError, match="the clock runs one way: asked for"):
        service.at(last - 1)


def reporting_world() -> World:
    """Users who play, and some who report: each counts once for an item."""
    declared = {
        **RECIPE,
        "events": {"play": {"full": "typical"}, "report": {"weight": -1.0}},
        "signals": {**RECIPE["signals"], "distinct": ["report"]},
    }
    catalog = [toy_item(n, f"i{n}", 200, title=f"Title {n}") for n in range(4)]
    plays = [Play(f"u{n}", f"i{n % 4}", 3600, 30 - n) for n in range(8)]
    reports = [("u1", "i0", 20), ("u2", "i0", 9), ("u1", "i0", 8), ("u2", "i1", 7), ("u2", "i0", 6)]
    told = [Play(user, item, 0, days, "report") for user, item, days in reports]
    return make_world(catalog, [*plays, *told], declared=declared)


def test_who_reports_twice_counts_once_before_and_after_the_training() -> None:
    world = reporting_world()
    service = clock(world, [NOW - 10 * DAY])
    reports = [service.at(NOW - days * DAY).counters.distinct("report").tolist() for days in (10, 8, 7, 5)]
    assert reports == [[1, 0, 0, 0], [2, 0, 0, 0], [2, 0, 0, 0], [2, 1, 0, 0]]
    numbered = replace(world, data=replace(world.data, user_numbers=np.arange(8, dtype=np.int32) + 100))
    assert clock(numbered, [NOW - 10 * DAY]).at(NOW).counters.distinct("report").tolist() == [2, 1, 0, 0]


def test_a_service_for_any_other_split_stands_still() -> None:
    world = planted_world()
    events = world.data.interactions
    running, standing = (
        service_of(world.recipe, world.catalog, world.data, split, np.array([split.cutoff]), ["home"], quiet)
        for split in (rolling(events), by_time(events))
    )
    assert isinstance(running, RollingService)
    assert isinstance(standing, FrozenService)
    assert standing.at(NOW) is standing.at(0)
    train = by_time(events).train
    pairs = {*zip(train.users.tolist(), train.items.tolist(), strict=True)}
    assert standing.at(NOW).counters.events.sum() == len(pairs)


def due(requests: list[int], period: int | None, most: int = 10, cutoff: int = 100) -> list[int]:
    return [int(moment) for moment in trainings_due(cutoff, np.array(requests, np.int64), period, most)]


def test_trainings_by_hand() -> None:
    assert due([100, 105, 131], None) == [100]
    assert due([100, 105, 131], 10) == [100, 130], "none for the sake of nobody"
    assert due([109, 110, 119, 125], 10) == [100, 110, 120]
    assert due([100 + 10 * n for n in range(10)], 10, 5) == [100, 120, 140, 160, 180]
    assert due([100 + 10 * n for n in range(10)], 10, 3) == [100, 130, 160]
    assert due([100 + 10 * n for n in range(10)], 10, 1) == [100]
    assert due([155, 178], 10) == [150, 170], "nor at the cutoff"
    assert due([155, 178], 10, 1) == [150]


@given(st.lists(st.integers(100, 1_000), min_size=1), st.integers(1, 300), st.integers(1, 12))
def test_trainings_are_at_whole_periods_from_the_cutoff_on(requests: list[int], period: int, most: int) -> None:
    found = due(requests, period, most)
    assert found == sorted(set(found))
    assert 1 <= len(found) <= most
    assert found[0] <= min(requests) < found[0] + period
    for moment in found:
        assert (moment - 100) % period == 0
        assert any(moment <= request < moment + period for request in requests)


@pytest.mark.parametrize(
    ("jobs", "period"),
    [
        ({"nightly": {"every": "24h", "models": ["item_item", "content"]}}, DAY),
        (
            {
                "counting": {"every": "1h", "models": ["signals"]},
                "nightly": {"every": "2d", "models": ["item_item"]},
                "weekly": {"every": "7d", "models": ["content", "signals"]},
            },
            2 * DAY,
        ),
        ({"counting": {"every": "3h", "models": ["signals"]}}, DAY // 8),
    ],
)
def test_the_recipe_says_how_often_it_trains(jobs: dict[str, Any], period: int) -> None:
    assert training_period(parse_recipe({**RECIPE, "jobs": jobs}, "a test")) == period


def test_a_job_of_learned_rankers_alone_trains_no_models() -> None:
    home = {**RECIPE["feeds"]["home"], "learned": {"click_model": {}}}
    jobs = {
        "ranking": {"every": "1h", "models": ["home_ranker"]},
        "nightly": {"every": "24h", "models": ["item_item", "home_ranker"]},
    }
    declared = {**RECIPE, "feeds": {**RECIPE["feeds"], "home": home}, "jobs": jobs}
    assert training_period(parse_recipe(declared, "a test")) == DAY


def test_an_app_without_jobs_trains_daily() -> None:
    assert training_period(parse_recipe(RECIPE, "a test")) == DAY


def evaluated(world: World, **options: Any) -> Evaluation:
    return evaluate_app(world.recipe, world.catalog, world.data, protocol=Protocol(replay=False, **options))


def test_models_are_trained_as_often_as_asked(seen: Seen) -> None:
    world = planted_world()
    split = Protocol().divide(world.data.interactions)
    expected: Times = split.cases.times
    counts = []
    for options, most in (
        ({"retrain": "never"}, 1),
        ({"retrain": 3 * DAY}, 10),
        ({"retrain": DAY, "max_trainings": 3}, 3),
    ):
        seen.past.clear()
        result = evaluated(world, **options)
        period = options["retrain"] if isinstance(options["retrain"], int) else None
        moments_due = trainings_due(split.cutoff, expected, period, most).tolist()
        calibrating, *asked = [past.now for past in seen.past]
        assert calibrating < split.cutoff
        assert asked == moments_due
        counts.append(result.used.trainings)
        assert counts[-1] == len(moments_due)
    assert (counts[0], counts[2]) == (1, 3)
    assert 1 < counts[1] <= 10


def test_an_evaluation_whose_clock_runs_says_so() -> None:
    world = planted_world()
    result = evaluated(world)
    split = Protocol().divide(world.data.interactions)
    assert (result.used.requests, result.used.test_users) == (
        len(split.cases),
        len(set(split.cases.users.tolist())),
    )
    assert result.used.requests > result.used.test_users
    assert (result.comparison.requests, result.comparison.users) == (result.used.requests, result.used.test_users)
    assert result.used.train_events == len(split.train)
    assert (result.used.first_request, result.used.last_request) == (split.cases.times[0], split.cases.times[-1])
    [verdict] = result.found.verdicts
    assert (verdict.feed, verdict.metric) == ("home", "ndcg@10")
    assert set(verdict.leads) == {"popular", "popular, 7 days", "item_item", "content", "trending", "fresh"}
    assert evaluated(world) == result, "the same seed, the same figures"


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    return watched(monkeypatch)


def test_history_and_what_came_into_being_later_are_ranked_by_no_system(seen: Seen) -> None:
    rng = np.random.default_rng(5)
    born = dict.fromkeys(range(60), 200.0) | {10 * n: 1.0 + 2 * n for n in range(6)}
    catalog = [toy_item(n, f"i{n}", days, title="One title") for n, days in born.items()]
    plays = [
        Play(f"u{user}", f"i{item}", 3600, float(rng.uniform(0, min(60, born[item]))))
        for user in range(40)
        for item in rng.choice(60, 20, replace=False).tolist()
    ]
    world = make_world(catalog, plays)
    result = evaluated(world)
    cases, created = Protocol().divide(world.data.interactions).cases, world.catalog.created
    assert min((created > case.time).sum() for case in cases) < max((created > case.time).sum() for case in cases)
    assert len(seen.lists) == len(result.systems)
    for lists in seen.lists:
        for case, ranked in zip(cases, lists, strict=True):
            assert (created[ranked] <= case.time).all()
            assert not np.isin(ranked, world.data.interactions.items[case.history]).any()
    some = np.concatenate([np.concatenate(list(lists)) for lists in seen.lists])
    assert np.isin(some, [item for item, days in born.items() if days < 10]).any(), "what is there is ranked"


def test_nothing_that_comes_after_a_request_can_change_its_answer(seen: Seen) -> None:
    world = planted_world()
    events = world.data.interactions
    split = Protocol().divide(events)
    middle = int(split.cases.times[len(split.cases) // 2])
    rng = np.random.default_rng(1)

    def otherwise(made: Any) -> Any:
        later = made.times >= middle
        items = made.items.copy()
        items[later] = rng.integers(0, world.catalog.size, int(later.sum()))
        return replace(made, items=items)

    ranked = []
    for one in (world, with_events(world, otherwise)):
        seen.lists.clear()
        evaluated(one)
        cases = Protocol().divide(one.data.interactions).cases
        early = [row for row, case in enumerate(cases) if case.time < middle]
        keys = [(cases[row].user, cases[row].time) for row in early]
        ranked.append(
            [dict(zip(keys, ([*map(int, lists[row])] for row in early), strict=True)) for lists in seen.lists]
        )
    as_it_was, other = ranked
    for system, lists in enumerate(other):
        both = lists.keys() & as_it_was[system].keys()
        assert len(both) > 20
        assert all(lists[key] == as_it_was[system][key] for key in both)


def test_before_the_first_training_there_is_no_service() -> None:
    world = planted_world(users=4)
    first, *_ = moments(world)
    with pytest.raises(
        ValueError, match=f"nothing is trained yet at {first - 1}, the first training is at {first}"
    ):
        clock(world, [first]).at(first - 1)
    assert clock(world, [first]).at(first).models.keys() == {spec.name for spec in world.recipe.models}
