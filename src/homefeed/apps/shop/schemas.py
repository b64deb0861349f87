"""The bodies of the shop contract."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from homefeed.api.schemas import Id, Time, UnderstoodOut
from homefeed.validation import LONGEST_QUERY

PRODUCT_ID: Final = r"^[A-Z0-9]{10}$"
USER_ID: Final = r"^[A-Za-z0-9]{1,50}$"

ProductId: TypeAlias = Annotated[str, Field(pattern=PRODUCT_ID)]
UserId: TypeAlias = Annotated[str, Field(pattern=USER_ID)]
QueryText: TypeAlias = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_QUERY, pattern=r"^[^\x00]+$"),
]

_ABOUT: Final = {"product_click": "product_id", "search_query": "query"}


class ProductOut(BaseModel):
    """A product of a list, and why it is there. What the catalogue lacks is null."""

    id: str
    name: str
    category: str
    image: str | None
    price: float | None
    original_price: float | None
    rating: float | None
    reviews: int | None
    discount_ratio: float | None
    reason: str


class HomeOut(BaseModel):
    """The lists of the home page; `personalized` is empty for new and for stale users."""

    personalized: list[ProductOut]
    trending: list[ProductOut]
    best_value: list[ProductOut]
    top_categories: dict[str, list[ProductOut]]
    diverse_picks: list[ProductOut]
    request_id: str


class SimilarOut(BaseModel):
    """What goes with a product."""

    similar: list[ProductOut]
    request_id: str


class SearchOut(BaseModel):
    """What a query found; without a match, trending products and the `fallback_reason`.

    Where the query names a price, `understood` says what was looked for, and at what price.
    """

    results: list[ProductOut]
    understood: UnderstoodOut | None = None
    fallback_reason: Literal["no_search_matches"] | None = None
    request_id: str


class InteractionIn(BaseModel):
    """A click on a product, or a search. A click may name the `query` that led to it."""

    model_config = ConfigDict(extra="forbid")

    user_id: UserId
    event_type: Literal["product_click", "search_query"]
    product_id: Annotated[ProductId | None, Field(validate_default=True)] = None
    query: Annotated[QueryText | None, Field(validate_default=True)] = None
    timestamp: Time | None = None
    event_id: Id | None = None
    request_id: Id | None = None

    @field_validator("product_id", "query")
    @classmethod
    def _is_there_where_needed(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and _ABOUT.get(info.data.get("event_type", "")) == info.field_name:
            raise ValueError(f"missing; a {info.data['event_type']} needs it")
        return value

    @model_validator(mode="after")
    def _a_search_has_no_product(self) -> Self:
        if self.event_type == "search_query" and self.product_id is not None:
            raise ValueError("a search_query has no product_id")
        return self


class InteractionOut(BaseModel):
    """What a user did: a product_click, a search_query or a purchase."""

    event_type: str
    product_id: str | None
    query: str | None
    timestamp: str


class InteractionsOut(BaseModel):
    """What a user did in the last days, newest first."""

    user_id: str
    days: int
    interactions: list[InteractionOut]
    request_id: str
