"""Shop queries graded by rules over a catalogue's fields, and how well ranked lists meet the grades.

`queries.toml` holds the queries. A rule's conditions must all hold; `name` and `not_name` are regular
expressions searched for in the name whatever the case, categories are compared whatever the case, and a product
without a price meets no condition on one. A product's grade for a query is the highest of the rules that it meets:
3 exactly what was asked for, 2 an acceptable substitute, 1 related, and 0 where it meets none.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from homefeed.errors import InvalidError
from homefeed.evaluate.bootstrap import Interval, mean_intervals
from homefeed.types import Positions

Grades: TypeAlias = npt.NDArray[np.int8]

QUERIES: Final = Path(__file__).with_name("queries.toml")
KINDS: Final = ("head", "plain", "synonym", "misspelling", "prefix", "category", "attribute", "long")
SPLITS: Final = ("validation", "test")
FIELDS: Final = ("name", "main_category", "sub_category", "price")


@dataclass(frozen=True, slots=True)
class Rule:
    """Which products have a grade. An empty condition holds for every product."""

    grade: int
    main_category: tuple[str, ...] = ()
    sub_category: tuple[str, ...] = ()
    name: str = ""
    not_name: str = ""
    price_min: float | None = None
    price_max: float | None = None

    def __post_init__(self) -> None:
        if self.grade not in (1, 2, 3):
            raise InvalidError(f"grade: expected 1, 2 or 3, got {self.grade}")
        if not any((self.main_category, self.sub_category, self.name)):
            raise InvalidError("rule: expected a name or a category, got neither")

    def condition(self) -> pl.Expr:
        """What a product of the columns `FIELDS` must be, never null."""
        met = [pl.lit(True)]
        for field in ("main_category", "sub_category"):
            if wanted := getattr(self, field):
                met.append(pl.col(field).str.to_lowercase().is_in([each.lower() for each in wanted]))
        if self.name:
            met.append(pl.col("name").str.contains(f"(?i){self.name}"))
        if self.not_name:
            met.append(~pl.col("name").str.contains(f"(?i){self.not_name}"))
        if self.price_min is not None:
            met.append(pl.col("price") >= self.price_min)
        if self.price_max is not None:
            met.append(pl.col("price") <= self.price_max)
        return pl.all_horizontal(met).fill_null(False)


@dataclass(frozen=True, slots=True)
class Query:
    """A query, what kind of a query it is, the split it is in, and its rules."""

    text: str
    kind: str
    split: str
    rules: tuple[Rule, ...]

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InvalidError(f"{self.text}: expected a kind of {', '.join(KINDS)}, got {self.kind}")
        if self.split not in SPLITS:
            raise InvalidError(f"{self.text}: expected a split of {', '.join(SPLITS)}, got {self.split}")
        if not self.text.strip() or not self.rules:
            raise InvalidError(f"{self.text or 'query'}: expected a text and at least one rule")


def load_queries(path: Path = QUERIES, split: str | None = None) -> list[Query]:
    """The queries of a TOML file in its order, or those of one split.

    Raises:
        InvalidError: a query or a rule is not as described above, or a text is there twice.
    """
    tables = tomllib.loads(path.read_text(encoding="utf-8"))["query"]
    queries = [_query(table) for table in tables]
    text, times = Counter(query.text.casefold() for query in queries).most_common(1)[0]
    if times > 1:
        raise InvalidError(f"{text}: expected every text once, got it {times} times")
    return [query for query in queries if split in (None, query.split)]


def grade(
    queries: Sequence[Query],
    names: Sequence[str],
    main_categories: Sequence[str],
    sub_categories: Sequence[str],
    prices: Sequence[float | None],
) -> Grades:
    """The grade (queries, items) of every product for every query; a price may be None or NaN.

    Raises:
        InvalidError: the fields differ in length, or a regular expression is malformed.
    """
    columns = dict(zip(FIELDS, (names, main_categories, sub_categories, prices), strict=True))
    if len({len(column) for column in columns.values()}) > 1:
        lengths = ", ".join(f"{len(column)} of {field}" for field, column in columns.items())
        raise InvalidError(f"catalogue: expected fields of equal length, got {lengths}")
    types = {field: pl.Float64 if field == "price" else pl.String for field in FIELDS}
    catalogue = pl.DataFrame(columns, schema=types, strict=False).with_columns(pl.col("price").fill_nan(None))
    grades = np.zeros((len(queries), len(catalogue)), dtype=np.int8)
    for row, query in zip(grades, queries, strict=True):
        for rule in query.rules:
            try:
                met = catalogue.select(rule.condition()).to_series().to_numpy()
            except pl.exceptions.ComputeError as error:
                raise InvalidError(f"{query.text}: {error}") from error
            np.maximum(row, np.where(met, rule.grade, 0), out=row, casting="unsafe")
    return grades


def ndcg(grades: Grades, ranked: Sequence[Positions], k: int = 10) -> npt.NDArray[np.float64]:
    """NDCG@k of each query (queries,), in 0 to 1: DCG@k over that of the best list there could be.

    DCG is the sum over ranks i = 1, 2, ... of gain_i / log2(i + 1) (Järvelin & Kekäläinen, TOIS 2002, as it is
    mostly computed today), and the gain 2^grade - 1 (Burges et al., ICML 2005). `grades` is (queries, items);
    each list holds positions of items, best first, and has nothing at the ranks that it lacks.

    Raises:
        InvalidError: k is not positive, the lists are not one per query, a list names an item twice, a position
            is not in the catalogue, or a query has no item of any grade to find.
    """
    if k < 1:
        raise InvalidError(f"k: expected 1 or more, got {k}")
    if len(grades) != len(ranked):
        raise InvalidError(f"ranked: expected a list for each of {len(grades)} queries, got {len(ranked)}")
    scores = np.empty(len(grades))
    for number, (row, positions) in enumerate(zip(grades, ranked, strict=True)):
        if len(np.unique(positions)) < len(positions):
            raise InvalidError(f"ranked: expected every item once in a list, got one twice for query {number}")
        if len(positions) and not 0 <= positions.min() <= positions.max() < len(row):
            raise InvalidError(f"ranked: expected positions below {len(row)}, got another for query {number}")
        best = _dcg(-np.sort(-row), k)
        if best == 0:
            raise InvalidError(f"grades: expected a graded item for every query, got none for query {number}")
        scores[number] = _dcg(row[positions], k) / best
    return scores


def intervals(
    queries: Sequence[Query],
    scores: npt.NDArray[np.float64],
    rng: np.random.Generator,
    resamples: int = 10_000,
) -> dict[str, Interval]:
    """The mean of the scores (queries,) over `all` queries and over each kind, with 95 % bootstrap intervals.

    Queries are resampled: an interval speaks of other queries like these. Those of a kind, of a handful of
    queries, are too narrow (`homefeed.evaluate.bootstrap`).

    Raises:
        InvalidError: there are no queries, or not one score for each.
    """
    if len(queries) != len(scores):
        raise InvalidError(f"scores: expected one for each of {len(queries)} queries, got {len(scores)}")
    kinds = np.array([query.kind for query in queries])
    groups = {"all": scores} | {kind: scores[kinds == kind] for kind in KINDS if (kinds == kind).any()}
    return {group: mean_intervals({group: of}, rng, resamples)[group] for group, of in groups.items()}


def _dcg(grades: Grades, k: int) -> float:
    gains = np.exp2(grades[:k].astype(np.float64)) - 1
    return float((gains / np.log2(np.arange(2, len(gains) + 2))).sum())


def _query(table: Mapping[str, Any]) -> Query:
    text = str(table.get("text", ""))
    try:
        rules = tuple(Rule(**dict(_frozen(rule))) for rule in table["rules"])
        return Query(**{**table, "rules": rules})
    except (TypeError, KeyError) as error:
        raise InvalidError(f"{text}: {error}") from error


def _frozen(rule: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for field, value in rule.items():
        yield field, tuple(value) if isinstance(value, list) else value
