"""Trained models in a folder: published completely or not at all, checked by SHA-256 before they serve.

`<root>/<app>/<model>/<version>/` is a version: the model's files and `manifest.json`. The file `CURRENT` next to
the versions names the one to serve.
"""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

import orjson
from filelock import FileLock

from homefeed.errors import ArtifactError
from homefeed.protocols import Model
from homefeed.store.copies import private_copy, require_sha256, sha256_of, sync
from homefeed.store.manifests import FORMAT, MANIFEST, Manifest, digest_of, read_manifest
from homefeed.store.private import (
    PRIVATE_FILE,
    close_to_others,
    make_private,
    make_private_file,
    make_private_folder,
    seal,
)
from homefeed.store.shared_files import SharedFiles, Taken
from homefeed.types import SECOND

__all__ = ["ArtifactStore", "Draft", "FilesState", "Loaded", "Manifest", "Pointer"]

M = TypeVar("M", bound=Model)

FilesState: TypeAlias = tuple[str | None, frozenset[tuple[str, int, int]]]
"""A version with the names, sizes and times of its files."""

CURRENT = "CURRENT"
LOCK = ".lock"
_GONE = ".gone-"
_DRAFT = ".draft-"
_KEPT_VERSIONS = 3
_LONGEST_NAME = 1_000
_VERSION = re.compile(r"\d{8}T\d{12}-\w+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which version is to serve; None with the reason why no version is named."""

    version: str | None
    why: str = ""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Loaded(Generic[M]):
    """A model that passed its checks, and why newer versions (version: why) were refused."""

    model: M
    manifest: Manifest
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """A version that is written, and serves once it is published."""

    folder: Path
    manifest: Manifest

    def publish(self) -> Manifest:
        """Make it the current version."""
        home = self.folder.parent
        with FileLock(home / LOCK, mode=PRIVATE_FILE):
            _install(self.folder, home / self.manifest.version, self.manifest)
            _point_at(home, self.manifest.version)
        return self.manifest


@dataclass(frozen=True, slots=True)
class ArtifactStore:
    """The models of all apps under `root`. What is loaded is `shared` with other processes of the host, or not."""

    root: Path
    shared: SharedFiles | None = None

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
        how: dict[str, Any] = {"now": now, "watermark": watermark, "config": config, "facts": facts}
        with self.drafting(app, name, part, model, **how) as draft:
            return draft.publish()

    @contextmanager
    def drafting(
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
    ) -> Iterator[Draft]:
        """Write a new version that nobody sees yet: what is not published within is removed in the end."""
        home = self.root / app / name
        make_private_folder(home)
        for folder in (self.root, self.root / app, home):
            close_to_others(folder)
        draft = home / f"{_DRAFT}{uuid.uuid4().hex}"
        make_private_folder(draft)
        try:
            model.save(draft)
            files = {path.name: sha256_of(path) for path in sorted(draft.iterdir())}
            moment = datetime.fromtimestamp(now / SECOND, UTC)
            created_at = moment.isoformat().replace("+00:00", "Z")
            kind = type(model).__name__
            unnamed = Manifest(FORMAT, app, name, part, kind, "", created_at, watermark, config, facts, files)
            manifest = replace(unnamed, version=f"{moment:%Y%m%dT%H%M%S%f}-{digest_of(unnamed)}")
            (draft / MANIFEST).write_bytes(orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2))
            for path in draft.iterdir():
                seal(path)
                sync(path)
            make_private(draft)
            sync(draft)
            yield Draft(draft, manifest)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        self._retire(app, name)

    def clear_drafts(self, app: str, name: str) -> None:
        """Remove what publishing left that was killed. Nobody else may be publishing the model."""
        for left in (self.root / app / name).glob(f"{_DRAFT}*"):
            shutil.rmtree(left, ignore_errors=True)

    def require_folders(self, app: str) -> None:
        """See that nothing else is where the models of an app belong; nothing at all is in order.

        Raises:
            ArtifactError: there is.
        """
        home = self.root / app
        for folder in (home, *home.parents):
            if folder.exists() and not folder.is_dir():
                raise ArtifactError(f"{folder} is a file; move it away: the models are kept in a folder there")

    def choose(self, app: str, name: str, version: str) -> None:
        """Make a published version the current one, for example an earlier one.

        Raises:
            ArtifactError: there is no such version.
        """
        home = self.root / app / name
        with FileLock(home / LOCK, mode=PRIVATE_FILE) if home.is_dir() else nullcontext():
            self._require(app, name, version)
            _point_at(home, version)

    def check(self, app: str, name: str, version: str, kind: type[Model], part: str | None = None) -> None:
        """See that a version could be served.

        Raises:
            ArtifactError: there is no such version, or it is not intact.
        """
        self._require(app, name, version)
        try:
            self._loaded(app, name, version, kind, part)
        except Exception as error:  # a damaged file may raise anything
            raise ArtifactError(f"{app}/{name}: {version} cannot be served: {error}") from error

    def _require(self, app: str, name: str, version: str) -> None:
        known = self.versions(app, name)
        if version not in known:
            raise ArtifactError(f"{app}/{name}: no version {version}; there are: {', '.join(known) or 'none'}")

    def pointer(self, app: str, name: str) -> Pointer:
        """The version to serve, or why none is named. A missing name is no order to serve nothing."""
        home = self.root / app / name
        try:
            with (home / CURRENT).open("rb") as file:
                named = file.read(_LONGEST_NAME).decode(errors="replace").strip()
        except FileNotFoundError:
            missing = next((folder for folder in (self.root, self.root / app, home) if not folder.is_dir()), None)
            return Pointer(None, f"{CURRENT} is missing" if missing is None else f"{missing} is missing")
        except OSError as error:
            return Pointer(None, f"{CURRENT} cannot be read: {error.strerror}")
        if not _VERSION.fullmatch(named):
            return Pointer(None, f"{CURRENT} names no version: {named!r:.80}" if named else f"{CURRENT} is empty")
        return Pointer(named)

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
                return read_manifest(self.root / app / name / version, app, name)
        return None

    def versions(self, app: str, name: str) -> list[str]:
        """Every published version, newest first."""
        home = self.root / app / name
        if not home.is_dir():
            return []
        names = (path.parent.name for path in home.glob(f"*/{MANIFEST}"))
        return sorted((name for name in names if not name.startswith(".")), reverse=True)

    def load(self, app: str, name: str, kind: type[M], part: str | None = None) -> Loaded[M] | None:
        """The current version, or, if that is damaged, the newest older one that is intact; None without any.

        Where no version is named, the newest is as good as current. It is loaded from a copy of its files to which
        no path leads: what is mapped can neither be changed nor cut by others.

        Raises:
            ArtifactError: there are versions, and none is intact.
        """
        current = self.current(app, name)
        while True:
            found, refused = self._newest_whole(app, name, kind, part, current)
            before, current = current, self.current(app, name)
            # A version that vanished during the read was replaced: read the new one.
            if not refused or current == before:
                break
        if found is None and refused:
            newest, why = next(iter(refused.items()))
            raise ArtifactError(f"{app}/{name}: no version is intact; {newest}: {why}. Train again.")
        return found

    def find(self, app: str, name: str, kind: type[M]) -> Loaded[M] | None:
        """The same, None where no version is intact, too."""
        try:
            return self.load(app, name, kind)
        except ArtifactError:
            return None

    def _newest_whole(
        self, app: str, name: str, kind: type[M], part: str | None, current: str | None
    ) -> tuple[Loaded[M] | None, dict[str, str]]:
        refused: dict[str, str] = {}
        for version in self._preferred(app, name, current):
            try:
                return self._loaded(app, name, version, kind, part, refused), refused
            except Exception as error:  # a damaged file may raise anything, and an older version can serve
                refused[version] = f"{type(error).__name__}: {error}"
        return None, refused

    def _loaded(
        self,
        app: str,
        name: str,
        version: str,
        kind: type[M],
        part: str | None,
        refused: Mapping[str, str] | None = None,
    ) -> Loaded[M]:
        folder = self.root / app / name / version
        manifest = read_manifest(folder, app, name)
        _require_made_by(manifest, kind.__name__, part)
        taken = Taken(self.shared)
        try:
            with private_copy(self.root, folder, manifest.files, taken.take) as copy:
                loaded = Loaded(kind.load(copy), manifest, refused or {})
            taken.keep_for(loaded)
        finally:
            taken.let_go()
        return loaded

    def _preferred(self, app: str, name: str, current: str | None) -> Iterator[str]:
        if current is not None:
            yield current
        yield from (version for version in self.versions(app, name) if current is None or version < current)

    def _retire(self, app: str, name: str) -> None:
        """Remove all but the newest versions and the current one."""
        home = self.root / app / name
        with FileLock(home / LOCK, mode=PRIVATE_FILE):
            for version in self.versions(app, name)[_KEPT_VERSIONS:]:
                if version != self.current(app, name):
                    # In one step: half removed, it would be a damaged version.
                    (home / version).rename(home / f"{_GONE}{version}")
            for gone in home.glob(f"{_GONE}*"):
                shutil.rmtree(gone, ignore_errors=True)


def _require_made_by(manifest: Manifest, kind: str, part: str | None) -> None:
    if manifest.kind != kind or part not in (None, manifest.part):
        wanted = kind if part is None else f"{kind} of the part {part}"
        raise ArtifactError(
            f"it is a {manifest.kind} of the part {manifest.part}, and the recipe wants a {wanted}"
        )


def _size_and_time(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_size, found.st_mtime_ns


def _install(draft: Path, folder: Path, manifest: Manifest) -> None:
    """Make a finished draft a version; if the same version was published before and is intact, that one stays."""
    if folder.exists():
        with suppress(ArtifactError, OSError):
            read_manifest(folder, manifest.app, manifest.model)
            for name, expected in manifest.files.items():
                require_sha256(folder, name, expected)
            return
        shutil.rmtree(folder)
    draft.rename(folder)


def _point_at(home: Path, version: str) -> None:
    draft = home / f".current-{uuid.uuid4().hex}"
    make_private_file(draft)
    draft.write_text(version)
    sync(draft)
    draft.replace(home / CURRENT)
    sync(home)
