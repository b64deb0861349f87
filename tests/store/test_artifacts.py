"""Published models: whole or not at all, checked before they serve, an older one where the newest is damaged."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE
from typing import Any, Self

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homefeed.errors import ArtifactError
from homefeed.store import artifacts as module
from homefeed.store.artifacts import ArtifactStore, Manifest, Pointer
from homefeed.types import SECOND

APP, NAME = "streaming", "pair"
START = 1_700_000_000 * SECOND


@dataclass(frozen=True)
class Pair:
    """The smallest model whose files can be told to be of different versions."""

    left: int
    right: int

    def save(self, folder: Path) -> None:
        (folder / "left.json").write_bytes(orjson.dumps(self.left))
        (folder / "right.json").write_bytes(orjson.dumps(self.right))

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(orjson.loads((folder / "left.json").read_bytes()), int((folder / "right.json").read_text()))


@pytest.fixture
def artifacts(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "models")


def publish(artifacts: ArtifactStore, n: int, **more: Any) -> Manifest:
    arguments: dict[str, Any] = {"now": START + n, "watermark": n, "config": {"size": 1.5}, "facts": {"events": n}}
    return artifacts.publish(APP, NAME, "pair", Pair(n, n), **(arguments | more))


def folder_of(artifacts: ArtifactStore, manifest: Manifest) -> Path:
    return artifacts.root / APP / NAME / manifest.version


def loaded(artifacts: ArtifactStore) -> int:
    found = artifacts.load(APP, NAME, Pair)
    assert found is not None
    assert found.model.left == found.model.right == found.manifest.watermark
    return found.model.left


def test_what_was_published_is_loaded_with_its_manifest(artifacts: ArtifactStore) -> None:
    manifest = publish(artifacts, 7)
    found = artifacts.load(APP, NAME, Pair)
    assert found is not None
    assert (found.model, found.manifest, found.refused) == (Pair(7, 7), manifest, {})
    assert (manifest.app, manifest.model, manifest.part, manifest.watermark) == (APP, NAME, "pair", 7)
    assert (manifest.config, manifest.facts) == ({"size": 1.5}, {"events": 7})
    assert manifest.created_at == "2023-11-14T22:13:20.000007Z"
    assert set(manifest.files) == {"left.json", "right.json"}
    assert artifacts.current(APP, NAME) == manifest.version


def test_nothing_published_is_nothing_and_no_error(artifacts: ArtifactStore) -> None:
    assert artifacts.load(APP, NAME, Pair) is None
    assert artifacts.current(APP, NAME) is None
    assert artifacts.versions(APP, NAME) == []


def test_models_and_apps_are_apart(artifacts: ArtifactStore) -> None:
    publish(artifacts, 1)
    assert artifacts.load("shop", NAME, Pair) is None
    assert artifacts.load(APP, "other", Pair) is None


def test_what_others_may_read_they_can_read(artifacts: ArtifactStore) -> None:
    manifest = publish(artifacts, 1)
    (artifacts.root / "plain").mkdir()
    (artifacts.root / "plain.txt").touch()
    assert folder_of(artifacts, manifest).stat().st_mode == (artifacts.root / "plain").stat().st_mode
    current = artifacts.root / APP / NAME / "CURRENT"
    assert current.stat().st_mode == (artifacts.root / "plain.txt").stat().st_mode


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def no_json(path: Path) -> None:
    path.write_bytes(b"{nonsense")


def other_json(path: Path) -> None:
    path.write_bytes(b"[1, 2]")


def without_files(path: Path) -> None:
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | {"files": {}}))


def files_as_list(path: Path) -> None:
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | {"files": [1]}))


def one_key_more(path: Path) -> None:
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | {"colour": "red"}))


DAMAGES = [
    *((name, harm) for name in ("left.json", "manifest.json") for harm in (flip, truncate, empty, Path.unlink)),
    *(("manifest.json", harm) for harm in (no_json, other_json, without_files, files_as_list, one_key_more)),
]


@pytest.mark.parametrize(("name", "harm"), DAMAGES, ids=lambda value: getattr(value, "__name__", str(value)))
def test_a_damaged_version_is_refused_and_the_one_before_serves(
    artifacts: ArtifactStore, name: str, harm: Callable[[Path], None]
) -> None:
    publish(artifacts, 1)
    newest = publish(artifacts, 2)
    harm(folder_of(artifacts, newest) / name)
    found = artifacts.load(APP, NAME, Pair)
    assert found is not None
    assert found.model == Pair(1, 1)
    assert list(found.refused) == [newest.version]
    assert name in found.refused[newest.version]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(["left.json", "right.json", "manifest.json"]), data=st.data())
def test_no_flipped_byte_ever_serves_another_model(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    artifacts = ArtifactStore(tmp_path_factory.mktemp("models"))
    publish(artifacts, 1)
    path = folder_of(artifacts, publish(artifacts, 2)) / name
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    assert loaded(artifacts) in ((1, 2) if name == "manifest.json" else (1,))


def test_a_model_that_cannot_read_its_own_files_is_refused(artifacts: ArtifactStore) -> None:
    class Newer(Pair):
        @classmethod
        def load(cls, folder: Path) -> Self:
            if folder.name.endswith(artifacts.versions(APP, NAME)[0]):
                raise RuntimeError("made by a newer Homefeed")
            return super().load(folder)

    publish(artifacts, 1)
    newest = publish(artifacts, 2)
    found = artifacts.load(APP, NAME, Newer)
    assert found is not None
    assert found.model == Newer(1, 1)
    assert found.refused == {newest.version: "RuntimeError: made by a newer Homefeed"}


def test_without_any_whole_version_the_error_says_what_to_do_and_doing_it_helps(artifacts: ArtifactStore) -> None:
    for n in (1, 2):
        flip(folder_of(artifacts, publish(artifacts, n)) / "left.json")
    with pytest.raises(ArtifactError, match=r"streaming/pair: no version is intact; .*left\.json.*Train again"):
        artifacts.load(APP, NAME, Pair)
    publish(artifacts, 2)
    assert loaded(artifacts) == 2


def test_a_damaged_pointer_still_serves_the_newest(artifacts: ArtifactStore) -> None:
    publish(artifacts, 1)
    (artifacts.root / APP / NAME / "CURRENT").write_bytes(b"\xff\xfe nonsense")
    assert loaded(artifacts) == 1


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (Path.unlink, "CURRENT is missing"),
        (empty, "CURRENT is empty"),
        (lambda path: path.write_text(" \n"), "CURRENT is empty"),
        (lambda path: (path.unlink(), path.mkdir()), "CURRENT cannot be read: Is a directory"),
    ],
)
def test_a_name_that_is_gone_has_a_reason_and_the_newest_is_served(
    artifacts: ArtifactStore, harm: Callable[[Path], object], why: str
) -> None:
    publish(artifacts, 1)
    newest = publish(artifacts, 2)
    harm(artifacts.root / APP / NAME / "CURRENT")
    assert artifacts.pointer(APP, NAME) == Pointer(None, why)
    assert artifacts.current(APP, NAME) is None
    assert loaded(artifacts) == 2
    assert artifacts.manifest(APP, NAME) == newest


def test_a_missing_folder_is_named(artifacts: ArtifactStore) -> None:
    assert artifacts.pointer(APP, NAME).why == f"{artifacts.root} is missing"
    publish(artifacts, 1)
    assert artifacts.pointer(APP, "other").why == f"{artifacts.root / APP / 'other'} is missing"
    assert artifacts.pointer("shop", NAME).why == f"{artifacts.root / 'shop'} is missing"


def test_a_manifest_that_is_damaged_is_that_of_the_version_before(artifacts: ArtifactStore) -> None:
    """By it tuned values are kept from one training to the next."""
    before = publish(artifacts, 1)
    empty(folder_of(artifacts, publish(artifacts, 2)) / "manifest.json")
    assert artifacts.manifest(APP, NAME) == before
    empty(folder_of(artifacts, before) / "manifest.json")
    assert artifacts.manifest(APP, NAME) is None


def test_an_earlier_version_can_be_chosen_and_the_next_one_published_takes_over(artifacts: ArtifactStore) -> None:
    first, second, third = (publish(artifacts, n) for n in (1, 2, 3))
    artifacts.choose(APP, NAME, second.version)
    assert loaded(artifacts) == 2
    flip(folder_of(artifacts, second) / "left.json")
    assert loaded(artifacts) == 1
    artifacts.choose(APP, NAME, third.version)
    assert loaded(artifacts) == 3
    artifacts.choose(APP, NAME, first.version)
    publish(artifacts, 4)
    assert loaded(artifacts) == 4


@pytest.mark.parametrize("version", ["nonsense", "", ".", "../pair", ".draft-left"])
def test_choosing_what_is_not_there_names_what_is(artifacts: ArtifactStore, version: str) -> None:
    with pytest.raises(ArtifactError, match="there are: none"):
        artifacts.choose(APP, NAME, version)
    known = publish(artifacts, 1).version
    leave_draft(artifacts, ".draft-left", 9)
    with pytest.raises(ArtifactError, match=f"no version {version}; there are: {known}$"):
        artifacts.choose(APP, NAME, version)
    assert artifacts.current(APP, NAME) == known


def test_three_versions_are_kept(artifacts: ArtifactStore) -> None:
    published = [publish(artifacts, n).version for n in range(6)]
    assert artifacts.versions(APP, NAME) == published[:2:-1]
    folders = [path.name for path in (artifacts.root / APP / NAME).iterdir() if path.is_dir()]
    assert sorted(folders) == published[3:]


def test_a_clock_that_went_back_costs_no_model(artifacts: ArtifactStore) -> None:
    for n in (5, 6, 7):
        publish(artifacts, n)
    earlier = publish(artifacts, 1)
    assert artifacts.current(APP, NAME) == earlier.version
    assert loaded(artifacts) == 1


def leave_draft(artifacts: ArtifactStore, name: str, n: int) -> None:
    """What a publisher leaves that was killed just before its draft became a version."""
    elsewhere = ArtifactStore(artifacts.root / "elsewhere")
    complete = folder_of(elsewhere, publish(elsewhere, n))
    (artifacts.root / APP / NAME).mkdir(parents=True, exist_ok=True)
    complete.rename(artifacts.root / APP / NAME / name)


def test_the_draft_of_a_killed_publisher_neither_serves_nor_takes_a_place(artifacts: ArtifactStore) -> None:
    leave_draft(artifacts, ".draft-left", 9)
    assert artifacts.load(APP, NAME, Pair) is None
    assert artifacts.versions(APP, NAME) == []
    published = [publish(artifacts, n) for n in (1, 2, 3)]
    assert artifacts.versions(APP, NAME) == [manifest.version for manifest in reversed(published)]
    for manifest in published:
        flip(folder_of(artifacts, manifest) / "left.json")
    with pytest.raises(ArtifactError):
        artifacts.load(APP, NAME, Pair)


def test_a_publisher_killed_before_it_pointed_at_its_version_changed_nothing(
    artifacts: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    publish(artifacts, 1)
    with monkeypatch.context() as patched:
        patched.setattr(module, "_point_at", killed)
        with pytest.raises(KeyboardInterrupt):
            publish(artifacts, 2)
    assert loaded(artifacts) == 1
    publish(artifacts, 3)
    assert loaded(artifacts) == 3


def test_a_model_that_cannot_be_saved_leaves_nothing(artifacts: ArtifactStore) -> None:
    class Failing(Pair):
        def save(self, folder: Path) -> None:
            super().save(folder)
            raise OSError("disk full")

    publish(artifacts, 1)
    with pytest.raises(OSError, match="disk full"):
        artifacts.publish(APP, NAME, "pair", Failing(2, 2), now=START, watermark=2, config={}, facts={})
    assert loaded(artifacts) == 1
    names = sorted(path.name for path in (artifacts.root / APP / NAME).iterdir())
    assert names == [".lock", artifacts.current(APP, NAME), "CURRENT"]


def test_readers_see_whole_versions_only_and_never_go_back(artifacts: ArtifactStore) -> None:
    def poll() -> list[int]:
        seen: list[int] = []
        while not done.is_set():
            seen.append(loaded(artifacts))
        return seen

    publish(artifacts, 0)
    done = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(poll) for _ in range(2)]
        for n in range(1, 60):
            publish(artifacts, n)
        done.set()
    for reader in readers:
        seen = reader.result()
        assert seen == sorted(seen)
        assert len(set(seen)) > 5
    assert loaded(artifacts) == 59


def test_a_version_replaced_while_it_was_read_is_looked_up_again(artifacts: ArtifactStore) -> None:
    class Slow(Pair):
        @classmethod
        def load(cls, folder: Path) -> Self:
            if not published:
                published.extend(publish(artifacts, n) for n in range(1, 6))
            return super().load(folder)

    published: list[Manifest] = []
    publish(artifacts, 0)
    found = artifacts.load(APP, NAME, Slow)
    assert found is not None
    assert (found.model, found.manifest, found.refused) == (Slow(5, 5), published[-1], {})


def publish_many(root: Path, first: int) -> None:
    artifacts = ArtifactStore(root)
    # Their clocks run apart, so that each one's newest is old beside the other's.
    for n in range(first, first + 25):
        publish(artifacts, n, now=START + n % 7 * 1000 + n)


def test_publishers_in_two_processes_do_not_harm_one_another(artifacts: ArtifactStore) -> None:
    commands = [[sys.executable, __file__, str(artifacts.root), first] for first in ("100", "500")]
    publishers = [subprocess.Popen(command, stdin=PIPE, stdout=PIPE) for command in commands]
    outputs = [publisher.stdout for publisher in publishers]
    assert [output.readline() for output in outputs if output] == [b"ready\n", b"ready\n"]
    for publisher in publishers:
        assert publisher.stdin
        publisher.stdin.close()
    seen = set()
    while any(publisher.poll() is None for publisher in publishers):
        if artifacts.current(APP, NAME) is not None:
            seen.add(loaded(artifacts))
    for publisher, output in zip(publishers, outputs, strict=True):
        assert publisher.returncode == 0
        assert output
        output.close()
    assert len(seen) > 5
    assert loaded(artifacts) in (124, 524)
    assert 3 <= len(artifacts.versions(APP, NAME)) <= 4


if __name__ == "__main__":
    print("ready", flush=True)
    sys.stdin.read()
    publish_many(Path(sys.argv[1]), int(sys.argv[2]))
