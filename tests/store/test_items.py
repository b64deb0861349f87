"""Items in the store."""

from __future__ import annotations

import unicodedata

import pytest

from homefeed.errors import InvalidError, NotFoundError
from homefeed.store import Store
from homefeed.store.items import (
    ItemChange,
    ItemWrite,
    changed_items,
    delete_item,
    get_item,
    item_numbers,
    list_items,
    patch_item,
    patch_items,
    put_items,
)
from homefeed.types import Item

APP = "shop"
START = (0, 0)
ANY_IDS = ["a/b", "/", "..", "%2F", "a b", " a", "'; DROP TABLE x; --", "ключ", "🎬", *(c * 255 for c in "xé🎬")]


async def put(store: Store, *item_ids: str) -> int:
    return await put_items(store, APP, [ItemWrite(item_id, {"title": item_id}) for item_id in item_ids])


async def ids(store: Store) -> list[str]:
    return [item.item_id for item in await list_items(store, APP, 0, 1000)]


async def test_an_item_comes_back_as_it_was_put(store: Store) -> None:
    attributes = {"title": "Zoë", "tags": ["a", "b"], "price": 1.5, "stock": 3, "nested": {"deep": [True, None]}}
    assert await put_items(store, APP, [ItemWrite("i1", attributes, created_at=17, hidden=True)]) == 1
    assert await get_item(store, APP, "i1") == Item("i1", 1, attributes, 17, hidden=True)


async def test_numbers_count_up_in_the_order_items_come(store: Store) -> None:
    assert await put(store, "c", "a") == 2
    assert await put(store, "b", "a") == 1
    assert [(item.item_id, item.number) for item in await list_items(store, APP, 0, 10)] == [
        ("c", 1),
        ("a", 2),
        ("b", 3),
    ]


async def test_a_replaced_item_keeps_its_number_and_whether_it_is_hidden(store: Store) -> None:
    await put_items(store, APP, [ItemWrite("i", {"title": "old", "price": 1}, hidden=True)])
    assert await put_items(store, APP, [ItemWrite("i", {"title": "new"})]) == 0
    assert await get_item(store, APP, "i") == Item("i", 1, {"title": "new"}, None, hidden=True)
    await put_items(store, APP, [ItemWrite("i", {}, hidden=False)])
    assert not (await get_item(store, APP, "i")).hidden


async def test_what_is_to_be_kept_stays_until_it_is_named(store: Store) -> None:
    await put_items(store, APP, [ItemWrite("i", {"title": "t", "quality": 0.1, "reports": 9}, hidden=True)])
    kept = ("quality", "reports", "boost")
    await put_items(store, APP, [ItemWrite("i", {"title": "u", "reports": 0}), ItemWrite("new", {})], kept)
    found = await get_item(store, APP, "i")
    assert (found.attributes, found.hidden) == ({"title": "u", "quality": 0.1, "reports": 0}, True)
    await put_items(store, APP, [ItemWrite("i", {"quality": None})], kept)
    assert (await get_item(store, APP, "i")).attributes == {"quality": None, "reports": 0}
    assert (await get_item(store, APP, "new")).attributes == {}


async def test_what_is_to_be_kept_stays_where_one_list_names_an_item_twice(store: Store) -> None:
    first = ItemWrite("i", {"title": "t", "reports": 9}, created_at=17, hidden=True)
    assert await put_items(store, APP, [first, ItemWrite("i", {"title": "u"})], ("reports",)) == 1
    assert await get_item(store, APP, "i") == Item("i", 1, {"title": "u", "reports": 9}, 17, hidden=True)


async def test_an_item_that_comes_back_after_it_was_deleted_keeps_nothing(store: Store) -> None:
    await put_items(store, APP, [ItemWrite("i", {"quality": 0.1}, hidden=True)])
    await delete_item(store, APP, "i")
    await put_items(store, APP, [ItemWrite("i", {"title": "t"})], ("quality",))
    found = await get_item(store, APP, "i")
    assert (found.attributes, found.hidden) == ({"title": "t"}, False)


async def test_the_last_of_an_id_within_a_batch_wins(store: Store) -> None:
    batch = [ItemWrite("i", {"v": 1}), ItemWrite("j", {"v": 2}), ItemWrite("i", {"v": 3})]
    assert await put_items(store, APP, batch) == 2
    assert (await get_item(store, APP, "i")).attributes == {"v": 3}


