"""One model of those of several partitions: which row is which, and whose word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from homefeed.catalog.partitions import name_in
from homefeed.retrieve.arrays import Rows, Starts
from homefeed.types import Numbers

Column: TypeAlias = npt.NDArray[Any]


def joined_words(parts: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """The words of partitions by column, those of one partition behind those of the other."""
    words: dict[str, int] = {}
    for partition, own in parts.items():
        first = len(words)
        words |= {name_in(word, partition): first + column for word, column in own.items()}
    return words


def rows_among(numbers: Numbers, parts: Iterable[Numbers]) -> Iterator[Rows]:
    """Of each part's items, by their permanent numbers, the rows among all of those numbers."""
    order = np.argsort(numbers, kind="stable").astype(np.int32)
    ordered = numbers[order]
    for part in parts:
        yield order[np.searchsorted(ordered, part)]


def in_rows(rows: Sequence[Rows], columns: Sequence[Column], count: int) -> Column:
    """(count, ...) the columns of parts as one, each part's in its rows; 0 where no part has a row."""
    shape = count, *columns[0].shape[1:]
    joined = np.zeros(shape, columns[0].dtype)
    for own, column in zip(rows, columns, strict=True):
        joined[own] = column
    return joined


def joined_lists(
    rows: Sequence[Rows], starts: Sequence[Starts], columns: Sequence[Sequence[Column]], count: int
) -> tuple[Starts, list[Column]]:
    """CSR rows of parts as those of one matrix of `count` rows, and the columns of their entries.

    `columns` are, for each column, those of the parts.
    """
    lengths = in_rows(rows, [np.diff(own) for own in starts], count)
    joined = np.concatenate([[0], np.cumsum(lengths)]).astype(starts[0].dtype)
    places = [
        np.repeat(joined[own] - first[:-1], np.diff(first)) + np.arange(first[-1])
        for own, first in zip(rows, starts, strict=True)
    ]
    return joined, [in_rows(places, column, int(joined[-1])) for column in columns]
