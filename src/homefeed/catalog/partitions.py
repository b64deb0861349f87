"""Who belongs together: what is derived for users of a partition is made of its items and events alone."""

from __future__ import annotations

from typing import Final

import numpy as np

from homefeed.catalog.columns import CategoryColumn
from homefeed.types import Codes, UserState

NO_PARTITION: Final = -1
"""The code of an item without a partition: it is shown to no user."""
_UNKNOWN: Final = -2
_OF: Final = "\x1f"
"""Between a name and its partition. No word holds it: it counts as white space."""


class Partitions:
    """The partitions of the recipe's `[isolation]`: items and users of one value of a field belong together.

    Values are compared to the letter case. Without isolation all items and users are of the partition "".
    """

    def __init__(self, column: CategoryColumn | None = None, attribute: str = "") -> None:
        """`column` holds the items' partitions, the `attribute` of users theirs."""
        self._column, self._attribute = column, attribute

    @property
    def are_apart(self) -> bool:
        """Whether there are any but the one of all."""
        return self._column is not None

    def of_item(self, position: int) -> str | None:
        """The partition of an item; None where it has none."""
        return "" if self._column is None else self._column.spelled(position) or None

    def of_user(self, user: UserState) -> str | None:
        """The partition of who asks; None where they have none: nobody without an id has one."""
        return "" if self._column is None else partition_of(user, self._attribute)

    def codes(self, size: int) -> Codes:
        """(size,) the code of each item's partition, `NO_PARTITION` where it has none."""
        return np.zeros(size, np.int32) if self._column is None else self._column.exact_codes(size)

    def code(self, user: UserState) -> int:
        """The code of the user's partition: one that no item has where it has no items, or there is none."""
        if self._column is None:
            return 0
        partition = self.of_user(user)
        return _UNKNOWN if partition is None else self._column.exact_code(partition)


def name_in(name: str, partition: str) -> str:
    """A word or another name as one of a partition alone; of the partition of all, "", the name itself."""
    return f"{name}{_OF}{partition}" if partition else name


def unnamed(name: str) -> tuple[str, str]:
    """The word and the partition that `name_in` made a name of."""
    word, _, partition = name.partition(_OF)
    return word, partition


def partition_of(user: UserState, attribute: str) -> str | None:
    """What an attribute of a user names: a text or a whole number; None where it is missing, blank or another."""
    value = user.attributes.get(attribute)
    if user.user_id is None or not isinstance(value, str | int) or isinstance(value, bool):
        return None
    return str(value) if str(value).strip() else None
