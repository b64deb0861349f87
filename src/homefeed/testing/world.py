"""A toy world small enough to know every right answer by heart: twelve items, eleven viewers and a newcomer.

Times are days before `NOW`. Every play of 3,600 seconds (120 of a microdrama) is a full one: a title's typical
full watch is its longest play, so a play of half of that has strength 0.5.

Planted tastes: da, do, de and dn love drama and watch the same titles together; sa, sk, so and sy science
fiction; mi, ma and mo the microdrama of the hour. cold has done nothing. d4 and s4 are so new that nobody has
played them: only their words tell whom they suit. h1 is hidden though drama lovers played it. x1 has no title,
no genre, no date and no plays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count as counting
from itertools import islice
from typing import Any, Final, NamedTuple

import numpy as np

from homefeed.catalog import CatalogView, Counters, Resources
from homefeed.engine import counters_of, empty_catalog, fit_models, fit_signals, prepare, resources_of
from homefeed.geo import Place
from homefeed.policy.request import Request
from homefeed.recipe import Recipe, parse_recipe
from homefeed.types import (
    DAY,
    NO_HISTORY,
    Condition,
    History,
    Interactions,
    Item,
    Positions,
    Query,
    TrainingData,
    UserState,
)

_STRANGERS: Final = counting(1_000_000)
"""The numbers of users who are none of a world's own."""

NOW: Final = 1_768_478_400 * 1_000_000
"""2026-01-15 12:00 UTC: the time of every request unless told otherwise."""


class Play(NamedTuple):
    """Somebody played something, so many days before `NOW`; or did something else that the recipe declares."""

    user_id: str
    item_id: str
    seconds: float
    days_ago: float
    event_type: str = "play"


def toy_item(
    position: int, item_id: str, days_old: float | None, *, hidden: bool = False, **attributes: Any
) -> Item:
    """An item of the toy world. Its permanent number is never its position, so that mixing them up shows."""
    created = None if days_old is None else NOW - int(days_old * DAY)
    return Item(item_id, 7 + 3 * position, attributes, created, hidden)


ITEMS: Final[tuple[Item, ...]] = (
    toy_item(0, "d1", 100, title="Harbour Lights", content_type="series", genre=["Drama"], year=2019),
    toy_item(1, "d2", 90, title="Winter Letters", content_type="series", genre=["Drama", "Romance"], year=2020),
    toy_item(2, "d3", 80, title="The Quiet Orchard", content_type="movie", genre=["Drama"], year=2021),
    toy_item(3, "s1", 70, title="Star Harvest", content_type="movie", genre=["SciFi"], year=2018),
    toy_item(4, "s2", 60, title="Orbital Dawn", content_type="movie", genre=["SciFi"], year=2022),
    toy_item(5, "s3", 50, title="Star Refuge", content_type="series", genre=["SciFi"], year=2023),
    toy_item(6, "c1", 40, title="Laugh Track", content_type="microdrama", genre=["Comedy"], year=2024),
    toy_item(7, "c2", 10, title="Second Breakfast", content_type="microdrama", genre=["Comedy"], year=2026),
    toy_item(8, "s4", 1.25, title="Orbital Dusk", content_type="movie", genre=["SciFi"], year=2026),
    toy_item(9, "d4", 0.125, title="Harbour Nights", content_type="series", genre=["Drama"], year=2026),
    toy_item(10, "h1", 30, hidden=True, title="Winter Secrets", content_type="series", genre=["Drama"], year=2020),
    toy_item(11, "x1", None),
)

USERS: Final = ("da", "do", "de", "dn", "sa", "sk", "so", "sy", "mi", "ma", "mo", "cold")

