"""The files of the sample: what an app gets to see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np
import polars as pl

from homefeed.samples import Rng, Weights, iso
from homefeed.samples.marketplace.listings import STATUSES, Listings, Posters
from homefeed.samples.marketplace.people import People
from homefeed.samples.marketplace.places import scatter
from homefeed.samples.marketplace.visits import ACTIONS, DEVICES, Interactions
from homefeed.types import Codes

_WALK_KM: Final = 0.3  # how far from home users are in a visit, in each direction
_DEVICE_SHARES: Final = (0.7, 0.25, 0.05)


@dataclass(frozen=True)
class Named:
    """The ids of all users, listings, posters and tags."""

    users: list[str]
    listings: list[str]
    posters: list[str]
    tags: Sequence[str]


def draw_uuids(count: int, rng: Rng) -> list[str]:
    """Random UUIDs (RFC 9562, version 4) of a seed."""
    data = rng.bytes(16 * count)
    return [str(UUID(bytes=data[at : at + 16], version=4)) for at in range(0, len(data), 16)]


def users_table(people: People, named: Named) -> pl.LazyFrame:
    """Users by their columns of the contract, and the preferences that some have set."""
    set_ = people.preferences
    preferred, blocked = (
        pl.Series(of_tags(tags[:, None], named.tags), dtype=pl.List(pl.String))
        for tags in (set_.preferred_tag, set_.blocked_tag)
    )
    return pl.LazyFrame(
        {
            "user_uid": named.users,
            "latitude": people.at.latitude,
            "longitude": people.at.longitude,
            "interests": [[named.tags[tag] for tag in np.flatnonzero(row).tolist()] for row in people.told],
            "created_at": people.joined,
            "max_distance_km": _optional(set_.max_distance_km),
            "preferred_compensation_min": _optional(set_.min_pay),
            "preferred_compensation_max": _optional(set_.max_pay),
            "preferred_tags": preferred,
            "blocked_tags": blocked,
            "personalization_enabled": set_.personal,
        }
    ).with_columns(iso("created_at"))


def listings_table(
    listings: Listings, posters: Posters, named: Named, names: Sequence[str], titles: list[str], texts: list[str]
) -> pl.LazyFrame:
    """Listings by their columns of the contract; `names` of tags stand in the order of their ids."""
    at, poster = listings.at, listings.poster
    return pl.LazyFrame(
        {
            "listing_id": named.listings,
            "title": titles,
            "description": texts,
            "tags": of_tags(listings.tags, named.tags),
            "tag_names": of_tags(listings.tags, names),
            "latitude": at.latitude,
            "longitude": at.longitude,
            "compensation": listings.compensation,
            "poster_uid": pl.Series(named.posters).gather(poster),
            "poster_rating": _optional(posters.rating[poster]),
            "poster_completed_count": posters.completed[poster],
            "created_at": listings.created,
            "expires_at": listings.expires,
            "status": np.array(STATUSES)[listings.status],
        }
    ).with_columns(iso("created_at"), iso("expires_at"))


def interactions_table(done: Interactions, people: People, named: Named, rng: Rng) -> pl.LazyFrame:
    """Interactions with their metadata: in one visit a user has one place, session and device."""
    visits = int(done.visit.max()) + 1
    owner = np.zeros(visits, np.int32)
    owner[done.visit] = done.user
    walked = scatter(people.at.latitude[owner], people.at.longitude[owner], _WALK_KM, rng)
    latitude, longitude = (degrees[done.visit] for degrees in walked)
    device = rng.choice(len(DEVICES), visits, p=_DEVICE_SHARES)[done.visit]
    return pl.LazyFrame(
        {
            "user_uid": pl.Series(named.users).gather(done.user),
            "listing_id": pl.Series(named.listings).gather(done.item),
            "interaction_type": np.array(ACTIONS)[done.action],
            "timestamp": done.time,
            "time_spent_seconds": pl.Series(done.seconds).replace(-1, None),
            "latitude": latitude,
            "longitude": longitude,
            "session_id": pl.Series(draw_sessions(visits, rng)).gather(done.visit),
            "device_type": np.array(DEVICES)[device],
        }
    ).with_columns(iso("timestamp"))


def draw_sessions(count: int, rng: Rng) -> list[str]:
    """Ids of visits: sixteen hexadecimal digits each."""
    data = rng.bytes(8 * count).hex()
    return [data[at : at + 16] for at in range(0, len(data), 16)]


def of_tags(tags: Codes, words: Sequence[str]) -> list[list[str]]:
    """(n,) the words of each row's tags."""
    return [[words[tag] for tag in row if tag >= 0] for row in tags.tolist()]


def _optional(values: Weights) -> pl.Series:
    return pl.Series(values).fill_nan(None)
