"""What was shown and chosen, counted from the store."""

from __future__ import annotations

import numpy as np
from tests.dataset.shown_log import START, Page, Told, at, recipe_with, write_log

from homefeed.catalog import ExposuresModel
from homefeed.dataset import exposed
from homefeed.dataset.exposed import counted_exposures, expose
from homefeed.store import Store
from homefeed.types import DAY

RECIPE = recipe_with(window="2h")
EVERY_EVENT = 1_000


def counts(model: ExposuresModel) -> list[float]:
    """How often each of the first places was shown, and chosen: what fades by the day has not yet."""
    return [*model.place_shown[:3].tolist(), *model.place_chosen[:3].tolist()]


async def test_pages_and_events_are_counted(store: Store) -> None:
    pages = [Page(0, "abc"), Page(1, "ab", user=None), Page(2, "abc", reused=True), Page(3, "c", start=2)]
    events = [Told(5, "b"), Told(5, "c"), Told(5, "c", type="other"), Told(5, "a", user="v")]
    await write_log(store, "shop", pages, events)
    model = await expose(store, RECIPE, ExposuresModel(), EVERY_EVENT, at(60))
    # Nobody's page and the slate that was given again count for nothing.
    assert counts(model) == [1, 1, 2, 0, 1, 1]
    assert (model.until, model.watermark) == (at(60), EVERY_EVENT)


async def test_it_goes_on_where_it_stopped(store: Store, monkeypatch: object) -> None:
    pages = [Page(minute, "abc", request=f"r{minute}", user=f"u{minute % 3}") for minute in range(0, 100, 7)]
    events = [Told(minute + 4, "abc"[minute % 3], user=f"u{minute % 3}") for minute in range(0, 100, 7)]
    await write_log(store, "shop", pages, events)
    once = await expose(store, RECIPE, ExposuresModel(), EVERY_EVENT, at(200))
    model = ExposuresModel()
    for seq, minute in ((3, 20), (9, 21), (9, 60), (EVERY_EVENT, 200)):
        model = await expose(store, RECIPE, model, seq, at(minute))
    np.testing.assert_allclose(model.chosen, once.chosen)
    np.testing.assert_allclose(model.expected, once.expected)
    assert counts(once)[3:] == [5, 5, 5]


async def test_many_pages_are_counted_some_at_a_time(store: Store, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    pages = [Page(minute, "abc", request=f"r{minute}") for minute in (0, 1, 1, 1, 2, 3)]
    pages = [Page(page.minute, page.items, request=f"r{n}") for n, page in enumerate(pages)]
    await write_log(store, "shop", pages, [Told(4, "a")])
    once = await expose(store, RECIPE, ExposuresModel(), EVERY_EVENT, at(60))
    monkeypatch.setattr(exposed, "_AT_ONCE", 2)
    monkeypatch.setattr("homefeed.store.shown._PAGE", 2)
    parts = await expose(store, RECIPE, ExposuresModel(), EVERY_EVENT, at(60))
    assert counts(parts) == counts(once) == [6, 6, 6, 1, 0, 0]
    np.testing.assert_allclose(parts.expected, once.expected)


async def test_what_is_older_than_thirty_days_is_not_read(store: Store) -> None:
    await write_log(store, "shop", [Page(0, "a"), Page(60, "b")], [Told(1, "a")])
    model = await expose(store, RECIPE, ExposuresModel(), EVERY_EVENT, START + 30 * DAY + 60_000_000)
    assert np.round(model.of(np.array([1, 2], np.int32))[0][:, 2] > 0).tolist() == [0, 1]


async def test_a_training_counts_anew_where_pages_came_late(store: Store) -> None:
    await write_log(store, "shop", [Page(0, "ab", request="one")], [Told(1, "a")])
    first = await counted_exposures(store, RECIPE, None, EVERY_EVENT, at(60))
    assert first.pages == 1
    assert await same(store, first, at(70), [1, 1, 0, 1, 0, 0])
    await write_log(store, "shop", [Page(2, "ab", request="late")], [])
    assert await same(store, first, at(70), [2, 2, 0, 1, 0, 0])


async def same(store: Store, before: ExposuresModel, until: int, expected: list[float]) -> bool:
    return counts(await counted_exposures(store, RECIPE, before, EVERY_EVENT, until)) == expected


async def test_exposures_of_a_time_to_come_or_of_a_longer_log_are_not_gone_on_with(store: Store) -> None:
    """As after a clock that was ahead, or a backup that was restored."""
    await write_log(store, "shop", [Page(0, "ab")], [Told(1, "a")])
    for before in (ExposuresModel(until=at(90)), ExposuresModel(until=at(30), watermark=EVERY_EVENT + 1)):
        assert await same(store, before, at(60), [1, 1, 0, 1, 0, 0])