PLAYS: Final[tuple[Play, ...]] = (
    Play("da", "d1", 3600, 40),
    Play("da", "d2", 3600, 39),
    Play("do", "d1", 3600, 38),
    Play("do", "d2", 3600, 37),
    Play("do", "d3", 3600, 36),
    Play("do", "h1", 3600, 35),
    Play("de", "d1", 3600, 34),
    Play("de", "d3", 3600, 33),
    Play("de", "h1", 1800, 32),
    Play("dn", "d1", 3600, 31),
    Play("sa", "s1", 3600, 30),
    Play("sa", "s2", 3600, 29),
    Play("sk", "s1", 3600, 28),
    Play("sk", "s2", 3600, 27),
    Play("sk", "s3", 3600, 26),
    Play("so", "s1", 3600, 25),
    Play("so", "s2", 1800, 24),
    Play("dn", "d2", 3600, 12),
    Play("sy", "s1", 3600, 10),
    Play("so", "s3", 2700, 8),
    Play("mi", "d1", 3600, 6),
    Play("mi", "c1", 120, 2),
    Play("mi", "c2", 120, 0.25),
    Play("ma", "c2", 120, 0.125),
    Play("mo", "c2", 30, 0.0625),
)

POPULAR: Final = ("d1", "s1", "d2", "s2", "c2", "d3", "s3", "c1", "x1", "d4", "s4")
"""By ln(1 + plays) + ln(1 + full watches); the three nobody played last, newest in the catalogue first."""

TRENDING: Final = ("c2", "c1", "d1", "s3", "s1", "d2", "s2", "d3")
"""By full watches halved every two days; what has none left does not trend."""

FRESH: Final = ("d4", "s4", "c2")
"""Younger than 14 days, newest first."""

NEIGHBOURS: Final[Mapping[str, tuple[str, ...]]] = {
    "d1": ("d2", "d3", "h1", "c1", "c2"),
    "d2": ("d1", "h1", "d3"),
    "s1": ("s2", "s3"),
    "s2": ("s1", "s3"),
    "c1": ("c2", "d1"),
    "d4": (),
    "x1": (),
}
"""Items that the same people played, most similar first; h1 is among them, and hidden."""

LOOKALIKES: Final[Mapping[str, str]] = {"d1": "d4", "d4": "d1", "s2": "s4", "s4": "s2", "c1": "c2", "c2": "c1"}
"""The item whose words are most like those of another."""

BECAUSE: Final[Mapping[tuple[str, str], str]] = {
    ("da", "d3"): "d1",
    ("da", "c1"): "d1",
    ("sa", "s3"): "s1",
    ("sy", "s2"): "s1",
    ("mi", "d2"): "d1",
}
"""For a viewer and an item: which of what they played speaks most for it."""

TOY_SIMILARITY: Final[Mapping[str, float]] = {
    "cosine": 1.0,
    "ridge": 0.0,
    "spectral": 0.0,
    "cold_item_weight": 0.0,
    "user_exponent": 0.5,
    "item_exponent": 0.4,
    "power": 1.0,
    "shrinkage": 0.5,
}
"""The damped cosine alone: what can be told by hand."""

RECIPE: Final[Mapping[str, Any]] = {
    "app": "toy",
    "items": {"fields": {"title": "text", "content_type": "category", "genre": "tags", "year": "number"}},
    "events": {"play": {"full": "typical"}},
    "signals": {"full_quantile": 1.0, "full_shrinkage": 0.0, "full_default": 2700.0, "full_group": "content_type"},
    "models": {
        "item_item": TOY_SIMILARITY,
        "content": {"fields": {"title": 1.0, "genre": 2.0, "content_type": 1.0}},
    },
    "feeds": {
        "popular": {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}},
        "home": {
            "cold_start": "popular",
            "filter": {"consumption_limit": {}},
            "retrieve": {name: {} for name in ("item_item", "content", "trending", "fresh", "popular")},
            "rank": {"weighted": {"weights": {"item_item": 1.0, "content": 0.2, "popular": 0.1}}},
        },
    },
}


