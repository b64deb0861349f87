"""docs/architecture.md names rooms and functions that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import homefeed

SOURCE = Path(homefeed.__file__).parent
PAGE = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([a-z_/]+\.py):(\w+)`", PAGE)))
ROOMS = PAGE.split("## The rooms")[1].split("## One request")[0]


def test_functions_are_named() -> None:
    assert len(NAMED) > 30


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[f"{file}:{name}" for file, name in NAMED])
def test_what_is_named_is_there(file: str, name: str) -> None:
    text = (SOURCE / file).read_text(encoding="utf-8")
    assert re.search(rf"^\s*(async def|def|class) {name}\b", text, re.MULTILINE), f"{file} has no {name}"


def test_every_room_is_on_the_page() -> None:
    rooms = {f"{path.name}/" if path.is_dir() else path.name for path in SOURCE.iterdir()}
    rooms -= {"__init__.py", "__pycache__/", "py.typed"}
    assert {room for room in rooms if f"`{room}`" not in ROOMS} == set()
