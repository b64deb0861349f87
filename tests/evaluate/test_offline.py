"""The offline evaluation, on worlds with planted tastes: every user loves one of three genres."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.evaluate.offline_sample import GENRES, Seen, evaluated, planted_world, rewritten, watched, with_events

from homefeed.errors import HomefeedError, InvalidError, NotFoundError
from homefeed.evaluate import systems
from homefeed.evaluate.judging import METRICS
from homefeed.evaluate.protocol import Protocol
from homefeed.evaluate.split import Cases, by_time
from homefeed.evaluate.systems import DEEP
from homefeed.funnel import Feed, Ranked, rank
from homefeed.recipe import FeedSettings
from homefeed.testing import Play, make_world, toy_item
from homefeed.testing.world import RECIPE
from homefeed.types import Interactions, Query

SYSTEMS = ["popular", "popular, 7 days", "item_item", "content", "trending", "fresh", "home: merged", "home"]
ONCE = Protocol("time", replay=False)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    return watched(monkeypatch)


def test_personalised_is_ahead_of_popularity_on_planted_tastes() -> None:
    comparison = evaluated(planted_world()).comparison
    assert comparison.baseline == "popular"
    for system in ("item_item", "home"):
        for metric in ("recall@20", "ndcg@10"):
            assert comparison.differences[system][metric].low > 0, (system, metric)


def test_where_no_user_has_a_taste_nothing_is_found() -> None:
    rng = np.random.default_rng(3)

    def scatter(events: Interactions) -> Interactions:
        return replace(events, items=rng.permutation(events.items))

    comparison = evaluated(with_events(planted_world(), scatter)).comparison
    difference = comparison.differences["home"]["recall@20"]
    assert difference.low < 0.05


def test_it_says_what_was_compared_and_on_what() -> None:
    world = planted_world()
    result = evaluated(world)
    assert (result.app, result.feeds, result.protocol) == ("toy", ("home",), Protocol("time"))
    comparison = result.comparison
    assert list(comparison.systems) == SYSTEMS == [system.name for system in result.systems]
    assert comparison.metrics == (*METRICS, "novelty@20", "diversity@20")
    assert comparison.figures == ("coverage@20", "gini@20")
    assert all(0 <= figures["coverage@20"] <= 1 for figures in comparison.overall.values())
    used, split, times = result.used, by_time(world.data.interactions), world.data.interactions.times
    assert used.train_events == len(split.train)
    assert used.items == world.catalog.size == 60
    assert used.test_users == used.requests == comparison.users == comparison.requests == len(split.cases)
    assert used.trainings == 1
    assert 0 < used.test_users <= 42 - sum(used.left_out.values())
    assert (used.events, used.first_event, used.last_event) == (len(times), times.min(), times.max())
    assert used.cutoff == split.cutoff
    assert (used.first_request, used.last_request) == (split.cases.times.min(), split.cases.times.max())
    assert (result.leaks, result.failures, result.replayed) == ((), (), len(split.cases))


def test_progress_is_reported_by_stage() -> None:
    steps_seen: list[tuple[str, int, int]] = []
    result = evaluated(planted_world(), progress=lambda *step: steps_seen.append(step))
    users = result.used.test_users
    steps = range(1, users + 1)
    [calibrated] = {of for stage, _, of in steps_seen if stage == "calibrating"}
    assert calibrated > 20
    assert steps_seen == [
        *(("training to calibrate", 0, 1), ("training to calibrate", 1, 1)),
        *(("calibrating", done, calibrated) for done in range(1, calibrated + 1)),
        *(("blending", 0, 1), ("blending", 1, 1)),
        *(("training", 0, 1), ("training", 1, 1)),
        *(("requests", done, users) for done in steps),
        *(("training again", 0, 1), ("training again", 1, 1)),
        *(("requests again", done, result.replayed) for done in steps[: result.replayed]),
        *(("figures", 0, 1), ("figures", 1, 1)),
    ]


def test_the_same_seed_gives_the_same_numbers() -> None:
    first, second = (
        evaluated(planted_world(), protocol=Protocol("time", seed=5, max_requests=30)) for _ in range(2)
    )
    assert first.comparison.to_json() == second.comparison.to_json()
    assert first == second


def test_at_most_so_many_users_are_drawn_by_the_seed(seen: Seen) -> None:
    for seed in (1, 1, 2):
        result = evaluated(planted_world(), protocol=Protocol("time", seed=seed, max_requests=10))
        assert result.used.test_users == 10
    of_home = [[ranked.tolist() for ranked in lists] for lists in seen.lists[7::8]]
    assert of_home[0] == of_home[1] != of_home[2]


def test_models_are_trained_on_events_before_the_cutoff_only(seen: Seen) -> None:
    world = planted_world()
    evaluated(world)
    split = by_time(world.data.interactions)
    calibrating, *asked = seen.past
    assert len(asked) == 2, "once for the requests, and once again to find systems that read the future"
    for past in asked:
        assert past.interactions.times.max() < split.cutoff == past.now
        assert len(past.interactions) == len(split.train)
    assert calibrating.interactions.times.max() < calibrating.now < split.cutoff
    assert len(calibrating.interactions) == pytest.approx(0.9 * len(split.train), abs=2)


def test_typical_full_values_are_those_of_the_past(seen: Seen) -> None:
    world = planted_world()
    cutoff = by_time(world.data.interactions).cutoff
    for one in (world, rewritten(world, cutoff, seed=9)):
        evaluated(one, protocol=ONCE)
    prepared = len(seen.prepared) // 2
    assert prepared == 2, "to calibrate, and for the requests"
    for as_it_was, changed in zip(seen.prepared[:prepared], seen.prepared[prepared:], strict=True):
        np.testing.assert_array_equal(as_it_was.full, changed.full)
        np.testing.assert_array_equal(as_it_was.data.interactions.strengths, changed.data.interactions.strengths)


def test_nothing_of_the_future_can_change_what_is_ranked(seen: Seen) -> None:
    # Where nothing is revealed, lists are made from the past alone: any future must give the same ones.
    world, protocol = planted_world(), Protocol("time", revealed_share=0)
    events = world.data.interactions
    futures = [world, *(rewritten(world, by_time(events).cutoff, seed) for seed in (1, 2))]
    ranked = []
    for future in futures:
        seen.lists.clear()
        evaluated(future, protocol=protocol)
        users = by_time(future.data.interactions, revealed_share=0).cases.users.tolist()
        ranked.append([dict(zip(users, map(tuple, lists), strict=True)) for lists in seen.lists])
    as_it_was, *others = ranked
    for other in others:
        for system, lists in enumerate(other):
            both = lists.keys() & as_it_was[system].keys()
            assert len(both) > 25
            assert all(lists[user] == as_it_was[system][user] for user in both)


def test_what_others_do_after_the_cutoff_cannot_help(seen: Seen) -> None:
    # After the cutoff a crowd plays u0's film of the past together with u0's film of the future.
    old, secret = "i0", "i89"
    crowd = [Play(f"c{n}", item, 3600, 1) for n in range(40) for item in (old, secret)]
    others = [Play(f"u{n % 60}", f"i{1 + n % 50}", 3600, 40 + n) for n in range(1, 320)]
    catalog = [toy_item(n, f"i{n}", 200, title=f"Title {n}") for n in range(90)]
    world = make_world(catalog, [Play("u0", old, 3600, 40), *others, Play("u0", secret, 3600, 0.5), *crowd])
    evaluated(world, protocol=Protocol("time", revealed_share=0))
    cases = by_time(world.data.interactions, revealed_share=0).cases
    [u0] = np.flatnonzero(cases.users == world.data.interactions.users[world.data.interactions.times.argmax()])
    item_item = seen.lists[SYSTEMS.index("item_item")][int(u0)]
    assert world.position(secret) in cases[int(u0)].targets
    assert world.position(secret) not in item_item


@pytest.mark.parametrize("revealed_share", [0.0, 0.5, 1 / 3])
def test_history_and_hidden_items_are_never_ranked(seen: Seen, revealed_share: float) -> None:
    world = planted_world()
    evaluated(world, protocol=Protocol("time", revealed_share=revealed_share))
    cases: Cases = by_time(world.data.interactions, revealed_share=revealed_share).cases
    assert len(seen.lists) == len(SYSTEMS)
    for lists in seen.lists:
        assert len(lists) == len(cases)
        for case, ranked in zip(cases, lists, strict=True):
            history = world.data.interactions.items[case.history]
            assert not np.isin(ranked, history).any()
            assert world.catalog.available[ranked].all()
            assert len(np.unique(ranked)) == len(ranked) <= DEEP


def test_what_came_into_being_later_is_ranked_by_no_system(seen: Seen) -> None:
    # Some items come one by one while the test's users make requests; half of all play them once they are there.
    rng = np.random.default_rng(5)
    born = dict.fromkeys(range(61), 200.0) | {10 * n: 1.0 + 2 * n for n in range(6)}
    catalog = [toy_item(n, f"i{n}", None if n == 60 else born[n], title="One title") for n in range(61)]
    plays = [
        Play(f"u{user}", f"i{item}", 3600, float(rng.uniform(0, min(60, born[item]))))
        for user in range(40)
        for item in rng.choice(61, 20, replace=False).tolist()
    ]
    world = make_world(catalog, plays)
    evaluated(world)
    cases = by_time(world.data.interactions).cases
    created = world.catalog.created
    too_new = [int((created > case.time).sum()) for case in cases]
    assert 0 <= min(too_new) < max(too_new), "requests are at different times"
    assert len(seen.lists) == len(SYSTEMS)
    for lists in seen.lists:
        for case, ranked in zip(cases, lists, strict=True):
            assert (created[ranked] <= case.time).all()
    some = np.concatenate([np.concatenate(list(lists)) for lists in seen.lists])
    assert np.isin(some, [item for item, days in born.items() if days < 12]).any(), (
        "what is there by then is ranked"
    )
    assert 60 in some, "items without a time may be recommended at any"


def test_requests_are_made_as_the_user_with_their_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    world = planted_world(users=20)
    requests: list[tuple[str | None, Mapping[str, Any]]] = []

    def see(feed: Feed, query: Query) -> Ranked:
        requests.append((query.user.user_id, query.user.attributes))
        return rank(feed, query)

    monkeypatch.setattr(systems, "rank", see)
    people = tuple({"likes": GENRES[user % 3], "row": user} for user in range(20))
    evaluated(replace(world, data=replace(world.data, users=people)))
    assert len(requests) > 20
    assert all(attributes == people[int(user or -1)] for user, attributes in requests)
    requests.clear()
    evaluated(world)
    assert all(attributes == {} for _, attributes in requests), "nothing is known of them"


def test_users_kept_apart_are_shown_items_of_their_own_group(seen: Seen) -> None:
    declared = {
        **RECIPE,
        "users": {"fields": {"group": "category"}},
        "isolation": {"item": "content_type", "user": "group"},
    }
    kinds = ("movie", "series", "microdrama")
    rng = np.random.default_rng(2)
    catalog = [toy_item(n, f"i{n}", 200, title=f"Title {n}", content_type=kinds[n % 3]) for n in range(60)]
    plays = [
        Play(f"u{user}", f"i{3 * rng.integers(20) + user % 3}", 3600, float(rng.uniform(0, 60)))
        for user in range(30)
        for _ in range(12)
    ]
    world = make_world(catalog, plays, declared=declared)
    people = tuple({"group": kinds[user % 3]} for user in range(30))
    evaluated(replace(world, data=replace(world.data, users=people)))
    cases = by_time(world.data.interactions).cases
    for lists in seen.lists:
        for case, ranked in zip(cases, lists, strict=True):
            assert {position % 3 for position in ranked.tolist()} <= {case.user % 3}
    assert any(len(ranked) for ranked in seen.lists[0])


def test_validation_never_touches_the_test(seen: Seen) -> None:
    world, protocol = planted_world(), Protocol("time", validation=True)
    cutoff = by_time(world.data.interactions).cutoff
    results = [
        evaluated(one, protocol=protocol) for one in (world, *(rewritten(world, cutoff, s) for s in (1, 2)))
    ]
    assert results[0] == results[1] == results[2]
    assert results[0].used.train_events == len(by_time(by_time(world.data.interactions).train).train)
    assert all(past.now < cutoff for past in seen.past)
    assert evaluated(world) != evaluated(rewritten(world, cutoff, 1)), "the test does look at it"


def test_another_feed_and_baseline() -> None:
    comparison = evaluated(planted_world(), feeds=["popular"], baseline="home", protocol=ONCE).comparison
    assert comparison.baseline == "home"
    assert list(comparison.systems) == ["home", "popular, 7 days", "popular (retriever)", "popular"]


@pytest.mark.parametrize("names", [{"feeds": ["home", "best"]}, {"baseline": "best"}])
def test_a_feed_that_does_not_exist_is_a_clear_error(names: dict[str, Any]) -> None:
    with pytest.raises(NotFoundError, match=r'^no feed "best" in toy; there are: popular, home$'):
        evaluated(planted_world(users=3), **names)


def test_a_feed_about_an_item_is_a_clear_error() -> None:
    world = planted_world(users=3)
    anchored = replace(world.recipe.feeds["home"], settings=FeedSettings(anchored=True))
    recipe = replace(world.recipe, feeds={**world.recipe.feeds, "home": anchored})
    with pytest.raises(
        InvalidError, match=r"^the feed home is about an item; only feeds for a user can be evaluated$"
    ):
        evaluated(replace(world, recipe=recipe))


@pytest.mark.parametrize("count", [0, 1, 9])
@pytest.mark.parametrize("validation", [False, True])
def test_too_few_events_is_a_clear_error(count: int, validation: bool) -> None:
    world = with_events(planted_world(), lambda events: events.take(slice(count)))
    with pytest.raises(HomefeedError, match=r"^toy has \d events to evaluate on; import more first$"):
        evaluated(world, protocol=Protocol("time", validation=validation))


def test_no_user_on_both_sides_of_the_cutoff_is_a_clear_error() -> None:
    catalog = [toy_item(n, f"i{n}", 200, title=f"Title {n}") for n in range(5)]
    once_each = make_world(catalog, [Play(f"u{n}", f"i{n % 5}", 60, 40 - n) for n in range(40)])
    with pytest.raises(
        HomefeedError, match=r"^toy: no user has events on both sides of the cutoff; nothing can be"
    ):
        evaluated(once_each)


def test_events_of_one_moment_are_a_clear_error() -> None:
    catalog = [toy_item(n, f"i{n}", 200, title=f"Title {n}") for n in range(5)]
    at_once = make_world(catalog, [Play(f"u{n % 4}", f"i{n % 5}", 60, 1) for n in range(20)])
    with pytest.raises(HomefeedError, match=r"^toy: no event is earlier than the cutoff; nothing can be learned$"):
        evaluated(at_once)
