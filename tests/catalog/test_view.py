"""The catalogue view held against a plain dict that is told the same changes."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.catalog import CatalogView
from homefeed.catalog.columns import CategoryColumn, NumberColumn, TagsColumn, TimeColumn
from homefeed.errors import InvalidError, RecipeError
from homefeed.types import NO_TIME, Condition, Item

FIELDS = {"title": "text", "kind": "category", "tags": "tags", "year": "number"}
KINDS = ("Movie", "movie", "SERIES", "series", "")
TAGS = ("Drama", "drama", "SciFi", "Comedy")
COMPARE = {":": operator.eq, ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}

attributes = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(["Heat", "heat", "", "Ran"]),
        "kind": st.sampled_from(KINDS),
        "tags": st.lists(st.sampled_from(TAGS), max_size=3),
        "year": st.none() | st.integers(1990, 1993) | st.floats(1990, 1993, width=16),
        "undeclared": st.integers(0, 3),
    },
)
changes: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    item_id=st.sampled_from([f"i{n}" for n in range(8)]),
    attributes=attributes,
    created_at=st.none() | st.integers(0, 5),
    hidden=st.booleans(),
    deleted=st.booleans(),
)
conditions = st.one_of(
    st.builds(Condition, st.just("title"), st.just(":"), st.sampled_from(["Heat", "heat", "Ran", ""])),
    st.builds(Condition, st.just("kind"), st.just(":"), st.sampled_from([*KINDS, "other"])),
    st.builds(Condition, st.just("tags"), st.just(":"), st.sampled_from([*TAGS, "other"])),
    st.builds(
        Condition, st.just("year"), st.sampled_from(list(COMPARE)), st.sampled_from(["1991", "1991.5", "0"])
    ),
)


@dataclass
class Model:
    """What the catalogue should hold: the last write of each item, in the order they first came."""

    items: dict[str, Item] = field(default_factory=dict)

    def apply(self, item: Item) -> None:
        if item.item_id in self.items or not item.deleted:
            self.items[item.item_id] = item

    def mask(self, condition: Condition) -> list[bool]:
        return [meets(item.attributes.get(condition.field), condition) for item in self.items.values()]


def meets(value: Any, condition: Condition) -> bool:
    if condition.field == "title":
        return (value or "") == condition.value
    if condition.field == "kind":
        return bool(value) and value.casefold() == condition.value.casefold()
    if condition.field == "tags":
        return condition.value.casefold() in [tag.casefold() for tag in value or ()]
    return value is not None and COMPARE[condition.operator](value, float(condition.value))


def numbered(change: dict[str, Any]) -> Item:
    return Item(number=1000 - int(change["item_id"][1:]), **change)


def view(*items: Item, **fields: str) -> CatalogView:
    catalog = CatalogView(fields or FIELDS, "title")
    catalog.apply(items)
    return catalog


@given(batches=st.lists(st.lists(changes, max_size=6), max_size=6), condition=conditions)
def test_any_changes_leave_what_a_dict_would_hold(
    batches: list[list[dict[str, Any]]], condition: Condition
) -> None:
    catalog, model = view(), Model()
    for batch in batches:
        catalog.apply(numbered(change) for change in batch)
        for change in batch:
            model.apply(numbered(change))
    expected = list(model.items.values())
    assert catalog.size == len(expected)
    assert [catalog.item_id(p) for p in range(catalog.size)] == list(model.items)
    places = [None if item.deleted else place for place, item in enumerate(expected)]
    assert [catalog.position(item.item_id) for item in expected] == places
    assert [catalog.attributes(p) for p in range(catalog.size)] == [item.attributes for item in expected]
    assert catalog.numbers.tolist() == [item.number for item in expected]
    assert catalog.positions(catalog.numbers).tolist() == [-1 if place is None else place for place in places]
    assert catalog.available.tolist() == [not (item.hidden or item.deleted) for item in expected]
    created = [NO_TIME if item.created_at is None else item.created_at for item in expected]
    assert catalog.created.tolist() == created
    assert catalog.mask(condition).tolist() == model.mask(condition)


@given(batches=st.lists(st.lists(changes, max_size=6), max_size=6), since=st.integers(0, 6))
def test_changed_since_a_generation(batches: list[list[dict[str, Any]]], since: int) -> None:
    catalog, last_change = view(), dict[str, int]()
    start = catalog.generation
    for generation, batch in enumerate(batches, start=1):
        catalog.apply(numbered(change) for change in batch)
        for change in batch:
            if change["item_id"] in last_change or not change["deleted"]:
                last_change[change["item_id"]] = generation
    changed = {catalog.item_id(p) for p in catalog.changed_since(start + since).tolist()}
    assert changed == {item_id for item_id, generation in last_change.items() if generation > since}


def test_positions_of_numbers_that_are_not_here() -> None:
    catalog = view(Item("a", 5, {}, None), Item("b", 2, {}, None))
    numbers = np.array([2, 5, 0, 6, -1, 1_000_000])
    assert catalog.positions(numbers).tolist() == [1, 0, -1, -1, -1, -1]
    assert view().positions(numbers).tolist() == [-1] * 6
    assert catalog.positions(numbers).dtype == np.int32


def test_an_item_without_a_title_is_called_by_its_id() -> None:
    catalog = view(
        Item("a", 1, {"title": "Ran"}, None), Item("b", 2, {}, None), Item("c", 3, {"title": None}, None)
    )
    assert [catalog.title(p) for p in range(3)] == ["Ran", "b", "c"]


def test_a_sentence_calls_an_item_without_a_title_by_its_categories_where_it_has_all_of_them() -> None:
    fields = {"title": "text", "city": "category", "kind": "category"}
    catalog = CatalogView(fields, "title", untitled="a {kind} from {city}")
    catalog.apply(
        [
            Item("a", 1, {"city": "Lima", "kind": "talk"}, None),
            Item("b", 2, {"title": "Ran", "city": "Lima", "kind": "talk"}, None),
            Item("c", 3, {"city": "Lima"}, None),
        ]
    )
    assert [catalog.called(p) for p in range(3)] == ["a talk from Lima", "Ran", "c"]
    assert view(Item("a", 1, {}, None)).called(0) == "a"


def test_ids_that_differ_by_one_code_point_are_different_items() -> None:
    catalog = view(Item("é", 1, {}, None), Item("e\u0301", 2, {}, None))
    assert (catalog.position("é"), catalog.position("e\u0301")) == (0, 1)


def test_a_deleted_item_that_never_was_here_takes_no_position() -> None:
    catalog = view(Item("gone", 1, {}, None, deleted=True))
    assert catalog.size == 0
    assert catalog.position("gone") is None


def test_an_item_can_come_back_at_its_position() -> None:
    catalog = view(Item("a", 1, {"tags": ["x"]}, None))
    catalog.apply([Item("a", 1, {}, None, deleted=True)])
    assert not catalog.available[0]
    assert not catalog.mask(Condition("tags", ":", "x"))[0]
    catalog.apply([Item("a", 1, {"tags": ["y"]}, None)])
    assert catalog.available[0]
    assert catalog.terms("tags") == [("y",)]


@pytest.mark.parametrize(
    ("name", "value"), [("title", ["x"]), ("kind", {"a": 1}), ("tags", 7), ("year", "soon"), ("year", math.inf)]
)
def test_a_value_stored_under_another_recipe_is_left_out(name: str, value: Any) -> None:
    catalog = view(Item("a", 1, {name: value}, None), Item("b", 2, {"title": "Ran"}, None))
    assert catalog.terms_at(name, 0) == ()
    assert catalog.available.tolist() == [True, True]
    assert catalog.title(1) == "Ran"


def test_a_generation_shows_when_all_of_it_is_here() -> None:
    catalog = view()
    before = catalog.generation
    seen = []

    def watched() -> Any:
        for number in range(3):
            seen.append((catalog.generation, catalog.size, len(catalog.available), len(catalog.terms("kind"))))
            yield Item(f"i{number}", number, {"kind": "movie"}, None)

    catalog.apply(watched())
    assert seen == [(before, 0, 0, 0)] * 3
    assert (catalog.generation, catalog.size) == (before + 1, 3)


def test_what_fails_half_way_shows_once_it_is_all_here() -> None:
    catalog = view(Item("a", 1, {"title": "Ran"}, None))
    new, before = Item("b", 2, {"title": "Heat"}, None), catalog.snapshot

    def broken() -> Iterator[Item]:
        yield new
        raise OSError("the connection is gone")

    with pytest.raises(OSError, match="is gone"):
        catalog.apply(broken())
    assert catalog.snapshot is before
    catalog.apply([new])
    assert (catalog.generation, catalog.size, catalog.title(1)) == (before.generation + 1, 2, "Heat")
    assert catalog.changed_since(before.generation).tolist() == [1]


def test_a_request_reads_one_catalogue_from_its_first_part_to_its_last() -> None:
    catalog = view(Item("a", 1, {"title": "Ran"}, None))
    new = Item("b", 2, {"title": "Heat"}, None)
    with catalog.reading() as first, catalog.reading() as second:
        assert first is second is catalog.snapshot
        with pytest.raises(RuntimeError, match="while a request reads it"):
            catalog.apply([new])
        assert catalog.snapshot is first
    with pytest.raises(ZeroDivisionError), catalog.reading():
        _ = 1 // 0
    catalog.apply([new])
    assert catalog.size == 2


def test_a_filter_on_no_field_says_which_there_are() -> None:
    with pytest.raises(InvalidError, match="year"):
        view().mask(Condition("length", ":", "3"))


def test_any_of_several_values_will_do() -> None:
    catalog = view(
        *(Item(f"i{n}", n, {"kind": kind, "year": n}, None) for n, kind in enumerate(["a", "b", "c", None]))
    )
    assert catalog.mask(Condition("kind", ":", "A", ("c", "none"))).tolist() == [True, False, True, False]
    assert catalog.mask(Condition("year", ":", "0", ("3",))).tolist() == [True, False, False, True]
    assert catalog.mask(Condition("kind", ":", "a")).tolist() == [True, False, False, False], (
        "and nothing is kept of it"
    )


def test_a_column_is_found_by_name_and_kind() -> None:
    catalog = view(Item("a", 1, {"kind": "movie", "year": 7}, None))
    assert catalog.column("kind", CategoryColumn).code("movie") == 0
    assert catalog.column("year", NumberColumn).numbers(1).tolist() == [7]
    with pytest.raises(RecipeError, match=r'^items\.fields\.kind is declared as "category"; expected "number"$'):
        catalog.column("kind", NumberColumn)
    with pytest.raises(RecipeError, match=r'^items\.fields\.ends is not declared; expected "time"$'):
        catalog.column("ends", TimeColumn)
    with pytest.raises(RecipeError, match=r'^items\.fields\.title is declared as "text"; expected "tags"$'):
        catalog.column("title", TagsColumn)


@pytest.mark.parametrize(
    ("change", "revised"),
    [
        ({}, False),
        ({"hidden": True}, True),
        ({"deleted": True}, True),
        ({"attributes": {"title": "Heat"}}, True),
        ({"attributes": {"title": "Ran", "tags": ["War"], "year": 1985}}, True),
        ({"attributes": {"title": "Ran", "kind": "series", "tags": ["Drama"], "year": 1985}}, True),
        ({"attributes": {"title": "Ran", "tags": ["Drama"], "year": 1986}}, False),
        ({"attributes": {"title": "Ran", "tags": ["Drama"], "undeclared": 2}}, False),
        ({"created_at": 9}, False),
        ({"item_id": "new", "number": 2}, False),
        ({"item_id": "new", "number": 2, "hidden": True}, False),
    ],
)
def test_revisions_tell_of_what_is_not_there_any_more_or_says_other_words(
    change: dict[str, Any], revised: bool
) -> None:
    item = Item("a", 1, {"title": "Ran", "tags": ["Drama"], "year": 1985}, 5)
    catalog = view(item, Item("other", 3, {"title": "Heat"}, None))
    before = catalog.revisions
    catalog.apply([Item("other", 3, {"title": "Heat"}, None), replace(item, **change)])
    assert (catalog.revisions > before) is revised
    assert catalog.generation == 2


def test_what_comes_back_was_there_before() -> None:
    item = Item("a", 1, {"title": "Ran"}, None, hidden=True)
    catalog = view(item)
    before = catalog.revisions
    catalog.apply([replace(item, hidden=False)])
    assert catalog.revisions == before


def test_without_fields_to_compare_by_nothing_is_a_near_duplicate() -> None:
    same = {"title": "the very same words in each of them"}
    items = [Item(f"i{n}", n, same, None) for n in range(3)]
    assert view(*items).near_duplicates.tolist() == [0, 1, 2]
    compared = CatalogView(FIELDS, "title", ("title",), 0.9)
    compared.apply(items)
    assert len(set(compared.near_duplicates.tolist())) == 1


def test_texts_that_share_six_of_ten_pairs_of_words_are_near_duplicates_unless_told_otherwise() -> None:
    words = [f"w{n}" for n in range(9)]
    # Of the 8 pairs of words of each text, 6 are in both of the first two, out of 10; 5 in the first and the last.
    texts = [words, [*words[:7], "x", "y"], [*words[:6], "p", "q", "r"]]
    items = [Item(f"i{n}", n, {"title": " ".join(text)}, None) for n, text in enumerate(texts)]
    for similarity, groups in ((), [0, 0, 2]), ((0.4,), [0, 0, 0]), ((0.7,), [0, 1, 2]):
        compared = CatalogView(FIELDS, "title", ["title"], *similarity)
        compared.apply(items)
        assert compared.near_duplicates.tolist() == groups


def test_masks_of_an_empty_catalogue_are_empty() -> None:
    for name in FIELDS:
        assert view().mask(Condition(name, ":", "1")).shape == (0,)


def test_attributes_are_checked_field_by_field() -> None:
    checked = view().check({"title": "Ran", "tags": "Drama| War |", "year": "1985", "else": [1]})
    assert checked == {"title": "Ran", "tags": ["Drama", "War"], "year": 1985.0, "else": [1]}
    with pytest.raises(InvalidError, match="tags"):
        view().check({"tags": 3})


def test_what_changed_is_known_of_however_long_ago() -> None:
    catalog = CatalogView({"title": "text"}, "title")
    for n in range(70):
        catalog.apply([Item(f"i{n % 40}", n % 40 + 1, {"title": str(n)}, None)])
    for since in range(71):
        expected = sorted({n % 40 for n in range(since, 70)})
        assert catalog.changed_since(since).tolist() == expected
