"""The parts of a split: training events, and requests with their history and targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from homefeed.types import Codes, History, Interactions, Mask, Positions, Times

Rows: TypeAlias = npt.NDArray[np.int64]
Kind: TypeAlias = Literal["rolling", "time", "user", "last", "basket"]
"""The way of splitting: `rolling`, `by_time`, `by_user`, `leave_last_out` or `next_basket`."""

WITHOUT_HISTORY: Final = "no history at the request"
ONLY_REPEATS: Final = "no target that is not in the history"
TOO_FEW_TARGETS: Final = "fewer targets than required"
NO_BASKET: Final = "no basket begun after the cutoff"


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One test user's request.

    `history` are rows of the interactions the split was made of, oldest first; `targets` the positions of the
    user's later items, each once, in that order, and `target_rows` the rows of their first events. `time` is
    that of the request, in microseconds since 1970.
    """

    user: int
    history: Rows
    targets: Positions
    target_rows: Rows
    time: int

    def seen(self, interactions: Interactions) -> History:
        """The events of the user that the service has seen at the request, oldest first."""
        rows = self.history
        return History(
            interactions.items[rows],
            interactions.types[rows],
            interactions.values[rows],
            interactions.strengths[rows],
            interactions.times[rows],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """All requests of a split as columns; iterating or indexing gives each as a `Case` without copying.

    `users` and `times` are (cases,). Case i's history is `history[history_starts[i]:history_starts[i + 1]]`,
    its targets likewise; the starts are (cases + 1,). In the order of the users' rows.
    """

    users: Codes
    times: Times
    history: Rows
    history_starts: Rows
    targets: Positions
    target_rows: Rows
    target_starts: Rows

    def __len__(self) -> int:
        return len(self.users)

    def choosing(self, counted: Mask) -> Cases:
        """Those whose targets have some that were chosen by events `counted` (events,), with only these."""
        kept = counted[self.target_rows]
        counts = np.diff(np.concatenate(([0], np.cumsum(kept)))[self.target_starts])
        some = np.repeat(counts > 0, np.diff(self.history_starts))
        lengths = np.diff(self.history_starts)[counts > 0]
        return Cases(
            users=self.users[counts > 0],
            times=self.times[counts > 0],
            history=self.history[some],
            history_starts=np.concatenate(([0], np.cumsum(lengths))),
            targets=self.targets[kept],
            target_rows=self.target_rows[kept],
            target_starts=np.concatenate(([0], np.cumsum(counts[counts > 0]))),
        )

    def __iter__(self) -> Iterator[Case]:
        return (self[case] for case in range(len(self)))

    def __getitem__(self, case: int) -> Case:
        if not 0 <= case < len(self):
            raise IndexError(f"case {case} of {len(self)}")
        past = slice(self.history_starts[case], self.history_starts[case + 1])
        future = slice(self.target_starts[case], self.target_starts[case + 1])
        return Case(
            int(self.users[case]),
            self.history[past],
            self.targets[future],
            self.target_rows[future],
            int(self.times[case]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Events to train on, all strictly before `cutoff`, and requests to answer.

    Models are fitted at `cutoff`; split rolling, they are fitted again later, and a user may make several
    requests. Split rolling, by time or by basket, all requests come at or after it; in other splits it is just
    after the last training event, and requests may come before it. `left_out` counts the test users without a
    case, by reason, including reasons with 0. Split by basket, `basket_span` is the length of a basket in
    microseconds, and with `repeats` targets may also be in the history.
    """

    train: Interactions
    cutoff: int
    cases: Cases
    left_out: Mapping[str, int]
    kind: Kind
    basket_span: int = 0
    repeats: bool = False
