"""How far the candidates of a request are: computed once, whichever features need it."""

from __future__ import annotations

from functools import partial

from homefeed.catalog.locations import LocationColumn
from homefeed.geo import Kilometres, Place
from homefeed.types import Positions, Query


def distances_km(
    column: LocationColumn, query: Query, place: Place, positions: Positions, size: int
) -> Kilometres:
    """(n,) as `LocationColumn.distances_km` from the place of a query; shared, so not to be written to."""
    compute = partial(column.distances_km, place, positions, size)
    return query.scope.once(column, "features.distances", compute, positions.tobytes())
