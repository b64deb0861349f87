"""Published models: whole or not at all, checked before they serve, an older one where the newest is damaged."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from subprocess import PIPE
from typing import Any, Self

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homefeed.errors import ArtifactError
from homefeed.retrieve.arrays import ArrayModel
from homefeed.store import artifacts as module
from homefeed.store.artifacts import ArtifactStore, Manifest, Pointer
from homefeed.store.copies import Take, private_copy
from homefeed.store.manifests import digest_of
from homefeed.types import SECOND, Numbers

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


def rewrite(path: Path, content: bytes) -> None:
    """What is published is read only: another file takes its place."""
    path.unlink()
    path.write_bytes(content)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    rewrite(path, bytes(content))


def truncate(path: Path) -> None:
    rewrite(path, path.read_bytes()[:-1])


def empty(path: Path) -> None:
    rewrite(path, b"")


def no_json(path: Path) -> None:
    rewrite(path, b"{nonsense")


def other_json(path: Path) -> None:
    rewrite(path, b"[1, 2]")


def without_files(path: Path) -> None:
    rewrite(path, orjson.dumps(orjson.loads(path.read_bytes()) | {"files": {}}))


def files_as_list(path: Path) -> None:
    rewrite(path, orjson.dumps(orjson.loads(path.read_bytes()) | {"files": [1]}))


def one_key_more(path: Path) -> None:
    rewrite(path, orjson.dumps(orjson.loads(path.read_bytes()) | {"colour": "red"}))


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
    rewrite(path, bytes(content))
    assert loaded(artifacts) in ((1, 2) if name == "manifest.json" else (1,))


def test_a_model_that_cannot_read_its_own_files_is_refused(artifacts: ArtifactStore) -> None:
    class Newer(Pair):
        @classmethod
        def load(cls, folder: Path) -> Self:
            if folder.name.endswith(artifacts.versions(APP, NAME)[0]):
                raise RuntimeError("made by a newer Homefeed")
            return super().load(folder)

    Newer.__name__ = Pair.__name__  # the same model, of another release
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


def test_a_version_is_checked_without_being_chosen(artifacts: ArtifactStore) -> None:
    first, second = publish(artifacts, 1), publish(artifacts, 2)
    artifacts.check(APP, NAME, first.version, Pair)
    flip(next(path for path in folder_of(artifacts, first).iterdir() if path.name != "manifest.json"))
    with pytest.raises(ArtifactError, match=f"{first.version} cannot be served: "):
        artifacts.check(APP, NAME, first.version, Pair)
    with pytest.raises(ArtifactError, match="no version 3; there are: "):
        artifacts.check(APP, NAME, "3", Pair)
    assert artifacts.current(APP, NAME) == second.version


def test_what_is_sought_is_none_where_no_version_is_intact(artifacts: ArtifactStore) -> None:
    assert artifacts.find(APP, NAME, Pair) is None
    made = publish(artifacts, 1)
    found = artifacts.find(APP, NAME, Pair)
    assert found is not None
    assert found.manifest == made
    flip(folder_of(artifacts, made) / "manifest.json")
    assert artifacts.find(APP, NAME, Pair) is None


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


def test_a_version_replaced_while_it_was_read_is_looked_up_again(
    artifacts: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replaced(root: Path, folder: Path, files: Mapping[str, str], take: Take) -> Any:
        if not published:
            published.extend(publish(artifacts, n) for n in range(1, 6))
        return private_copy(root, folder, files, take)

    published: list[Manifest] = []
    publish(artifacts, 0)
    monkeypatch.setattr(module, "private_copy", replaced)
    found = artifacts.load(APP, NAME, Pair)
    assert found is not None
    assert (found.model, found.manifest, found.refused) == (Pair(5, 5), published[-1], {})


def moved_to(artifacts: ArtifactStore, folder: Path, app: str, name: str) -> None:
    """A copy of a version where another app, or another model, has its own."""
    home = artifacts.root / app / name
    shutil.copytree(folder, home / folder.name)
    (home / "CURRENT").write_text(folder.name)


@pytest.mark.parametrize(("app", "name"), [("shop", NAME), (APP, "other")])
def test_what_is_copied_to_another_app_or_model_is_refused(artifacts: ArtifactStore, app: str, name: str) -> None:
    moved_to(artifacts, folder_of(artifacts, publish(artifacts, 1)), app, name)
    with pytest.raises(ArtifactError, match=rf"{app}/{name}: no version .*: it is of streaming/pair, copied here"):
        artifacts.load(app, name, Pair)
    assert artifacts.manifest(app, name) is None


def test_a_model_of_another_kind_or_part_is_refused(artifacts: ArtifactStore) -> None:
    class Other(Pair):
        """With the same files."""

    publish(artifacts, 1)
    with pytest.raises(ArtifactError, match=r"it is a Pair of the part pair, and the recipe wants a Other"):
        artifacts.load(APP, NAME, Other)
    with pytest.raises(ArtifactError, match=r"it is a Pair of the part pair, and .* a Pair of the part sums"):
        artifacts.load(APP, NAME, Pair, "sums")
    assert artifacts.load(APP, NAME, Pair, "pair") is not None


def forged(artifacts: ArtifactStore, manifest: Manifest, **changes: Any) -> Path:
    """The folder of the version with another manifest, sums and names made to fit."""
    other = replace(manifest, **changes)
    other = replace(other, version=f"{manifest.version.partition('-')[0]}-{digest_of(other)}")
    folder = folder_of(artifacts, manifest).rename(folder_of(artifacts, other))
    (folder / "manifest.json").unlink()
    (folder / "manifest.json").write_bytes(orjson.dumps(asdict(other)))
    (folder.parent / "CURRENT").write_text(other.version)
    return folder


def refusal(artifacts: ArtifactStore) -> str:
    with pytest.raises(ArtifactError) as refused:
        artifacts.load(APP, NAME, Pair)
    return str(refused.value)


def test_a_manifest_that_was_made_to_fit_loads_what_it_names(artifacts: ArtifactStore) -> None:
    """So that what is refused below is refused for its own reason."""
    forged(artifacts, publish(artifacts, 1), watermark=1, config={"forged": True})
    assert loaded(artifacts) == 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"app": "shop"}, "it is of shop/pair, copied here; train streaming instead"),
        ({"model": "other"}, "it is of streaming/other, copied here; train streaming instead"),
        ({"kind": "Other"}, "it is a Other of the part pair, and the recipe wants a Pair"),
        ({"format": 1}, "manifest.json is of format 1, and this Homefeed reads 2"),
        ({"format": 3}, "manifest.json is of format 3, and this Homefeed reads 2"),
    ],
)
def test_the_manifest_says_what_it_is_of(artifacts: ArtifactStore, changes: dict[str, Any], why: str) -> None:
    forged(artifacts, publish(artifacts, 1), **changes)
    assert why in refusal(artifacts)


@pytest.mark.parametrize("name", ["{outside}", "../../../secret.json", "sub/left.json", "..", "", ".hidden"])
def test_a_name_that_leads_elsewhere_is_refused(artifacts: ArtifactStore, name: str) -> None:
    published = publish(artifacts, 1)
    secret = artifacts.root / "secret.json"
    secret.write_bytes((folder_of(artifacts, published) / "left.json").read_bytes())
    name = name.format(outside=secret)
    files = {name: published.files["left.json"], "right.json": published.files["right.json"]}
    forged(artifacts, published, files=files)
    assert f"{name!r} is no name of a file of the model" in refusal(artifacts)


def symbolic_link(path: Path) -> None:
    elsewhere = path.rename(path.parents[1] / "elsewhere")
    path.symlink_to(elsewhere)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("name", ["left.json", "manifest.json"])
@pytest.mark.parametrize(
    ("harm", "why"),
    [(symbolic_link, "is a symbolic link"), (pipe, "is no plain file"), (folder, "is no plain file")],
)
def test_what_is_no_plain_file_is_refused_and_nothing_waits_for_it(
    artifacts: ArtifactStore, name: str, harm: Callable[[Path], None], why: str
) -> None:
    harm(folder_of(artifacts, publish(artifacts, 1)) / name)
    assert f"{name} {why}" in refusal(artifacts)


def test_a_version_that_is_a_symbolic_link_is_refused(artifacts: ArtifactStore) -> None:
    symbolic_link(folder_of(artifacts, publish(artifacts, 1)))
    assert "it is a symbolic link" in refusal(artifacts)


@pytest.mark.parametrize("named", ["../pair/{version}", "/tmp", "{version}/../{version}", "nonsense", "x" * 9_999])
def test_a_pointer_out_of_the_folder_names_no_version(artifacts: ArtifactStore, named: str) -> None:
    published = publish(artifacts, 1)
    named = named.format(version=published.version)
    (artifacts.root / APP / NAME / "CURRENT").write_text(named)
    found = artifacts.pointer(APP, NAME)
    assert found.version is None
    assert found.why.startswith("CURRENT names no version: ")
    assert len(found.why) < 120
    assert loaded(artifacts) == 1


def test_what_is_published_is_read_only(artifacts: ArtifactStore) -> None:
    folder = folder_of(artifacts, publish(artifacts, 1))
    assert [stat.S_IMODE(path.stat().st_mode) & 0o333 for path in folder.iterdir()] == [0, 0, 0]
    for n in range(2, 9):
        publish(artifacts, n)
    assert not folder.exists(), "it can be retired all the same"


@dataclass(frozen=True, slots=True)
class Mapped(ArrayModel):
    numbers: Numbers


CUT = """
    import sys
    from pathlib import Path
    from homefeed.store.artifacts import ArtifactStore
    from tests.store.test_artifacts import APP, Mapped

    artifacts = ArtifactStore(Path(sys.argv[1]))
    found = artifacts.load(APP, "mapped", Mapped)
    for path in sorted(artifacts.root.rglob("*")):
        if path.is_file():
            path.chmod(0o600)
            with path.open("r+b") as file:
                file.truncate(0)
    print(int(found.model.numbers.sum()), sorted(path.name for path in artifacts.root.iterdir()))
