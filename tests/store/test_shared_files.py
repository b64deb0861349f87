"""Large arrays of models are mapped once for all processes of a host, and are as safe as copies of one's own."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest

from homefeed.errors import ArtifactError
from homefeed.retrieve.als.model import AlsModel
from homefeed.store.artifacts import ArtifactStore, Loaded
from homefeed.store.shared_files import SharedFiles, can_share
from homefeed.types import Floats

pytestmark = pytest.mark.skipif(
    not can_share(), reason="the system does not let processes find each other's files"
)

ITEMS = 40_000
MODEL = AlsModel(
    np.arange(ITEMS, dtype=np.int32), np.arange(8 * ITEMS, dtype=np.float32).reshape(-1, 8), np.eye(8), 1.0
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    ArtifactStore(tmp_path).publish("shop", "als", "als", MODEL, now=0, watermark=0, config={}, facts={})
    return tmp_path


def loaded(root: Path, shared: bool = True) -> Loaded[AlsModel]:
    """As a process of its own loads it."""
    found = ArtifactStore(root, SharedFiles(root) if shared else None).load("shop", "als", AlsModel)
    assert found is not None
    return found


def inode_of(array: Floats) -> int:
    """The file that an array is mapped from."""
    address = array.__array_interface__["data"][0]
    for line in Path("/proc/self/maps").read_text().splitlines():
        ends, *_, inode = line.split()[:5]
        first, last = (int(end, 16) for end in ends.split("-"))
        if first <= address < last:
            return int(inode)
    raise AssertionError("it is not mapped")


def held(root: Path) -> list[Path]:
    return [path for path in root.glob(".held-*/*") if path.name != ".lock"]


def test_the_second_to_load_maps_what_the_first_has_copied(root: Path) -> None:
    first, second, alone = loaded(root), loaded(root), loaded(root, shared=False)
    assert inode_of(first.model.factors) == inode_of(second.model.factors)
    assert inode_of(alone.model.factors) != inode_of(first.model.factors)
    for found in (first, second, alone):
        np.testing.assert_array_equal(found.model.factors, MODEL.factors)


def test_small_files_are_copied(root: Path) -> None:
    first = loaded(root)
    assert [path.name for path in held(root)] == [first.manifest.files["factors.npy"]]


def test_what_is_not_served_any_more_is_found_no_more_and_stays_for_who_maps_it(root: Path) -> None:
    first = loaded(root)
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    second = loaded(root)
    del first
    gc.collect()
    assert len(held(root)) == 1
    np.testing.assert_array_equal(second.model.factors, MODEL.factors)
    factors = second.model.factors
    del second
    gc.collect()
    assert held(root) == []
    assert len(list(Path("/proc/self/fd").iterdir())) <= descriptors
    np.testing.assert_array_equal(factors, MODEL.factors)


def test_what_was_changed_under_its_holder_is_taken_by_nobody(root: Path) -> None:
    first = loaded(root)
    with held(root)[0].open("r+b") as file:  # root may do that by /proc
        file.seek(1_000)
        file.write(b"changed")
    second = loaded(root)
    np.testing.assert_array_equal(second.model.factors, MODEL.factors)
    assert inode_of(first.model.factors) != inode_of(second.model.factors)


@pytest.mark.parametrize("target", ["/proc/self/fd/9999", "/dev/null", "/proc/1/fd/0"])
def test_links_that_lead_nowhere_or_to_something_else_are_passed_by(root: Path, target: str) -> None:
    first = loaded(root)
    link = held(root)[0]
    link.unlink()
    link.symlink_to(target)
    second = loaded(root)
    np.testing.assert_array_equal(second.model.factors, MODEL.factors)
    assert inode_of(first.model.factors) != inode_of(second.model.factors)


def test_links_of_a_process_that_ended_are_removed(root: Path) -> None:
    left = root / ".held-1-left"
    left.mkdir()
    (left / ("0" * 64)).symlink_to("/proc/1/fd/1")
    loaded(root)
    assert not left.exists()


@pytest.mark.parametrize("is_held", [False, True])
def test_a_damaged_file_is_refused_whoever_holds_what_it_was(root: Path, is_held: bool) -> None:
    first = loaded(root) if is_held else None
    file = next(root.glob("shop/als/*/factors.npy"))
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.unlink()
    file.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"factors\.npy is damaged"):
        loaded(root)
    assert len(held(root)) == is_held
    if first is not None:
        np.testing.assert_array_equal(first.model.factors, MODEL.factors)
