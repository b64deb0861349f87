"""Impressions as frames for files: a row for each item shown, with all that was written of its page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

import numpy as np
import orjson
import polars as pl

from homefeed.store import Store
from homefeed.store.impressions import Impression, stream_impressions
from homefeed.store.items import item_ids
from homefeed.store.users import user_ids
from homefeed.times import LATEST
from homefeed.types import Floats

_OF_PAGE: Final = pl.Schema(
    {
        "request_id": pl.String(),
        "feed": pl.String(),
        "user_id": pl.String(),
        "timestamp": pl.Datetime("us", "UTC"),
        "start": pl.Int32(),
        "reused": pl.Boolean(),
        "served_by": pl.String(),
        "variant": pl.String(),
        "models": pl.String(),
        "feature_names": pl.String(),
    }
)
_OF_ITEM: Final = pl.Schema(
    {
        "item_id": pl.String(),
        "place": pl.Int64(),
        "score": pl.Float32(),
        "propensity": pl.Float32(),
        "features": pl.List(pl.Float32()),
    }
)
IMPRESSIONS: Final = pl.Schema(_OF_PAGE | _OF_ITEM)
"""Columns of what was shown. `start` is the place of the page's first item, `models` a JSON object;
`feature_names` have commas between, as the store keeps them, and `features` are as many numbers, in that order."""

SHOWN: Final = ("request_id", "feed", "user_id", "timestamp", "item_id", "place", "score", "propensity")
"""Of these, what an import reads."""


async def impression_frames(
    store: Store, app: str, since: int = 0, until: int = LATEST
) -> AsyncIterator[pl.DataFrame]:
    """What was shown from `since` to before `until`, in the order of time: up to 1,000 pages a frame.

    A frame has the columns `IMPRESSIONS`. An item or a user that is not there any more has no id.
    """
    async for pages in stream_impressions(store, app, since, until):
        users = await user_ids(store, app, {page.user for page in pages if page.user is not None})
        items = await item_ids(store, app, {item for page in pages for item in page.items.tolist()})
        by_page = pl.DataFrame([_page(page, users) for page in pages], schema=_OF_PAGE, orient="row")
        by_item = pl.DataFrame(
            {
                "item_id": [items.get(item) for page in pages for item in page.items.tolist()],
                "place": np.concatenate([page.start + np.arange(len(page.items)) for page in pages]),
                "score": np.concatenate([page.scores for page in pages]),
                "propensity": np.concatenate([page.propensities for page in pages]),
                "features": _lists(pages),
            },
            schema=_OF_ITEM,
        )
        of = np.repeat(np.arange(len(pages)), [len(page.items) for page in pages])
        yield pl.concat([by_page[of], by_item], how="horizontal")


def _page(page: Impression, users: dict[int, str]) -> tuple[object, ...]:
    return (
        page.request_id,
        page.feed,
        None if page.user is None else users.get(page.user),
        page.time,
        page.start,
        page.reused,
        page.served_by,
        page.variant,
        orjson.dumps(dict(page.models)).decode(),
        ",".join(page.feature_names),
    )


def _lists(pages: Sequence[Impression]) -> pl.Series:
    """The features of each item, of pages of which some have more of them than others."""
    return pl.concat([_of_one(page.features) for page in pages])


def _of_one(features: Floats) -> pl.Series:
    if not features.shape[1]:
        return pl.Series([[]] * len(features), dtype=_OF_ITEM["features"])
    return pl.Series(features).cast(_OF_ITEM["features"])
