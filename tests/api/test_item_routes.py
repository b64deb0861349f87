"""Items over HTTP: every method, bulk loads, paging, and what feeds make of them at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import orjson
import pytest

from homefeed.api import bulk

if TYPE_CHECKING:
    from tests.conftest import Served

ITEMS, FILMS = "/v1/apps/streaming/items", "/v1/apps/films/items"
NDJSON = {"Content-Type": "application/x-ndjson"}


def path(item_id: str) -> str:
    return f"{ITEMS}/{quote(item_id, safe='')}"


def shown(api: httpx.Client, feed: str, **query: Any) -> list[str]:
    answer = api.get(f"/v1/apps/streaming/feeds/{feed}", params={"n": 1000} | query).json()
    return [item["item_id"] for item in answer["items"]]


def since(text: str) -> timedelta:
    return datetime.now(UTC) - datetime.fromisoformat(text)


def test_put_creates_an_item(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    item_id = fresh("put")
    attributes = {"title": "One", "content_type": "movie", "genre": ["Drama", "War"], "stars": {"any": [1, None]}}
    answer = api.put(path(item_id), json={"attributes": attributes})
    assert answer.status_code == 200
    body = answer.json()
    assert body.keys() == {"item_id", "hidden", "created_at", "attributes"}
    assert (body["item_id"], body["hidden"], body["attributes"]) == (item_id, False, attributes)
    assert timedelta(0) <= since(body["created_at"]) < timedelta(minutes=1)
    assert api.get(path(item_id)).json() == body


def test_put_replaces_an_item_and_keeps_when_it_came_and_what_moderation_says(
    api: httpx.Client, fresh: Callable[[str], str]
) -> None:
    item_id = fresh("put")
    came = api.put(path(item_id), json={"attributes": {"title": "One", "stars": 5}, "hidden": True}).json()
    replaced = api.put(path(item_id), json={"attributes": {"title": "Two"}}).json()
    assert replaced == {
        "item_id": item_id,
        "hidden": True,
        "created_at": came["created_at"],
        "attributes": {"title": "Two"},
    }
    assert api.put(path(item_id), json={"hidden": False}).json()["hidden"] is False


POSTS = "/v1/apps/community/items"


@pytest.mark.parametrize("how", ["put", "list", "stream"])
def test_an_edit_does_not_overwrite_moderation(api: httpx.Client, fresh: Callable[[str], str], how: str) -> None:
    """As the adoption page prescribes: an edit is a PUT of the post as its author wrote it."""
    item_id = fresh("post")

    def edit(title: str, **more: Any) -> dict[str, Any]:
        body = {"attributes": {"title": title, "community_id": "c1", **more.pop("attributes", {})}, **more}
        if how == "put":
            api.put(f"{POSTS}/{item_id}", json=body)
        elif how == "list":
            api.post(POSTS, json=[{"item_id": item_id, **body}])
        else:
            line = orjson.dumps({"item_id": item_id, **body})
            api.post(POSTS, content=line, headers={"Content-Type": "application/x-ndjson"})
        found: dict[str, Any] = api.get(f"{POSTS}/{item_id}").json()
        return found

    assert edit("Spam")["hidden"] is False
    moderated = {"quality": 0.2, "reports": 4, "boost": -1, "pinned_until": "2026-01-01T00:00:00Z"}
    api.patch(f"{POSTS}/{item_id}", json={"hidden": True, "attributes": moderated})
    after = edit("Spam, reworded")
    assert after["hidden"] is True
    assert after["attributes"] == {"title": "Spam, reworded", "community_id": "c1", **moderated}
    assert edit("Fine", hidden=False, attributes={"quality": 0.9})["hidden"] is False
    assert edit("Fine")["attributes"] == {"title": "Fine", "community_id": "c1", **moderated, "quality": 0.9}
    assert edit("Fine", attributes={"quality": None})["attributes"]["quality"] is None


def test_an_item_needs_nothing_but_its_id(
    api: httpx.Client, fresh: Callable[[str], str], eventually: Callable[..., None]
) -> None:
    item_id = fresh("put")
    assert api.put(path(item_id), json={}).json()["attributes"] == {}
    eventually(lambda: item_id in shown(api, "popular"))
    assert {"item_id": item_id, "title": item_id} in [
        {name: title[name] for name in ("item_id", "title")}
        for title in api.get("/popular", params={"k": 1000}).json()["items"]
    ]


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("2020-05-01T12:00:00Z", "2020-05-01T12:00:00Z"),
        ("2020-05-01T12:00:00", "2020-05-01T12:00:00Z"),
        ("2020-05-01T12:00:00.25+02:00", "2020-05-01T10:00:00.250000Z"),
        ("2020-05-01", "2020-05-01T00:00:00Z"),
        (1_588_334_400, "2020-05-01T12:00:00Z"),
        ("1588334400", "2020-05-01T12:00:00Z"),
        (631_152_000, "1990-01-01T00:00:00Z"),
        (20_200_501, "2020-05-01T00:00:00Z"),
        ("1985-07-03", "1985-07-03T00:00:00Z"),
    ],
)
def test_times_are_iso_8601_or_unix_seconds(
    api: httpx.Client, fresh: Callable[[str], str], given: str | int, stored: str
) -> None:
    item_id = fresh("put")
    assert api.put(path(item_id), json={"created_at": given}).json()["created_at"] == stored


@pytest.mark.parametrize(
    "body",
    [
        {"attributes": {"title": {"a": 1}}},
        {"attributes": {"genre": 5}},
        {"attributes": {"genre": ["Drama", 5]}},
        {"attributes": "title"},
        {"attributes": None},
        {"hidden": "perhaps"},
        {"created_at": "yesterday"},
        {"created_at": -1},
        {"created_at": 1e300},
        {"created_at": "9999-12-31T23:59:59-23:59"},
        {"created_at": "0001-01-01T00:00:00+23:59"},
        {"titel": "a typing error"},
        [],
        None,
        "text",
        5,
    ],
)
def test_what_is_no_item_is_refused_and_nothing_is_kept(
    api: httpx.Client, fresh: Callable[[str], str], body: Any
) -> None:
    item_id = fresh("bad")
    assert api.put(path(item_id), json=body).status_code == 422
    assert api.get(path(item_id)).status_code == 404


def test_patch_changes_the_named_attributes_only(api: httpx.Client, new_item: Callable[..., str]) -> None:
    item_id = new_item(stars=5)
    before = api.get(path(item_id)).json()
    answer = api.patch(path(item_id), json={"attributes": {"title": "New", "stars": None, "more": [1]}})
    assert answer.status_code == 200
    attributes = {"title": "New", "content_type": "movie", "genre": ["Drama"], "more": [1]}
    assert answer.json() == before | {"attributes": attributes}
    assert api.get(path(item_id)).json() == answer.json()


def test_patch_of_nothing_changes_nothing(api: httpx.Client, new_item: Callable[..., str]) -> None:
    item_id = new_item()
    before = api.get(path(item_id)).json()
    assert api.patch(path(item_id), json={}).json() == before
    assert api.patch(path(item_id), json={"hidden": None}).json() == before


def test_patch_of_a_bad_value_changes_nothing(api: httpx.Client, new_item: Callable[..., str]) -> None:
    item_id = new_item()
    before = api.get(path(item_id)).json()
    bad: list[Any] = [{"attributes": {"title": [1]}}, {"hidden": 1}, {"hidden": "yes"}, {"item_id": "other"}, []]
    for body in bad:
        assert api.patch(path(item_id), json=body).status_code == 422
    assert api.get(path(item_id)).json() == before


def test_a_hidden_item_is_gone_from_every_feed_at_once_and_comes_back(
    api: httpx.Client, served: Served, new_item: Callable[..., str], eventually: Callable[..., None]
) -> None:
    item_id = new_item(title="Hide and seek")
    feeds = [("popular", {}), ("fresh", {}), ("home", {"user_id": "u1"}), ("similar", {"item_id": "i1"})]
    for feed, query in feeds:
        eventually(lambda feed=feed, query=query: item_id in shown(api, feed, **query))
    assert api.patch(path(item_id), json={"hidden": True}).json()["hidden"] is True
    for feed, query in feeds:
        assert item_id not in shown(api, feed, **query)
    listed = api.get("/popular", params={"k": 1000}).json()["items"]
    assert item_id not in {title["item_id"] for title in listed}
    assert api.get(path(item_id)).json()["hidden"] is True
    assert api.patch(path(item_id), json={"hidden": False}).json()["hidden"] is False
    for feed, query in feeds:
        assert item_id in shown(api, feed, **query)


def test_the_most_popular_item_is_gone_at_once_too(api: httpx.Client, eventually: Callable[..., None]) -> None:
    best = shown(api, "popular", n=1)[0]
    api.patch(path(best), json={"hidden": True})
    try:
        assert best not in shown(api, "popular")
        assert best not in shown(api, "home", user_id="u1")
    finally:
        api.patch(path(best), json={"hidden": False})
    eventually(lambda: shown(api, "popular", n=1) == [best])


def test_delete_takes_an_item_away_for_good(
    api: httpx.Client, new_item: Callable[..., str], eventually: Callable[..., None]
) -> None:
    item_id = new_item()
    eventually(lambda: item_id in shown(api, "popular"))
    answer = api.delete(path(item_id))
    assert (answer.status_code, answer.content) == (204, b"")
    assert item_id not in shown(api, "popular")
    assert api.get(path(item_id)).status_code == 404
    assert api.patch(path(item_id), json={}).status_code == 404
    assert api.delete(path(item_id)).status_code == 404


def test_a_deleted_item_may_come_again(
    api: httpx.Client, new_item: Callable[..., str], eventually: Callable[..., None]
) -> None:
    item_id = new_item(title="First", stars=5)
    api.delete(path(item_id))
    base = "/v1/apps/streaming"
    assert api.get(f"{base}/feeds/similar", params={"item_id": item_id}).status_code == 404
    assert api.get(f"{base}/explain", params={"feed": "home", "item_id": item_id}).status_code == 404
    came = api.put(path(item_id), json={"attributes": {"title": "Second"}}).json()
    assert came["attributes"] == {"title": "Second"}
    assert since(came["created_at"]) < timedelta(minutes=1)
    assert api.get(path(item_id)).json() == came
    eventually(lambda: item_id in shown(api, "popular"))


def test_a_change_shows_in_the_next_feed(
    api: httpx.Client, new_item: Callable[..., str], eventually: Callable[..., None]
) -> None:
    item_id = new_item(title="Before", genre="Unheard-of")
    eventually(lambda: item_id in shown(api, "popular", filter="genre:Unheard-of"))
    api.patch(path(item_id), json={"attributes": {"title": "After", "genre": ["Renamed"]}})
    assert shown(api, "popular", filter="genre:Unheard-of") == []
    assert shown(api, "popular", filter="genre:Renamed") == [item_id]
    listed = api.get("/popular", params={"genre": "Renamed"}).json()["items"]
    assert [title["title"] for title in listed] == ["After"]


def test_many_are_changed_at_once_and_those_that_cannot_be_are_named(
    api: httpx.Client, new_item: Callable[..., str], eventually: Callable[..., None]
) -> None:
    first, second = new_item(genre="Unseen"), new_item(genre="Unseen", stars=5)
    eventually(lambda: len(shown(api, "popular", filter="genre:Unseen")) == 2)
    answer = api.patch(
        ITEMS,
        json=[
            {"item_id": first, "hidden": True},
            {"item_id": "nowhere", "attributes": {"stars": 1}},
            {"item_id": second, "attributes": {"stars": None, "title": "New"}},
            {"item_id": second, "attributes": {"title": [1]}},
            {"item_id": second, "created_at": "2020-01-01"},
            {"attributes": {}},
            "nothing",
        ],
    )
    assert (answer.status_code, answer.json()["accepted"]) == (200, 2)
    told = {rejected["index"]: rejected["error"] for rejected in answer.json()["rejected"]}
    assert told.keys() == {1, 3, 4, 5, 6}
    assert told[1] == 'no item "nowhere" in streaming'
    assert shown(api, "popular", filter="genre:Unseen") == [second]
    attributes = {"title": "New", "content_type": "movie", "genre": ["Unseen"]}
    assert api.get(path(second)).json()["attributes"] == attributes


@pytest.mark.parametrize("body", [{"item_id": "i1"}, [{"item_id": "i1"}] * 1_001, None, "i1"])
def test_changes_come_as_a_list_of_up_to_a_thousand(api: httpx.Client, body: Any) -> None:
    answer = api.patch(ITEMS, json=body)
    assert answer.status_code == 422
    assert api.patch(ITEMS, content=b'{"item_id": "i1"}', headers=NDJSON).status_code == 415


def test_an_unknown_item_is_not_found(api: httpx.Client) -> None:
    for answer in (
        api.get(path("nowhere")),
        api.patch(path("nowhere"), json={"hidden": True}),
        api.delete(path("nowhere")),
    ):
        assert answer.status_code == 404
        assert "nowhere" in answer.json()["detail"]


def pages(api: httpx.Client, limit: int) -> Iterator[list[dict[str, Any]]]:
    cursor = None
    while True:
        answer = api.get(ITEMS, params={"limit": limit} | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200
        yield answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return


def test_the_listing_pages_through_every_item_once(
    api: httpx.Client, served: Served, new_item: Callable[..., str]
) -> None:
    hidden, gone = new_item(), new_item()
    api.patch(path(hidden), json={"hidden": True})
    api.delete(path(gone))
    found = list(pages(api, 37))
    assert all(len(page) == 37 for page in found[:-1])
    assert 1 <= len(found[-1]) <= 37
    ids = [item["item_id"] for page in found for item in page]
    assert len(ids) == len(set(ids))
    assert set(served.sample.items) <= set(ids)
    assert hidden in ids
    assert gone not in ids


def test_the_last_page_has_no_next_even_when_it_is_full(api: httpx.Client) -> None:
    everything = [item for page in pages(api, 1000) for item in page]
    first = api.get(ITEMS, params={"limit": 3}).json()
    rest = {"cursor": first["next_cursor"], "limit": len(everything) - 3}
    assert rest["limit"] <= 1000, "other tests put large numbers of items elsewhere"
    last = api.get(ITEMS, params=rest).json()
    assert first["items"] + last["items"] == everything
    assert last["next_cursor"] is None


def test_the_listing_gives_a_hundred_by_default(api: httpx.Client) -> None:
    answer = api.get(ITEMS).json()
    assert len(answer["items"]) == 100
    assert answer["items"][0].keys() == {"item_id", "hidden", "created_at", "attributes"}
    assert answer["items"] == api.get(ITEMS, params={"limit": 1000}).json()["items"][:100]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=-1", "limit=x", "limit="])
def test_limits_are_one_to_a_thousand(api: httpx.Client, query: str) -> None:
    for listing in (ITEMS, "/v1/apps/streaming/users", "/v1/apps/streaming/users/u1/events"):
        assert api.get(f"{listing}?{query}").status_code == 422


@pytest.mark.parametrize("cursor", ["x", "-1", "2147483648", "9" * 5000, "1.5", "²", "%00", "+1", ""])
def test_a_cursor_of_another_kind_is_refused(api: httpx.Client, cursor: str) -> None:
    for listing in (ITEMS, "/v1/apps/streaming/users"):
        assert api.get(f"{listing}?cursor={cursor}").status_code == 422


def test_a_cursor_beyond_the_end_finds_nothing(api: httpx.Client) -> None:
    answer = api.get(ITEMS, params={"cursor": 2**31 - 1})
    assert answer.json() == {"items": [], "next_cursor": None}


def test_a_list_keeps_the_good_ones_and_names_the_others(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    first, second, bad = fresh("list"), fresh("list"), fresh("list")
    answer = api.post(
        ITEMS,
        json=[
            {"item_id": first, "attributes": {"title": "First"}, "created_at": "2024-01-01"},
            {"item_id": ""},
            {"item_id": bad, "attributes": {"title": []}},
            "nothing",
            None,
            {"attributes": {}},
            {"item_id": bad, "tite": 1},
            {"item_id": second, "hidden": True},
        ],
    )
    assert answer.status_code == 200
    assert answer.json()["accepted"] == 2
    assert [rejected["index"] for rejected in answer.json()["rejected"]] == [1, 2, 3, 4, 5, 6]
    assert all(rejected["error"] for rejected in answer.json()["rejected"])
    assert api.get(path(first)).json()["created_at"] == "2024-01-01T00:00:00Z"
    assert api.get(path(second)).json()["hidden"] is True
    assert api.get(path(bad)).status_code == 404


def test_the_last_of_an_id_wins_in_a_list(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    item_id = fresh("twice")
    twice = [{"item_id": item_id, "attributes": {"title": title}} for title in ("First", "Last")]
    assert api.post(ITEMS, json=twice).json() == {"accepted": 2, "rejected": []}
    assert api.get(path(item_id)).json()["attributes"] == {"title": "Last"}


def test_a_list_holds_up_to_a_thousand(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    prefix = fresh("many")
    many = [{"item_id": f"{prefix}-{n}"} for n in range(1001)]
    assert api.post(FILMS, json=many).status_code == 422
    assert api.get(f"{FILMS}/{prefix}-0").status_code == 404
    assert api.post(FILMS, json=many[:1000]).json() == {"accepted": 1000, "rejected": []}
    assert api.get(f"{FILMS}/{prefix}-999").status_code == 200


def test_an_empty_list_is_nothing_wrong(api: httpx.Client) -> None:
    assert api.post(ITEMS, json=[]).json() == {"accepted": 0, "rejected": []}
    assert api.post(ITEMS, content=b"", headers=NDJSON).json() == {"accepted": 0, "rejected": []}
    assert api.post(ITEMS, content=b"\n \n\r\n", headers=NDJSON).json() == {"accepted": 0, "rejected": []}


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[", b"null", b'"x"', b"[1,]", b"\xff", b"[NaN]", b"\xef\xbb\xbf[]"]
)
def test_what_is_no_list_is_refused(api: httpx.Client, body: bytes) -> None:
    answer = api.post(ITEMS, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("body")


def lines(prefix: str, count: int) -> Iterator[bytes]:
    for n in range(count):
        if n % 50 == 7:
            yield b'{"item_id": '
        elif n % 50 == 8:
            yield b'{"item_id": "bad", "attributes": {"title": 1}, "unheard": 1}'
        else:
            yield orjson.dumps({"item_id": f"{prefix}-{n}", "attributes": {"title": f"№ {n}"}, "hidden": True})


def test_ndjson_streams_any_number_of_items(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    prefix = fresh("stream")
    body = b"\n".join(lines(prefix, 5000))
    assert not body.endswith(b"\n")
    chunks = (body[start : start + 777] for start in range(0, len(body), 777))
    answer = api.post(FILMS, content=chunks, headers=NDJSON)
    assert answer.status_code == 200
    assert answer.json()["accepted"] == 4800
    bad = sorted([*range(7, 5000, 50), *range(8, 5000, 50)])
    assert [rejected["index"] for rejected in answer.json()["rejected"]] == bad
    for n in (0, 6, 9, 999, 1000, 4999):
        assert api.get(f"{FILMS}/{prefix}-{n}").json()["attributes"] == {"title": f"№ {n}"}
    assert api.get(f"{FILMS}/{prefix}-7").status_code == 404


def test_ndjson_may_be_larger_than_other_bodies(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    item_id = fresh("large")
    line = orjson.dumps({"item_id": item_id, "attributes": {"title": "x" * 40_000}, "hidden": True})
    for kind in ("application/x-ndjson", "Application/X-NDJSON; charset=utf-8"):
        answer = api.post(ITEMS, content=b"\r\n".join([line] * 40), headers={"Content-Type": kind})
        assert answer.json() == {"accepted": 40, "rejected": []}


def test_a_line_too_long_is_one_bad_line(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    first, last = fresh("long"), fresh("long")
    body = b'{"item_id": "%s"}\n{"item_id": "%s"}\n{"item_id": "%s"}\n' % (
        first.encode(),
        b"x" * 2_500_000,
        last.encode(),
    )
    answer = api.post(ITEMS, content=body, headers=NDJSON).json()
    assert answer["accepted"] == 2
    assert [rejected["index"] for rejected in answer["rejected"]] == [1]
    assert "1000000 bytes" in answer["rejected"][0]["error"]
    assert [api.get(path(item_id)).status_code for item_id in (first, last)] == [200, 200]


def test_a_stream_of_errors_is_answered_by_the_first_1000_and_their_count(api: httpx.Client) -> None:
    answer = api.post(ITEMS, content=b"x\n" * 1_000, headers=NDJSON).json()
    assert answer.keys() == {"accepted", "rejected"}
    answer = api.post(ITEMS, content=b"x\n" * 50_000, headers=NDJSON)
    body = answer.json()
    assert (body["accepted"], body["rejected_count"]) == (0, 50_000)
    assert [rejected["index"] for rejected in body["rejected"]] == list(range(1_000))
    assert len(answer.content) < 1_000_000


@pytest.mark.parametrize("line", [b"x\n", b"\n"])
async def test_others_get_their_turn_while_a_stream_is_read(line: bytes) -> None:
    class Arrived:
        async def stream(self) -> AsyncIterator[bytes]:
            yield line * 10_000

    turns = 0

    async def another() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    waiting = asyncio.create_task(another())
    async for _ in bulk._ndjson(Arrived()):  # type: ignore[arg-type]
        pass
    waiting.cancel()
    assert turns == 10


def test_an_error_about_a_long_name_is_short(api: httpx.Client) -> None:
    line = orjson.dumps({"item_id": "a", "n" * 100_000: 1})
    answer = api.post(ITEMS, content=line, headers=NDJSON)
    assert len(answer.json()["rejected"]) == 1
    assert len(answer.content) < 1_000


@pytest.mark.parametrize(
    ("attributes", "excess"),
    [
        ({"genre": [f"t{n}" for n in range(100_000)]}, "genre: more than 1,000 tags"),
        ({"title": "x" * 50_001}, "title: longer than 50,000 characters"),
        ({"content_type": "x" * 256}, "content_type: longer than 255 characters"),
        ({f"a{n}": n for n in range(1_001)}, "more than 1,000 attributes"),
        ({"any": ["x" * 1_000] * 300}, "more than 262,144 bytes as JSON"),
    ],
)
def test_an_item_beyond_a_limit_is_refused_and_no_trace_of_it_is_kept(
    api: httpx.Client, fresh: Callable[[str], str], attributes: dict[str, Any], excess: str
) -> None:
    item_id = fresh("wide")
    answer = api.put(path(item_id), json={"attributes": attributes})
    assert (answer.status_code, answer.json()["detail"]) == (422, f"attributes: {excess}; send less")
    assert api.get(path(item_id)).status_code == 404
    listed = [{"item_id": item_id, "attributes": attributes}, {"item_id": item_id, "attributes": {"title": "One"}}]
    for given in ({"json": listed}, {"content": b"\n".join(map(orjson.dumps, listed)), "headers": NDJSON}):
        assert api.post(ITEMS, **given).json() == {
            "accepted": 1,
            "rejected": [{"index": 0, "error": f"attributes: {excess}; send less"}],
        }
    before = api.get(path(item_id)).json()
    assert api.patch(path(item_id), json={"attributes": attributes}).status_code == 422
    assert api.get(path(item_id)).json() == before


def test_changes_cannot_make_an_item_larger_than_it_may_be(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    item_id = fresh("grows")
    for part in range(5):
        assert api.put(path(item_id), json={}).status_code == 200 if not part else True
        answer = api.patch(path(item_id), json={"attributes": {f"part{part}": "x" * 50_000}})
        assert answer.status_code == 200
    answer = api.patch(path(item_id), json={"attributes": {"part5": "x" * 50_000}})
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "attributes: more than 262,144 bytes as JSON; send less",
    )
    assert api.get(path(item_id)).json()["attributes"].keys() == {f"part{part}" for part in range(5)}


def test_an_answer_to_very_many_mistakes_is_short(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    body = {f"{n}{'x' * 1_000}": n for n in range(800)}
    answer = api.put(path(fresh("bad")), json=body)
    assert answer.status_code == 422
    assert len(answer.content) < 50_000