async def test_created_at_stays_until_another_is_given(store: Store) -> None:
    await put_items(store, APP, [ItemWrite("i", {}, created_at=5)])
    await put_items(store, APP, [ItemWrite("i", {})])
    assert (await get_item(store, APP, "i")).created_at == 5
    await put_items(store, APP, [ItemWrite("i", {}, created_at=7)])
    assert (await get_item(store, APP, "i")).created_at == 7


async def test_an_empty_batch_changes_nothing(store: Store) -> None:
    before = await store.watermarks(APP)
    assert await put_items(store, APP, []) == 0
    assert await store.watermarks(APP) == before


async def test_a_patch_changes_takes_away_and_keeps_the_rest(store: Store) -> None:
    await put_items(store, APP, [ItemWrite("i", {"title": "t", "price": 1, "size": "M"}, created_at=5)])
    patched = await patch_item(store, APP, "i", {"price": 2, "size": None, "colour": "red"})
    assert patched == Item("i", 1, {"title": "t", "price": 2, "colour": "red"}, 5)
    assert await get_item(store, APP, "i") == patched


async def test_hiding_by_patch_lasts_until_it_is_undone(store: Store) -> None:
    await put(store, "i")
    assert (await patch_item(store, APP, "i", {}, hidden=True)).hidden
    assert (await patch_item(store, APP, "i", {"title": "t"})).hidden
    assert (await get_item(store, APP, "i")).hidden
    assert not (await patch_item(store, APP, "i", {}, hidden=False)).hidden
    assert not (await get_item(store, APP, "i")).hidden


async def test_hidden_items_are_listed(store: Store) -> None:
    await put_items(store, APP, [ItemWrite("i", {}, hidden=True)])
    assert await ids(store) == ["i"]


async def test_a_deleted_item_is_gone(store: Store) -> None:
    await put(store, "i", "j")
    await delete_item(store, APP, "i")
    assert await ids(store) == ["j"]
    with pytest.raises(NotFoundError, match='no item "i" in shop'):
        await get_item(store, APP, "i")
    async with store.read() as connection:
        assert await item_numbers(connection, APP, ["i", "j", "k"]) == {"j": 2}


async def test_what_is_not_there_cannot_be_changed_and_leaves_no_trace(store: Store) -> None:
    await put(store, "i")
    await delete_item(store, APP, "i")
    before = await store.watermarks(APP)
    for item_id in ("i", "never"):
        with pytest.raises(NotFoundError):
            await patch_item(store, APP, item_id, {"title": "t"})
        with pytest.raises(NotFoundError):
            await delete_item(store, APP, item_id)
    assert await store.watermarks(APP) == before


async def test_an_item_created_again_keeps_its_number_and_nothing_else(store: Store) -> None:
    await put_items(store, APP, [ItemWrite("i", {"title": "old"}, created_at=5, hidden=True)])
    await put(store, "j")
    await delete_item(store, APP, "i")
    assert await put_items(store, APP, [ItemWrite("i", {"title": "new"})]) == 0
    assert await get_item(store, APP, "i") == Item("i", 1, {"title": "new"}, None)
    await put(store, "k")
    assert (await get_item(store, APP, "k")).number == 3


async def test_listing_by_pages_gives_every_item_once(store: Store) -> None:
    names = [f"i{n:02d}" for n in range(25)]
    await put(store, *names)
    await delete_item(store, APP, "i07")
    seen: list[str] = []
    after = 0
    while page := await list_items(store, APP, after, 10):
        assert len(page) <= 10
        seen += [item.item_id for item in page]
        after = page[-1].number
        await delete_item(store, APP, page[-1].item_id)  # a page's end may vanish before the next is asked for
    assert seen == [name for name in names if name != "i07"]


async def test_changes_of_one_batch_larger_than_the_page_all_arrive(store: Store) -> None:
    await put(store, *(f"i{n}" for n in range(25)))
    sizes, numbers, after = [], [], START
    while page := await changed_items(store, APP, after, 10):
        sizes.append(len(page))
        numbers += [item.number for _, item in page]
        after = page.last
    assert sizes == [10, 10, 5]
    assert numbers == list(range(1, 26))


