"""Features of pairs, as they are declared: one thing each, of fields that there are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from homefeed.labelled import LabelledPairs, PairFeature, problems_of

ITEMS = {"year": "number", "genre": "tags", "city": "category", "title": "text"}
USERS = {"age": "number", "city": "category"}


@pytest.mark.parametrize(
    "declared",
    [
        {},
        {"distance": "km", "within_km": 3},
        {"distance": "km", "item": "year"},
        {"within_km": 3, "user": "age"},
        {"within_km": 0},
        {"distance": "miles"},
        {"equals": "x"},
        {"item": "city", "user": "city", "equals": "Paris"},
        {"item": "city", "user": "city", "log": True},
        {"item": "city", "equals": "Paris", "log": True},
        {"distance": "proximity", "log": True},
        {"within_km": 3, "log": True},
        {"item": "No name"},
        {"item": "year", "more": 1},
    ],
)
def test_what_is_not_one_thing_is_refused(declared: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PairFeature.model_validate(declared)


@pytest.mark.parametrize(
    ("declared", "problem"),
    [
        ({"item": "year", "log": True}, None),
        ({"user": "age"}, None),
        ({"item": "genre", "user": "city"}, None),
        ({"item": "genre", "equals": "Drama"}, None),
        ({"distance": "km"}, 'items have no field of the kind "location"'),
        ({"item": "city"}, 'items.fields.city is declared as "category"; expected "number"'),
        (
            {"item": "title", "equals": "x"},
            'items.fields.title is declared as "text"; expected "category" or "tags"',
        ),
        ({"user": "height"}, 'users.fields.height is not declared; expected "number"'),
        (
            {"item": "city", "user": "age"},
            'users.fields.age is declared as "number"; expected "category" or "tags"',
        ),
    ],
)
def test_they_are_of_fields_that_there_are(declared: dict[str, Any], problem: str | None) -> None:
    found = dict(problems_of({"one": PairFeature.model_validate(declared)}, ITEMS, USERS))
    assert found == ({} if problem is None else {"one": problem})


def test_of_users_nothing_is_asked_where_their_fields_are_not_known() -> None:
    assert PairFeature(user="height").problem(ITEMS, None) is None
    assert PairFeature(distance="km").problem({"at": "location"}, None) is None


def test_some_pairs_are_taken_in_the_order_given() -> None:
    pairs = LabelledPairs(("a",), np.array([[1.0], [2], [3]]), np.array([True, False, False]))
    taken = pairs.take(np.array([2, 0]))
    assert (taken.names, taken.values.tolist(), taken.chosen.tolist()) == (("a",), [[3], [1]], [False, True])
    assert len(taken) == 2
