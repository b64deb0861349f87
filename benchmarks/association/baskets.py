"""Baskets in the order of time, and what is asked of rules: which item was taken out of a basket."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks.cf.kernel import top_neighbours
from benchmarks.cf.lightgcn import Matrix, Top, as_matrix
from benchmarks.cf.synthetic import generate
from homefeed.retrieve.neighbours import NeighbourLists

CUT: Final = 20
_COLUMNS: Final = ("InvoiceNo", "StockCode", "Quantity", "InvoiceDate")


@dataclass(frozen=True)
class Cases:
    """Baskets without one item each: `rest` (cases, items) what is left, `one` a single item of that, `targets`
    (cases,) what was taken out.
    """

    rest: Matrix
    one: Matrix
    targets: npt.NDArray[np.int64]


def read_invoices(path: Path) -> Matrix:
    """(baskets, items) of a file of invoice lines, the earliest basket first.

    Cancelled invoices, whose number begins with C, and lines of no positive quantity are left out.

    Raises:
        ValueError: the file cannot be read, lacks a column, or holds no baskets.
    """
    try:
        lines = pl.read_csv(path, columns=_COLUMNS, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ValueError(f"{path}: expected a CSV file with {', '.join(_COLUMNS)}, got: {error}") from error
    sold = lines.filter(
        ~pl.col("InvoiceNo").str.starts_with("C") & (pl.col("Quantity").cast(pl.Int64, strict=False) > 0)
    )
    baskets = sold.group_by("InvoiceNo").agg(pl.col("InvoiceDate").min()).sort("InvoiceDate", "InvoiceNo")
    items = sold.select("StockCode").unique().sort("StockCode")
    if not len(items):
        raise ValueError(f"{path}: expected lines of sold items, got none")
    rows = sold.join(baskets.with_row_index("basket"), on="InvoiceNo").join(
        items.with_row_index("item"), on="StockCode"
    )
    owner, item = (rows[name].to_numpy().astype(np.int64) for name in ("basket", "item"))
    return as_matrix(owner, item, (len(baskets), len(items)))


def made_up(seed: int) -> Matrix:
    """Baskets of shoppers with tastes."""
    return generate(20_000, seed)


def split(baskets: Matrix, validation: bool) -> tuple[Matrix, Matrix]:
    """What rules are found in, and what they are judged by: the last fifth of the baskets.

    Of the `validation` the fifth before, and the three before that.
    """
    ends = [int(baskets.shape[0] * share) for share in ((0.6, 0.8) if validation else (0.8, 1.0))]
    return baskets[: ends[0]], baskets[ends[0] : ends[1]]


def cases_of(baskets: Matrix, seed: int) -> Cases:
    """Of every basket of two items or more one item, drawn at random, is to be found from the others.

    Raises:
        ValueError: there is no such basket.
    """
    several = baskets[np.flatnonzero(np.diff(baskets.indptr) >= 2)]
    if not several.shape[0]:
        raise ValueError("expected baskets of two items and more to judge by, got none")
    rng = np.random.default_rng(seed)
    sizes = np.diff(several.indptr)
    hidden = several.indptr[:-1] + rng.integers(sizes)
    shown = several.indptr[:-1] + (hidden - several.indptr[:-1] + rng.integers(1, sizes)) % sizes
    users = np.repeat(np.arange(len(sizes)), sizes)
    kept = np.ones(several.nnz, np.bool_)
    kept[hidden] = False
    items = several.indices.astype(np.int64)
    rest = as_matrix(users[kept], items[kept], several.shape)
    return Cases(rest, as_matrix(np.arange(len(sizes)), items[shown], several.shape), items[hidden])


def top_by_rules(lists: NeighbourLists, histories: Matrix) -> Top:
    """(cases, CUT) the items that the rules of the asked ones speak most for, -1 behind the last."""
    parts = lists.indptr, lists.indices, lists.weights
    return top_neighbours(
        histories.indptr, histories.indices, histories.data, *parts, np.arange(histories.shape[0]), CUT
    )


def top_by_popularity(train: Matrix, histories: Matrix) -> Top:
    """(cases, CUT) the items of most baskets that the case does not have."""
    order = np.argsort(-np.bincount(train.indices, minlength=train.shape[1]), kind="stable")
    longest = int(np.diff(histories.indptr).max())
    top = np.full((histories.shape[0], CUT), -1, np.int32)
    for case in range(histories.shape[0]):
        own = histories.indices[histories.indptr[case] : histories.indptr[case + 1]]
        first = order[: CUT + longest]
        found = first[~np.isin(first, own)][:CUT]
        top[case, : len(found)] = found
    return top


def judged(top: Top, targets: npt.NDArray[np.int64], name: str) -> dict[str, npt.NDArray[np.float64]]:
    """Of each case (cases,) whether its target is in the list, and one by its rank there, else 0."""
    hits = top == targets[:, None]
    ranks = 1 / np.arange(1, CUT + 1)
    return {
        f"{name}_hit_rate@{CUT}": hits.any(axis=1).astype(np.float64),
        f"{name}_mrr@{CUT}": hits @ ranks,
    }
