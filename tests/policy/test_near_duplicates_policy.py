"""Of items that say nearly the same one is shown, and none once the user chose it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.policy.in_order import candidates

from homefeed.errors import RecipeError
from homefeed.policy.near_duplicates import NearDuplicates
from homefeed.protocols import Filter, FilterExplainer, Reranker
from homefeed.testing import FilterContract, Play, World, make_world, toy_world
from homefeed.testing.reranker import RerankerContract, check_reranked
from homefeed.testing.world import ITEMS, PLAYS, RECIPE
from homefeed.types import Candidates, Dropped, Item

FIELDS = {"title": "text", "content_type": "category", "genre": "tags", "year": "number", "text": "text"}
EVENTS = {"play": {"full": "typical"}, "hide": {"weight": -1}, "report": {"weight": -1}}
COMPARED = {**RECIPE, "items": {"fields": FIELDS, "near_duplicates": {"fields": ["text"]}}, "events": EVENTS}
SLIM = {name: COMPARED[name] for name in ("app", "items", "events")} | {
    "feeds": {"popular": RECIPE["feeds"]["popular"]}
}
SAME = {
    "a": "a bicycle for sale in good order with new brakes and a bell",
    "b": "the choir meets on every second monday evening in the old school",
}


def saying(texts: str) -> World:
    """A world of items i0, i1, ... that say what the letters stand for, each other letter something of its own."""
    words = [SAME.get(letter, " ".join(f"{letter}{n}" for n in range(9))) for letter in texts]
    items = [Item(f"i{n}", 3 + n, {"title": f"Title {n}", "text": text}, None) for n, text in enumerate(words)]
    plays = [Play("u", "i0", 1, 9, "hide"), Play("v", "i0", 1, 9), Play("w", "i1", 1, 9, "report")]
    return make_world(items, plays, declared=SLIM)


#                  01234567
TEXTS = "abcabaxa"
WORLD = saying(TEXTS)


def part(world: World, **config: tuple[str, ...]) -> NearDuplicates:
    return NearDuplicates(NearDuplicates.Config.model_validate(config), world.resources)


def shown(given: Candidates, *exclude: int) -> tuple[list[int], list[tuple[list[int], str]]]:
    """The positions left, and what was dropped and why."""
    query = WORLD.query("v", exclude=WORLD.ids(np.array(exclude, np.int32)))
    answer = part(WORLD).rerank(query, given)
    check_reranked("near-duplicates", given, answer)
    assert {dropped.by for dropped in answer.dropped} <= {"near_duplicates"}
    reasons: dict[str, list[int]] = {}
    for dropped in answer.dropped:
        for position in dropped.positions.tolist():
            reasons.setdefault(dropped.reason(position), []).append(position)
    return answer.positions.tolist(), [(positions, why) for why, positions in reasons.items()]


@pytest.fixture
def compared() -> World:
    """The toy world: its items say nearly the same of a genre."""
    texts = {item.item_id: " ".join(f"{item.item_id[0]}{n}" for n in range(20)) for item in ITEMS}
    items = [
        Item(i.item_id, i.number, {**i.attributes, "text": texts[i.item_id]}, i.created_at, i.hidden)
        for i in ITEMS
    ]
    return make_world(items, PLAYS, declared=COMPARED)


class TestNearDuplicatesFilter(FilterContract):
    @pytest.fixture
    def world(self, compared: World) -> World:
        return compared

    def make(self, world: World) -> Filter:
        return part(world, events=("play",))


class TestNearDuplicatesArranger(RerankerContract):
    @pytest.fixture
    def world(self, compared: World) -> World:
        return compared

    def make(self, world: World) -> Reranker:
        return part(world)


def test_the_worlds_of_these_tests_have_near_duplicates(compared: World) -> None:
    assert WORLD.catalog.near_duplicates.tolist() == [0, 1, 2, 0, 1, 0, 6, 0]
    assert len(set(compared.catalog.near_duplicates.tolist())) == 5  # d, s, c, h and x


def filtered(user_id: str | None, **config: tuple[str, ...]) -> list[int]:
    return np.flatnonzero(~part(WORLD, **config).filter(WORLD.query(user_id))).tolist()


def test_what_says_nearly_the_same_as_the_unwanted_is_stopped() -> None:
    assert filtered("u") == [0, 3, 5, 7]
    assert filtered("w") == [1, 4]
    assert filtered("u", events=("report",)) == []
    assert filtered("u", events=()) == []


def test_what_others_do_not_want_passes() -> None:
    assert filtered("v") == []
    assert filtered(None) == []


def chain(**users: str) -> World:
    """i0 and i2 are both nearly the same as i1, and not as each other; users did something to one of them."""
    words = [f"w{n}" for n in range(31)]
    texts = [" ".join(words[start : start + 23]) for start in (0, 4, 8)]
    items = [Item(f"i{n}", 3 + n, {"title": f"Title {n}", "text": text}, None) for n, text in enumerate(texts)]
    return make_world(items, [Play(user, item, 1, 9, "hide") for user, item in users.items()], declared=SLIM)


def test_what_is_only_like_something_that_is_like_the_unwanted_passes() -> None:
    world = chain(u="i0", v="i1")
    assert world.catalog.near_duplicates.tolist() == [0, 0, 0]
    passed = [part(world).filter(world.query(user)).tolist() for user in ("u", "v", "w")]
    assert passed == [[False, False, True], [False, False, False], [True, True, True]]
    assert part(world).why(world.query("u"), 1) == 'says nearly the same as "Title 0", which the user chose'


@pytest.mark.parametrize(
    ("ranked", "left"), [([0, 1, 2], [0, 2]), ([1, 0, 2], [1]), ([2, 0, 1], [2, 0]), ([0, 2], [0, 2])]
)
def test_one_is_left_out_only_for_what_it_is_itself_like(ranked: list[int], left: list[int]) -> None:
    world = chain()
    answer = part(world).rerank(world.query(), candidates(*ranked))
    assert answer.positions.tolist() == left
    for dropped in answer.dropped:
        for position in dropped.positions.tolist():
            assert dropped.reason(position) == f'says nearly the same as "Title {left[0]}", which ranks higher'


def test_what_was_shown_takes_only_what_is_itself_like_it() -> None:
    world = chain()
    for before, left in (("i0", [2]), ("i1", [])):
        given = candidates(*(n for n in range(3) if f"i{n}" != before))
        assert part(world).rerank(world.query(exclude=(before,)), given).positions.tolist() == left


def test_why_names_the_item_that_the_user_hid() -> None:
    one, query = part(WORLD), WORLD.query("u")
    assert isinstance(one, FilterExplainer)
    assert one.why(query, 5) == 'says nearly the same as "Title 0", which the user chose'
    assert one.why(query, 0) == "the user chose it"


def test_without_fields_to_compare_by_only_the_item_itself_goes() -> None:
    world = toy_world()
    mask = part(world, events=("play",)).filter(world.query("dn"))
    assert world.ids(np.flatnonzero(~mask).astype(np.int32)) == ("d1", "d2")


def test_events_have_to_be_declared() -> None:
    with pytest.raises(RecipeError, match="hide"):
        part(toy_world(), events=("hide",))


def test_the_best_of_each_group_stays() -> None:
    left, dropped = shown(candidates(5, 2, 1, 0, 7, 4, 6))
    assert left == [5, 2, 1, 6]
    assert dropped == [
        ([0, 7], 'says nearly the same as "Title 5", which ranks higher'),
        ([4], 'says nearly the same as "Title 1", which ranks higher'),
    ]


def test_none_stays_of_a_group_that_was_shown_before() -> None:
    left, dropped = shown(candidates(5, 2, 1, 7, 4), 0)
    assert left == [2, 1]
    assert dropped == [
        ([5, 7], "says nearly the same as an item shown before, excluded or asked about"),
        ([4], 'says nearly the same as "Title 1", which ranks higher'),
    ]


def test_nothing_changes_where_nothing_is_said_twice() -> None:
    given = candidates(6, 2, 1, 0)
    assert part(WORLD).rerank(WORLD.query("v"), given) is given


def test_what_was_dropped_before_stays_dropped() -> None:
    earlier = Dropped("caps", np.array([2], np.int32), "too many")
    given = candidates(0, 3)
    answer = part(WORLD).rerank(WORLD.query("v"), replace(given, dropped=(earlier,)))
    assert [dropped.by for dropped in answer.dropped] == ["caps", "near_duplicates"]


SUBSETS = st.lists(st.integers(0, len(TEXTS) - 1), unique=True)


@given(SUBSETS, SUBSETS)
def test_no_two_of_a_group_are_ever_shown(ranked: list[int], before: list[int]) -> None:
    left, _ = shown(candidates(*(position for position in ranked if position not in before)), *before)
    expected: list[int] = []
    for position in ranked:
        if TEXTS[position] not in {TEXTS[other] for other in [*expected, *before]}:
            expected.append(position)
    assert left == expected
