"""The bodies of the live contract."""

from __future__ import annotations

from typing import Annotated, Final, Self, TypeAlias

from pydantic import BaseModel, Field, Strict, StringConstraints, model_validator

from homefeed.api.schemas import Body, Id, LatitudeIn, LongitudeIn, Time
from homefeed.limits import MAX_PARAMETER

MOST_RESULTS: Final = 100
"""How many streams a request of hometown may ask for."""

MOST_VIEWERS: Final = 10_000_000_000
"""More than so many watch nothing."""

Passed: TypeAlias = Annotated[str, StringConstraints(max_length=MAX_PARAMETER)]


class HometownIn(Body):
    """Who asks for what is near. `latitude` and `longitude`, both or neither, count instead of their place."""

    user_id: Id
    max_results: Annotated[int, Field(ge=1, le=MOST_RESULTS, strict=True)] = 10
    latitude: LatitudeIn | None = None
    longitude: LongitudeIn | None = None


class NearStream(BaseModel):
    """A stream near somewhere. `city` is null where the stream tells none, `distance_km` where either place is not
    known.
    """

    stream_id: str
    city: str | None
    score: float
    distance_km: float | None
    reason: str


class HometownOut(BaseModel):
    """Streams near a user, best first."""

    request_id: str
    streams: list[NearStream]


class HometownStats(BaseModel):
    """What hometown chooses from. `top_cities` are the cities with most streams, and how many."""

    total_streams: int
    total_users: int
    cities_covered: int
    top_cities: dict[str, int]
    algorithm: str


class HomeFeedIn(Body):
    """Who asks for what they may like, and in which circumstances.

    `ctx_timestamp` is the time that the ranker takes it to be where the user is, in Unix seconds: what is live,
    what trends and what the user did go by the server's clock all the same.
    """

    user_id: Id
    ctx_timestamp: Time | None = None
    ctx_device: Passed | None = None
    ctx_locale: Passed | None = None


class CategoryFeedIn(HomeFeedIn):
    """The same of one category, by its number or its name."""

    category_id: Annotated[int, Strict()] | Annotated[Passed, StringConstraints(min_length=1)]


class ForYouStream(BaseModel):
    """A recommended stream."""

    stream_id: str
    score: float
    reason: str


class HomeFeedOut(BaseModel):
    """Streams for a user, best first."""

    request_id: str
    streams: list[ForYouStream]


class StatusIn(Body):
    """What is new of a stream: whether it is live, how many watch it; one of them or both."""

    is_live: Annotated[bool, Strict()] | None = None
    viewer_count: Annotated[int, Field(ge=0, le=MOST_VIEWERS, strict=True)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.changes:
            raise ValueError("expected is_live, viewer_count or both")
        return self

    @property
    def changes(self) -> dict[str, bool | int]:
        """What is told, by the name of the attribute."""
        told = {"is_live": self.is_live, "viewer_count": self.viewer_count}
        return {name: value for name, value in told.items() if value is not None}


class StatusOfIn(StatusIn):
    """The status of a stream in a list."""

    stream_id: Id


class StatusOut(BaseModel):
    """A stream as the next request finds it. What was never told is null."""

    stream_id: str
    is_live: bool | None
    viewer_count: int | None
    request_id: str
