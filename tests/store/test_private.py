"""Who may read what the store keeps on disk, whatever the umask."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from homefeed.rank.blend import Blend
from homefeed.store import open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.items import ItemWrite, put_items

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode_of(path: Path) -> str:
    return f"{path.stat().st_mode & 0o777:o}"


def modes(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): mode_of(path) for path in folder.rglob("*")}


def give(paths: Iterable[Path], mode: int) -> None:
    for path in paths:
        path.chmod(mode)


async def test_a_new_database_and_its_folder_are_its_owners(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/new/home/homefeed.db") as store:
        await put_items(store, "app", [ItemWrite("a", {})])
        assert modes(tmp_path) == {
            "new": "700",
            "new/home": "700",
            "new/home/homefeed.db": "600",
            "new/home/homefeed.db-wal": "600",
            "new/home/homefeed.db-shm": "600",
        }


@pytest.mark.parametrize(("before", "after"), [(0o644, "600"), (0o666, "600"), (0o640, "640"), (0o600, "600")])
async def test_a_database_of_before_is_closed_to_the_world(tmp_path: Path, before: int, after: str) -> None:
    file = tmp_path / "homefeed.db"
    give([tmp_path], 0o755)
    async with open_store(f"sqlite:///{file}") as store:
        await put_items(store, "app", [ItemWrite("a", {})])
        give(map(tmp_path.joinpath, modes(tmp_path)), before)
        async with open_store(f"sqlite:///{file}") as again:
            await put_items(again, "app", [ItemWrite("b", {})])
        assert set(modes(tmp_path).values()) == {after}
        await put_items(store, "app", [ItemWrite("c", {})])
    assert mode_of(tmp_path) == "755", "a folder that was there may hold other things"


def test_models_are_their_owners(tmp_path: Path) -> None:
    artifacts = ArtifactStore(tmp_path / "models")
    (tmp_path / "models" / "app").mkdir(parents=True)
    for n in range(2):
        artifacts.publish("app", "blend", "blend", Blend({}), now=n, watermark=n, config={}, facts={})
    found = modes(tmp_path)
    assert len(found) > 8
    for name, mode in found.items():
        published = "400" if name.endswith(".json") else "600"
        assert mode == ("700" if (tmp_path / name).is_dir() else published), name
