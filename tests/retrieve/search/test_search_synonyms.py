"""Tables of synonyms: what they say, what is wrong with them, and those that come along."""

from __future__ import annotations

from pathlib import Path

import pytest

from homefeed.errors import RecipeError
from homefeed.retrieve.search.synonyms import NO_SYNONYMS, parse_synonyms, shipped_tables, table_text


def test_each_of_a_group_will_do_for_every_other() -> None:
    table = parse_synonyms("sofa, couch, settees", "own")
    assert table.of(("sofa",)) == (("couch",), ("settee",))
    assert table.of(("settee",)) == (("sofa",), ("couch",))
    assert table.of(("chair",)) == ()
    assert table.longest == 1


def test_an_arrow_leads_one_way() -> None:
    table = parse_synonyms("notebook, netbook => laptop, notebook", "own")
    assert table.of(("notebook",)) == (("laptop",),)
    assert table.of(("netbook",)) == (("laptop",), ("notebook",))
    assert table.of(("laptop",)) == ()


def test_phrases_have_several_words_and_small_ones_do_not_count() -> None:
    table = parse_synonyms("chest of drawers, dresser\nT-Shirts, tee", "own")
    assert table.of(("chest", "drawer")) == (("dresser",),)
    assert table.of(("tee",)) == (("t", "shirt"),)
    assert table.longest == 2


def test_a_phrase_of_several_lines_has_the_synonyms_of_all() -> None:
    table = parse_synonyms("tv, television\ntv => telly, television", "own")
    assert table.of(("tv",)) == (("television",), ("telly",))


def test_remarks_and_empty_lines_say_nothing() -> None:
    table = parse_synonyms("# A, B\n\n   \nsofa, couch # and not bed, cot\r\n#x", "own")
    assert dict(table.table) == {("sofa",): (("couch",),), ("couch",): (("sofa",),)}
    assert parse_synonyms("", "own").longest == NO_SYNONYMS.longest == 0


def test_spellings_of_one_term_are_no_synonyms() -> None:
    table = parse_synonyms("hoodie, hoodies", "own")
    assert dict(table.table) == {}
    assert table.longest == 0


@pytest.mark.parametrize("line", ["sofa", "sofa =>", "=> couch", "!, ?", "=>", "sofa => -", ","])
def test_a_line_that_says_nothing_is_named(line: str) -> None:
    with pytest.raises(RecipeError) as error:
        parse_synonyms(f"tv, television\n\n{line}", "own.txt")
    assert "own.txt, line 3" in str(error.value)
    assert f'got "{line}"' in str(error.value)


@pytest.mark.parametrize("name", shipped_tables())
def test_tables_that_come_along_are_in_order(name: str) -> None:
    table = parse_synonyms(table_text(name), name)
    assert len(table.table) > 10
    for phrase, others in table.table.items():
        assert phrase not in others
        assert all(others)


def test_there_is_a_table_of_shops() -> None:
    assert "shop" in shipped_tables()


def test_an_unknown_table_is_named_with_those_there_are() -> None:
    with pytest.raises(RecipeError, match=r'no table "shopp"; expected one of .*shop.*\.txt'):
        table_text("shopp")


@pytest.mark.parametrize("name", ["../synonyms", "", ".", "/etc/hostname"])
def test_names_are_no_paths(name: str) -> None:
    with pytest.raises(RecipeError, match="no table"):
        table_text(name)


def test_an_own_table_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    path.write_text("\ufeffCrème, cream\n", encoding="utf-8")
    assert parse_synonyms(table_text(str(path)), str(path)).of(("cream",)) == (("creme",),)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"none\.txt: No such file"):
        table_text(str(tmp_path / "none.txt"))
    (tmp_path / "latin.txt").write_bytes("crème, cream".encode("latin-1"))
    with pytest.raises(RecipeError, match=r"latin\.txt: not UTF-8"):
        table_text(str(tmp_path / "latin.txt"))
    (tmp_path / "folder.txt").mkdir()
    with pytest.raises(RecipeError, match=r"folder\.txt: Is a directory"):
        table_text(str(tmp_path / "folder.txt"))
