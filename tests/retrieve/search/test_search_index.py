"""The index: BM25F by hand, and step by step the same as built anew."""

from __future__ import annotations

import math
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.retrieve.search.shelves import reading, shelf, thing

from homefeed.catalog import CatalogView
from homefeed.retrieve.search import index as index_module
from homefeed.retrieve.search.index import TextIndex
from homefeed.retrieve.search.reading import Reading, items_of

FIELDS = {"name": 1.0, "kind": 2.0, "tags": 0.5}


def impacts(one: Reading, term: str) -> dict[int, float]:
    items, values = one.postings(term)
    assert items.dtype == np.int32
    assert values.dtype == np.float32
    assert len(set(items.tolist())) == len(items)
    return dict(zip(items.tolist(), values.tolist(), strict=True))


def contents(one: Reading) -> dict[str, float]:
    """All that is known of every term."""
    known: dict[str, float] = {}
    for term in one.vocabulary.terms:
        known |= {f"{term}: items": float(one.count(term)), f"{term}: rarity": one.rarity(term)}
        known |= {f"{term} in {item}": impact for item, impact in impacts(one, term).items()}
    return known


def near(one: Reading) -> object:
    """The same but for rounding."""
    return pytest.approx(contents(one), rel=1e-5)


def test_what_a_term_adds_is_bm25_over_the_fields() -> None:
    catalog = shelf()
    catalog.apply([thing(0, "Red shoe", kind="Shoes"), thing(1, "Blue hat")])
    one = TextIndex(catalog, FIELDS).reading
    # Lengths 1 + 1 + 2 and 2, 3 on average; a shoe is 1 of the name and 2 of the kind.
    assert impacts(one, "shoe") == pytest.approx({0: 3 * 2.2 / (3 + 1.2 * (0.25 + 0.75 * 4 / 3))})
    assert impacts(one, "red") == pytest.approx({0: 2.2 / (1 + 1.2 * 1.25)})
    assert impacts(one, "blue") == pytest.approx({1: 2.2 / (1 + 1.2 * 0.75)})
    assert one.rarity("shoe") == pytest.approx(math.log(1 + 1.5 / 1.5))
    assert one.count("shoe") == 1
    assert one.vocabulary.terms == ("blue", "hat", "red", "shoe")
    assert one.written("shoe") == ("shoe", "shoes")
    assert (one.size, one.generation) == (2, 1)


def test_what_no_item_has_is_nothing() -> None:
    one = reading("red shoe")
    assert impacts(one, "hat") == {}
    assert one.count("hat") == 0
    assert one.rarity("hat") == 0
    assert one.written("hat") == ("hat",)


def test_what_every_item_has_still_adds_something() -> None:
    one = reading("shoe", "red shoe", "shoe")
    assert one.rarity("shoe") == pytest.approx(math.log(1 + 0.5 / 3.5))
    assert 0 < one.rarity("shoe") < one.rarity("red")


def test_a_catalogue_of_nothing_has_no_words() -> None:
    for one in (reading(), reading("", "?!")):
        assert one.vocabulary.terms == ()
        assert one.count("shoe") == one.rarity("shoe") == 0
        assert one.beginning_with("s", 5) == []
    assert reading("", "?!").size == 2


def test_items_without_words_change_nothing_for_the_others() -> None:
    alone, among = reading("red shoe", "blue hat cap"), reading("red shoe", "blue hat cap", "", "!")
    assert contents(among) == near(alone)


def test_beginnings_are_completed_by_the_most_frequent_first() -> None:
    one = reading("shirt", "shoe", "shoes", "shorts", "hat")
    assert one.beginning_with("sh", 9) == ["shoe", "shirt", "short"]
    assert one.beginning_with("sh", 1) == ["shoe"]


def test_the_term_is_the_first_of_its_words_where_items_write_it() -> None:
    assert reading("hoodies", "hoodie").written("hoody") == ("hoodies", "hoodie")
    assert reading("hoodies", "hoody").written("hoody") == ("hoody", "hoodies")


