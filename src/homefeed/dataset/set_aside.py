"""Rows of the store that cannot be read or applied: set aside, each with the reason, so that the others go on.

Homefeed writes no such rows. They come from a damaged file, another program, or an earlier version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from homefeed.catalog import CatalogView
from homefeed.catalog.view import CatalogInUseError
from homefeed.store.events import LogRows
from homefeed.store.items import Changes
from homefeed.types import Item

R = TypeVar("R", Changes, LogRows)


def in_halves(rows: R, work: Callable[[R], object], refuse: Callable[[R, Exception], None]) -> None:
    """Do the work for all rows, and where that fails for each half: the single rows that it fails for are refused.

    Work that fails must leave nothing half done.
    """
    try:
        work(rows)
    except CatalogInUseError:
        raise
    except Exception as error:  # whatever is wrong with a row, the others are sound
        if len(rows) <= 1:
            refuse(rows, error)
            return
        middle = len(rows) // 2
        in_halves(rows[:middle], work, refuse)
        in_halves(rows[middle:], work, refuse)


def apply_changes(catalog: CatalogView, changes: Changes) -> dict[str, str]:
    """Take over changed items. Those that cannot be are as hidden ones without attributes: their ids, and why."""
    wrong: dict[str, str] = {}

    def items_of(part: Changes) -> Iterator[Item]:
        for _, item in part:
            if item.flaw is not None:
                wrong[item.item_id] = item.flaw
            yield item

    def refuse(part: Changes, error: Exception) -> None:
        wrong[part.item_ids[0]] = f"cannot be applied: {error!r:.200}"
        with suppress(Exception):  # not even its number can be used: no part ever sees it
            catalog.apply(replace(item, attributes={}, created_at=None, hidden=True) for _, item in part)

    in_halves(changes, lambda part: catalog.apply(items_of(part)), refuse)
    return wrong


def use_rows(rows: LogRows, use: Callable[[LogRows], object]) -> dict[str, str]:
    """Have rows of the log used. Those that cannot be are left out: their seqs, and why."""
    wrong: dict[str, str] = {}

    def refuse(part: LogRows, error: Exception) -> None:
        wrong[str(part.seqs[0])] = f"cannot be applied: {error!r:.200}"

    in_halves(rows, use, refuse)
    return wrong
