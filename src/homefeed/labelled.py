"""Pairs of a user and an item: how their features are declared, and whether the user chose the item."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, Self, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from homefeed.types import Mask

Values: TypeAlias = npt.NDArray[np.float64]

FieldName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]

_WORDS = ("category", "tags")


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPairs:
    """Pairs of users and items: `values` (rows, names) of their features, NaN where one is not known.

    `chosen` (rows,) marks those that the user chose. `left_out` counts rows that could not be used, by reason.
    """

    names: tuple[str, ...]
    values: Values
    chosen: Mask
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.chosen)

    def take(self, rows: npt.NDArray[np.intp]) -> LabelledPairs:
        """Some rows, in the order given."""
        return LabelledPairs(self.names, self.values[rows], self.chosen[rows])


@dataclass(frozen=True, slots=True)
class Validation:
    """How a model did on pairs that it did not learn from.

    `fitted` pairs were learned from, `held_out` were not, of which the share `chosen_share` was chosen. Accuracy,
    precision and recall are of saying that those of a probability of 0.5 and above are chosen; `precision` is None
    where there are none. `roc_auc` is how often a chosen pair has a higher probability than another one.
    """

    fitted: int
    held_out: int
    chosen_share: float
    accuracy: float
    roc_auc: float
    precision: float | None
    recall: float


class PairFeature(BaseModel):
    """What is told of a user and an item by a number: how far they are apart, what one of them has, or whether the
    two have something in common."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    distance: Literal["km", "proximity"] | None = None
    """How far the item is from the place of the request, or else of the user: in kilometres along the WGS 84
    ellipsoid, or as 1 / (1 + kilometres). What is not known is farther than anything. None: something else."""
    within_km: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """1 where the item is that near or nearer, else 0; none: something else."""
    item: FieldName | None = None
    """A field of items: a number as it is; with `user` or `equals` a category or tags. None: something else."""
    user: FieldName | None = None
    """A field of users, likewise. With `item` it is 1 where the two have a value in common, whatever the letter
    case, else 0. None: something else."""
    equals: Annotated[str, Field(min_length=1)] | None = None
    """With `item` or `user` alone: 1 where that category or tags field has the value, else 0; none: it is a
    number."""
    log: bool = False
    """Of a number with a few very large values: ln(1 + number) is learned from, below 0 as of 0."""

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        told = [self.distance is not None, self.within_km is not None, bool(self.item or self.user)]
        if told.count(True) != 1:
            raise ValueError("expected one of: distance; within_km; item, user or both")
        if self.equals is not None and (self.item is None) == (self.user is None):
            raise ValueError("equals is for item alone, or user alone")
        if self.log and not (self.is_number or self.distance == "km"):
            raise ValueError('log is for numbers: distance = "km", or item or user alone')
        return self

    @property
    def is_number(self) -> bool:
        """Whether it is a number that an item or a user has."""
        return (self.item is None) != (self.user is None) and self.equals is None

    def problem(self, items: Mapping[str, str], users: Mapping[str, str] | None) -> str | None:
        """Why it cannot be told of items and users with fields of these kinds, of users if known; else None."""
        if self.item is None and self.user is None:
            return None if "location" in items.values() else 'items have no field of the kind "location"'
        wanted = ("number",) if self.is_number else _WORDS
        for entity, name, fields in (("items", self.item, items), ("users", self.user, users)):
            if name is None or fields is None or fields.get(name) in wanted:
                continue
            declared = f'is declared as "{fields[name]}"' if name in fields else "is not declared"
            return f"{entity}.fields.{name} {declared}; expected {' or '.join(map(_quoted, wanted))}"
        return None


def problems_of(
    features: Mapping[str, PairFeature], items: Mapping[str, str], users: Mapping[str, str] | None
) -> Iterable[tuple[str, str]]:
    """The features that cannot be told of items and users with fields of these kinds, and why not."""
    found = ((name, feature.problem(items, users)) for name, feature in features.items())
    return ((name, problem) for name, problem in found if problem is not None)


def _quoted(word: str) -> str:
    return f'"{word}"'
