"""Users in the store."""

from __future__ import annotations

import unicodedata

import pytest
import sqlalchemy as sa

from homefeed.errors import NotFoundError
from homefeed.store import Store
from homefeed.store.events import append_events, latest_of_user, rows_after, rows_of_user
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.users import (
    changed_users,
    ensure_users,
    erase_user,
    get_user,
    list_users,
    patch_user,
    put_user,
    put_users,
    user_numbers,
)
from homefeed.types import Event, User

APP = "shop"


async def ensure(store: Store, *user_ids: str) -> dict[str, int]:
    async with store.write() as connection:
        return await ensure_users(store, connection, APP, user_ids)


async def test_a_user_comes_back_as_put(store: Store) -> None:
    attributes = {"age": 40, "likes": ["tea", "Žižkov"], "place": {"lat": 50.1, "lon": 14.4}}
    assert await put_users(store, APP, [("u1", attributes)]) == 1
    assert await get_user(store, APP, "u1") == User("u1", 1, attributes)


async def test_a_replaced_user_keeps_nothing_but_their_number(store: Store) -> None:
    await put_users(store, APP, [("u", {"age": 40, "region": "north"}), ("v", {})])
    assert await put_users(store, APP, [("u", {"age": 41})]) == 0
    assert await get_user(store, APP, "u") == User("u", 1, {"age": 41})
    assert await get_user(store, APP, "v") == User("v", 2, {})


async def test_what_is_kept_stays_unless_a_write_states_it(store: Store) -> None:
    await put_users(store, "a", [("u", {"age": 30, "opt_out": True})])
    kept = await put_user(store, "a", "u", {"age": 31}, ["opt_out"])
    assert kept.attributes == {"age": 31, "opt_out": True}
    assert (await put_user(store, "a", "u", {"opt_out": False}, ["opt_out"])).attributes == {"opt_out": False}
    assert (await put_user(store, "a", "new", {}, ["opt_out"])).attributes == {}


async def test_a_row_that_cannot_be_read_is_written_anew(store: Store) -> None:
    await put_users(store, "a", [("u", {"opt_out": True}), ("v", {"opt_out": True})])
    async with store.write() as connection:
        await connection.execute(sa.text("UPDATE users SET attributes = 'x' WHERE user_id = 'u'"))
    assert await put_users(store, "a", [("u", {"age": 1}), ("v", {"age": 2})], ["opt_out"]) == 0
    found = {user.user_id: user.attributes for user in await list_users(store, "a", 0, 9)}
    assert found == {"u": {"age": 1}, "v": {"age": 2, "opt_out": True}}


async def test_the_last_of_an_id_within_a_batch_wins(store: Store) -> None:
    assert await put_users(store, APP, [("u", {"v": 1}), ("w", {}), ("u", {"v": 2})]) == 2
    assert (await get_user(store, APP, "u")).attributes == {"v": 2}


async def test_a_patch_changes_takes_away_and_keeps_the_rest(store: Store) -> None:
    await put_users(store, APP, [("u", {"age": 40, "region": "north", "plan": "free"})])
    patched = await patch_user(store, APP, "u", {"age": 41, "plan": None, "new": [1]})
    assert patched == User("u", 1, {"age": 41, "region": "north", "new": [1]})
    assert await get_user(store, APP, "u") == patched


async def test_who_is_not_there_is_not_found_and_leaves_no_trace(store: Store) -> None:
    before = await store.watermarks(APP)
    with pytest.raises(NotFoundError, match='no user "nobody" in shop'):
        await get_user(store, APP, "nobody")
    with pytest.raises(NotFoundError):
        await patch_user(store, APP, "nobody", {"age": 1})
    with pytest.raises(NotFoundError):
        await erase_user(store, APP, "nobody")
    assert await store.watermarks(APP) == before


async def test_ensuring_creates_only_who_is_missing(store: Store) -> None:
    await put_users(store, APP, [("b", {"age": 40})])
    assert await ensure(store, "a", "b", "c", "a") == {"a": 2, "b": 1, "c": 3}
    assert await ensure(store, "c", "b") == {"b": 1, "c": 3}
    assert await get_user(store, APP, "b") == User("b", 1, {"age": 40})
    assert await get_user(store, APP, "c") == User("c", 3, {})


async def test_numbers_are_of_those_who_exist(store: Store) -> None:
    names = [f"u{n}" for n in range(1200)]  # more than one statement's worth
    await put_users(store, APP, [(name, {}) for name in names])
    async with store.read() as connection:
        found = await user_numbers(connection, APP, [*names, "nobody"])
    assert found == {name: n for n, name in enumerate(sorted(names), 1)}


