"""What retrievers that start from a user's history have in common to be set."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from homefeed.protocols import PartConfig


class HistoryConfig(PartConfig):
    """Base of the `Config` of retrievers that start from the user's latest events; see `weighted_seeds`."""

    max_events: Annotated[int, Field(ge=1, le=1_000)] = 50
    """How many of the user's latest events count."""
    half_life_days: Annotated[float, Field(gt=0)] = 90.0
    """An event's weight halves for every so many days between it and the user's latest event."""
