"""Which parameter somebody means who names one that a route does not know."""

from __future__ import annotations

import pytest

from homefeed.api.parameters import meant_by, refuse_mistaken
from homefeed.errors import InvalidError

FEED = frozenset(
    ("user_id", "n", "cursor", "item_id", "query", "latitude", "longitude", "radius_km", "filter", "exclude")
)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("limit", "n"),
        ("page_size", "n"),
        ("k", "n"),
        ("userId", "user_id"),
        ("user-id", "user_id"),
        ("USER", "user_id"),
        ("q", "query"),
        ("lng", "longitude"),
        ("latitde", "latitude"),
        ("filters", "filter"),
        ("offset", "cursor"),
        ("excludes", "exclude"),
        ("device", None),
        ("colour", None),
        ("utm_source", None),
        ("", None),
    ],
)
def test_who_is_meant(name: str, meant: str | None) -> None:
    assert meant_by(name, FEED) == meant


def test_of_two_words_for_one_thing_none_is_meant() -> None:
    assert meant_by("count", frozenset(("limit", "offset"))) == "limit"
    assert meant_by("count", frozenset(("k", "limit"))) is None


def test_a_mistaken_name_is_refused_unless_what_it_means_is_given() -> None:
    with pytest.raises(InvalidError, match=r"^limit: no parameter of this name; did you mean n\?$"):
        refuse_mistaken(["limit"], FEED, {"user_id"})
    refuse_mistaken(["limit"], FEED, {"n"})
    refuse_mistaken(["context.limit", "device"], FEED, set())
    refuse_mistaken(["user_id" * 10_000], FEED, set())
