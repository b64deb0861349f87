"""Rows that are the same in each cell and are events of their own: three of one product in a basket."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from hashlib import blake2b

from homefeed.store.bulk import EventColumns


class EqualRows:
    """Counts the rows of a file, to tell equal ones apart: about 100 bytes of memory a row.

    Those with an event id are left alone: an event that is sent twice with one id is one event.
    """

    def __init__(self) -> None:
        self._counts: Counter[bytes] = Counter()

    def told_apart(self, columns: EventColumns) -> EventColumns:
        """With another key for each of equal rows: the n-th has the same one whenever the file is imported."""
        keys = list(columns.keys)
        for row, (key, event_id) in enumerate(zip(columns.keys, columns.event_ids, strict=True)):
            if event_id is None:
                earlier = self._counts[key]
                self._counts[key] += 1
                if earlier:
                    keys[row] = key[:6] + blake2b(b"%b %d" % (key, earlier), digest_size=10).digest()
        return replace(columns, keys=keys)

    def take_back(self, columns: EventColumns) -> None:
        """Forget rows that were not written after all."""
        self._counts.subtract(
            key for key, event_id in zip(columns.keys, columns.event_ids, strict=True) if event_id is None
        )
