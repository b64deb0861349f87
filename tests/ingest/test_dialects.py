"""Files as the field has them: tabs, bars, two colons, no header, other encodings, other ways to write a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from homefeed.errors import DataError, RecipeError
from homefeed.ingest import Files, find_files
from homefeed.ingest.delimited import Dialect, open_delimited, parse_block
from homefeed.ingest.tallies import merged
from homefeed.recipe import Recipe

if TYPE_CHECKING:
    from tests.ingest.conftest import World

Counts = Callable[[Mapping[str, Any]], dict[str, int]]


def rows(content: bytes, path: Path, dialect: Dialect) -> tuple[list[tuple[Any, ...]], dict[str, int]]:
    path.write_bytes(content)
    batches = list(open_delimited(path, dialect).batches())
    bad = {reason: tally.count for reason, tally in merged(*(batch.bad for batch in batches)).items()}
    return pl.concat([batch.frame for batch in batches]).rows(), bad


@pytest.mark.parametrize(
    ("content", "dialect"),
    [
        (b"user\titem\nu1\ti,1\nu2\ti2\n", Dialect("\t")),
        (b"user|item\nu1|i,1\nu2|i2\n", Dialect("|")),
        (b"user::item\nu1::i,1\nu2::i2", Dialect("::")),
        (b"u1::i,1\nu2::i2\n", Dialect("::", header=("user", "item"))),
        (b"u1\ti,1\r\nu2\ti2\r\n", Dialect("\t", header=("user", "item"))),
        (b'user;item\nu1;"i,1"\n"u2";i2\n', Dialect(";")),
        ("user\u00a6item\nu1\u00a6i,1\nu2\u00a6i2\n".encode(), Dialect("\u00a6")),
    ],
)
def test_cells_are_apart_by_what_the_dialect_says(content: bytes, dialect: Dialect, tmp_path: Path) -> None:
    assert rows(content, tmp_path / "f.dat", dialect) == ([("u1", "i,1"), ("u2", "i2")], {})


def test_a_broken_row_of_another_dialect_is_one_row(tmp_path: Path) -> None:
    found, bad = rows(b"a::b\n1::2\n3\n4::5::6\n7::8\n", tmp_path / "f.dat", Dialect("::"))
    assert found == [("1", "2"), ("7", "8")]
    assert bad == {"wrong number of cells": 2}


def test_without_quotes_a_quote_is_a_character(tmp_path: Path) -> None:
    content = b'id\ttitle\n1\t"Tuesday" is a day\n2\t"open\n3\tplain\n'
    assert rows(content, tmp_path / "f.tsv", Dialect("\t", quotes=False)) == (
        [("1", '"Tuesday" is a day'), ("2", '"open'), ("3", "plain")],
        {},
    )
    assert rows(content, tmp_path / "g.tsv", Dialect("\t")) == ([("3", "plain")], {"broken quotes": 2})


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-8"])
def test_characters_are_decoded(encoding: str, tmp_path: Path) -> None:
    content = "id,title\n1,Caf\u00e9\n2,Stra\u00dfe\n".encode(encoding)
    assert rows(content, tmp_path / "f.csv", Dialect(encoding=encoding)) == (
        [("1", "Caf\u00e9"), ("2", "Stra\u00dfe")],
        {},
    )


def test_bytes_without_a_meaning_are_a_bad_row(tmp_path: Path) -> None:
    found, bad = rows(b"id,title\n1,a\x81b\n2,caf\xe9\n", tmp_path / "f.csv", Dialect(encoding="cp1252"))
    assert (found, bad) == ([("2", "caf\u00e9")], {"not valid UTF-8": 1})
    with pytest.raises(DataError, match="cannot be read in the encoding utf-16"):
        rows("id,title\n".encode("utf-16") + b"\x00\xd8\x41\x00", tmp_path / "g.csv", Dialect(encoding="utf-16"))


def test_a_header_of_another_width_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"header names 2 columns, but the first row has 1 cells; is the delimiter"
    ):
        rows(b"u1\ti1\n", tmp_path / "f.csv", Dialect(header=("user", "item")))


def test_a_name_left_empty_leaves_the_column_out(tmp_path: Path) -> None:
    assert rows(b"1,x,2\n", tmp_path / "f.csv", Dialect(header=("a", "", "b"))) == ([("1", "2")], {})


def test_a_block_of_two_colons_is_used_to_its_last_whole_line() -> None:
    parsed = parse_block(b"1::2\n3::4\n5::", ["a", "b"], 1, last=False, dialect=Dialect("::"))
    assert (parsed.frame.rows(), parsed.count, parsed.used) == ([("1", "2"), ("3", "4")], 2, 10)


class TestSources:
    """As a recipe declares them: MovieLens 100k and 1M, and a spreadsheet's export."""

    def recipe(self, world: World, **events: Any) -> Recipe:
        return world.recipe(
            sources={"items": {"required": ["title"]}, "events": {"unknown_users": "create", **events}},
            events={"play": {}},
        )

    async def imported(self, world: World, recipe: Recipe, name: str, content: bytes) -> list[tuple[Any, ...]]:
        for kind in ("users", "events"):
            world.forget(f"{kind}.csv")
        (world.folder / name).write_bytes(content)
        await world.run(recipe, find_files(world.folder, recipe.sources))
        return sorted(await world.log())

    async def test_tabs_without_a_header(self, world: World) -> None:
        recipe = self.recipe(
            world, file="u.data", delimiter="\t", columns=["user_id", "item_id", "value", "timestamp"]
        )
        found = await self.imported(world, recipe, "u.data", b"196\ti1\t3\t881250949\n22\ti2\t1\t878887116\n")
        assert found == [
            ("196", "i1", "play", 3.0, 881_250_949_000_000),
            ("22", "i2", "play", 1.0, 878_887_116_000_000),
        ]

    async def test_two_colons_with_a_mapping(self, world: World) -> None:
        recipe = self.recipe(
            world,
            file="ratings.dat",
            delimiter="::",
            header=["UserID", "MovieID", "Rating", "Timestamp"],
            columns={"user_id": "UserID", "item_id": "MovieID", "value": "Rating", "timestamp": "Timestamp"},
        )
        found = await self.imported(world, recipe, "ratings.dat", b"1::i1::5::978300760\n")
        assert found == [("1", "i1", "play", 5.0, 978_300_760_000_000)]

    @pytest.mark.parametrize(
        ("column", "cell"),
        [
            ({"format": "%d-%m-%Y"}, "05-01-2025"),
            ({"format": "%d/%m/%Y %H:%M"}, "05/01/2025 00:00"),
            ({"format": "%d.%m.%Y %H:%M:%S %z"}, "05.01.2025 01:00:00 +0100"),
            ({"unit": "ms"}, "1736035200000"),
            ({"unit": "us"}, "1736035200000000"),
            ({"unit": "ns"}, "1736035200000000000"),
            ({"unit": "days"}, "45662"),
            ({"unit": "s"}, "1736035200.0"),
            ({}, "20250105"),
        ],
    )
    async def test_times_in_any_format(
        self, world: World, micros: Callable[..., int], column: dict[str, str], cell: str
    ) -> None:
        recipe = self.recipe(world, columns={"timestamp": {"column": "at", **column}})
        content = f"user_id,item_id,at\nu1,i1,{cell}\n".encode()
        found = await self.imported(world, recipe, "events.csv", content)
        assert [time for *_, time in found] == [micros(2025, 1, 5)]

    async def test_the_report_says_what_a_number_looks_like(self, world: World, counts: Counts) -> None:
        recipe = self.recipe(world)
        cells = ("1736035200000", "46027.84", "12345", "soon", "1985-07-03")
        lines = "".join(f"u1,i1,{cell}\n" for cell in cells)
        (world.folder / "events.csv").write_text("user_id,item_id,timestamp\n" + lines)
        report = await world.run(
            recipe, Files(items=world.folder / "items.csv", events=world.folder / "events.csv")
        )
        assert counts(report.files[-1].rejected) == {
            'bad timestamp: looks like milliseconds, read by unit = "ms"': 1,
            'bad timestamp: looks like a spreadsheet\'s days, read by unit = "days"': 1,
            "bad timestamp": 2,
        }
        assert counts(report.files[-1].warnings) == {"timestamp before 1990": 1}

    @pytest.mark.parametrize(
        ("events", "error"),
        [
            ({"columns": {"timestamp": {"column": "at", "format": "%d-%m"}}}, "does not tell the day"),
            ({"columns": {"timestamp": {"column": "at", "unit": "ms", "format": "%Y-%m-%d"}}}, "at most one of"),
            ({"columns": {"timestamp": {"column": "at", "unit": "minutes"}}}, "unit"),
            ({"delimiter": ""}, "delimiter"),
            ({"delimiter": '"'}, "delimiter"),
            ({"encoding": "klingon"}, '"klingon" is no encoding'),
            ({"header": ["a", "b", "a"]}, "a name is there twice"),
        ],
    )
    def test_what_cannot_be_read_is_refused_with_the_recipe(
        self, world: World, events: dict[str, Any], error: str
    ) -> None:
        with pytest.raises(RecipeError, match=error):
            self.recipe(world, **events)

    async def test_a_file_of_no_known_ending_needs_a_delimiter(self, world: World) -> None:
        recipe = self.recipe(world, file="u.data")
        with pytest.raises(DataError, match="of another text file, set the `delimiter`"):
            await self.imported(world, recipe, "u.data", b"x")


@pytest.mark.parametrize(("delimiter", "named"), [(";", ";"), ("\t", r"\\t"), ("|", r"\|")])
def test_a_header_of_one_cell_names_the_delimiter_that_it_needs(
    delimiter: str, named: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=f'set delimiter = "{named}"'):
        rows(f"id{delimiter}title\n1{delimiter}a\n".encode(), tmp_path / "f.csv", Dialect())
    assert rows(b"user_id\nu1\n", tmp_path / "g.csv", Dialect()) == ([("u1",)], {})


def test_names_that_polars_reads_as_patterns_are_names(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"*,^t.*$,title\na,b,c\n")
    assert [batch.frame.rows(named=True) for batch in open_delimited(path).batches()] == [
        [{"*": "a", "^t.*$": "b", "title": "c"}]
    ]
