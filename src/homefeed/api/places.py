"""Parameters of requests that come from a place."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from fastapi import Query

from homefeed.geo import FARTHEST_KM

Latitude: TypeAlias = Annotated[
    float | None,
    Query(ge=-90, le=90, description="Where the request comes from, with `longitude`; else where the user is."),
]
Longitude: TypeAlias = Annotated[float | None, Query(ge=-180, le=180, description="Goes with `latitude`.")]
RadiusKm: TypeAlias = Annotated[
    float | None, Query(gt=0, le=FARTHEST_KM, description="Only items that are not farther from that place.")
]
