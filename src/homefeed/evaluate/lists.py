"""Lists of earlier requests that a ranker learns from, or is judged by: replayed from history, or as shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from homefeed.dataset.ranking_rows import RankingRows
from homefeed.evaluate.metrics import MEASURES, PerUser, judge
from homefeed.ranking import RequestLists, chosen_in
from homefeed.types import Codes, Floats, Mask, Positions, Times

Source: TypeAlias = Literal["history", "shown"]
"""Where lists come from: requests replayed, with all candidates, or pages shown, with the items shown."""


@dataclass(frozen=True, slots=True, eq=False)
class RankedLists(RequestLists):
    """Requests in the order of time, with all that was learned of their candidates.

    By request (requests,): `users`, `times`, `targets`, the items that their user chose, `pages`, how many pages
    it was shown on, and `comparable`, whether what serves now ranked it. By row of `data`, request by request:
    `items`, rising within each, and the scores as `served` by `ranked_by`.
    """

    BY_REQUEST = ("users", "times", "targets", "pages", "comparable")
    BY_ROW = ("items", "served")

    source: Source
    users: Codes
    times: Times
    targets: Sequence[Positions]
    pages: Codes
    comparable: Mask
    items: Positions
    served: Floats
    ranked_by: str

    def judged(self, metric: str, scores: npt.NDArray[Any]) -> PerUser:
        """(requests,) the measure, such as "ndcg@10", of the lists that scores (rows,) make."""
        return measured(metric, self.best(scores, int(metric.split("@")[1])), self.targets)

    def best(self, scores: npt.NDArray[Any], depth: int) -> list[Positions]:
        """Of each request the items that scores (rows,) put first, so many of them."""
        return best_of(self.items, self.data.starts, scores, depth)


def measured(metric: str, lists: Sequence[Positions], targets: Sequence[Positions]) -> PerUser:
    """(requests,) the measure, such as "ndcg@10", of lists beside what was chosen."""
    name, depth = metric.split("@")
    return MEASURES[name](judge(lists, targets), int(depth))


def best_of(
    items: Positions, starts: npt.NDArray[np.int64], scores: npt.NDArray[Any], depth: int
) -> list[Positions]:
    """Of each request, whose rows lie from one of the `starts` to the next, the items of the highest scores."""
    found = []
    for start, stop in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        order = np.argsort(-scores[start:stop], kind="stable")[:depth]
        found.append(items[start:stop][order])
    return found


def lists_of_shown(rows: RankingRows, ranked_by: str, served: Floats | None = None) -> RankedLists:
    """What was shown, as lists to re-order.

    `served` (rows,) are the scores of what serves now, `ranked_by`; without them it is what was written down, and
    only requests that it ranked can be compared. Requests of nobody known are each of somebody else.
    """
    data, nobody = rows.data, rows.users < 0
    users = np.where(nobody, -1 - np.arange(len(rows)), rows.users).astype(np.int32)
    by = np.array([name.partition("/")[2] == ranked_by for name in rows.served_by], np.bool_)
    chosen = [
        rows.items[start:stop][data.chosen[start:stop]]
        for start, stop in zip(data.starts[:-1].tolist(), data.starts[1:].tolist(), strict=True)
    ]
    return RankedLists(
        source="shown",
        data=data,
        users=users,
        times=rows.times,
        targets=chosen,
        pages=rows.pages,
        comparable=(by if served is None else np.ones(len(rows), np.bool_)) & chosen_in(data),
        items=rows.items,
        served=rows.served if served is None else served,
        ranked_by=ranked_by,
    )
