"""Trained models in a folder: published completely or not at all, checked by SHA-256 before they serve.

`<root>/<app>/<model>/<version>/` is a version: the model's files and `manifest.json`. The file `CURRENT` next to
the versions names the one to serve.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

import orjson
from filelock import FileLock

from homefeed.errors import ArtifactError
from homefeed.protocols import Model
from homefeed.store.private import (
    PRIVATE_FILE,
    close_to_others,
    make_private,
    make_private_file,
    make_private_folder,
)
from homefeed.types import SECOND

M = TypeVar("M", bound=Model)

FilesState: TypeAlias = tuple[str | None, frozenset[tuple[str, int, int]]]
"""A version with the names, sizes and times of its files."""

_MANIFEST = "manifest.json"
_CURRENT = "CURRENT"
_LOCK = ".lock"
_GONE = ".gone-"
_KEPT_VERSIONS = 3


@dataclass(frozen=True, slots=True)
class Manifest:
    """A version. `files` maps names to SHA-256; `watermark` is the last event seq it was fitted on."""

    app: str
    model: str
    part: str
    version: str
    created_at: str
    watermark: int
    config: Mapping[str, Any]
    facts: Mapping[str, Any]
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which version is to serve; None with the reason why no version is named."""

    version: str | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Loaded(Generic[M]):
    """A model that passed its checks, and why newer versions (version: why) were refused."""

    model: M
    manifest: Manifest
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ArtifactStore:
    """The models of all apps under `root`."""

    root: Path

    def publish(
        self,
        app: str,
        name: str,
        part: str,
        model: Model,
        *,
        now: int,
        watermark: int,
        config: Mapping[str, Any],
        facts: Mapping[str, Any],
    ) -> Manifest:
        """Write a new version and make it the current one; a reader sees either the old one or the new one."""
        home = self.root / app / name
        make_private_folder(home)
        for folder in (self.root, self.root / app, home):
            close_to_others(folder)
        draft = home / f".draft-{uuid.uuid4().hex}"
        make_private_folder(draft)
        try:
            model.save(draft)
            files = {path.name: _sha256(path) for path in sorted(draft.iterdir())}
            moment = datetime.fromtimestamp(now / SECOND, UTC)
            version = f"{moment:%Y%m%dT%H%M%S%f}-{_digest(files, config, watermark)}"
            created_at = moment.isoformat().replace("+00:00", "Z")
            manifest = Manifest(app, name, part, version, created_at, watermark, config, facts, files)
            (draft / _MANIFEST).write_bytes(orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2))
            for path in [*draft.iterdir(), draft]:
                make_private(path)
                _sync(path)
            with FileLock(home / _LOCK, mode=PRIVATE_FILE):
                _install(draft, home / version)
                _point_at(home, version)
                self._retire(app, name)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return manifest

    def choose(self, app: str, name: str, version: str) -> None:
        """Make a published version the current one, for example an earlier one.

        Raises:
            ArtifactError: there is no such version.
        """
        home = self.root / app / name
        with FileLock(home / _LOCK, mode=PRIVATE_FILE) if home.is_dir() else nullcontext():
            known = self.versions(app, name)
            if version not in known:
                raise ArtifactError(f"{app}/{name}: no version {version}; there are: {', '.join(known) or 'none'}")
            _point_at(home, version)

    def pointer(self, app: str, name: str) -> Pointer:
        """The version to serve, or why none is named. A missing name is no order to serve nothing."""
        home = self.root / app / name
        try:
            named = (home / _CURRENT).read_bytes().decode(errors="replace").strip()
        except FileNotFoundError:
            missing = next((folder for folder in (self.root, self.root / app, home) if not folder.is_dir()), None)
            return Pointer(None, f"{_CURRENT} is missing" if missing is None else f"{missing} is missing")
        except OSError as error:
            return Pointer(None, f"{_CURRENT} cannot be read: {error.strerror}")
        return Pointer(named) if named else Pointer(None, f"{_CURRENT} is empty")

    def state(self, app: str, name: str) -> FilesState:
        """What is another once a file of the version to serve is."""
        version = self.current(app, name)
        try:
            files = list((self.root / app / name / version).iterdir()) if version else []
            return version, frozenset((path.name, *_size_and_time(path)) for path in files)
        except OSError:
            return version, frozenset()

    def current(self, app: str, name: str) -> str | None:
        """The version to serve; None if none is named."""
        return self.pointer(app, name).version

    def manifest(self, app: str, name: str) -> Manifest | None:
        """The manifest of the version to serve, or of the newest before it that can be read; None without any."""
        for version in self._preferred(app, name, self.current(app, name)):
            with suppress(OSError, ArtifactError):
                return _read_manifest(self.root / app / name / version)
        return None

    def versions(self, app: str, name: str) -> list[str]:
        """Every published version, newest first."""
        home = self.root / app / name
        if not home.is_dir():
            return []
        names = (path.parent.name for path in home.glob(f"*/{_MANIFEST}"))
        return sorted((name for name in names if not name.startswith(".")), reverse=True)

    def load(self, app: str, name: str, kind: type[M]) -> Loaded[M] | None:
        """The current version, or, if that is damaged, the newest older one that is intact; None without any.

        Where no version is named, the newest is as good as current.

        Raises:
            ArtifactError: there are versions, and none is intact.
        """
        current = self.current(app, name)
        while True:
            found, refused = self._newest_whole(app, name, kind, current)
            before, current = current, self.current(app, name)
            # A version that vanished during the read was replaced: read the new one.
            if not refused or current == before:
                break
        if found is None and refused:
            newest, why = next(iter(refused.items()))
            raise ArtifactError(f"{app}/{name}: no version is intact; {newest}: {why}. Train again.")
        return found

    def _newest_whole(
        self, app: str, name: str, kind: type[M], current: str | None
    ) -> tuple[Loaded[M] | None, dict[str, str]]:
        refused: dict[str, str] = {}
        for version in self._preferred(app, name, current):
            folder = self.root / app / name / version
            try:
                manifest = _verified(folder)
                return Loaded(kind.load(folder), manifest, refused), refused
            except Exception as error:  # a damaged file may raise anything, and an older version can serve
                refused[version] = f"{type(error).__name__}: {error}"
        return None, refused

    def _preferred(self, app: str, name: str, current: str | None) -> Iterator[str]:
        if current is not None:
            yield current
        yield from (version for version in self.versions(app, name) if current is None or version < current)

    def _retire(self, app: str, name: str) -> None:
        """Remove all but the newest versions and the current one."""
        home = self.root / app / name
        for version in self.versions(app, name)[_KEPT_VERSIONS:]:
            if version != self.current(app, name):
                # In one step: half removed, it would be a damaged version.
                (home / version).rename(home / f"{_GONE}{version}")
        for gone in home.glob(f"{_GONE}*"):
            shutil.rmtree(gone, ignore_errors=True)


