"""One true sentence for every item of a slate."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

import numpy as np

from homefeed.protocols import RetrieverExplainer
from homefeed.types import Candidates, Floats, Query

SEEN_BEFORE: Final = "Seen before: there is nothing new for you here"
"""The reason of all items for users who have seen everything."""


def reasons_for(
    query: Query,
    page: Candidates,
    contributions: Floats,
    retrievers: Mapping[str, RetrieverExplainer],
    otherwise: str,
    failed: dict[str, str] | None = None,
    by_feature: Mapping[str, str] = MappingProxyType({}),
) -> tuple[str, ...]:
    """(n,) the reason of the retriever that added most to each item's score and has one to give.

    Where a reranker put an item for a retriever, that one's comes first: its score is not why it is there.
    A retriever gives reasons only for items it proposed. `contributions` (n, features) are the ranker's; the
    columns of the features named as retrievers count. `otherwise` stands where none has a reason. A retriever
    that raises has none to give, and is named in `failed`. Features of `by_feature` count as the retriever's that
    they name, which then gives reasons for whatever they added to.
    """
    explaining = [name for name in page.retrievers if name in retrievers]
    columns = [page.feature_names.index(name) for name in explaining]
    proposed = ~np.isnan(page.retriever_scores[:, [page.retrievers.index(name) for name in explaining]])
    added = np.where(proposed, contributions[:, columns], -np.inf)
    for feature, name in by_feature.items():
        if feature in page.feature_names and name in explaining:
            column, more = explaining.index(name), contributions[:, page.feature_names.index(feature)]
            added[:, column] = np.maximum(added[:, column], np.where(more > 0, more, -np.inf))
            proposed[:, column] |= more > 0
    if page.promoted_by is not None:
        for row, index in enumerate(page.promoted_by.tolist()):
            if index >= 0 and page.retrievers[index] in retrievers:
                added[row, explaining.index(page.retrievers[index])] = np.inf
    order = np.argsort(-added, axis=1, kind="stable").tolist()
    is_proposed: list[list[bool]] = proposed.tolist()
    reasons: list[str | None] = [None] * len(page)
    missing = list(range(len(page)))
    for rank in range(len(explaining)):
        rows_of: dict[int, list[int]] = {}
        for row in missing:
            if is_proposed[row][order[row][rank]]:
                rows_of.setdefault(order[row][rank], []).append(row)
        for column, rows in sorted(rows_of.items()):
            name = explaining[column]
            for row, reason in _request_reasons(query, page, name, retrievers[name], rows, failed):
                reasons[row] = reason
        missing = [row for row in missing if reasons[row] is None]
        if not missing:
            break
    return tuple(reason or otherwise for reason in reasons)


def _request_reasons(
    query: Query,
    page: Candidates,
    name: str,
    retriever: RetrieverExplainer,
    rows: list[int],
    failed: dict[str, str] | None,
) -> list[tuple[int, str | None]]:
    """The sentences of a retriever for these rows; none where it raises."""
    explain = partial(retriever.reasons, query, page.positions[rows])
    try:
        return list(zip(rows, query.scope.timed(f"reasons.{name}", explain), strict=True))
    except Exception as error:  # a sentence less is no reason to answer nothing
        if failed is not None:
            failed[name] = f"{type(error).__name__}: {error}"
        return []