def test_hidden_and_deleted_items_have_no_words() -> None:
    catalog = shelf("red shoe", "blue hat", "green hat")
    index = TextIndex(catalog, FIELDS)
    catalog.apply([thing(1, "blue hat", hidden=True), thing(2, "green hat", deleted=True)])
    assert index.reading.count("hat") == 2
    index.refresh()
    assert index.reading.vocabulary.terms == ("red", "shoe")
    assert contents(index.reading) == near(reading("red shoe"))
    catalog.apply([thing(1, "blue hat")])
    index.refresh()
    assert impacts(index.reading, "hat").keys() == {1}


def test_a_reading_stays_as_it_was() -> None:
    catalog = shelf("red shoe", "blue hat")
    index = TextIndex(catalog, FIELDS)
    before = index.reading
    expected = contents(before)
    catalog.apply([thing(0, "green cap"), thing(2, "red hat cap")])
    index.refresh()
    assert contents(before) == expected
    assert before.size == 2
    for later in ("green", "cap"):
        assert impacts(before, later) == {}
        assert before.count(later) == before.rarity(later) == 0
    assert index.reading.generation == before.generation + 1
    assert impacts(index.reading, "cap").keys() == {0, 2}


def test_nothing_is_done_where_no_words_changed() -> None:
    catalog = shelf("red shoe", "blue hat")
    index = TextIndex(catalog, FIELDS)
    before = index.reading
    catalog.apply([thing(0, "red shoe", price="7"), thing(1, "Blue  HAT!")])
    index.refresh()
    assert index.reading is before
    catalog.apply([thing(1, "blue hats")])
    index.refresh()
    assert index.reading is before, "the same terms"
    catalog.apply([thing(2, "")])
    index.refresh()
    assert index.reading.size == 3


