"""Splits: the training events, the events the service has seen, and the targets."""

from homefeed.evaluate.split.by_time import by_time
from homefeed.evaluate.split.by_user import by_user
from homefeed.evaluate.split.cases import (
    NO_BASKET,
    ONLY_REPEATS,
    TOO_FEW_TARGETS,
    WITHOUT_HISTORY,
    Case,
    Cases,
    Kind,
    Split,
)
from homefeed.evaluate.split.leave_last_out import leave_last_out
from homefeed.evaluate.split.next_basket import next_basket
from homefeed.evaluate.split.no_leak import assert_no_leak
from homefeed.evaluate.split.rolling import rolling

__all__ = [
    "NO_BASKET",
    "ONLY_REPEATS",
    "TOO_FEW_TARGETS",
    "WITHOUT_HISTORY",
    "Case",
    "Cases",
    "Kind",
    "Split",
    "assert_no_leak",
    "by_time",
    "by_user",
    "leave_last_out",
    "next_basket",
    "rolling",
]
