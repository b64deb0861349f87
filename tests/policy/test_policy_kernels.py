"""The loops of rerankers, held against the plain way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.policy.kernels import first_of_groups


@given(
    st.lists(st.integers(-3, 3), max_size=40)
    | st.lists(st.integers(-(2**31), 2**31 - 1), max_size=40)
    # Multiples of a power of two, as codes of few bits, are where a poor hash function puts all in one slot.
    | st.lists(st.integers(-8, 7).map(lambda code: code << 28), max_size=40)
)
def test_the_first_row_of_each_group(groups: list[int]) -> None:
    found = first_of_groups(np.array(groups, np.int32))
    assert found.tolist() == [groups.index(group) for group in groups]


@pytest.mark.parametrize("stride", [1, 2, 1_024, 65_536])
def test_many_groups(stride: int) -> None:
    groups = np.tile(np.arange(20_000, dtype=np.int32) * np.int32(stride), 2)
    _, firsts, which = np.unique(groups, return_index=True, return_inverse=True)
    assert first_of_groups(groups).tolist() == firsts[which].tolist()
