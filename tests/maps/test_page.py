"""The page holds the data and nothing that the data could do with it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from tests.maps.maps_sample import HOSTILE

from homefeed.maps import layers
from homefeed.maps.layers import Layer, MapData
from homefeed.maps.page import COLOURS, render_map


class Parsed(HTMLParser):
    """The elements of a page, and what its scripts hold."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self._in_script = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._in_script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts.append(data)
        else:
            self.text += data

    @property
    def data(self) -> Any:
        return json.loads(self.scripts[0])


def layer(*points: tuple[float, float, int, str, str, str]) -> Layer:
    north, east, events, titles, categories, places = zip(*points, strict=True) if points else ((),) * 6
    return Layer(
        np.array(north, float), np.array(east, float), np.array(events, np.int64), titles, categories, places
    )


def page(items: Layer, users: Layer | None = None) -> str:
    data = MapData("stalls", "Stalls", items, users or layer(), "town", "kind")
    return render_map(data, made=0, version="1.2.3")


def unpacked(text: str, form: str) -> list[int]:
    numbers: list[int] = np.frombuffer(base64.b64decode(text), form).tolist()
    return numbers


def test_the_page_draws_what_is_there() -> None:
    found = Parsed(page(layer((0, 0, 3, "Apples", "food", "Null"), (0, 90, 0, "Coats", "", "Null")))).data
    assert unpacked(found["items"]["points"], "<i4")[:2] == [0, 0]
    # At the equator, x is 2.70663 / 180 for each degree.
    assert unpacked(found["items"]["points"], "<i4")[2:] == pytest.approx([1_353_315, 0], abs=5)
    assert unpacked(found["items"]["events"], "<u4") == [3, 0]
    assert unpacked(found["items"]["categories"], "<u1") == [0, 1]
    assert found["items"]["titles"] == ["Apples", "Coats"]
    assert found["places"][0]["name"] == "Null"
    assert found["colours"] == 1


def test_hostile_texts_stay_texts() -> None:
    made = page(layer((0, 0, 1, HOSTILE, HOSTILE, HOSTILE)), layer((1, 1, 1, "", "", HOSTILE)))
    parsed = Parsed(made)
    assert [tag for tag, _ in parsed.tags].count("script") == 2
    assert "img" not in {tag for tag, _ in parsed.tags}
    assert not [name for _, attributes in parsed.tags for name in attributes if name.startswith("on")]
    assert parsed.data["items"]["titles"] == [HOSTILE]
    assert parsed.data["categories"] == [HOSTILE]
    assert HOSTILE in parsed.text
    assert "<" not in parsed.scripts[0]


def test_only_its_own_script_may_run_and_nothing_is_fetched() -> None:
    parsed = Parsed(page(layer((0, 0, 1, "a", "b", "c"))))
    policy = next(str(has["content"]) for _, has in parsed.tags if has.get("http-equiv"))
    script = "".join(parsed.scripts[1:])
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert not [has for _, has in parsed.tags if has.keys() & {"src", "href"}]
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|innerHTML", page(layer()))


def test_categories_beyond_the_colours_share_one() -> None:
    points = [(0.0, 0.0, 1, "t", f"kind {n:02}", "") for n in range(COLOURS + 3)]
    found = Parsed(page(layer(*points))).data
    assert unpacked(found["items"]["categories"], "<u1") == [*range(COLOURS), COLOURS, COLOURS, COLOURS]


def test_no_more_than_the_limit_is_drawn_and_all_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "MAX_POINTS", 2)
    made = page(layer(*((0.0, 0.0, n, f"t{n}", "k", "Here") for n in (1, 7, 0, 5))))
    assert Parsed(made).data["items"]["titles"] == ["t7", "t5"]
    assert "Drawn are the 2 items and 0 users with most events" in made
    assert re.search(r'<th scope="row">Here</th><td>4</td><td>0</td><td>13</td>', made)


def test_a_long_title_is_cut() -> None:
    assert Parsed(page(layer((0, 0, 0, "x" * 200, "", "")))).data["items"]["titles"] == ["x" * 79 + "…"]
