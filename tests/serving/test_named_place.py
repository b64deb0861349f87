"""The place that a request names."""

from __future__ import annotations

import pytest

from homefeed.errors import InvalidError
from homefeed.geo import Place
from homefeed.serving import named_place


def test_a_place_is_named_whole() -> None:
    assert named_place(None, None) is None
    assert named_place(1, 2) == Place(1, 2)
    for latitude, longitude, missing in ((1.0, None, "longitude"), (None, 1.0, "latitude")):
        with pytest.raises(InvalidError, match=f"^{missing}: expected both latitude and longitude, or neither$"):
            named_place(latitude, longitude)
