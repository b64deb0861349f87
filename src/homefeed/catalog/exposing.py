"""Counts what was shown and chosen: the same whatever the steps in which it is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from homefeed.catalog.exposures import (
    MOST_PLACES,
    Choices,
    Doubles,
    ExposuresModel,
    LatestShowings,
    Showings,
    place_rates,
)
from homefeed.catalog.pairs import keys_of
from homefeed.catalog.windows import LENGTHS, WINDOWS, faded
from homefeed.types import DAY, SECOND, Numbers

STEP: Final = 60 * SECOND
"""Exposures are those of whole minutes, so that every process counts the same."""
SETTLED: Final = 60 * SECOND
"""How long ago something was shown before it counts: by then every process has written it."""
MOST_PAIRS: Final = 4_000_000
"""The latest showings that are remembered at most, to put events down to: 84 MB."""
_PLACE_DAYS: Final = 30.0


def settled_at(now: int) -> int:
    """Until when exposures are counted at a moment: a whole minute, one to two minutes ago."""
    return (now - SETTLED) // STEP * STEP


def advanced(
    model: ExposuresModel, showings: Showings, choices: Choices, until: int, window: int
) -> ExposuresModel:
    """The exposures up to a later moment, by the showings before it, in the order of time, and by choices.

    A choice belongs to the latest showing of its item to its user at or before it, if that was within the
    `window`; a showing has one choice at most. Choices of a time from `until` on wait.
    """
    model = replace(model, waiting=model.waiting.joined(choices))
    for end in _moments(model, showings, until):
        first = int(np.searchsorted(showings.times, end))
        model = _step(model, showings.take(slice(0, first)), end, window)
        showings = showings.take(slice(first, None))
    return model


def _moments(model: ExposuresModel, showings: Showings, until: int) -> list[int]:
    """Midnights until then, for the rates by place are those of the days before; and the moment itself."""
    start = model.until or (int(showings.times[0]) if len(showings) else until)
    midnights = range((start // DAY + 1) * DAY, until, DAY)
    return [*midnights, until] if until > model.until else []


def _step(model: ExposuresModel, showings: Showings, until: int, window: int) -> ExposuresModel:
    """The exposures up to a moment that is no later than the next midnight."""
    due = model.waiting.times < until
    latest, chosen = _put_down(model.latest, showings, model.waiting.take(due), window)
    places = np.minimum(showings.places, MOST_PLACES - 1)
    highest = max(showings.items.max(initial=-1), chosen.items.max(initial=-1)) + 1
    old = faded(LENGTHS, np.array([until - model.until]))[0]
    expected, clicked = _room(model.expected, highest) * old, _room(model.chosen, highest) * old
    _add(expected, showings.items, model.place_rates[places][:, None] * faded(LENGTHS, until - showings.times))
    _add(clicked, chosen.items, faded(LENGTHS, until - chosen.times))
    shown_by_place = model.place_shown + np.bincount(places, minlength=MOST_PLACES)
    chosen_by_place = model.place_chosen + np.bincount(chosen.places, minlength=MOST_PLACES)
    counted = replace(
        model,
        until=until,
        expected=expected,
        chosen=clicked,
        place_shown=shown_by_place,
        place_chosen=chosen_by_place,
        latest=_remembered(latest, until - window),
        waiting=model.waiting.take(~due),
    )
    return _next_day(counted) if until % DAY == 0 else counted


def _next_day(model: ExposuresModel) -> ExposuresModel:
    left = np.exp(-1 / _PLACE_DAYS)
    rates = place_rates(model.place_shown, model.place_chosen)
    return replace(
        model, place_rates=rates, place_shown=model.place_shown * left, place_chosen=model.place_chosen * left
    )


def _put_down(
    latest: LatestShowings, showings: Showings, choices: Choices, window: int
) -> tuple[LatestShowings, Showings]:
    """The latest showing of each pair, and the choices that belong to a showing, in whose places they are."""
    shown_keys = keys_of(showings.users, showings.items)
    keys = np.concatenate([latest.keys, shown_keys, keys_of(choices.users, choices.items)])
    times = np.concatenate([latest.times, showings.times, choices.times])
    places = np.concatenate([latest.places, np.minimum(showings.places, MOST_PLACES - 1), np.zeros(len(choices))])
    taken = np.concatenate([latest.chosen, np.zeros(len(showings) + len(choices), np.bool_)])
    is_choice = np.arange(len(keys)) >= len(latest) + len(showings)
    order = np.lexsort((is_choice, times, keys))
    keys, times, taken, is_choice = keys[order], times[order], taken[order], is_choice[order]
    places = places[order].astype(np.int32)
    rows = np.arange(len(keys))
    # The last showing at or before each row, of its pair if its key is the same.
    before = np.maximum.accumulate(np.where(is_choice, -1, rows)) if len(rows) else rows
    belongs = is_choice & (before >= 0) & (keys[before] == keys) & (times - times[before] <= window)
    belongs &= ~taken[before]
    which, first = np.unique(before[belongs], return_index=True)
    taken[which] = True
    chosen = rows[belongs][first]
    users, items = (keys[chosen] >> 32).astype(np.int32), (keys[chosen] & 0xFFFFFFFF).astype(np.int32)
    found = Showings(times[chosen], users, items, places[which])
    shown = np.flatnonzero(~is_choice)
    last = shown[np.diff(keys[shown], append=-1) != 0]
    return LatestShowings(times[last], keys[last], places[last], taken[last]), found


def _remembered(latest: LatestShowings, since: int) -> LatestShowings:
    """Those that a choice may still belong to, and of more than can be kept the latest."""
    kept = np.flatnonzero(latest.times >= since)
    if len(kept) > MOST_PAIRS:
        kept = np.sort(kept[np.argsort(latest.times[kept], kind="stable")[-MOST_PAIRS:]])
    return latest if len(kept) == len(latest) else latest.take(kept)


def _room(counts: Doubles, size: int) -> Doubles:
    """The counts with rows for so many items."""
    more = max(size - len(counts), 0)
    return np.concatenate([counts, np.zeros((more, len(WINDOWS)))]) if more else counts


def _add(counts: Doubles, items: Numbers, amounts: Doubles) -> None:
    for window in range(len(WINDOWS)):
        counts[:, window] += np.bincount(items, amounts[:, window], len(counts))
