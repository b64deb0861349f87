"""Streams as the contract shows them, and what it tells of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from homefeed.api.cards import cards_of
from homefeed.catalog import CatalogView
from homefeed.catalog.columns import CategoryColumn
from homefeed.numerals import read_number
from homefeed.policy.values import says_yes
from homefeed.serving import Answer

_SCORE_DIGITS = 6
_KM_DIGITS = 3


def near_streams(answer: Answer) -> orjson.Fragment:
    """The streams of a hometown, each with how far it is."""
    slate, kms = answer.slate, answer.distances_km
    away = [math.nan] * len(slate) if kms is None else kms.tolist()
    shown = [
        orjson.dumps(
            {
                "score": round(score, _SCORE_DIGITS),
                "distance_km": None if math.isnan(km) else round(km, _KM_DIGITS),
                "reason": reason,
            }
        )
        for score, km, reason in zip(slate.scores.tolist(), away, slate.reasons, strict=True)
    ]
    return orjson.Fragment(cards_of(answer.catalog, _placed).listed(slate.positions.tolist(), shown))


def streams_for(answer: Answer) -> orjson.Fragment:
    """The streams of a home feed."""
    slate = answer.slate
    shown = [
        orjson.dumps({"score": round(score, _SCORE_DIGITS), "reason": reason})
        for score, reason in zip(slate.scores.tolist(), slate.reasons, strict=True)
    ]
    return orjson.Fragment(cards_of(answer.catalog, _named).listed(slate.positions.tolist(), shown))


def streams_by_city(catalog: CatalogView) -> tuple[int, list[tuple[str, int]]]:
    """How many streams there are, live or not, and how many in each city, those with most first."""
    column, available = catalog.column("city", CategoryColumn), catalog.available
    codes = column.codes(catalog.size)[available]
    counts = np.bincount(codes[codes >= 0], minlength=column.distinct)
    found = [(column.value(code), int(counts[code])) for code in np.flatnonzero(counts).tolist()]
    return int(available.sum()), sorted(found, key=lambda city: (-city[1], city[0]))


def status_of(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Whether a stream is live and how many watch it, None where that was never told."""
    live, viewers = attributes.get("is_live"), read_number(attributes.get("viewer_count"))
    return {
        "is_live": None if live is None else says_yes(live),
        "viewer_count": None if viewers is None else round(viewers),
    }


def _placed(catalog: CatalogView, position: int) -> dict[str, str | None]:
    city = next(iter(catalog.terms_at("city", position)), None)
    return {"stream_id": catalog.item_id(position), "city": city}


def _named(catalog: CatalogView, position: int) -> dict[str, str]:
    return {"stream_id": catalog.item_id(position)}
