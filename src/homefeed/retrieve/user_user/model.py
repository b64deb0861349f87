"""The user-user model: what each user engaged with, to be looked up by user and by item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from homefeed.model_files import (
    require,
    require_finite,
    require_numbers,
    require_range,
    require_shape,
    require_starts,
)
from homefeed.protocols import PartConfig
from homefeed.retrieve.arrays import ArrayModel
from homefeed.retrieve.joining import in_rows, joined_lists, rows_among
from homefeed.types import Floats, Numbers


class UserUserConfig(PartConfig):
    """What is kept of users; see `UserUserTrainer` for the formula.

    A request costs what the two bounds allow: the lists of the items of the user's latest events and the rows of
    the neighbours found in them.
    """

    max_users_per_item: Annotated[int, Field(ge=2)] = 500
    """Of an item's users only the last active ones are compared at a request."""
    max_items_per_user: Annotated[int, Field(ge=2)] = 300
    """Of a user's items only the weightiest count."""
    half_life_days: Annotated[float, Field(gt=0)] = 365.0
    """An event's weight halves for every so many days between it and its user's latest event."""
    item_exponent: Annotated[float, Field(ge=0, le=1)] = 0.25
    """How much popular items are damped; 0 is the plain cosine."""


@dataclass(frozen=True, slots=True)
class UserUserModel(ArrayModel):
    """Which users chose which items, without the users' ids.

    It is a sparse matrix of users and items in CSR form, both ways round. `numbers` (items,) are permanent. Item i
    was chosen by the users `item_users[item_starts[i]:item_starts[i + 1]]`, the most lately active first;
    `item_weights` are the entries of their unit vectors. User u chose `user_items[user_starts[u]:user_starts[u +
    1]]` by `user_strengths`. `damping` (items,) is what a vector's entries for an item are multiplied by.

    Users have no ids and no numbers here: their rows are in the order of their latest event. Still a row is what
    one person did, so treat the files as personal data. A user who is erased stays in them, nameless, until the
    next training, and in the older versions kept beside.
    """

    Config = UserUserConfig

    numbers: Numbers
    damping: Floats
    item_starts: npt.NDArray[np.int64]
    item_users: npt.NDArray[np.int32]
    item_weights: Floats
    user_starts: npt.NDArray[np.int64]
    user_items: npt.NDArray[np.int32]
    user_strengths: Floats

    @classmethod
    def joined(cls, parts: Mapping[str, Self], numbers: Numbers) -> Self:
        """The rows of each partition's users: one who has been in several has a row in each."""
        own = list(parts.values())
        rows = list(rows_among(numbers, (part.numbers for part in own)))
        first = np.cumsum([0, *(part.user_count for part in own)]).astype(np.int32)
        by_item, (item_users, item_weights) = joined_lists(
            rows,
            [part.item_starts for part in own],
            [
                [part.item_users + before for part, before in zip(own, first, strict=False)],
                [part.item_weights for part in own],
            ],
            len(numbers),
        )
        by_user, (user_items, user_strengths) = joined_lists(
            [np.arange(*span, dtype=np.int32) for span in pairwise(first.tolist())],
            [part.user_starts for part in own],
            [
                [of_part[part.user_items] for of_part, part in zip(rows, own, strict=True)],
                [part.user_strengths for part in own],
            ],
            int(first[-1]),
        )
        damping = in_rows(rows, [part.damping for part in own], len(numbers))
        # An item of no partition yet may be of one at a request.
        damping = np.where(damping > 0, damping, np.float32(1))
        return cls(numbers.copy(), damping, by_item, item_users, item_weights, by_user, user_items, user_strengths)

    def check(self) -> None:
        """Refuse rows of users or items that are not there.

        Raises:
            ArtifactError: naming what is wrong.
        """
        items = len(self.numbers)
        require_numbers(self.numbers)
        require(len(self.user_starts) > 0, "user_starts")
        require_shape("damping", self.damping.shape, (items,))
        require_starts("item_starts", self.item_starts, items, len(self.item_users))
        require_range("item_users", self.item_users, self.user_count)
        require_shape("item_weights", self.item_weights.shape, self.item_users.shape)
        require_starts("user_starts", self.user_starts, self.user_count, len(self.user_items))
        require_range("user_items", self.user_items, items)
        require_shape("user_strengths", self.user_strengths.shape, self.user_items.shape)
        require_finite(damping=self.damping, item_weights=self.item_weights, user_strengths=self.user_strengths)

    @property
    def user_count(self) -> int:
        """How many users have a row."""
        return len(self.user_starts) - 1
