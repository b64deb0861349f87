"""Users and items as features, for services beside Homefeed: many at a time, from the feature store."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import orjson
from fastapi import Response
from pydantic import BaseModel, Field

from homefeed.api.access import needs
from homefeed.api.answers import json_response
from homefeed.api.context import App
from homefeed.api.routing import Router, StrictRoute
from homefeed.api.schemas import Body, Id
from homefeed.errors import InvalidError
from homefeed.serving import LiveApp
from homefeed.serving.features.layout import Embedding, ItemFeatures, UserFeatures
from homefeed.times import format_time
from homefeed.validation import check_id

router = Router(prefix="/v1/apps/{app}/features", tags=["features"], route_class=StrictRoute)

_LATEST = 20
_MOST = 1_000

Ids = Annotated[tuple[Id, ...], Field(max_length=_MOST)]


class FeaturesIn(Body):
    """Of whom, and of what."""

    user_ids: Ids = ()
    item_ids: Ids = ()


class EmbeddingOut(BaseModel):
    """A vector of the space in which users and items are compared, by the model and version that it is of."""

    model: str
    vector: list[float]


class HistoryOut(BaseModel):
    """What a user did, summed up: how many events by type, when the last was, and of what the latest were."""

    events: dict[str, int]
    last_event: str | None
    latest_items: list[str]


class UserFeaturesOut(BaseModel):
    """A user; without an embedding where no model serves, or nothing of them can be used."""

    attributes: dict[str, Any]
    history: HistoryOut
    embedding: EmbeddingOut | None


class ItemFeaturesOut(BaseModel):
    """An item, and whether it can be shown."""

    attributes: dict[str, Any]
    available: bool
    embedding: EmbeddingOut | None


class FeaturesOut(BaseModel):
    """By id; who and what is not known is not there."""

    users: dict[str, UserFeaturesOut]
    items: dict[str, ItemFeaturesOut]


@router.post("", response_model=FeaturesOut)
@needs("read")
async def features(app: App, body: FeaturesIn) -> Response:
    """Features of up to 1,000 users and items in all."""
    if len(body.user_ids) + len(body.item_ids) > _MOST:
        raise InvalidError(f"user_ids and item_ids: expected up to {_MOST:,} in all; ask for fewer at a time")
    user_ids = [check_id("user_ids", user_id) for user_id in body.user_ids]
    users, items = await app.features.read(user_ids, [check_id("item_ids", item_id) for item_id in body.item_ids])
    async with app.turns:  # to write down a thousand takes longer than a page
        return json_response(
            {
                "users": {user_id: _user(app, user) for user_id, user in users.items()},
                "items": {item_id: _item(item) for item_id, item in items.items()},
            }
        )


def _user(app: LiveApp, user: UserFeatures) -> dict[str, Any]:
    stored, names = user.stored, app.recipe.event_types
    codes, counts = np.unique(stored.types[stored.types >= 0], return_counts=True)
    positions = app.catalog.positions(stored.items[-_LATEST:][::-1])
    return {
        "attributes": stored.attributes,
        "history": {
            "events": {names[code]: count for code, count in zip(codes.tolist(), counts.tolist(), strict=True)},
            "last_event": format_time(int(stored.times[-1])) if len(stored.times) else None,
            "latest_items": [app.catalog.item_id(position) for position in positions.tolist() if position >= 0],
        },
        "embedding": _embedding(user.embedding),
    }


def _item(item: ItemFeatures) -> dict[str, Any]:
    return {
        "attributes": orjson.Fragment(item.attributes),
        "available": item.available,
        "embedding": _embedding(item.embedding),
    }


def _embedding(embedding: Embedding) -> dict[str, Any] | None:
    return {"model": embedding.model, "vector": embedding.vector.tolist()} if len(embedding.vector) else None
