"""Of an erased user the next training knows nothing: models are, byte for byte, those of a world without them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from tests.train.test_jobs import APP, NOW, either_store, files_of, plays, put_films, train

from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import append_events
from homefeed.store.users import erase_user
from homefeed.types import Event

MARK = "a user that is nowhere else"
THEIRS = [Event(MARK, f"i{n}", "play", NOW - n, 5_000.0, MARK) for n in range(20)]


@either_store
async def test_the_next_models_are_those_of_a_world_without_them(store: Store, tmp_path: Path) -> None:
    erased, never = ArtifactStore(tmp_path / "erased"), ArtifactStore(tmp_path / "never")
    told = plays(120)
    await put_films(store)
    await append_events(store, APP, told, NOW)
    await train(store, never)
    before = made_of(never)
    await append_events(store, APP, THEIRS, NOW)
    await erase_user(store, APP, MARK)
    await train(store, erased)
    assert made_of(erased) == before
    assert files_naming(tmp_path) == []


def made_of(artifacts: ArtifactStore) -> dict[str, Any]:
    """What models are made of, by model and file, but for how far in the log they have read."""
    parts = {tuple(name.split("/")): content for name, content in files_of(artifacts).items()}
    found: dict[str, Any] = {f"{part[1]}/{part[-1]}": content for part, content in parts.items()}
    signals = orjson.loads(found["signals/signals.json"])
    counted = {"signals/signals.json": {**signals, "watermark": 0}}
    return {name: content for name, content in found.items() if not name.endswith("/CURRENT")} | counted


def files_naming(folder: Path) -> list[str]:
    """The files of models with the mark in any byte."""
    files = [path for path in folder.rglob("*") if path.is_file() and "homefeed.db" not in path.name]
    return [path.name for path in files if MARK.encode() in path.read_bytes()]
