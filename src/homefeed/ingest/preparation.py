"""Files in an app's own format: a function of the app converts them to items that can be mapped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import polars as pl

from homefeed.recipe import Column, Source
from homefeed.types import Mask

Finding: TypeAlias = tuple[str, Mask]
"""A problem, and the rows that have it (n,)."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Items that can be mapped: the n rows of the file, in its order, all cells as text.

    A row has the first of the findings in `rejected`. `ignored` has the columns that were not used.
    """

    frame: pl.DataFrame
    rejected: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    ignored: tuple[str, ...] = ()


PrepareItems: TypeAlias = Callable[[pl.DataFrame, Mapping[str, str]], Prepared]
"""Called with the rows of a batch, and first with no rows, to find the resulting columns.

The frame has Homefeed's names for the columns that the recipe maps; the mapping has the file's names for those.
"""


@dataclass(frozen=True, slots=True)
class Preparation:
    """Rows of a file made ready, with the columns the recipe's `source` maps under Homefeed's names for them."""

    prepare: PrepareItems
    source: Source

    def __call__(self, frame: pl.DataFrame) -> Prepared:
        """The items of some rows."""
        mapped = self.mapped(frame.columns)
        replaced = tuple(name for name in mapped if name in frame.columns and name not in mapped.values())
        taken = {*mapped, *mapped.values()}
        columns = [pl.col(column).alias(name) for name, column in mapped.items()]
        kept = [name for name in frame.columns if name not in taken]
        made = self.prepare(frame.select(*kept, *columns), mapped)
        return replace(made, ignored=(*made.ignored, *replaced))

    def rest(self) -> Source:
        """What of the source is left to be done with the rows it made: columns have Homefeed's names."""
        columns: dict[str, str | tuple[str, str] | Column] = {
            name: spec.model_copy(update={"column": name}) if isinstance(spec, Column) and spec.column else spec
            for name, spec in self.source.columns.items()
            if not isinstance(spec, str)
        }
        return self.source.model_copy(update={"columns": columns})

    def mapped(self, columns: Sequence[str]) -> dict[str, str]:
        """Those of a file's columns that have another name in Homefeed, by that name."""
        named = {name: self.source.column(name).column for name in self.source.columns}
        return {name: column for name, column in named.items() if column and column in columns and column != name}
