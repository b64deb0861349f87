"""Files in UBJ: whole ones, and those that are cut anywhere."""

from __future__ import annotations

import numpy as np
import pytest

from homefeed.rank.trees import Trees
from homefeed.rank.ubj import is_whole


@pytest.fixture(scope="module")
def ubj() -> bytes:
    """Trees as XGBoost writes them."""
    data = {"data": np.eye(4, dtype=np.float32), "label": np.arange(4, dtype=np.float32)}
    return Trees.grown({"max_depth": 2, "min_child_weight": 0}, 3, data, None, 1).ubj


def test_what_xgboost_writes_is_whole_and_cut_anywhere_it_is_not(ubj: bytes) -> None:
    assert is_whole(ubj)
    assert [length for length in range(len(ubj)) if is_whole(ubj[:length])] == []
    assert not is_whole(ubj + b"}")


@pytest.mark.parametrize(
    "data",
    [
        *(b"Z", b"T", b"i\xff", b"U\xff", b"I\x00\x01", b"d\x00\x00\x00\x00", b"Si\x02ab", b"{}", b"[]"),
        *(b"{i\x01ai\x05}", b"[i\x01i\x02]", b"[#i\x02i\x01i\x02", b"[$l#i\x01\x00\x00\x00\x07", b"[[]{}]"),
    ],
)
def test_values_by_hand(data: bytes) -> None:
    assert is_whole(data)
    assert not any(is_whole(data[:length]) for length in range(len(data)))


@pytest.mark.parametrize(
    "data",
    [
        *(
            b"?",
            b"]",
            b"Si\xff",
            b"Sd\x00\x00\x00\x00",
            b"[$i\x01",
            b"[$S#i\x01",
            b"{i\x01a}",
            b"[" * 100 + b"]" * 100,
        ),
        b"[#L\x7f\xff\xff\xff\xff\xff\xff\xff",
    ],
)
def test_what_is_no_value(data: bytes) -> None:
    assert not is_whole(data)
