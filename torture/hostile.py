"""Ten thousand hostile ids and texts: what is accepted comes back exactly, the rest is refused with a reason.

    python -m torture.hostile --count 10000

Ids of items and users, titles and values of every alphabet, of control characters, quotes, slashes, dots, percent
signs, right-to-left marks, ids that look like numbers, SQL or paths. Items come back in the list of items and one
by one by their path; users' events come back in their history.
"""

from __future__ import annotations

import asyncio
import random
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import orjson

from benchmarks.serving.http_load import Response, get, post
from torture.sample import APP, print_for_each_store
from torture.servers import serving
from torture.traffic import Client

_API: Final = f"/v1/apps/{APP}"
_LIST: Final = 500
_SHARE_BY_PATH: Final = 5
_PLANTED: Final = (
    *(
        ".",
        "..",
        "../..",
        "/",
        "//",
        "a/b",
        "a//b",
        "/etc/passwd",
        "%2e%2e%2f",
        "%00",
        "%",
        "%%",
        "+",
        " ",
        "  a  ",
    ),
    *(
        "'",
        '"',
        "';DROP TABLE items;--",
        "\\",
        "\\0",
        "${x}",
        "{{x}}",
        "<script>",
        "&amp;",
        "#",
        "?",
        "a?b#c",
        ";",
        ",",
    ),
    *(
        "null",
        "None",
        "true",
        "NaN",
        "-0",
        "1e5",
        "007",
        "٣",
        "１２",
        "0x10",
        "\t",
        "\n",
        "\r\n",
        "\x01",
        "\x1b[31m",
        "\x7f",
    ),
    *(
        "é",
        "e\u0301",
        "ﬁ",
        "ß",
        "İ",
        "ı",
        "Å",
        "\u212b",
        "\u202ertl",
        "\u200b",
        "\ufeff",
        "👨‍👩‍👧",
        "\U0010ffff",
        "\ufffe",
    ),
    *("🇦🇶", "अ", "漢字", "ไทย", "עברית", "x" * 255, "漢" * 255, "👍" * 255, "\x00", "a\x00b", "x" * 256, ""),
)
_ALPHABETS: Final = (
    *((0x20, 0x7F), (0x01, 0x20), (0xA0, 0x250), (0x300, 0x370), (0x590, 0x700), (0x900, 0xE80), (0x2000, 0x2070)),
    *(
        (0x3040, 0xA000),
        (0xAC00, 0xD7A4),
        (0xE000, 0xF900),
        (0xFE00, 0xFFFF),
        (0x1F300, 0x1FB00),
        (0x10FF00, 0x10FFFF),
    ),
)


def texts(count: int, rng: random.Random) -> list[str]:
    """So many different ones: what is planted, and mixtures of alphabets."""
    found = dict.fromkeys(_PLANTED)
    while len(found) < count:
        length = rng.choice((1, 2, 3, 8, 40, 255))
        mixed = [chr(rng.randrange(*rng.choice(_ALPHABETS))) for _ in range(length)]
        found["".join(mixed)] = None
    return list(found)[:count]


def may_be(text: str) -> bool:
    """Whether an id may be this, as the documents say."""
    return 0 < len(text) <= 255 and "\0" not in text


async def round_trip(port: int, ids: Sequence[str], rng: random.Random) -> dict[str, Any]:
    """Write all, and read them again."""
    client, found = Client(port), Counter[str]()
    before = {item["item_id"] async for item in _listed(client)}
    titles = {text: rng.choice(ids).replace("\0", "") for text in ids}
    for some in _in_lists(ids):
        items = [
            {"item_id": text, "attributes": {"title": titles[text], "content_type": text[:200]}} for text in some
        ]
        refused = {
            some[each["index"]]
            for each in _read(await client.send(post(f"{_API}/items", orjson.dumps(items), "")))
        }
        found["wrongly refused"] += sum(map(may_be, refused))
        found["wrongly accepted"] += sum(not may_be(text) for text in some if text not in refused)
        found["refused"] += len(refused)
    good = [text for text in ids if may_be(text)]
    for some in _in_lists(good):
        events = [
            {"user_id": text, "item_id": text, "event_type": "play", "value": 7, "event_id": text} for text in some
        ]
        found["events refused"] += len(_read(await client.send(post(f"{_API}/events", orjson.dumps(events), ""))))
    listed = {item["item_id"]: item["attributes"] async for item in _listed(client)}
    wanted = {text: {"title": titles[text], "content_type": text[:200]} for text in good}
    found["items changed"] = sum(listed.get(text) != attributes for text, attributes in wanted.items())
    found["items invented"] = len(listed.keys() - wanted.keys() - before)
    for text in (*(text for text in _PLANTED if text in wanted), *good[::_SHARE_BY_PATH]):
        found["read by path"] += 1
        answer = await client.send(get(f"{_API}/items/{quote(text, safe='')}"))
        found["items changed by path"] += answer.status != 200 or orjson.loads(answer.body)["item_id"] != text
        answer = await client.send(get(f"{_API}/users/{quote(text, safe='')}/events"))
        said = [(event["item_id"], event["event_id"]) for event in orjson.loads(answer.body).get("events", [])]
        found["histories changed"] += said != [(text, text)]
        answer = await client.send(get(f"{_API}/feeds/home?n=5&user_id={quote(text, safe='')}"))
        found["feeds failed"] += answer.status != 200
    await client.close()
    return {"ids": len(ids), **found}


def _in_lists(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _LIST):
        yield ids[start : start + _LIST]


def _read(response: Response) -> list[Any]:
    assert response.status == 200, response.body[:500]
    rejected: list[Any] = orjson.loads(response.body)["rejected"]
    return rejected


async def _listed(client: Client) -> Any:
    after = ""
    while True:
        response = await client.send(get(f"{_API}/items?limit=1000{after}"))
        assert response.status == 200, response.body[:500]
        page = orjson.loads(response.body)
        for item in page["items"]:
            yield item
        if page["next_cursor"] is None:
            return
        after = f"&cursor={page['next_cursor']}"


def trial(store_url: str, home: Path, count: int) -> dict[str, Any]:
    """So many ids, to a server of an empty store."""
    rng = random.Random(13)
    with serving(home, store_url) as server:
        return asyncio.run(round_trip(server.port, texts(count, rng), rng))


def main(arguments: Sequence[str] | None = None) -> None:
    """A line for each store."""
    parser = ArgumentParser()
    parser.add_argument("--count", type=int, default=10_000)
    print_for_each_store("hostile", parser, arguments, trial)


if __name__ == "__main__":
    main()
