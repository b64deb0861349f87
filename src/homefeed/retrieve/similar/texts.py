"""Marks by which an item is known to be unchanged, and two items to be the same but for their number."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from homefeed.words import plain

Marks: TypeAlias = npt.NDArray[np.int64]
Terms: TypeAlias = Sequence[Sequence[str]]
"""The terms of an item in each of some fields."""

NO_MARK: Final = 0
"""The mark of an item without terms."""


def mark_of(fields: Terms) -> int:
    """A number of 64 bits that items share, chance aside, if their terms in all fields are the same."""
    if not any(fields):
        return NO_MARK
    text = "\x1e".join("\x1f".join(terms) for terms in fields)
    return int.from_bytes(
        blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big", signed=True
    )


def duplicate_mark_of(fields: Terms) -> int:
    """As `mark_of`, but the same whatever the case of letters and however wide the space between words."""
    said = [[plain(term) for term in terms] for terms in fields]
    return mark_of([[term for term in terms if term] for terms in said])
