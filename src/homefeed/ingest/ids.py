"""Ids to numbers, for whole columns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import polars as pl

Pages: TypeAlias = AsyncIterator[tuple[Sequence[str], Sequence[int]]]


@dataclass(frozen=True, slots=True)
class IdNumbers:
    """The number of every known id."""

    frame: pl.DataFrame

    def __len__(self) -> int:
        return self.frame.height

    def of(self, ids: pl.Series) -> pl.Series:
        """The numbers of ids, null for unknown ones."""
        requested = ids.alias("id").to_frame()
        return requested.join(self.frame, on="id", how="left", maintain_order="left")["number"]

    def with_more(self, numbers: dict[str, int]) -> IdNumbers:
        """With further ids; those that are known already keep their numbers."""
        more = _frame(list(numbers), list(numbers.values()))
        return IdNumbers(pl.concat([self.frame, more]).unique("id", keep="first"))


async def read_numbers(pages: Pages) -> IdNumbers:
    """Collect the ids and numbers of the store's pages."""
    frames = [_frame(ids, numbers) async for ids, numbers in pages]
    return IdNumbers(pl.concat([_frame([], []), *frames], rechunk=True))


def _frame(ids: Sequence[str], numbers: Sequence[int]) -> pl.DataFrame:
    return pl.DataFrame({"id": pl.Series(ids, dtype=pl.String), "number": pl.Series(numbers, dtype=pl.Int32)})