def _read_manifest(folder: Path) -> Manifest:
    try:
        return Manifest(**orjson.loads((folder / _MANIFEST).read_bytes()))
    except (orjson.JSONDecodeError, TypeError) as error:
        raise ArtifactError(f"{_MANIFEST} is damaged: {error}") from None


def _verified(folder: Path) -> Manifest:
    manifest = _read_manifest(folder)
    digest = _digest(manifest.files, manifest.config, manifest.watermark)
    if manifest.version != folder.name or not folder.name.endswith(f"-{digest}"):
        raise ArtifactError(f"{_MANIFEST} is damaged: it is not the published one")
    for name, expected in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise ArtifactError(f"{name} is missing")
        if _sha256(path) != expected:
            raise ArtifactError(f"{name} is damaged: its SHA-256 is not the manifest's")
    return manifest


def _size_and_time(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_size, found.st_mtime_ns


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(files: Mapping[str, str], config: Mapping[str, Any], watermark: int) -> str:
    return hashlib.sha256(orjson.dumps([files, dict(config), watermark])).hexdigest()[:8]


def _install(draft: Path, folder: Path) -> None:
    """Make a finished draft a version; if the same version was published before and is intact, that one stays."""
    if folder.exists():
        with suppress(ArtifactError, OSError, ValueError, TypeError):
            _verified(folder)
            return
        shutil.rmtree(folder)
    draft.rename(folder)


def _point_at(home: Path, version: str) -> None:
    draft = home / f".current-{uuid.uuid4().hex}"
    make_private_file(draft)
    draft.write_text(version)
    _sync(draft)
    draft.replace(home / _CURRENT)
    _sync(home)


def _sync(path: Path) -> None:
    """Force a file, or the entries of a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