async def test_every_kind_of_change_is_news_once(store: Store) -> None:
    await put(store, "a", "b", "c", "d")
    page = await changed_items(store, APP, START, 10)
    after = page.last
    await patch_item(store, APP, "d", {"price": 1})
    await put(store, "b")
    await delete_item(store, APP, "c")
    changes = await changed_items(store, APP, after, 10)
    assert [(item.item_id, item.deleted) for _, item in changes] == [("d", False), ("b", False), ("c", True)]
    assert list(changes[2:]) == [(changes.last[0], Item("c", 3, {}, None, hidden=True, deleted=True))]
    revisions = [revision for revision, _ in changes]
    assert revisions == sorted(set(revisions))
    assert revisions[-1] == (await store.watermarks(APP)).item_revision


async def test_more_items_than_a_statement_binds(store: Store) -> None:
    names = [f"i{n}" for n in range(6000)]
    assert await put(store, *names) == 6000
    assert await put(store, *names, "one more") == 1
    async with store.read() as connection:
        assert len(await item_numbers(connection, APP, names)) == 6000


async def test_any_id_works(store: Store) -> None:
    for item_id in ANY_IDS:
        await put(store, item_id)
        assert (await get_item(store, APP, item_id)).item_id == item_id
        await patch_item(store, APP, item_id, {"seen": True})
        assert await ids(store) == [item_id]
        await delete_item(store, APP, item_id)
    assert await ids(store) == []


async def test_ids_that_only_look_similar_are_different_items(store: Store) -> None:
    composed, decomposed = unicodedata.normalize("NFC", "café"), unicodedata.normalize("NFD", "café")
    similar = [composed, decomposed, "Café", "cafe", "cafe ", "x" * 254, "x" * 255]
    assert await put(store, *similar) == len(similar)
    assert await ids(store) == similar
    await delete_item(store, APP, decomposed)
    assert (await get_item(store, APP, composed)).item_id == composed


async def test_many_are_patched_at_once_and_each_that_is_not_is_told(store: Store) -> None:
    await put_items(store, APP, [ItemWrite("a", {"live": "true", "n": 1}), ItemWrite("b", {}, hidden=True)])
    await put(store, "gone", "untouched")
    await delete_item(store, APP, "gone")
    before = (await store.watermarks(APP)).item_revision
    many = [
        ItemChange("a", {"live": "false", "n": None}),
        ItemChange("no", {"n": 1}),
        ItemChange("b", {"n": 2}),
        ItemChange("gone", {}),
        ItemChange("a", {"m": 3}),
    ]
    refused = await patch_items(store, APP, many)
    assert [str(error) if error else None for error in refused] == [
        None, 'no item "no" in shop', None, 'no item "gone" in shop', None,
    ]  # fmt: skip
    assert await get_item(store, APP, "a") == Item("a", 1, {"live": "false", "m": 3}, None)
    assert await get_item(store, APP, "b") == Item("b", 2, {"n": 2}, None, hidden=True)
    changes = await changed_items(store, APP, (before, 2**31 - 1), 10)
    assert list(changes.item_ids) == ["a", "b"]
    assert await patch_items(store, APP, []) == []


async def test_many_are_hidden_and_shown_again_at_once(store: Store) -> None:
    await put(store, "a", "b", "c")
    await patch_items(store, APP, [ItemChange("a", {}, True), ItemChange("b", {}, True)])
    assert [(await get_item(store, APP, item_id)).hidden for item_id in "abc"] == [True, True, False]
    await patch_items(
        store, APP, [ItemChange("a", {}, False), ItemChange("b", {"n": 1}), ItemChange("c", {}, True)]
    )
    await patch_items(store, APP, [ItemChange("c", {}, False), ItemChange("c", {"n": 1})])
    assert [(await get_item(store, APP, item_id)).hidden for item_id in "abc"] == [False, True, False]


async def test_one_that_would_hold_too_much_does_not_stop_the_others(store: Store) -> None:
    await put(store, "a", "b")
    too_many = {f"n{n}": n for n in range(1_001)}
    large, fine = await patch_items(store, APP, [ItemChange("a", too_many), ItemChange("b", {"n": 1})])
    assert isinstance(large, InvalidError)
    assert str(large) == "attributes: more than 1,000 attributes; send less"
    assert fine is None
    assert (await get_item(store, APP, "a")).attributes == {"title": "a"}
    assert (await get_item(store, APP, "b")).attributes == {"title": "b", "n": 1}
