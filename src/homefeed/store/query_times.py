"""How long the store takes, counted as it is used."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal, TypeAlias, get_args

QueryKind: TypeAlias = Literal["fetch", "read", "write"]
"""A query that a request waits for; a transaction that reads; one that writes, its commit included."""


class QueryTimes:
    """How many queries of each kind took up to each of `BOUNDS` seconds, or longer, and how long all together."""

    BOUNDS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)

    def __init__(self) -> None:
        kinds: tuple[QueryKind, ...] = get_args(QueryKind)
        self.counts = {kind: [0] * (len(self.BOUNDS) + 1) for kind in kinds}
        self.seconds: dict[QueryKind, float] = dict.fromkeys(kinds, 0.0)

    @contextmanager
    def timing(self, kind: QueryKind) -> Iterator[None]:
        """Count what is done inside."""
        began = time.perf_counter()
        try:
            yield
        finally:
            took = time.perf_counter() - began
            self.counts[kind][bisect_left(self.BOUNDS, took)] += 1
            self.seconds[kind] += took
