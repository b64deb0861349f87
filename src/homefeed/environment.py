"""The sources of time and ids, which tests and replays can replace."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

Clock: TypeAlias = Callable[[], int]


def system_clock() -> int:
    """Microseconds since 1970, UTC."""
    return time.time_ns() // 1_000


def random_id() -> str:
    """128 random bits in hexadecimal."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Environment:
    """What an app takes from the outside world, apart from its store."""

    clock: Clock = system_clock
    new_id: Callable[[], str] = random_id
