"""What was shown and chosen, counted from the store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from homefeed.catalog import ExposuresModel
from homefeed.catalog.exposing import advanced
from homefeed.catalog.exposures import Choices, Showings
from homefeed.recipe import Recipe
from homefeed.store import Store
from homefeed.store.events import LogRows, rows_after
from homefeed.store.shown import NOBODY, ShownPages, extent_of_shown, stream_shown
from homefeed.types import DAY

_DAYS: Final = 30
"""What was shown earlier has faded, and is not read."""
_PAGE: Final = 20_000
_AT_ONCE: Final = 400_000
"""How many showings are counted at once."""
_NONE: Final = Showings()


async def expose(
    store: Store, recipe: Recipe, model: ExposuresModel, event_seq: int, until: int
) -> ExposuresModel:
    """The exposures up to a moment, and the choices of the log up to an event, for those that wait.

    A model of an earlier moment is taken further; one that has counted nothing starts 30 days before.
    """
    window, since = recipe.impressions.window_length, model.until or until - _DAYS * DAY
    choices = await _choices(store, recipe, model.watermark, event_seq, since)
    model = replace(model, waiting=model.waiting.joined(choices), watermark=max(model.watermark, event_seq))
    showings = _NONE
    if until > since:
        async for pages in stream_shown(store, recipe.app, since, until):
            showings = showings.joined(showings_of(pages))
            if len(showings) > _AT_ONCE:
                # What was shown at the last moment may go on in the next pages.
                last = int(pages.times[-1])
                model = await asyncio.to_thread(advanced, model, showings, Choices(), last, window)
                showings = showings.take(showings.times >= last)
    return await asyncio.to_thread(advanced, model, showings, Choices(), until, window)


async def counted_exposures(
    store: Store, recipe: Recipe, before: ExposuresModel | None, event_seq: int, until: int
) -> ExposuresModel:
    """The exposures up to a moment, going on from those of an earlier training where nothing was told later."""
    app = recipe.app
    if before is not None and before.until <= until and before.watermark <= event_seq:
        known = (await extent_of_shown(store, app, before.until - 7 * DAY, before.until)).pages
        # More pages than then were written late, or imported; fewer were deleted.
        before = before if known <= before.pages else None
    else:
        before = None
    model = await expose(store, recipe, before or ExposuresModel(), event_seq, until)
    return replace(model, pages=(await extent_of_shown(store, app, until - 7 * DAY, until)).pages)


def showings_of(pages: ShownPages) -> Showings:
    """The items shown to users who are known, once where a slate was given again."""
    known = (pages.users != NOBODY) & ~pages.reused
    page = np.repeat(np.arange(len(pages)), pages.sizes)
    first = np.cumsum(pages.sizes) - pages.sizes
    places = (np.arange(len(page)) - first[page] + pages.starts[page]).astype(np.int32)
    every = Showings(pages.times[page], pages.users[page], pages.items, places)
    return every if known.all() else every.take(known[page])


async def _choices(store: Store, recipe: Recipe, after: int, until: int, since: int) -> Choices:
    """The events of the log that serve the goal, not earlier than a time."""
    names = {recipe.event_types[code] for code in recipe.goal_types}
    parts, seq = [Choices()], after
    while seq < until and len(rows := await rows_after(store, recipe.app, seq, _PAGE, until)):
        parts.append(_choices_of(rows, names, since))
        seq = rows.seqs[-1]
    return _all_of(parts)


def _choices_of(rows: LogRows, names: set[str], since: int) -> Choices:
    columns = (np.array(rows.times, np.int64), np.array(rows.users, np.int32), np.array(rows.items, np.int32))
    serve = np.fromiter((name in names for name in rows.types), np.bool_, len(rows))
    return Choices(*columns).take(serve & (columns[0] >= since) & (columns[2] >= 0))


def _all_of(parts: Sequence[Choices]) -> Choices:
    return Choices(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("times", "users", "items"))
    )
