"""Which filters keep what they stop out of the reasons: those that go by the item, not by what the user did."""

from __future__ import annotations

import pytest

from homefeed.recipe import find_part, part_names

RESTRICTING = {"availability", "isolation", "not_yet", "permitted", "quality", "reported"}


@pytest.mark.parametrize("name", part_names("filter"))
def test_no_reason_names_what_they_stop(name: str) -> None:
    restricts = getattr(find_part("filter", name), "restricts_explanations", None)
    assert restricts is (True if name in RESTRICTING else None)