@dataclass(frozen=True, slots=True)
class World:
    """A catalogue, what was played of it, and the models fitted to that: all that a part is built with."""

    recipe: Recipe
    resources: Resources
    data: TrainingData
    histories: Mapping[str, History]

    @property
    def catalog(self) -> CatalogView:
        """The catalogue; apply items to it to change it."""
        return self.resources.catalog

    @property
    def counters(self) -> Counters:
        """The counters; add events to them to change them."""
        return self.resources.counters

    def position(self, item_id: str) -> int:
        """Where an item is."""
        found = self.catalog.position(item_id)
        if found is None:
            raise KeyError(item_id)
        return found

    def positions(self, *item_ids: str) -> Positions:
        """Where items are."""
        return np.array([self.position(item_id) for item_id in item_ids], np.int32)

    def ids(self, positions: Positions) -> tuple[str, ...]:
        """The ids of items at positions."""
        return tuple(self.catalog.item_id(position) for position in positions.tolist())

    def choose(self, positions: Positions, strength: float = 1.0, time: int = NOW) -> None:
        """Let strangers choose items (n,) at positions: each time another user, of whom nothing else is known."""
        count = len(positions)
        strangers = np.fromiter(islice(_STRANGERS, count), np.int32, count)
        strengths, times = np.full(count, strength, np.float32), np.full(count, time, np.int64)
        self.counters.add(strangers, positions, strengths, times)

    def query(
        self,
        user_id: str | None = None,
        *,
        n: int = 10,
        now: int = NOW,
        anchor: str | None = None,
        conditions: tuple[Condition, ...] = (),
        exclude: tuple[str, ...] = (),
        history: History | None = None,
        attributes: Mapping[str, Any] | None = None,
        recently_shown: tuple[str, ...] = (),
        place: Place | None = None,
        radius_km: float | None = None,
    ) -> Query:
        """A request whose eligible mask is filled in as a feed without policies of its own would.

        `history` takes the place of what the user did in this world; `attributes` are the user's.
        """
        known = self.histories.get(user_id or "", NO_HISTORY) if history is None else history
        fields: dict[str, Any] = {
            "app": self.recipe.app,
            "feed": "home",
            "user": UserState(user_id, known, attributes or {}),
            "now": now,
            "n": n,
            "anchor": None if anchor is None else self.position(anchor),
            "conditions": conditions,
            "exclude": self.positions(*exclude),
            "recently_shown": self.positions(*recently_shown),
            "place": place,
            "radius_km": radius_km,
        }
        asked = Request(Request.Config(), self.resources).filter(Query(**fields))
        available = self.catalog.available
        return Query(**fields, eligible=available & asked, explainable=available)


def toy_world() -> World:
    """A toy world of one's own, with the right answers above."""
    return make_world(ITEMS, PLAYS)


def empty_world() -> World:
    """A world before its first item, its models fitted to nothing."""
    return make_world((), ())


def make_world(
    items: Sequence[Item], plays: Sequence[Play], *, seed: int = 0, declared: Mapping[str, Any] = RECIPE
) -> World:
    """A world of any items and plays, under the toy world's recipe or another, declared as a table."""
    recipe = parse_recipe(declared, "the toy world")
    catalog = empty_catalog(recipe)
    catalog.apply(items)
    prepared = prepare(recipe, _training_data(recipe, catalog, plays, seed))
    counters = counters_of(recipe, catalog, fit_signals(recipe, prepared, watermark=len(plays)))
    models = fit_models(recipe, prepared.data)
    resources = resources_of(recipe, catalog, counters, models)
    return World(recipe, resources, prepared.data, _histories(prepared.data, plays))


def _training_data(recipe: Recipe, catalog: CatalogView, plays: Sequence[Play], seed: int) -> TrainingData:
    rows = {user_id: row for row, user_id in enumerate(dict.fromkeys(play.user_id for play in plays))}
    ordered = sorted(plays, key=lambda play: -play.days_ago)
    interactions = Interactions(
        users=np.array([rows[play.user_id] for play in ordered], np.int32),
        items=np.array([catalog.position(play.item_id) for play in ordered], np.int32),
        types=np.array([recipe.event_types.index(play.event_type) for play in ordered], np.int32),
        values=np.array([play.seconds for play in ordered], np.float32),
        strengths=np.zeros(len(ordered), np.float32),
        times=np.array([NOW - int(play.days_ago * DAY) for play in ordered], np.int64),
    )
    numbers, partitions = catalog.numbers.copy(), catalog.partitions()
    terms = catalog.all_terms()
    return TrainingData(interactions, len(rows), numbers, terms, NOW, seed, partitions=partitions)


def _histories(data: TrainingData, plays: Sequence[Play]) -> dict[str, History]:
    events = data.interactions
    histories = {}
    for row, user_id in enumerate(dict.fromkeys(play.user_id for play in plays)):
        own = events.take(events.users == row)
        histories[user_id] = History(own.items, own.types, own.values, own.strengths, own.times)
    return histories
