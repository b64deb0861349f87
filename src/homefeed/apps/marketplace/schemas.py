"""The bodies of the marketplace contract."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, Strict, StringConstraints, model_validator

from homefeed.api.schemas import Body, Id, KilometresIn, LatitudeIn, LongitudeIn, NotBoolean, Time

MOST_LISTINGS: Final = 100
"""How many listings a request may ask for."""
MOST_TAGS: Final = 100
"""How many tags a user may prefer, or block."""

UserUid: TypeAlias = UUID
Tag: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
Tags: TypeAlias = Annotated[list[Tag], Field(max_length=MOST_TAGS)]
Money: TypeAlias = Annotated[FiniteFloat, Field(ge=0, le=1e12), NotBoolean]
InteractionType: TypeAlias = Literal["view", "click", "apply", "save", "share", "dismiss"]


class TagOut(BaseModel):
    """A tag of a listing."""

    id: str
    name: str


class Listing(BaseModel):
    """A listing as every list shows it. What nobody told is null."""

    listing_id: str
    title: str
    description: str | None
    tags: list[TagOut]
    latitude: float | None
    longitude: float | None
    compensation: float | None
    poster_uid: str | None
    poster_rating: float | None
    poster_completed_count: int | None
    created_at: str | None
    expires_at: str | None
    status: str | None


class Recommended(Listing):
    """A listing of a list, best first."""

    recommendation_score: float
    reason: str


class Near(Recommended):
    """A listing near a place."""

    distance_km: float


class Metadata(BaseModel):
    """What is told of an interaction besides; further keys are kept with it."""

    model_config = ConfigDict(extra="allow")

    time_spent_seconds: Annotated[FiniteFloat, Field(ge=0, le=86_400), NotBoolean] | None = None
    latitude: LatitudeIn | None = None
    longitude: LongitudeIn | None = None
    session_id: Annotated[str, StringConstraints(max_length=200)] | None = None
    device_type: Annotated[str, StringConstraints(max_length=100)] | None = None


class ListingInteractionIn(Body):
    """What a user did with a listing. Sent again with the same `interaction_id` it counts once."""

    interaction_type: InteractionType
    metadata: Annotated[Metadata, Field(default_factory=Metadata)]
    timestamp: Time | None = None
    interaction_id: Id | None = None
    request_id: Id | None = None


class BulkListingInteractionIn(ListingInteractionIn):
    """The same in a list: of which user and which listing."""

    user_uid: UserUid
    listing_id: Id


class ListingInteractionOut(BaseModel):
    """An interaction that is durable: the next request goes by it."""

    user_uid: UserUid
    listing_id: str
    interaction_type: InteractionType
    accepted: bool
    request_id: str


class PreferencesIn(Body):
    """What is to be another preference from now on; null takes one away. What is not named stays."""

    max_distance_km: KilometresIn | None = None
    preferred_compensation_min: Money | None = None
    preferred_compensation_max: Money | None = None
    preferred_tags: Tags | None = None
    blocked_tags: Tags | None = None
    personalization_enabled: Annotated[bool, Strict()] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> PreferencesIn:
        if not self.model_fields_set:
            raise ValueError(f"expected one or more of {', '.join(type(self).model_fields)}")
        return self

    @property
    def changes(self) -> dict[str, Any]:
        """What is told, by the name of the user's attribute."""
        return {name: getattr(self, name) for name in sorted(self.model_fields_set)}


class Preferences(BaseModel):
    """The stored preferences; without one there is no limit, and personalisation is on."""

    user_uid: UserUid
    max_distance_km: float | None
    preferred_compensation_min: float | None
    preferred_compensation_max: float | None
    preferred_tags: list[str]
    blocked_tags: list[str]
    personalization_enabled: bool


class SignUpIn(Body):
    """Somebody who signs up: where they are, and what they picked as interests."""

    user_uid: UserUid
    latitude: LatitudeIn | None = None
    longitude: LongitudeIn | None = None
    interests: Tags = Field(default_factory=list)

    @model_validator(mode="after")
    def _place_is_whole(self) -> SignUpIn:
        if (self.latitude is None) != (self.longitude is None):
            missing = "latitude" if self.latitude is None else "longitude"
            raise ValueError(f"{missing}: expected both latitude and longitude, or neither")
        return self


class SignUpOut(BaseModel):
    """Who signed up, as the next request knows them."""

    user_uid: UserUid
    latitude: float | None
    longitude: float | None
    interests: list[str]


class NearbyIn(Body):
    """Around which place, how far, how many."""

    latitude: LatitudeIn
    longitude: LongitudeIn
    radius_km: KilometresIn = 10.0
    limit: Annotated[int, Field(ge=1, le=MOST_LISTINGS, strict=True)] = 20
