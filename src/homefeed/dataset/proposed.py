"""Which retrievers had proposed what was shown, and what followed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from homefeed.dataset.intervals import with_intervals
from homefeed.dataset.measures import Proposed, Rates, rates_of
from homefeed.recipe import Recipe
from homefeed.store.shown import ServedPages

_BY: Final = ("feed", "retriever", "cluster")
_SCHEMA: Final = pl.Schema({"page": pl.Int32, "row": pl.Int32, "retriever": pl.Int32, "alone": pl.Int64})


@dataclass(slots=True)
class ProposedSums:
    """Sums up, by the feed asked for, retriever and user, what pages showed that the retriever had proposed.

    A page tells it by its features: the column that is named as a retriever of the feed that answered is above 0
    for what that one proposed. Pages without features, such as imported ones, tell nothing. `counts` are the
    columns of what followed.
    """

    recipe: Recipe
    counts: Sequence[str]
    _names: dict[str, int] = field(default_factory=dict)
    _parts: list[pl.DataFrame] = field(default_factory=list)

    def add(self, served: ServedPages, pages: pl.DataFrame, events: pl.DataFrame) -> None:
        """Count the pages that `pages` has: `page`, their place in `served`, `feed` and `cluster`.

        `events` are what followed, by `page` and `row`.
        """
        parts = list(self._proposals(served, pages["page"].to_numpy()))
        if not parts:
            return
        rows = pl.concat(parts).join(pages.select("page", "feed", "cluster"), on="page")
        followed = rows.join(events.select("page", "row", *self.counts), on=["page", "row"], how="left")
        counts = pl.col(*self.counts).fill_null(value=False).cast(pl.Int64).sum()
        shown = pl.len().cast(pl.Int64).alias("shown")
        self._parts.append(followed.group_by(_BY).agg(shown, pl.col("alone").sum(), counts))

    def condense(self) -> None:
        """One part in the place of many."""
        if self._parts:
            self._parts = [pl.concat(self._parts).group_by(_BY).agg(pl.all().sum())]

    def found(self, event_types: tuple[str, ...]) -> tuple[Proposed, ...]:
        """What was counted, of all feeds and of each, the most shown first."""
        self.condense()
        if not self._parts:
            return ()
        names = list(self._names)
        of_all = self._parts[0].group_by("retriever", "cluster").agg(pl.all().exclude("feed").sum())
        whole = [(of_all, ("retriever",)), (self._parts[0], ("feed", "retriever"))]
        made = [
            Proposed(row.get("feed"), names[row["retriever"]], row["alone"], Rates(**rates_of(row, event_types)))
            for clusters, by in whole
            for row in self._measured(clusters, by)
        ]
        return tuple(sorted(made, key=lambda one: (one.feed is not None, one.feed or "", -one.rates.shown)))

    def _measured(self, clusters: pl.DataFrame, by: tuple[str, ...]) -> list[dict[str, Any]]:
        sums = clusters.group_by(by).agg(pl.col("shown", "alone", *self.counts).sum())
        return sums.join(with_intervals(clusters, by, self.counts), on=by).sort(by).to_dicts()

    def _proposals(self, served: ServedPages, numbers: npt.NDArray[np.int32]) -> Iterator[pl.DataFrame]:
        """What was proposed of these pages: page, row, retriever, and whether by that one alone."""
        alike: dict[tuple[str, str], list[int]] = {}
        for page in numbers.tolist():
            key = served.served_by[page].partition("/")[0], served.pages.feature_names[page]
            alike.setdefault(key, []).append(page)
        for (feed, listed), pages in alike.items():
            names = listed.split(",") if listed else []
            declared = self.recipe.feeds.get(feed)
            retrievers = {spec.name for spec in declared.retrieve} if declared else set()
            columns = [column for column, name in enumerate(names) if name in retrievers]
            sizes = served.pages.sizes[pages]
            blob = b"".join(served.features[page] for page in pages)
            if columns and len(blob) == 4 * len(names) * sizes.sum():
                features = np.frombuffer(blob, "<f4").reshape(-1, len(names))[:, columns]
                codes = [self._names.setdefault(names[column], len(self._names)) for column in columns]
                yield _proposals_of(features > 0, np.array(codes), np.array(pages), sizes)


def _proposals_of(
    proposed: npt.NDArray[np.bool_],
    codes: npt.NDArray[np.intp],
    pages: npt.NDArray[np.intp],
    sizes: npt.NDArray[np.int32],
) -> pl.DataFrame:
    page = np.repeat(pages, sizes)
    row = np.arange(len(page)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    item, column = np.nonzero(proposed)
    alone = proposed.sum(axis=1)[item] == 1
    told = {"page": page[item], "row": row[item], "retriever": codes[column], "alone": alone}
    return pl.DataFrame(told, schema=_SCHEMA)
