"""Weeks of serving, feedback and training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from homefeed.blas import one_thread
from homefeed.engine import fit_ranking_model
from homefeed.errors import HomefeedError, NotFoundError
from homefeed.funnel import recommend
from homefeed.protocols import Model
from homefeed.rank.examination import Examination, examination_by_swaps, unknown_examination
from homefeed.recipe import Recipe
from homefeed.testing.simulation.pages import Shown, learned_from
from homefeed.testing.simulation.service import Service
from homefeed.testing.simulation.world import SimulatedWorld, Truth, make_truth
from homefeed.types import DAY, Codes, Mask, Slate

Doubles = npt.NDArray[np.float64]

_BEFORE: Final = 30 * DAY
"""In so long before the start users met what they met by chance."""


@dataclass(frozen=True, slots=True, eq=False)
class Week:
    """A week, from 0: columns (requests,) in the order of time, the same requests whatever the recipe.

    `clicks` are how many items of the page were clicked, `expected` how many clicks were to be expected of it,
    which has less chance in it, and `ndcg` how near the page came to the best one, gains being how likely an item
    is wanted. `ranked_by` is the part that ranked, `shown` all items shown, and `examination` what was known of
    places at its end.
    """

    number: int
    ranked_by: str
    users: Codes
    clicks: Codes
    expected: Doubles
    ndcg: Doubles
    shown: Shown
    examination: Examination


def simulate(
    recipe: Recipe, world: SimulatedWorld, *, weeks: int, seed: int = 0, feed: str = "home", weigh: bool = True
) -> list[Week]:
    """What a recipe's feed would do in a world: so many weeks of serving, feedback and training.

    At the beginning of each week the recipe's models are fitted to all choices so far, and its feed's learned
    ranker, if it declares one, to all pages so far, without the gate of `homefeed train`: it ranks from the second
    week on. With `weigh` its clicks are weighed by the examination of places, as measured from what the reranker
    `swap` did; without, or without that reranker, they all count the same.

    Items have the attributes title, category, from "c0", and rating, from 1 to 5; users have none. The recipe
    declares which of them are fields; a feed for cold starts is left out. A choice is an event of the first type
    of its goal, without a value. Two recipes with the same seed get the same requests, and chance is the same for
    both: compare them request by request, `homefeed.evaluate.bootstrap.paired_differences` tells how.

    Raises:
        NotFoundError: the recipe has no such feed.
    """
    if feed not in recipe.feeds:
        raise NotFoundError(f'no feed "{feed}" in {recipe.app}; its feeds: {", ".join(recipe.feeds)}')
    with one_thread():  # as the server does
        return list(_weeks(recipe, world, weeks, seed, feed, weigh))


def _weeks(recipe: Recipe, world: SimulatedWorld, weeks: int, seed: int, feed: str, weigh: bool) -> Iterator[Week]:
    truth = make_truth(world, weeks, seed)
    service = Service(recipe, truth.items, world.users, seed)
    _meet(truth, service, seed)
    pages: list[Shown] = []
    examination = unknown_examination()
    rankers: Mapping[str, Model] = {}
    for number in range(weeks):
        service.train(world.start + number * 7 * DAY, rankers)
        week = _served(truth, service, number, feed, seed)
        pages.append(week)
        shown = Shown.joined(pages)
        if weigh:
            examination = examination_by_swaps(shown.showings, np.random.default_rng([seed, 3]))
        yield _figures(truth, service, number, feed, week, examination)
        rankers = _rankers(recipe, feed, shown, service.event_type, examination, seed)


def _meet(truth: Truth, service: Service, seed: int) -> None:
    """What users chose before the first page, of items met by chance."""
    world, rng = truth.world, np.random.default_rng([seed, 1])
    for user in range(world.users):
        met = rng.permutation(world.items)[: world.met].astype(np.int32)
        chosen = met[rng.random(len(met)) < truth.wanted[user, met]]
        for item in chosen:
            time = max(world.start - int(rng.integers(1, _BEFORE)), int(truth.created[item]))
            service.tell(user, np.array([item], np.int32), time)


def _served(truth: Truth, service: Service, number: int, feed: str, seed: int) -> Shown:
    """All pages of a week, each with the clicks that followed at once."""
    world, parts, day = truth.world, list[tuple[Slate, Mask]](), -1
    asked = replace(service.feeds[feed], cold_start=None)
    askers, moments = truth.askers[number].tolist(), truth.moments[number].tolist()
    for request, (user, now) in enumerate(zip(askers, moments, strict=True)):
        if now // DAY > day:
            service.catch_up()
            day = now // DAY
        slate = recommend(asked, service.query(feed, user, now, world.page))
        # Chance is the same for a request and an item, and for a request and a place, whatever is shown.
        rng = np.random.default_rng([seed, 2, number, request])
        looked_at = rng.random(world.page)[: len(slate)] < world.examination[: len(slate)]
        clicked = looked_at & (rng.random(len(truth.items))[slate.positions] < truth.wanted[user, slate.positions])
        service.tell(user, slate.positions[clicked], now)
        parts.append((slate, clicked))
    return _columns(parts)


def _columns(parts: list[tuple[Slate, Mask]]) -> Shown:
    lengths = [len(slate) for slate, _ in parts]
    return Shown(
        np.repeat(np.arange(len(parts), dtype=np.int32), lengths),
        np.concatenate([np.arange(length, dtype=np.int32) for length in lengths]),
        np.concatenate([slate.positions for slate, _ in parts]),
        np.concatenate([clicked for _, clicked in parts]),
        np.concatenate([slate.propensities for slate, _ in parts]),
        parts[0][0].feature_names,
        np.concatenate([slate.features for slate, _ in parts]),
    )


def _figures(
    truth: Truth, service: Service, number: int, feed: str, shown: Shown, examination: Examination
) -> Week:
    askers = truth.askers[number]
    wanted = truth.wanted[askers[shown.requests], shown.items]
    count = len(askers)
    expected = np.bincount(shown.requests, wanted * truth.world.examination[shown.places], minlength=count)
    gained = np.bincount(shown.requests, wanted / np.log2(shown.places + 2), minlength=count)
    clicks = np.bincount(shown.requests, shown.clicked, minlength=count).astype(np.int32)
    return Week(
        number=number,
        ranked_by=service.feeds[feed].ranked_by,
        users=askers,
        clicks=clicks,
        expected=expected.astype(np.float64),
        ndcg=gained / _best_gains(truth, number),
        shown=shown,
        examination=examination,
    )


def _best_gains(truth: Truth, number: int) -> Doubles:
    """(requests,) the gain of the page of those items that a user wants most, of all that were there."""
    gains = np.empty(truth.askers.shape[1])
    discounts = 1 / np.log2(np.arange(truth.world.page) + 2)
    for request, (user, now) in enumerate(zip(truth.askers[number], truth.moments[number], strict=True)):
        there = np.arange(np.searchsorted(truth.created, now, side="right"), dtype=np.int32)
        best = truth.best(int(user), there)
        gains[request] = best @ discounts[: len(best)]
    return gains


def _rankers(
    recipe: Recipe, feed: str, shown: Shown, event_type: str, examination: Examination, seed: int
) -> Mapping[str, Model]:
    """The feed's learned ranker, if it declares one and there is enough to learn from."""
    if recipe.feeds[feed].learned is None:
        return {}
    spec = recipe.learned_ranker(feed)
    try:
        return {spec.name: fit_ranking_model(spec, learned_from(shown, event_type, examination, seed))}
    except HomefeedError:
        return {}
