"""How a recipe declares its feeds: which parts make each, and what it is set to besides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from homefeed.recipe.base import Declaration, Kind, Name

_OPTIONAL: Final[Mapping[Kind, tuple[str, ...]]] = {
    "filter": ("blocked", "seen", "own", "expiry", "not_yet"),
    "rerank": ("variants",),
}
"""The parts that feeds have by themselves, unless the recipe has `false` in the place of their table."""


def check_left_out(kind: Kind, name: str, use: object) -> None:
    """Raises ValueError where the table of a part is `false`, and every feed needs it or none has it anyway."""
    optional = _OPTIONAL.get(kind, ())
    if use is False and name not in optional:
        expected = f"only these can be left out: {', '.join(optional)}" if optional else "none can be left out"
        raise ValueError(f"{kind}.{name} = false: {expected}")


def ranker_name(feed: str) -> str:
    """What the learned ranker of a feed is called among the models of the app."""
    return f"{feed}_ranker"


class PartUse(BaseModel):
    """A part named in a recipe: the table's key names it, or `part` where the same part is used twice."""

    model_config = ConfigDict(frozen=True, extra="allow", use_attribute_docstrings=True)

    part: Name | None = None
    """The part's name, where the table has another: to use a part twice; none: the table's name."""

    @property
    def config(self) -> dict[str, Any]:
        """What is for the part itself."""
        return dict(self.model_extra or {})


class RetrieverUse(PartUse):
    """A retriever named in a recipe."""

    k: Annotated[int, Field(ge=1, le=10_000)] = 200
    """How many candidates it proposes at least, as far as there are any."""
    instead_of: Name | None = None
    """A retriever of the feed that stands before it: only where that one proposes nothing does this one, as what
    most choose where nobody knows what is near. None: it proposes beside the others."""


class FeedSettings(Declaration):
    """What a feed is set to besides its parts: declared here, and as it is at the request."""

    title: str = ""
    """What people call the feed; by default its name."""
    cold_start: Name | None = None
    """The feed that answers, in this one's place, a user without usable history; none: this feed answers."""
    anchored: bool = False
    """Whether the feed is about an item: requests must name one by `item_id`."""
    history_days: Annotated[float, Field(gt=0)] | None = None
    """Only what the user did in the last so many days counts: a user who did nothing in them is without history;
    none: the whole history counts."""
    shared_seconds: Annotated[float, Field(gt=0, le=3_600)] | None = None
    """For how long an answer is given again to any user, unless an item was hidden or changed its words meanwhile.
    It is for feeds without parts that depend on the user, such as what trends, and for an app's own routes; none:
    answers are not shared."""
    reuse_seconds: Annotated[float, Field(ge=0, le=3_600)] = 30.0
    """For how long the same request of the same user is answered by the same slate, unless something has changed
    that the user would see; with 0 it never is."""
    price: Name | None = None
    """The number field of items that holds their price, in a search feed: what a query says of prices, such as
    "under 500" or "between 100 and 200", is a condition on it; none: those are words like others."""
    reasons: dict[Name, Name] = Field(default_factory=dict)
    """A feature = the retriever whose sentence tells of it, whoever proposed the item, such as
    `{ distance_decay = "nearby" }`: so an item's reason is of what added most to its score. A feature that is not
    named has no sentence."""
    below: tuple[Name, ...] = ()
    """Feeds that stand above this one where several are answered together, as on a home page of lists: what they
    show, this one leaves out."""
    repeats_when_all_seen: bool = False
    """Whether users who have seen all that there is for them get it again, what they saw longest ago first; else
    they get an empty page. Either way the answer says `all_seen`."""


class Feed(FeedSettings):
    """One surface of an app: which parts make it, in the order of the request."""

    retrieve: Annotated[dict[Name, RetrieverUse], Field(min_length=1)]
    """The retrievers, which propose candidates."""
    filter: dict[Name, PartUse | Literal[False]] = Field(default_factory=dict)
    """The filters, which say what this request can see, before any candidate is proposed. `availability` and
    `request` are part of every feed. So are `blocked` and `seen`, `own` with `items.creator`, and `expiry` and
    `not_yet` with the time fields `expires_at` and `available_from`; `seen = false`, say, leaves that one out."""
    features: dict[Name, PartUse] = Field(default_factory=dict)
    """The parts that add numbers about candidates, for the ranker."""
    rank: Annotated[dict[Name, PartUse], Field(min_length=1, max_length=1)]
    """The ranker, which gives each candidate a score."""
    learned: Annotated[dict[Name, PartUse], Field(max_length=1)] = Field(default_factory=dict)
    """A ranker that is trained on earlier requests, such as `lambdamart`. It ranks in the other one's place once
    it was better on later requests that it had not seen, and while the feed has the features that it learned
    from. Among the app's models it is FEED_ranker: `home_ranker`. In settings `learned = false` leaves out the one
    that a recipe declares, and another part takes its place."""
    rerank: dict[Name, PartUse | Literal[False]] = Field(default_factory=dict)
    """The rerankers, which order or thin what is ranked, each what the one before left. With `items.group`,
    `variants` is the first of every feed; a feed that names it has it where it stands there, and
    `variants = false` leaves it out."""

    @field_validator("learned", mode="before")
    @classmethod
    def _none_is_learned(cls, uses: object) -> object:
        return {} if uses is False else uses

    @field_validator("retrieve")
    @classmethod
    def _stand_ins_come_later(cls, uses: dict[str, RetrieverUse]) -> dict[str, RetrieverUse]:
        before: list[str] = []
        for name, use in uses.items():
            if use.instead_of is not None and use.instead_of not in before:
                known = ", ".join(before) or "none"
                raise ValueError(f'{name}.instead_of names "{use.instead_of}"; before it there are: {known}')
            before.append(name)
        return uses

    @field_validator("filter", "rerank")
    @classmethod
    def _only_optional_parts_are_left_out(cls, uses: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        for name, use in uses.items():
            check_left_out("filter" if info.field_name == "filter" else "rerank", name, use)
        return uses

    @model_validator(mode="after")
    def _reasons_are_of_retrievers(self) -> Self:
        for feature, name in self.reasons.items():
            if name not in self.retrieve:
                raise ValueError(
                    f'reasons.{feature} names "{name}"; the retrievers are: {", ".join(self.retrieve)}'
                )
        return self

    @model_validator(mode="after")
    def _bias_is_bias(self) -> Self:
        own = self.features.get("bias")
        if self.learned and own is not None and own.part not in (None, "bias"):
            raise ValueError("features.bias: a feed with a learned ranker has its own bias; choose another name")
        return self

    @property
    def settings(self) -> FeedSettings:
        """The feed without its parts."""
        return FeedSettings(**{name: getattr(self, name) for name in FeedSettings.model_fields})
