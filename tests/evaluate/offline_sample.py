"""Worlds with planted tastes, where every user loves one of three genres, and what an evaluation of them does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from homefeed.engine import Prepared, prepare
from homefeed.evaluate import judging, setting
from homefeed.evaluate.evaluation import Evaluation
from homefeed.evaluate.metrics import Judged, judge
from homefeed.evaluate.offline import evaluate_app
from homefeed.evaluate.protocol import Protocol
from homefeed.recipe import Recipe
from homefeed.testing import Play, World, make_world, toy_item
from homefeed.types import Interactions, Item, Positions, TrainingData

GENRES = ("Drama", "SciFi", "Comedy")


def planted_world(seed: int = 1, users: int = 42, items: int = 60, plays: int = 20) -> World:
    """Items spread over the genres; each user plays what is of theirs, except every eighth time."""
    rng = np.random.default_rng(seed)
    catalog: list[Item] = [
        toy_item(n, f"i{n}", 200, hidden=n % 20 == 19, title=f"Title {n}", genre=[GENRES[n % 3]])
        for n in range(items)
    ]
    played = [
        Play(f"u{user}", f"i{_chosen(rng, user, items)}", float(rng.integers(60, 3600)), float(rng.uniform(0, 60)))
        for user in range(users)
        for _ in range(plays)
    ]
    return make_world(catalog, played)


def _chosen(rng: np.random.Generator, user: int, items: int) -> int:
    item = int(rng.integers(items))
    return item if rng.random() < 1 / 8 else item - item % 3 + user % 3


def evaluated(world: World, **options: Any) -> Evaluation:
    """An evaluation split by time, unless the options say otherwise."""
    options.setdefault("protocol", Protocol("time"))
    return evaluate_app(world.recipe, world.catalog, world.data, **options)


def with_events(world: World, change: Callable[[Interactions], Interactions]) -> World:
    return replace(world, data=replace(world.data, interactions=change(world.data.interactions)))


def rewritten(world: World, since: int, seed: int) -> World:
    """The same past; all events since then by other users, about other items, with other values."""
    rng = np.random.default_rng(seed)

    def change(events: Interactions) -> Interactions:
        later = events.times >= since
        count = int(later.sum())
        columns: dict[str, npt.NDArray[Any]] = {
            "users": rng.permutation(events.users[later]),
            "items": rng.integers(0, world.catalog.size, count).astype(np.int32),
            "values": rng.integers(1, 90_000, count).astype(np.float32),
        }
        changed = {name: getattr(events, name).copy() for name in columns}
        for name, column in columns.items():
            changed[name][later] = column
        return replace(events, **changed)

    return with_events(world, change)


@dataclass
class Seen:
    """What an evaluation did: what it prepared models from, and the lists of each system, case by case."""

    past: list[TrainingData] = field(default_factory=list)
    prepared: list[Prepared] = field(default_factory=list)
    lists: list[Sequence[Positions]] = field(default_factory=list)


def watched(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """What evaluations do from now on."""
    seen = Seen()

    def see_prepare(recipe: Recipe, data: TrainingData) -> Prepared:
        seen.past.append(data)
        seen.prepared.append(prepare(recipe, data))
        return seen.prepared[-1]

    def see_judge(lists: Sequence[Positions], targets: Sequence[Positions]) -> Judged:
        seen.lists.append(lists)
        return judge(lists, targets)

    monkeypatch.setattr(setting, "prepare", see_prepare)
    monkeypatch.setattr(judging, "judge", see_judge)
    return seen
