"""What every app's generator of sample data keeps to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from homefeed.errors import InvalidError
from homefeed.samples import END, Format, Summary, find_generator

READERS: dict[Format, Callable[[Path], pl.DataFrame]]
READERS = {"csv": pl.read_csv, "parquet": pl.read_parquet, "jsonl": pl.read_ndjson}


def as_text(table: pl.DataFrame) -> pl.DataFrame:
    """All values as a CSV file has them: lists with bars between."""
    lists = pl.selectors.list()
    return table.with_columns(lists.cast(pl.List(pl.String)).list.join("|")).cast(pl.String)


@dataclass(frozen=True)
class Generator:
    """A generator: its `tables`, which files follow the events or are the same for every seed, its own sizes."""

    app: str
    tables: frozenset[str]
    of_events: frozenset[str]
    of_no_seed: frozenset[str] = frozenset()
    own: Mapping[str, int] = field(default_factory=dict)

    def write(self, folder: Path, **sizes: Any) -> Summary:
        """Generate a sample, by default a small one."""
        small = {"users": 60, "items": 200, "events": 1_500, "days": 14, "seed": 7}
        write = find_generator(self.app)
        assert write is not None
        return write(folder, **{**small, **self.own, **sizes})

    def written(self, folder: Path, **sizes: Any) -> dict[str, bytes]:
        """The bytes of each file, by its path without its ending."""
        files = self.write(folder, **sizes).files
        return {str(path.relative_to(folder).with_suffix("")): path.read_bytes() for path in files}


COMMUNITY = Generator("community", frozenset({"users", "items", "interactions"}), frozenset({"interactions"}))
STREAMING = Generator("streaming", frozenset({"users", "items", "events", "truth_users"}), frozenset({"events"}))
SHOP = Generator(
    "shop",
    frozenset({"products", "users", "events"}),
    frozenset({"events", "truth/queries"}),
    frozenset({"users", "truth/complements"}),
)
LIVE = Generator(
    "live",
    frozenset({"users", "streams", "interactions", "click_samples"}),
    frozenset({"interactions"}),
    frozenset({"truth/affinity", "truth/categories"}),
    {"clicks": 300},
)
MARKETPLACE = Generator(
    "marketplace",
    frozenset({"users", "listings", "interactions"}),
    frozenset({"interactions"}),
    frozenset({"truth/tags", "truth/utility"}),
)


@pytest.fixture(params=[COMMUNITY, LIVE, STREAMING, SHOP, MARKETPLACE], ids=lambda each: each.app)
def generator(request: pytest.FixtureRequest) -> Generator:
    given: Generator = request.param
    return given


def test_the_same_seed_writes_the_same_bytes_and_another_one_others(generator: Generator, tmp_path: Path) -> None:
    first, again = generator.written(tmp_path / "a"), generator.written(tmp_path / "b")
    other = generator.written(tmp_path / "c", seed=8)
    assert first == again
    assert {name for name in first if first[name] == other[name]} == generator.of_no_seed


def test_who_and_what_do_not_depend_on_the_number_of_events(generator: Generator, tmp_path: Path) -> None:
    few = generator.written(tmp_path / "few", events=100)
    many = generator.written(tmp_path / "many", events=2_000)
    assert {name for name in few if few[name] != many[name]} == generator.of_events


def test_every_format_holds_the_same_rows(generator: Generator, tmp_path: Path) -> None:
    tables: dict[Format, dict[str, pl.DataFrame]] = {}
    for form, reader in READERS.items():
        written = generator.write(tmp_path / form, format=form).files
        files = [path for path in written if path.parent.name != "truth"]
        assert {path.suffix for path in files} == {f".{form}"}
        tables[form] = {path.stem: reader(path) for path in files}
        assert tables[form].keys() == generator.tables
    for name, table in tables["csv"].items():
        for form in READERS:
            read = tables[form][name]
            assert read.columns == table.columns, (name, form)
            assert as_text(read).equals(as_text(table)), (name, form)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"users": 0}, "users: expected at least 1, got 0"),
        ({"items": -1}, "items: expected at least 1, got -1"),
        ({"days": 0}, "days: expected at least 1, got 0"),
        ({"events": 0}, "events: expected 1 to 28,000"),
        ({"end": END.replace(tzinfo=None)}, "end: expected a time with a time zone"),
        ({"events": 28_001}, "events: expected 1 to 28,000 for 20 users in 7 days, got 28,001"),
    ],
)
def test_impossible_sizes_are_refused(
    generator: Generator, tmp_path: Path, wrong: dict[str, Any], text: str
) -> None:
    with pytest.raises(InvalidError, match=text):
        generator.write(tmp_path, **{"users": 20, "items": 20, "events": 100, "days": 7, **wrong})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("app", ["films", "../shop", "a.b", "", "words"])
def test_an_app_without_a_sample_has_no_generator(app: str) -> None:
    assert find_generator(app) is None
