"""The longest cursor that is made is one that is read; a longer text is refused before it is looked at."""

from __future__ import annotations

import numpy as np
import pytest

from homefeed.errors import InvalidError
from homefeed.serving import cursor as cursors


def test_the_longest_cursor_is_read() -> None:
    rng = np.random.default_rng(1)
    numbers = rng.integers(0, 2**31 - 1, cursors.MOST_SHOWN, dtype=np.int32)
    made = cursors.Cursor(2**53, np.unique(numbers), numbers[-cursors.LAST :])
    text = cursors.encode(made)
    assert len(text) < cursors.LONGEST_TEXT
    assert np.array_equal(np.unique(cursors.decode(text).shown), np.unique(numbers))
    with pytest.raises(InvalidError, match=r"send next_cursor as it was received"):
        cursors.decode(text.ljust(cursors.LONGEST_TEXT + 1, "A"))