async def test_listing_by_pages_gives_every_user_once(store: Store) -> None:
    await put_users(store, APP, [(f"u{n:02d}", {"n": n}) for n in range(25)])
    seen: list[User] = []
    while page := await list_users(store, APP, seen[-1].number if seen else 0, 10):
        assert len(page) <= 10
        seen += page
    assert [user.attributes["n"] for user in seen] == list(range(25))


async def test_changed_users_arrive_once_even_when_a_batch_exceeds_the_page(store: Store) -> None:
    await put_users(store, APP, [(f"u{n:02d}", {}) for n in range(25)])
    after, seen = (0, 0), []
    while page := await changed_users(store, APP, after, 10):
        seen += [user_id for _, _, user_id in page]
        after = page[-1][:2]
    assert seen == [f"u{n:02d}" for n in range(25)]

    await patch_user(store, APP, "u20", {"age": 1})
    await put_users(store, APP, [("u03", {"age": 2}), ("new", {})])
    news = await changed_users(store, APP, after, 10)
    assert [user_id for _, _, user_id in news] == ["u20", "u03", "new"]
    assert news[-1][0] <= (await store.watermarks(APP)).user_revision


async def test_erasing_takes_the_users_events_and_no_others(store: Store) -> None:
    await put_items(store, APP, [ItemWrite("i", {}), ItemWrite("j", {})])
    batch = [Event(user, item, "play", time) for time, user in enumerate("uvuvu") for item in "ij"]
    await append_events(store, APP, batch, 100)
    assert await erase_user(store, APP, "u") == 6
    with pytest.raises(NotFoundError):
        await get_user(store, APP, "u")
    assert [user.user_id for user in await list_users(store, APP, 0, 10)] == ["v"]
    assert await latest_of_user(store, APP, "u", 10) == []
    with pytest.raises(NotFoundError):
        await rows_of_user(store, APP, "u")
    rows = await rows_after(store, APP, 0, 100)
    assert set(rows.users) == {2}
    assert len(rows) == 4
    assert (await store.watermarks(APP)).erasures == 1


async def test_erasing_in_one_app_leaves_the_same_number_in_another(store: Store) -> None:
    for app in (APP, "other"):
        await put_items(store, app, [ItemWrite("i", {})])
        await append_events(store, app, [Event("u", "i", "play", 1)], 100)
    assert await erase_user(store, APP, "u") == 1
    assert await get_user(store, "other", "u") == User("u", 1, {})
    assert len((await rows_of_user(store, "other", "u"))[1]) == 1
    assert (await store.watermarks("other")).erasures == 0


async def test_a_user_who_comes_back_after_erasure_is_new(store: Store) -> None:
    await put_items(store, APP, [ItemWrite("i", {})])
    event = Event("u", "i", "play", 1)
    await put_users(store, APP, [("u", {"age": 40})])
    await append_events(store, APP, [event], 100)
    await erase_user(store, APP, "u")
    await append_events(store, APP, [event], 200)
    assert await get_user(store, APP, "u") == User("u", 2, {})
    assert len(await latest_of_user(store, APP, "u", 10)) == 1


async def test_any_id_works(store: Store) -> None:
    for user_id in ("a/b", "..", "%2F", " ", "'; --", "ключ", "🎬" * 255, "x" * 255):
        await put_users(store, APP, [(user_id, {})])
        assert (await patch_user(store, APP, user_id, {"age": 1})).user_id == user_id
        assert (await get_user(store, APP, user_id)).attributes == {"age": 1}
        assert await erase_user(store, APP, user_id) == 0


async def test_ids_that_only_look_similar_are_different_users(store: Store) -> None:
    composed, decomposed = unicodedata.normalize("NFC", "Zoë"), unicodedata.normalize("NFD", "Zoë")
    await put_users(store, APP, [(composed, {"n": 1}), (decomposed, {"n": 2}), ("zoë", {"n": 3})])
    assert (await get_user(store, APP, composed)).attributes == {"n": 1}
    assert (await get_user(store, APP, decomposed)).attributes == {"n": 2}


async def test_what_is_kept_stays_where_one_list_names_a_user_twice(store: Store) -> None:
    kept = ("opt_out", "blocked")
    twice = [("u", {"opt_out": "all", "language": "de"}), ("u", {"language": "en"})]
    assert await put_users(store, APP, twice, kept) == 1
    assert (await get_user(store, APP, "u")).attributes == {"opt_out": "all", "language": "en"}
    await put_users(store, APP, [("u", {"blocked": ["a"]}), ("u", {"opt_out": None})], kept)
    assert (await get_user(store, APP, "u")).attributes == {"opt_out": None, "blocked": ["a"]}
