"""Which items meet a condition: how values compare, and what a condition may ask of each kind of field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from homefeed.errors import InvalidError
from homefeed.times import parse_time
from homefeed.types import NO_TIME, Condition, Mask, Times

if TYPE_CHECKING:
    from homefeed.catalog.columns import Column

CREATED_AT: Final = "created_at"
"""When an item came: known of every item, whatever fields its recipe declares."""

_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    ":": np.equal, ">=": np.greater_equal, "<=": np.less_equal, ">": np.greater, "<": np.less,
}  # fmt: skip


def mask_of(condition: Condition, columns: Mapping[str, Column], created: Times) -> Mask:
    """(items,) which of the items created then (items,) meet the condition.

    Raises:
        InvalidError: no such field, or the operator or a value does not fit its kind.
    """
    if condition.operator == "!=":
        return ~mask_of(replace(condition, operator=":"), columns, created)
    column = columns.get(condition.field)
    if column is None and condition.field != CREATED_AT:
        known = ", ".join((*columns, CREATED_AT))
        raise InvalidError(f'filter: no field "{condition.field}"; expected one of {known}')
    mask = np.zeros(len(created), np.bool_)
    for value in (condition.value, *condition.others):
        asked = replace(condition, value=value, others=())
        mask |= times_mask(asked, created) if column is None else column.mask(asked, len(created))
    return mask


def numbers_mask(condition: Condition, numbers: npt.NDArray[np.float64], bound: float) -> Mask:
    """Which of the numbers (n,) compare as asked with the bound; NaN never does."""
    mask: Mask = _COMPARE[condition.operator](numbers, bound)
    return mask


def times_mask(condition: Condition, times: Times) -> Mask:
    """Which of the times (n,) compare as asked; NO_TIME never does.

    Raises:
        InvalidError: the condition's value is no time.
    """
    mask: Mask = _COMPARE[condition.operator](times, parse_time(condition.field, condition.value)) & (
        times != NO_TIME
    )
    return mask


def require_equality(condition: Condition, kind: str) -> None:
    """Raises InvalidError where the condition asks for an order of what has none."""
    if condition.operator != ":":
        raise InvalidError(
            f"filter {condition.field}{condition.operator}{condition.value}: {condition.field} is a {kind} field; "
            f"expected {condition.field}:value or {condition.field}!=value"
        )
