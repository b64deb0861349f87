"""The search that parts share: what it finds of any text, says of it, and how long it keeps that."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.retrieve.search.shelves import engine, found, shelf, thing

from homefeed.errors import RecipeError
from homefeed.retrieve.search.analysis import query_words
from homefeed.retrieve.search.engine import LONGEST, SearchConfig, engine_of, text_of
from homefeed.testing import toy_world
from homefeed.types import Item, Query, UserState

TABLE = "sofa, couch\nusb stick, pen drive\nhair oil => oil"


def said(text: str, *names: str) -> list[str]:
    """What of a text each thing has, in words."""
    searching = engine(shelf(*names), TABLE)
    return list(searching.matches(searching.find(text), np.arange(len(names), dtype=np.int32)))


def test_what_items_have_is_told_in_the_words_that_were_typed() -> None:
    assert said("Red SHOES for kids", "red shoe", "kid shoes", "hat") == ["Red SHOES", "SHOES kids", ""]


def test_what_items_call_otherwise_is_told_in_their_words() -> None:
    assert said("sofas", "a couch", "old sofa", "hat") == ["sofas (as couch)", "sofas", ""]
    assert said("refrigrator x", "refrigerator") == ["refrigrator (as refrigerator)"]
    assert said("hoodi", "hoodies") == ["hoodi (as hoodies)"], "no stems"
    assert said("usb sticks", "pen drives") == ["usb sticks (as pen drives)"]
    assert said("pen drive", "pendrive", "drive pen") == ["pen drive (as pendrive)", "pen drive"]


def test_of_a_phrase_an_item_may_have_a_part() -> None:
    assert said("best usb sticks", "best sticks", "best usb", "usb sticks") == [
        "best sticks",
        "best usb",
        "usb sticks",
    ]
    assert said("hair oil", "oil") == ["hair oil (as oil)"]


def test_what_was_typed_goes_before_its_synonyms() -> None:
    assert said("sofa", "sofa couch") == ["sofa"]


@pytest.mark.parametrize("text", ["", "?!", "zzyzx", "\x00", "😀", "\u202e"])
def test_nothing_is_said_where_nothing_matches(text: str) -> None:
    assert said(text, "red shoe", "hat") == ["", ""]
    assert said(text) == []


def test_of_no_positions_and_of_newer_ones_nothing_is_said() -> None:
    catalog = shelf("red shoe")
    searching = engine(catalog)
    result = searching.find("red")
    catalog.apply([thing(1, "red hat")])
    assert searching.matches(result, np.empty(0, np.int32)) == []
    assert searching.matches(result, np.array([1, 0], np.int32)) == ["", "red"]


def test_what_is_kept_ends_when_words_change() -> None:
    catalog = shelf("red shoe", "hat")
    searching = engine(catalog)
    before = searching.find("red")
    assert searching.find("red") is before
    assert searching.understand("red") is searching.understand("red")
    catalog.apply([thing(1, "hat", price="3")])
    searching.refresh()
    assert searching.find("red") is before, "a price is no word"
    catalog.apply([thing(1, "red hat")])
    assert found(searching, "red") == [0]
    searching.refresh()
    assert found(searching, "red") == [0, 1]
    assert searching.find("red") is not before


def test_nothing_of_old_words_is_held() -> None:
    catalog = shelf("red shoe", "hat")
    searching = engine(catalog)
    old = weakref.ref(searching.find("red").scores)
    postings = weakref.ref(searching.reading.main.items)
    catalog.apply([thing(1, "red hat")])
    searching.refresh()
    searching.find("hat")
    gc.collect()
    assert old() is None
    assert postings() is None


def test_of_a_longer_text_only_the_beginning_counts() -> None:
    searching = engine(shelf("red shoe", "hat"))
    text = "red " + "x" * 20_000 + " hat"
    assert found(searching, text) == [0]
    assert searching.find(text) is searching.find(text[:LONGEST])
    assert sum(len(concept.typed) for concept in searching.understand(text)) <= LONGEST
    query = Query("shop", "search", UserState(None), 0, 10, context={"query": f"  {text}"})
    assert text_of(query) == text[:LONGEST]
    assert text_of(replace(query, context={})) == ""


NAMES = (
    "red running shoe",
    "blue shoes 42",
    "sofa bed",
    "couch cover",
    "pen drive 16gb",
    "हिन्दी किताब",
    "café au lait",
)
SHOP = engine(shelf(*NAMES), TABLE)
ANY = st.text(max_size=30) | st.lists(
    st.sampled_from(" ".join(NAMES).split()) | st.text("abcdeshoru", max_size=6), max_size=8
).map(" ".join)


@given(ANY)
def test_only_what_has_something_of_the_text_is_found(text: str) -> None:
    concepts = SHOP.understand(text)
    result = SHOP.find(text)
    assert np.isfinite(result.scores).all()
    words = SHOP.matches(result, np.arange(len(NAMES), dtype=np.int32))
    for name, score, match in zip(NAMES, result.scores.tolist(), words, strict=True):
        own = {one.term for word in query_words(name) for one in (word, *word.parts)}
        has = [c for c in concepts if any(set(other.phrase) <= own for other in c.alternatives)]
        assert bool(match) == bool(has)
        assert score == 0 or has
    terms = {word.term for word in query_words(text)}
    assert {term for concept in concepts for term in concept.phrase} == terms


def test_any_script_finds_itself() -> None:
    for position, name in enumerate(NAMES):
        assert found(SHOP, name)[0] == position
    assert found(SHOP, "cafe") == [6]
    assert found(SHOP, "हन्दी") in ([], [5])
    assert found(SHOP, "हद") == [], "consonants alone are no word"


def test_a_newer_index_is_one_reading_for_all_of_a_search() -> None:
    catalog = shelf("red shoe", "hat")
    searching = engine(catalog)
    kept = searching._kept
    catalog.apply([thing(2, "red hat"), thing(3, "red cap")])
    searching.refresh()
    assert kept.found("red", "").scores.shape == (2,)
    assert searching.find("red").scores.shape == (4,)


CONFIG = SearchConfig.model_validate({"fields": {"title": 1.0}})


def test_parts_of_one_app_share_one_search() -> None:
    world = toy_world()
    one = engine_of(CONFIG, world.resources)
    assert engine_of(SearchConfig.model_validate({"fields": {"title": 1.0}}), world.resources) is one
    other = engine_of(CONFIG.model_copy(update={"min_match": 0.7}), world.resources)
    assert other is not one
    assert other.reading is one.reading, "its index all the same"
    assert (
        engine_of(SearchConfig.model_validate({"fields": {"genre": 1.0}}), world.resources).reading
        is not one.reading
    )


def test_a_part_that_is_built_later_knows_what_came_meanwhile() -> None:
    world = toy_world()
    one = engine_of(CONFIG, world.resources)
    size = one.reading.size
    world.catalog.apply([Item("late", 900, {"title": "Late Arrival"}, None)])
    assert engine_of(CONFIG, world.resources) is one
    assert one.reading.size == size + 1
    assert one.reading.count("arrival") == 1


def test_an_own_table_that_was_edited_is_read_anew(tmp_path: Path) -> None:
    path, world = tmp_path / "own.txt", toy_world()
    path.write_text("star, orbital")
    config = CONFIG.model_copy(update={"synonyms": str(path)})
    assert np.count_nonzero(engine_of(config, world.resources).find("star").scores) == 4
    path.write_text("star, harbour")
    assert engine_of(config, world.resources).understand("star")[0].alternatives[1].phrase == ("harbour",)


@pytest.mark.parametrize("field", ["year", "nothing"])
def test_fields_must_have_words(field: str) -> None:
    config = SearchConfig.model_validate({"fields": {field: 1.0}})
    with pytest.raises(RecipeError, match=f'"{field}" is no item field with words; expected some of title'):
        engine_of(config, toy_world().resources)


@pytest.mark.parametrize(
    "fields", [{}, {"title": 0}, {"title": -1}, {"title": float("inf")}, {"title": float("nan")}]
)
def test_fields_must_weigh_something(fields: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="fields"):
        SearchConfig.model_validate({"fields": fields})


def test_an_unknown_table_is_told() -> None:
    with pytest.raises(RecipeError, match='no table "none"'):
        engine_of(CONFIG.model_copy(update={"synonyms": "none"}), toy_world().resources)


def test_what_is_said_is_what_was_typed_never_the_folded_form() -> None:
    assert said("Cœur", "cœur de pirate", "coeur") == ["Cœur", "Cœur"]
    assert said("zeta™ Kettle", "Zeta™ kettle") == ["zeta Kettle"]
    assert said("couchs", "a Sofá") == ["couchs (as sofá)"]
    assert said("TV 3.0 L", "tv 3l") == ["TV 3.0 L"]
    assert said("3.0 L", "only 3") == ["3.0"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("耳机", "无线蓝牙耳机"),
        ("イヤホン", "ワイヤレスイヤホン"),
        ("หูฟัง", "ชุดหูฟังบลูทูธ"),
        ("coeur", "Cœur"),
        ("cœur", "COEUR"),
        ("lodz", "Łódź"),
        ("smorrebrod", "Smørrebrød"),
        ("strasse", "Straße"),
        ("zeta", "Zeta™"),
        ("keyboard", "Key Board Cover"),
        ("hifi", "Hi-Fi"),
        ("0,5 l", ".5L"),
        ("wifi", "Wi-Fi"),
        ("key board", "keyboard"),
    ],
)
def test_however_it_is_written_it_is_found(text: str, name: str) -> None:
    assert found(engine(shelf("something else", name), "keyboard, keypad"), text) == [1]


@pytest.mark.parametrize(
    ("text", "names", "best"),
    [
        ("usb 3 hub", ("USB 2.0 hub", "USB 3.0 hub"), 1),
        ("1l bottle", ("bottle 2.0 L", "bottle 1 L"), 1),
        (".5mm pencil", ("pencil 0.7 mm", "pencil 0.5mm"), 1),
        ("0,5mm pencil", ("pencil 0.7 mm", "pencil .5 mm"), 1),
        ("c++ primer", ("primer of c#", "primer of c++"), 1),
        ("c# primer", ("primer of c++", "primer of c#"), 1),
        ("65 inch tv", ("tv UA43AUE65AKXXL 43 inch", "tv QA65 65 inches, 4K, black, 2023"), 1),
        ("Memory stick", ("stick, selfie, memory", "usb memory stick"), 1),
        ("无线耳机", ("耳线机无", "黑色的无线耳机带盒子"), 1),
    ],
)
def test_what_is_meant_stands_first(text: str, names: tuple[str, ...], best: int) -> None:
    assert found(engine(shelf(*names)), text)[0] == best


def test_of_a_script_without_spaces_the_run_that_matches_is_said() -> None:
    assert said("无线耳机", "无线耳机", "耳机", "无线") == ["无线耳机", "耳机", "无线"]
