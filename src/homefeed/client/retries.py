"""When a request is sent again: where nothing was heard of it, or the server cannot take it now."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

AGAIN: Final = frozenset((429, 502, 503, 504))
"""Statuses after which a request is sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often and when a request is sent again. All that the client sends may be sent twice: it counts once.

    Before attempt k it waits a random time up to `base_seconds` x 2^(k - 1), `max_seconds` at most ("full jitter",
    M. Brooker, Exponential Backoff And Jitter, 2015), and at least what `Retry-After` says; where that is more
    than `max_seconds` the answer is an error at once.
    """

    attempts: int = 4
    base_seconds: float = 0.25
    max_seconds: float = 10.0
    random: Callable[[], float] = random.random

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.base_seconds < 0 or self.max_seconds < 0:
            raise ValueError("retries: expected at least 1 attempt, and seconds of 0 or more")

    def seconds(self, attempt: int, retry_after: str | None = None) -> float | None:
        """How long to wait after an attempt, from 1, that failed; None where it is not to be tried again."""
        least = _seconds(retry_after)
        if attempt >= self.attempts or least > self.max_seconds:
            return None
        most = min(self.max_seconds, self.base_seconds * 2.0 ** (attempt - 1))
        return max(least, self.random() * most)


def _seconds(retry_after: str | None) -> float:
    """What `Retry-After` says in seconds; 0 where it says nothing, or a date."""
    return float(retry_after) if retry_after is not None and retry_after.isdecimal() else 0.0
