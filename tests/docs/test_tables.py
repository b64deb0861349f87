"""The tables of settings are those of the code, whole, and in words."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, get_args

import pytest
from pydantic import BaseModel, Field

from docs.tables import TABLES, built_in_parts, declaration_table, documents, table_names, values_of, with_tables
from homefeed.protocols import PartConfig
from homefeed.recipe import Kind, PartUse, base, declaration, entities, feeds, sources
from homefeed.recipe.base import Declaration, Name


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.name)
def test_a_document_is_as_make_docs_writes_it(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert text == with_tables(text), "the code has changed since `make docs`"


def test_every_table_stands_in_one_document() -> None:
    found = Counter(name for path in documents() for name in table_names(path.read_text(encoding="utf-8")))
    assert found == Counter(TABLES.keys())


def test_every_declaration_and_kind_of_part_has_a_table() -> None:
    tabled = {table.args[0] for table in TABLES.values()}
    declared = {
        name: found
        for module in (base, declaration, entities, feeds, sources)
        for name, found in vars(module).items()
        if inspect.isclass(found) and issubclass(found, BaseModel) and found.__module__ == module.__name__
    }
    # A base stands with what builds on it; `sources` is three times the same.
    within = {"Declaration", "Entity", "FeedSettings", "PartUse", "Sources"}
    assert {name for name, found in declared.items() if found not in tabled} == within
    # A trainer is set to what its model is.
    assert {kind for kind in get_args(Kind) if kind not in tabled} == {"trainer"}


def _models() -> Iterator[type[BaseModel]]:
    """Everything that a recipe can set."""
    bases: list[type[BaseModel]] = [Declaration, PartUse, PartConfig]
    for kind in get_args(Kind):
        list(built_in_parts(kind))  # imports them
    while bases:
        model = bases.pop()
        if model.__module__.startswith("homefeed."):
            yield model
        bases += model.__subclasses__()


def test_every_setting_is_described() -> None:
    silent = {
        f"{model.__module__}.{model.__qualname__}.{name}"
        for model in _models()
        for name, field in model.model_fields.items()
        if not field.description
    }
    assert silent == set()


def test_every_part_is_described() -> None:
    parts = [(kind, name, part) for kind in get_args(Kind) for name, part in built_in_parts(kind)]
    assert len(parts) > 50
    assert [(kind, name) for kind, name, part in parts if not part.__doc__] == []


class Everything(Declaration):
    """A setting of each shape."""

    switch: bool = False
    """Whether."""
    count: Annotated[int, Field(ge=1, le=1_000)] = 2
    """How many,
    in all: "a|b"."""
    least: Annotated[float, Field(ge=0)] = 0.5
    share: Annotated[float, Field(gt=0, lt=1)] | None = None
    part: Annotated[float, Field(ge=0, lt=1)] = 0.0
    upper: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    capped: Annotated[int, Field(le=3)] = 1
    word: str = "a|b"
    name: Name
    names: tuple[Name, ...] = ()
    places: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] = (4, 9)
    pair: tuple[str, str] | None = None
    weights: Annotated[dict[str, Annotated[float, Field(gt=0)]], Field(min_length=2)]
    free: dict[str, object] = Field(default_factory=dict)
    choice: Literal["a", "b", "c"] = "a"
    only: Literal["typical"] | float | None = None
    ranker: Annotated[dict[Name, Declaration], Field(min_length=1, max_length=1)]
    inner: Declaration = Declaration()


@pytest.mark.parametrize(
    ("setting", "values"),
    [
        ("switch", "`true` or `false`"),
        ("count", "integer from 1 to 1,000"),
        ("least", "number of at least 0"),
        ("share", "number above 0 and below 1"),
        ("part", "number of at least 0 and below 1"),
        ("upper", "number above 0 and at most 1,000,000"),
        ("capped", "integer at most 3"),
        ("word", "text"),
        ("pair", "list of 2 texts"),
        ("name", "name"),
        ("names", "list of names"),
        ("places", "list of one or more integers of at least 0"),
        ("weights", "table of 2 or more numbers above 0"),
        ("free", "table"),
        ("choice", '`"a"`, `"b"` or `"c"`'),
        ("only", '`"typical"` or number'),
        ("ranker", "table of exactly one table"),
        ("inner", "table"),
    ],
)
def test_values_are_given_in_words(setting: str, values: str) -> None:
    assert values_of(Everything.model_json_schema()["properties"][setting]) == values


def test_a_row_holds_the_key_the_default_and_what_it_means() -> None:
    rows = {row[0]: row[2:] for row in declaration_table(Everything)}
    assert rows["key"] == ("default", "meaning")
    assert rows["`switch`"] == ("`false`", "Whether.")
    assert rows["`count`"] == ("`2`", 'How many, in all: "a|b".')
    assert rows["`share`"] == ("none", "")
    assert rows["`name`"] == ("required", "")
    assert rows["`places`"] == ("`[4, 9]`", "")
    assert rows["`free`"] == rows["`inner`"] == ("`{}`", "")


def test_settings_within_settings_have_rows_of_their_own() -> None:
    rows = [row[1] for row in TABLES["rank"]()]
    start = rows.index("`signals`")
    assert rows[start : start + 3] == ["`signals`", "`signals.NAME.weight`", "`signals.NAME.of`"]


def test_a_table_is_written_between_its_marks_and_bars_are_escaped() -> None:
    text = "before\n<!-- settings: sources.columns -->\nbefore that\n<!-- end -->\nafter\n"
    written = with_tables(text)
    assert written.startswith("before\n<!-- settings: sources.columns -->\n| key | values | default | meaning |\n")
    assert '| `separator` | text | `"\\|"` |' in written
    assert written.endswith(" |\n<!-- end -->\nafter\n")
    assert "before that" not in written
    assert with_tables(written) == written


def test_a_table_of_an_unknown_name_is_refused() -> None:
    with pytest.raises(KeyError, match="nothing"):
        with_tables("<!-- settings: nothing -->\n<!-- end -->\n")