"""


def test_files_that_are_cut_in_place_while_they_serve_change_nothing(artifacts: ArtifactStore) -> None:
    """In a process of its own: what is mapped and cut ends a process at once."""
    model = Mapped(np.arange(1_000_000, dtype=np.int32))
    artifacts.publish(APP, "mapped", "mapped", model, now=START, watermark=1, config={}, facts={})
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", textwrap.dedent(CUT), str(artifacts.root)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "499999500000 ['streaming']\n"), done.stderr


class TestPrivateCopies:
    @pytest.fixture
    def published(self, artifacts: ArtifactStore) -> Manifest:
        return publish(artifacts, 1)

    def copies(self, artifacts: ArtifactStore) -> list[str]:
        return sorted(path.name for path in artifacts.root.iterdir() if path.name.startswith("."))

    def test_loading_leaves_none(self, artifacts: ArtifactStore, published: Manifest) -> None:
        assert loaded(artifacts) == 1
        flip(folder_of(artifacts, published) / "left.json")
        refusal(artifacts)
        assert self.copies(artifacts) == []

    def test_what_a_killed_process_left_is_removed_and_what_is_in_use_is_not(
        self, artifacts: ArtifactStore, published: Manifest
    ) -> None:
        (artifacts.root / ".copy-left").mkdir()
        (artifacts.root / ".copy-left" / "big.npy").write_bytes(b"left")
        with private_copy(artifacts.root, folder_of(artifacts, published), published.files) as copy:
            assert copy.name == published.version
            assert loaded(artifacts) == 1
            assert self.copies(artifacts) == [copy.parent.name]
            assert sorted(path.name for path in copy.iterdir()) == ["left.json", "right.json"]
        assert self.copies(artifacts) == []

    def test_where_nothing_can_be_written_beside_the_models_they_are_among_temporary_files(
        self, artifacts: ArtifactStore, published: Manifest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        def made(prefix: str, **where: Path) -> str:
            if where["dir"] == artifacts.root:
                raise OSError(errno.EROFS, "Read-only file system")
            return mkdtemp(None, prefix, str(where["dir"]))

        mkdtemp = tempfile.mkdtemp
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
        (tmp_path / "temporary").mkdir()
        monkeypatch.setattr(tempfile, "mkdtemp", made)
        with private_copy(artifacts.root, folder_of(artifacts, published), published.files) as copy:
            assert copy.parents[1] == tmp_path / "temporary"
        assert loaded(artifacts) == 1
        assert list((tmp_path / "temporary").iterdir()) == []

    def test_they_are_made_where_the_kernel_does_not_copy(
        self, artifacts: ArtifactStore, published: Manifest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refused(*_: object) -> int:
            raise OSError(errno.EXDEV, "Invalid cross-device link")

        monkeypatch.setattr(os, "copy_file_range", refused)
        assert loaded(artifacts) == 1

    def test_without_room_the_version_is_refused_and_says_why(
        self, artifacts: ArtifactStore, published: Manifest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "copy_file_range", full)
        monkeypatch.setattr(shutil, "copyfileobj", full)
        assert "No space left on device" in refusal(artifacts)


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
