"""Diverse: what chance each category has, what is drawn of it, and for how long the draw stays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from scipy import stats

from homefeed.protocols import Retriever
from homefeed.retrieve.diverse import Diverse
from homefeed.testing import RetrieverContract, World, make_world, toy_item, toy_world
from homefeed.testing.requests import toy_history
from homefeed.testing.world import NOW
from homefeed.types import DAY, NO_HISTORY, SECOND, Condition, History, Item, Query

HOUR = 3_600 * SECOND
SIZES = {"a": 5, "b": 3, "c": 2}


def diverse(world: World, **config: Any) -> Diverse:
    return Diverse(Diverse.Config.model_validate({"field": "content_type"} | config), world.resources)


def items_of(sizes: Mapping[str, int]) -> list[Item]:
    """Items a0, a1, ... of category a, and so on, the first of each the most popular."""
    ids = [(f"{category}{n}", category, n) for category, size in sizes.items() for n in range(size)]
    return [
        toy_item(place, item_id, place, content_type=category, year=10 ** (9 - n))
        for place, (item_id, category, n) in enumerate(ids)
    ]


def shop(sizes: Mapping[str, int] = SIZES) -> World:
    return make_world(items_of(sizes), ())


def history(world: World, **strengths: float) -> History:
    return toy_history(world, strengths)


def drawn(world: World, retriever: Diverse, query: Query, k: int = 200) -> tuple[str, ...]:
    return world.ids(retriever.retrieve(query, k)[0])


def firsts(world: World, retriever: Diverse, own: History, users: int) -> Counter[str]:
    """Of so many users of that history, the category first drawn."""
    return Counter(drawn(world, retriever, world.query(f"u{n}", history=own), 1)[0][0] for n in range(users))


def assert_as_likely(counted: Counter[str], weights: Mapping[str, float]) -> None:
    total, users = sum(weights.values()), sum(counted.values())
    observed = [counted[name] for name in weights]
    assert stats.chisquare(observed, [users * weight / total for weight in weights.values()]).pvalue > 0.001


class TestDiverse(RetrieverContract):
    def make(self, world: World) -> Retriever:
        return diverse(world)

    def requests(self, world: World) -> dict[str, Query]:
        return super().requests(world) | {
            "a day on": world.query("da", now=NOW + DAY),
            "what the user mostly plays": world.query(
                "mi", conditions=(Condition("content_type", ":", "microdrama"),)
            ),
        }


class TestDiverseOfFew(RetrieverContract):
    def make(self, world: World) -> Retriever:
        return diverse(world, categories=2, each=1, count="year", contrast=50, smoothing=0.01)


def test_without_a_history_chances_are_shares_of_the_catalogue() -> None:
    world = shop()
    world.catalog.apply([toy_item(10 + n, f"h{n}", 0, hidden=True, content_type="c") for n in range(9)])
    assert_as_likely(firsts(world, diverse(world), NO_HISTORY, 2_000), {"a": 0.5, "b": 0.3, "c": 0.2})


def test_a_category_of_one_item_or_of_hidden_ones_counts_as_one() -> None:
    world = shop({"a": 3, "b": 1})
    world.catalog.apply([toy_item(4, "h0", 0, hidden=True, content_type="c")])
    retriever = diverse(world, categories=1, each=1)
    # c weighs 1 of 5, too, but has nothing to show: the draw goes on to another.
    weights = {"a": 3 / 5 + 1 / 5 * 3 / 4, "b": 1 / 5 + 1 / 5 * 1 / 4}
    assert_as_likely(firsts(world, retriever, NO_HISTORY, 2_000), weights)


def test_chances_are_the_formula() -> None:
    world = shop()
    # Strengths of 2 for a and 1 for b; a dislike of c is none. With 2 smoothed in, history has
    # (2 + 1) / 5 of a, (1 + 0.6) / 5 of b and 0.4 / 5 of c.
    own = history(world, a0=2.0, b0=1.0, c0=-9.0)
    weights = {"a": 0.5 * 0.5 / 0.6, "b": 0.3 * 0.3 / 0.32, "c": 0.2 * 0.2 / 0.08}
    assert_as_likely(firsts(world, diverse(world, smoothing=2, contrast=1), own, 2_000), weights)
    squared = {"a": 0.5**3 / 0.6**2, "b": 0.3**3 / 0.32**2, "c": 0.2**3 / 0.08**2}
    assert_as_likely(firsts(world, diverse(world, smoothing=2), own, 2_000), squared)
    flat = {"a": 0.5, "b": 0.3, "c": 0.2}
    assert_as_likely(firsts(world, diverse(world, contrast=0), own, 2_000), flat)


def test_all_pairs_are_drawn_as_without_replacement() -> None:
    world = shop()
    pairs: Counter[str] = Counter()
    for n in range(2_000):
        first, second = drawn(world, diverse(world, categories=2, each=1), world.query(f"u{n}"))
        pairs[first[0] + second[0]] += 1
    share = {"a": 0.5, "b": 0.3, "c": 0.2}
    assert_as_likely(pairs, {x + y: share[x] * share[y] / (1 - share[x]) for x in share for y in share if x != y})


def test_what_the_user_always_takes_comes_last_and_still_comes() -> None:
    world = shop()
    own = history(world, **{f"a{n}": 4.0 for n in range(5)})
    # Half of the catalogue is a and 0.9 of the history, with what is smoothed in: it weighs 0.15, b 7.5 and c 5.
    assert firsts(world, diverse(world), own, 300)["a"] <= 12
    retriever = diverse(world, categories=2, each=9, contrast=20)
    for n in range(100):
        assert {item[0] for item in drawn(world, retriever, world.query(f"u{n}", history=own))} == {"b", "c"}
    only = world.query("u", history=own, conditions=(Condition("content_type", ":", "a"),))
    assert sorted(drawn(world, retriever, only)) == ["a0", "a1", "a2", "a3", "a4"]


def test_what_was_long_ago_is_no_history() -> None:
    world = shop()
    retriever = diverse(world, contrast=20)
    long_ago = toy_history(world, {"a0": 5.0, "b0": 5.0}, last=NOW)
    for n in range(30):
        now = NOW + 31 * DAY
        query = world.query(f"u{n}", history=long_ago, now=now)
        assert drawn(world, retriever, query) == drawn(world, retriever, world.query(f"u{n}", now=now))
    recent = firsts(world, diverse(world, contrast=20, history_days=32), long_ago, 50)
    assert recent["c"] == 50


def test_the_first_of_each_then_the_second_of_each() -> None:
    world = shop()
    positions, scores = diverse(world, each=3).retrieve(world.query("u"), 200)
    letters = [item[0] for item in world.ids(positions)]
    assert len(letters) == 3 + 3 + 2
    assert letters[:3] == letters[3:6], "the categories keep their order"
    assert set(letters[:3]) == set("abc")
    assert letters[6:] == [letter for letter in letters[:3] if letter != "c"]
    assert scores.tolist() == pytest.approx([1 / n for n in range(1, 9)])


def test_the_better_items_of_a_category_come_more_often() -> None:
    world = shop({"a": 6})
    retriever = diverse(world, each=1, among=4, count="year")
    counted = Counter(drawn(world, retriever, world.query(f"u{n}"))[0] for n in range(2_000))
    assert_as_likely(counted, {"a0": 1, "a1": 1 / 2, "a2": 1 / 3, "a3": 1 / 4})
    assert set(counted) == {"a0", "a1", "a2", "a3"}
    # What cannot be shown leaves its place to the next.
    query = world.query("u", exclude=("a0", "a1", "a2"))
    assert set(drawn(world, diverse(world, count="year", among=9), query)) == {"a3", "a4", "a5"}


def test_a_period_has_one_draw_and_the_next_another() -> None:
    world = shop(dict.fromkeys("abcdefghij", 8))
    retriever = diverse(world, draw_hours=2)
    start = NOW // (2 * HOUR) * (2 * HOUR) + 2 * HOUR
    within = [drawn(world, retriever, world.query("u", now=start + part)) for part in (0, 1, 2 * HOUR - 1)]
    assert within[0] == within[1] == within[2]
    others = [drawn(world, retriever, world.query("u", now=start + 2 * HOUR * n)) for n in range(9)]
    assert len(set(others)) == 9
    # Not only do other categories come, but also others of the same category's items.
    assert len({item for found in others for item in found if item[0] == "a"}) > 3


def test_users_and_seeds_have_draws_of_their_own() -> None:
    world = shop(dict.fromkeys("abcdefghij", 8))
    retriever = diverse(world)
    assert len({drawn(world, retriever, world.query(f"u{n}")) for n in range(20)}) == 20
    assert len({drawn(world, diverse(world, seed=n), world.query("u")) for n in range(20)}) == 20
    assert drawn(world, retriever, world.query()) == drawn(world, retriever, world.query())
    about, without = world.query("u", anchor="a3"), world.query("u", exclude=("a3",))
    assert drawn(world, retriever, about) == drawn(world, retriever, without)


def test_every_process_draws_alike_wherever_its_items_are() -> None:
    items = items_of(SIZES)
    world, other = make_world(items, ()), make_world(items[::-1], ())
    for n in range(10):
        for name in ("a0", "c1"):
            there = other.query(f"u{n}", history=history(other, **{name: 1.0}))
            here = world.query(f"u{n}", history=history(world, **{name: 1.0}))
            retrievers = diverse(world, count="year"), diverse(other, count="year")
            assert drawn(world, retrievers[0], here) == drawn(other, retrievers[1], there)


def test_a_new_category_can_be_drawn_once_refreshed() -> None:
    world = shop()
    retriever = diverse(world)
    assert len(drawn(world, retriever, world.query("u"))) == 10
    world.catalog.apply([toy_item(10, "d0", 0, content_type="d")])
    assert "d0" not in drawn(world, retriever, world.query("u"))
    retriever.refresh()
    assert "d0" in drawn(world, retriever, world.query("u"))


def test_settings_may_be_extreme() -> None:
    world = shop()
    own = history(world, a0=1e6)
    retriever = diverse(world, contrast=1e6, smoothing=1e-9, draw_hours=1e-12, history_days=1e30)
    assert len(drawn(world, retriever, world.query("u", history=own))) == 10
    assert firsts(world, retriever, own, 20)["a"] == 0


def test_the_reason_calls_different_only_what_is() -> None:
    world = toy_world()
    asked = world.positions("d1", "s1", "c2", "x1")
    # mi played a series and two microdramas, of eleven available items 4 and 2; and no movie.
    assert diverse(world).reasons(world.query("mi"), asked) == [
        "Something different: from series",
        "Something different: from movie",
        "From microdrama",
        None,
    ]
    assert diverse(world).reasons(world.query("cold"), asked) == [
        "From series",
        "From movie",
        "From microdrama",
        None,
    ]
    named = diverse(world, reason="Why not {category}?")
    assert named.reasons(world.query("mi"), asked[1:2]) == ["Why not movie?"]
