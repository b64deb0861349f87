"""Listings as the marketplace contract shows them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import orjson

from homefeed.api.cards import cards_of
from homefeed.catalog import CatalogView
from homefeed.numerals import read_number
from homefeed.serving import Answer
from homefeed.times import format_time
from homefeed.types import NO_TIME

_LARGEST: Final = 2**53


def recommended(answer: Answer) -> bytes:
    """The list of an answer as JSON, best first."""
    slate = answer.slate
    additions = [
        orjson.dumps({"recommendation_score": score, "reason": reason})
        for score, reason in zip(slate.scores.tolist(), slate.reasons, strict=True)
    ]
    return cards_of(answer.catalog, listing).listed(slate.positions.tolist(), additions)


def near(answer: Answer) -> bytes:
    """The same with how far each is from the place of the request."""
    slate, kms = answer.slate, answer.distances_km
    distances = np.zeros(len(slate)) if kms is None else kms
    columns = zip(slate.scores.tolist(), slate.reasons, distances.tolist(), strict=True)
    additions = [
        orjson.dumps({"recommendation_score": score, "reason": reason, "distance_km": round(km, 3)})
        for score, reason, km in columns
    ]
    return cards_of(answer.catalog, listing).listed(slate.positions.tolist(), additions)


def listing(catalog: CatalogView, position: int) -> dict[str, Any]:
    """The fields of a listing that are the same for everyone."""
    attributes: dict[str, Any] = orjson.loads(catalog.attributes_json(position))
    place = attributes.get("location") or {}
    created = int(catalog.created[position])
    return {
        "listing_id": catalog.item_id(position),
        "title": catalog.title(position),
        "description": attributes.get("description"),
        "tags": tags_of(catalog, position),
        "latitude": place.get("latitude"),
        "longitude": place.get("longitude"),
        "compensation": attributes.get("compensation"),
        "poster_uid": attributes.get("poster_uid"),
        "poster_rating": attributes.get("poster_rating"),
        "poster_completed_count": _whole(attributes.get("poster_completed_count")),
        "created_at": None if created == NO_TIME else format_time(created),
        "expires_at": next(iter(catalog.terms_at("expires_at", position)), None),
        "status": attributes.get("status"),
    }


def _whole(value: Any) -> int | None:
    """A count, of the number that an attribute holds; None where it is none, or more than readers can tell."""
    number = read_number(value)
    return None if number is None or abs(number) > _LARGEST else int(number)


def tags_of(catalog: CatalogView, position: int) -> list[dict[str, str]]:
    """The tags of a listing; where their names are not told their ids are names."""
    ids, names = catalog.terms_at("tags", position), catalog.terms_at("tag_names", position)
    if len(names) != len(ids):
        names = ids
    return [{"id": tag, "name": name} for tag, name in zip(ids, names, strict=True)]
