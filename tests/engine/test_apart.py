"""Models of an app whose users are kept apart: each partition's by its own items, events and users."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from homefeed.engine import fit_model, fit_signals, prepare
from homefeed.engine.apart import fit_apart, partitions_of
from homefeed.errors import RecipeError
from homefeed.retrieve.arrays import ArrayModel
from homefeed.retrieve.lightgcn.model import LightgcnModel
from homefeed.testing import Play, World, make_world
from homefeed.testing.world import NOW, RECIPE
from homefeed.types import Item

DECLARED: dict[str, Any] = {
    **RECIPE,
    "items": {"fields": {"title": "text", "content_type": "category", "town": "category"}},
    "users": {"fields": {"town": "category"}},
    "isolation": {"item": "town", "user": "town"},
    "models": {
        "als": {"factors": 2},
        "association": {"min_baskets": 1},
        "content": {"fields": {"title": 1.0}},
        "item_item": {},
        **({"lightgcn": {"factors": 2, "epochs": 2}} if LightgcnModel.needs.is_installed else {}),
        "sequence": {},
        "similar": {"fields": {"title": 1.0}},
        "user_user": {},
    },
    "feeds": {"popular": RECIPE["feeds"]["popular"]},
}
TITLES = ("red hat", "red shoe", "blue hat", "red hat and scarf", "red", "blue shoe")
TOWNS = ("a", "b", "a", "b", "a", None)
PLAYS = [
    *(Play(f"{town}{user}", f"i{item}", seconds, 9 - user) for town, user, item, seconds in (
        ("a", 0, 0, 60), ("a", 0, 2, 60), ("a", 1, 0, 60), ("a", 1, 4, 60), ("a", 1, 2, 60),
        ("b", 0, 1, 6_000), ("b", 0, 3, 6_000), ("b", 1, 1, 6_000), ("b", 1, 3, 6_000), ("b", 2, 5, 9),
    )),
]  # fmt: skip


def world() -> World:
    items = [
        Item(
            f"i{n}",
            10 * n,
            {"title": title, "content_type": "hat"} | ({} if town is None else {"town": town}),
            NOW,
        )
        for n, (title, town) in enumerate(zip(TITLES, TOWNS, strict=True))
    ]
    return make_world(items, PLAYS, declared=DECLARED)


WORLD = world()


def test_a_partition_has_its_own_items_events_and_users() -> None:
    parts = dict(partitions_of(WORLD.data))
    assert list(parts) == ["a", "b"]
    assert parts["a"].numbers.tolist() == [0, 20, 40]
    assert parts["b"].numbers.tolist() == [10, 30]
    assert list(parts["a"].terms["title"]) == [("red hat",), ("blue hat",), ("red",)]
    assert (parts["a"].user_count, parts["b"].user_count) == (2, 2)
    events = parts["a"].interactions
    assert sorted(zip(events.users.tolist(), events.items.tolist(), strict=True)) == [
        (0, 0), (0, 1), (1, 0), (1, 1), (1, 2),
    ]  # fmt: skip


def test_without_a_partition_there_is_one_of_nothing() -> None:
    (only,) = partitions_of(replace(WORLD.data, partitions=[""] * len(TITLES)))
    assert only[0] == ""
    assert (only[1].item_count, len(only[1].interactions), only[1].user_count) == (0, 0, 0)


def test_a_typical_full_value_is_of_the_partition() -> None:
    prepared = prepare(WORLD.recipe, WORLD.data)
    assert prepared.full.tolist() == [60, 6_000, 60, 6_000, 60, 2_700]
    model = fit_signals(WORLD.recipe, prepared, 0)
    assert {name: model.group_full[name] for name in ("hat\x1fa", "\x1fa", "hat\x1fb")} == {
        "hat\x1fa": 60, "\x1fa": 60, "hat\x1fb": 6_000,
    }  # fmt: skip
    assert model.default_full == 2_700


def test_a_new_item_has_the_typical_full_value_of_its_own_partition() -> None:
    made = world()
    new = [("n1", "a", "hat"), ("n2", "b", "coat"), ("n3", "c", "hat")]
    made.catalog.apply(
        Item(name, 1_000 + n, {"title": name, "town": town, "content_type": kind}, NOW)
        for n, (name, town, kind) in enumerate(new)
    )
    assert made.counters.full[len(TITLES) :].tolist() == [60, 6_000, 2_700]


@pytest.mark.parametrize("name", sorted(DECLARED["models"]))
def test_what_is_joined_is_what_each_would_be_alone(name: str, tmp_path: Path) -> None:
    (spec,) = (spec for spec in WORLD.recipe.models if spec.name == name)
    joined: Any = fit_model(spec, WORLD.data)
    joined.save(tmp_path)
    again: Any = type(joined).load(tmp_path)
    assert again.numbers.tolist() == joined.numbers.tolist()
    rows = {number: row for row, number in enumerate(again.numbers.tolist())}
    for _, part in partitions_of(WORLD.data):
        alone: Any = fit_model(spec, part)
        of_part = [rows[number] for number in alone.numbers.tolist()]
        for field in ("vectors", "factors", "damping", "derived", "marks"):
            column = getattr(alone, field, None)
            if isinstance(column, np.ndarray):
                # Vectors of the smaller partition are as long as those of the larger one.
                width = (slice(column.shape[-1]),) * (column.ndim - 1)
                assert getattr(again, field)[of_part][:, *width].tolist() == column.tolist()
        if hasattr(alone, "indptr"):
            for own, row in enumerate(of_part):
                mine, theirs = (slice(*model.indptr[n : n + 2]) for model, n in ((alone, own), (again, row)))
                assert [of_part[other] for other in alone.indices[mine]] == again.indices[theirs].tolist()
                assert alone.weights[mine].tolist() == again.weights[theirs].tolist()


def test_a_word_counts_as_it_does_in_the_partition_of_the_item() -> None:
    model: Any = WORLD.resources.models["similar"]
    items = [{"title": ["red hat"]}] * 2
    rows = model.vectors(items, ["a", "b"]).toarray()
    word = {name: model.word_weights[column] for name, column in model.words.items()}
    # In a, 2 of 3 items have each of the words; in b both have "red", and one "hat".
    assert word["title=red\x1fa"] == pytest.approx(np.log(4 / 3) + 1)
    assert word["title=red\x1fb"] == pytest.approx(np.log(3 / 3) + 1)
    assert (rows[0] != 0).sum() == 3
    assert not (rows[0] * rows[1]).any()
    content: Any = WORLD.resources.models["content"]
    assert not content.embed(items[:1], [None]).any()
    assert content.embed(items[:1], ["a"]).any()


@dataclass(frozen=True, slots=True)
class _Whole(ArrayModel):
    """A model of all at once."""

    size: int


def test_a_model_that_cannot_be_joined_is_refused_where_users_are_kept_apart() -> None:
    with pytest.raises(RecipeError, match=r"models\.whole: .*_Whole has no joined\(\)"):
        fit_apart("whole", WORLD.data.numbers, [("a", _Whole(1))])
