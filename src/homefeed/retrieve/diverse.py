"""Diversity: items of categories that are rare in the user's history, drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field, FiniteFloat

from homefeed.catalog import Resources
from homefeed.kernels import BOOL, F32, F64, I32, I64, U64, kernel, reads, several, writes
from homefeed.retrieve.arrays import Bits, Doubles, Starts
from homefeed.retrieve.grouped import Grouped, GroupedConfig, Groups, alternate, find_first
from homefeed.retrieve.sampling import draw_key, hashed, weighted_sample
from homefeed.types import DAY, Codes, Floats, Mask, Numbers, Positions, Query, Scores, Times
from homefeed.words import caseless


class Diverse:
    """The best of categories that the user's history lacks, drawn at random for each user and period; for a user
    without a history, of categories drawn by their shares of the catalogue.

    Of a category, p is its share of the catalogue's available items, of those of the user's own group where the
    recipe keeps groups apart, and h its share of the user's history: h = (s + smoothing x p) / (S + smoothing),
    where s is the strength of the user's events of it in the last
    `history_days` and S that of all of them. Its chance to be drawn next is in proportion to p x (p / h)^contrast:
    without a history p, many times that for what the user never touched, and next to nothing for what makes much
    more of the history than of the catalogue. Such a category comes when others have nothing eligible. Dislikes
    are no history; items without a category are never drawn.

    Of a drawn category's `among` most popular eligible items, the n-th has a chance in proportion to 1 / n to be
    drawn next: the best come often, and others come too. First come the first drawn of every category, then the
    second; the n-th of all scores 1 / n. A period of `draw_hours` has one draw for a user, the same in every
    process. An anchor changes nothing.
    """

    class Config(GroupedConfig):
        history_days: Annotated[float, Field(gt=0)] = 30.0
        """How many days back the history counts."""
        categories: Annotated[int, Field(ge=1)] = 8
        """How many categories are drawn."""
        each: Annotated[int, Field(ge=1)] = 10
        """How many items are drawn of each category."""
        among: Annotated[int, Field(ge=1)] = 30
        """How many of a category's best items they are drawn from, the better ones more often."""
        draw_hours: Annotated[FiniteFloat, Field(gt=0)] = 24.0
        """How long a user's draw stays the same."""
        smoothing: Annotated[FiniteFloat, Field(gt=0)] = 5.0
        """How many imaginary events, spread as the catalogue is, are added to the history."""
        contrast: Annotated[FiniteFloat, Field(ge=0)] = 2.0
        """How much likelier a category is drawn that the history lacks. With 0 the history does not count."""
        seed: int = 0
        """Another seed makes other draws."""
        reason: str = "Something different: from {category}"
        """The reason for a category that has a smaller share of the history than of the catalogue; {category} is
        its name."""
        reason_otherwise: str = "From {category}"
        """The reason for all other categories, and for users without a history."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where `field` is no category field, or `count` no number field."""
        self._config = config
        self._catalog = resources.catalog
        self._grouped = Grouped(config, resources)
        self._hashes: dict[int, int] = {}
        self._numbered: tuple[Groups, npt.NDArray[np.uint64]] | None = None

    def refresh(self) -> None:
        """Sort anew where counters or catalogue changed."""
        self._grouped.refresh()
        self._numbers(self._grouped.groups())

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The first k of the draw."""
        config, groups = self._config, self._grouped.groups_of(query)
        return _drawn(
            groups.order,
            groups.starts,
            query.eligible,
            np.uint64(draw_key(query, config.draw_hours, config.seed)),
            self._numbers(self._grouped.groups())[groups.first : groups.first + len(groups)],
            self._catalog.numbers,
            _shares(groups),
            self._met(query, groups),
            config.smoothing,
            config.contrast,
            config.categories,
            config.among,
            config.each,
            k,
        )

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """The category of each; None for items without one."""
        groups = self._grouped.groups_of(query)
        met, share = self._met(query, groups), _shares(groups)
        rare = np.append(met < share * met.sum(), False)[groups.of(positions)]
        reasons: list[str | None] = []
        for position, is_rare in zip(positions.tolist(), rare.tolist(), strict=True):
            category = self._grouped.category(position)
            words = self._config.reason if is_rare else self._config.reason_otherwise
            reasons.append(None if category is None else words.format(category=category))
        return reasons

    def _met(self, query: Query, groups: Groups) -> Doubles:
        """(groups,) the strength of the user's latest events of each."""
        history = query.user.history
        oldest = float(query.now - self._config.history_days * DAY)
        return _met(history.strengths, history.times, oldest, groups.of(history.items), len(groups))

    def _numbers(self, groups: Groups) -> npt.NDArray[np.uint64]:
        """(groups,) a number of each category's own, the same in every process."""
        numbered = self._numbered
        if numbered is None or numbered[0] is not groups:
            known, codes = self._hashes, groups.codes.tolist()
            for code in codes:
                if code not in known:
                    known[code] = hashed(caseless(self._grouped.column.value(code)))
            numbered = self._numbered = groups, np.array([known[code] for code in codes], np.uint64)
        return numbered[1]


def _shares(groups: Groups) -> Doubles:
    """(groups,) of the catalogue."""
    # A category whose items are all hidden counts as one item: a share of 0 has no logarithm.
    counts = np.maximum(groups.available, 1.0)
    shares: Doubles = counts / max(counts.sum(), 1.0)
    return shares


@kernel(writes(F64), reads(F32), reads(I64), F64, reads(I32), I64)
def _met(strengths: Floats, times: Times, oldest: float, groups: Codes, count: int) -> Doubles:
    """(count,) the strength of events since a time, by their items' groups, -1 of none; dislikes are none."""
    met = np.zeros(count)
    for row in range(len(groups)):
        if times[row] >= oldest and groups[row] >= 0:
            met[groups[row]] += max(strengths[row], np.float32(0))
    return met


@kernel(
    several(writes(I32), writes(F32)),
    *(reads(I32), reads(I64), reads(BOOL), U64, reads(U64), reads(I32), reads(F64), reads(F64)),
    *(F64, F64, I64, I64, I64, I64),
)
def _drawn(
    order: Positions,
    starts: Starts,
    eligible: Mask,
    key: np.uint64,
    numbers: Bits,
    item_numbers: Numbers,
    shares: Doubles,
    met: Doubles,
    smoothing: float,
    contrast: float,
    categories: int,
    among: int,
    each: int,
    k: int,
) -> tuple[Positions, Scores]:
    """The draw of categories, and of items of each, in rounds."""
    total, log_weights = met.sum() + smoothing, np.empty(len(shares))
    for group in range(len(shares)):
        of_history = (met[group] + smoothing * shares[group]) / total
        log_weights[group] = np.log(shares[group])
        log_weights[group] += contrast * (np.log(shares[group]) - np.log(of_history))
    found, counts = np.empty((min(categories, len(shares)), among), np.int32), np.zeros(len(shares), np.int64)
    drawn = 0
    # The draw goes on past categories with nothing eligible, so that no filter leaves it empty.
    for group in weighted_sample(key, numbers, log_weights):
        if drawn == len(found):
            break
        counts[drawn] = find_first(group, order, starts, eligible, among, found[drawn])
        drawn += counts[drawn] > 0
    for row in range(drawn):
        best = found[row, : counts[row]].copy()
        by_place = -np.log(np.arange(1, len(best) + 1))
        counts[row] = min(len(best), each)
        found[row, : counts[row]] = best[weighted_sample(key, item_numbers[best], by_place)[: counts[row]]]
    return alternate(found[:drawn], counts[:drawn], k)