@pytest.fixture
def in_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put in order anew only where more than three items changed."""
    monkeypatch.setattr(index_module, "_SMALL", 0)
    monkeypatch.setattr(index_module, "_REBUILD_MIN", 3)
    monkeypatch.setattr(index_module, "_REBUILD_SHARE", 0.0)


@pytest.mark.usefixtures("in_segments")
def test_what_changed_lately_stands_beside_until_it_is_too_much() -> None:
    catalog = shelf("red shoe", "blue hat", "green cap")
    index = TextIndex(catalog, {"name": 1.0})
    index.refresh()
    catalog.apply([thing(position, f"yellow {name}") for position, name in enumerate(("shoe", "hat", "cap"))])
    index.refresh()
    beside = index.reading
    assert beside.stale is not None
    catalog.apply([thing(3, "yellow boots")])
    index.refresh()
    assert index.reading.stale is None
    assert index.reading.main is not beside.main
    assert contents(index.reading) == near(TextIndex(catalog, {"name": 1.0}).reading)


@pytest.mark.usefixtures("in_segments")
def test_new_items_are_measured_by_the_mean_length_of_the_last_order() -> None:
    catalog = shelf("red shoe", "blue hat", "green cap", "yellow sock", "hat")
    index = TextIndex(catalog, {"name": 1.0})
    catalog.apply([thing(5, "a b c d e f g h sofa")])
    index.refresh()
    expected = 2.2 / (1 + 1.2 * (0.25 + 0.75 * 9 / (9 / 5)))
    assert impacts(index.reading, "sofa") == pytest.approx({5: expected})
    assert index.reading.rarity("sofa") == pytest.approx(math.log(1 + 5.5 / 1.5))


@pytest.mark.usefixtures("in_segments")
def test_a_catalogue_most_of_which_is_hidden_has_lengths_of_its_own() -> None:
    catalog = shelf(*["red hat shoe"] * 9)
    catalog.apply([thing(position, "red hat shoe", hidden=True) for position in range(2, 9)])
    one = TextIndex(catalog, {"name": 1.0}).reading
    assert impacts(one, "red") == pytest.approx({0: 1.0, 1: 1.0})


WORDS = ("shoe", "shoes", "hat", "cap", "red", "blue", "green", "tea", "teas", "pot")
CHANGE = st.tuples(
    st.integers(0, 7), st.lists(st.sampled_from(WORDS), min_size=3, max_size=3), st.sampled_from(["", "h", "d"])
)
BATCHES = st.lists(st.lists(CHANGE, max_size=5), max_size=6)


@pytest.mark.usefixtures("in_segments")
@given(BATCHES)
@example([[(0, ["red", "hat", "cap"], "h")], [(0, ["red", "hat", "cap"], "")]])
def test_step_by_step_it_is_the_same_as_built_anew(batches: list[list[tuple[int, list[str], str]]]) -> None:
    # All of one length, so that their mean is no matter.
    catalog = shelf("red shoe hat", "blue hat tea", "green cap pot", "red tea pot", "blue blue shoe")
    index = TextIndex(catalog, {"name": 1.0})
    for batch in batches:
        for position, words, how in batch:
            at = min(position, catalog.size)
            catalog.apply([thing(at, " ".join(words), hidden=how == "h", deleted=how == "d")])
        index.refresh()
        anew = TextIndex(catalog, {"name": 1.0}).reading
        assert index.reading.size == anew.size == catalog.size
        assert contents(index.reading) == near(anew)


LENGTHS = st.tuples(
    st.integers(0, 5), st.lists(st.sampled_from(WORDS), max_size=6), st.sampled_from(["", "h", "d"])
)


@given(st.lists(st.lists(LENGTHS, max_size=4), max_size=6))
def test_a_small_one_is_the_same_as_built_anew_whatever_lengths(
    batches: list[list[tuple[int, list[str], str]]],
) -> None:
    catalog = shelf()
    index = TextIndex(catalog, FIELDS)
    for batch in batches:
        for position, words, how in batch:
            at = min(position, catalog.size)
            item = thing(at, " ".join(words), hidden=how == "h", deleted=how == "d", kind=" ".join(words[:1]))
            catalog.apply([item])
        index.refresh()
        assert contents(index.reading) == near(TextIndex(catalog, FIELDS).reading)


class SlowCatalog(CatalogView):
    """One whose texts take a while to read, so that others come in between."""

    def terms_at(self, field: str, position: int) -> tuple[str, ...]:
        time.sleep(0.002)
        return super().terms_at(field, position)


def test_refreshing_twice_at_once_is_refreshing_once() -> None:
    catalog = SlowCatalog({"name": "text"}, "name")
    index = TextIndex(catalog, {"name": 1.0})
    catalog.apply([thing(position, f"thing{'x' * position} red") for position in range(20)])
    threads = [threading.Thread(target=index.refresh) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert index.reading.size == 20
    assert index.reading.generation == 1
    assert index.reading.count("red") == 20


def test_searches_find_whole_readings_while_it_is_refreshed() -> None:
    catalog = shelf("red shoe")
    index = TextIndex(catalog, {"name": 1.0})
    stop, wrong = threading.Event(), []

    def search() -> None:
        while not stop.is_set():
            one = index.reading
            items, _ = one.postings("red")
            if not len(items) == one.count("red") == one.size or items.max() >= one.size:
                wrong.append((len(items), one.count("red"), one.size))

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for position in range(1, 150):
        catalog.apply([thing(position, f"red thing number {position}")])
        index.refresh()
    stop.set()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(before)
    assert not wrong


def test_terms_have_places() -> None:
    one = reading("key board cover", "board key", "key")
    assert one.places("key").tolist() == [0, (1 << 16) + 1, 2 << 16]
    assert items_of(one.standing_together(("key", "board"))).tolist() == [0]
    assert one.standing_together(("board", "hat")).tolist() == []


@pytest.mark.usefixtures("in_segments")
def test_places_of_changed_items_are_theirs_now() -> None:
    catalog = shelf("key board", "board", "cap", "hat")
    index = TextIndex(catalog, {"name": 1.0})
    catalog.apply([thing(0, "board key"), thing(1, "key board")])
    index.refresh()
    assert index.reading.stale is not None
    assert items_of(index.reading.standing_together(("key", "board"))).tolist() == [1]
    assert index.reading.places("key").tolist() == [1, 1 << 16]


def test_two_fields_are_not_one_text() -> None:
    catalog = shelf()
    catalog.apply([thing(0, "wireless", kind="mouse")])
    one = TextIndex(catalog, FIELDS).reading
    assert one.places("mouse")[0] - one.places("wireless")[0] > 4


def test_of_a_very_long_text_what_is_beyond_has_the_last_place() -> None:
    one = reading("a" + " b" * 70_000, "b")
    assert items_of(one.places("b")).max() == 1
