"""Pseudo-random numbers that are the same in every process and at every call."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from homefeed.kernels import compiled
from homefeed.retrieve.arrays import Doubles
from homefeed.types import SECOND, Query

_HOUR: Final = 3_600 * SECOND


def draw_key(query: Query, hours: float, seed: int) -> int:
    """64 bits of the user and the period of so many hours. Users without an id share one."""
    period = query.now // max(round(hours * _HOUR), 1)
    return hashed(f"{seed}:{period}:{query.user.user_id or ''}")


def hashed(words: str) -> int:
    """64 bits of a text."""
    return int.from_bytes(blake2b(words.encode(), digest_size=8).digest(), "big")


def hash_uniform(key: int, numbers: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.uint64]:
    """(n,) pseudo-random numbers, each of the key and one of `numbers` (n,) alone.

    The output function of SplitMix64: Steele et al., "Fast splittable pseudorandom number generators" (OOPSLA
    2014). Permanent numbers are the same in every process, where positions need not be.
    """
    drawn = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(key)
    drawn = (drawn ^ (drawn >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    drawn = (drawn ^ (drawn >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return drawn ^ (drawn >> np.uint64(31))


@compiled
def mixed(key: np.uint64, number: np.integer[Any]) -> np.uint64:
    """What `hash_uniform` makes of a key and one number."""
    drawn = np.uint64(number) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(key)
    drawn = (drawn ^ (drawn >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    drawn = (drawn ^ (drawn >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.uint64(drawn ^ (drawn >> np.uint64(31)))


@compiled
def weighted_sample(
    key: np.uint64, numbers: npt.NDArray[np.integer[Any]], log_weights: Doubles
) -> npt.NDArray[np.intp]:
    """(n,) rows in the order of a draw without replacement, by weights whose logarithms (n,) are given.

    Each row has the key u^(1/w) of Efraimidis & Spirakis, "Weighted random sampling with a reservoir" (Information
    Processing Letters 2006), the largest first. Here it is ln(-ln u) - ln w, the smallest first: the same order,
    and weights may be as far apart as they like.
    """
    keys = np.empty(len(numbers))
    for row in range(len(numbers)):
        # 52 bits and a half: never 0 and never 1, whose logarithms are of no use.
        uniform = (np.float64(mixed(key, numbers[row]) >> np.uint64(12)) + 0.5) * 2.0**-52
        keys[row] = np.log(-np.log(uniform)) - log_weights[row]
    return np.argsort(keys, kind="mergesort")
