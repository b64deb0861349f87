"""What was shown as frames for files: nothing of a page is lost."""

from __future__ import annotations

from typing import Any

import numpy as np
from tests.dataset.shown_log import Page, at, impression, write_log

from homefeed.dataset.impression_frames import IMPRESSIONS, impression_frames
from homefeed.store import Store
from homefeed.store.impressions import write_impressions


async def test_pages_with_more_and_fewer_features_are_rows_with_ids(store: Store) -> None:
    await write_log(store, "shop", [Page(0, "ba", start=3)], [], feature_names=(), features=np.zeros((2, 0)))
    page = Page(1, "a", user=None, reused=True)
    await write_log(store, "shop", [Page(2, "c", request="later")], [])
    features = np.array([[0.5, np.inf]], np.float32)
    shown = impression(page, {}, {"a": 1}, feature_names=("x", "y"), features=features, variant="B")
    await write_impressions(store, "shop", [shown])
    frames = [frame async for frame in impression_frames(store, "shop", until=at(2))]
    assert [frame.schema for frame in frames] == [IMPRESSIONS]
    rows = frames[0].with_columns(timestamp=frames[0]["timestamp"].dt.epoch("us")).rows(named=True)
    one = {"feed": "home", "request_id": "r", "served_by": "home/weighted", "models": '{"signals":"v1"}'}
    first: dict[str, Any] = {**one, "user_id": "u", "timestamp": at(0), "start": 3, "reused": False, "variant": ""}
    first |= {"propensity": 0.25, "feature_names": "", "features": []}
    third: dict[str, Any] = {
        **one,
        "user_id": None,
        "timestamp": at(1),
        "start": 0,
        "reused": True,
        "variant": "B",
    }
    third |= {"propensity": 0.25, "feature_names": "x,y", "features": [0.5, np.inf]}
    assert rows == [
        {**first, "item_id": "b", "place": 3, "score": 1.0},
        {**first, "item_id": "a", "place": 4, "score": 0.5},
        {**third, "item_id": "a", "place": 0, "score": 1.0},
    ]


async def test_of_nothing_shown_there_are_no_frames(store: Store) -> None:
    assert [frame async for frame in impression_frames(store, "shop")] == []
