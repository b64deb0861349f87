"""Trained models in a folder: published whole or not at all, checked by SHA-256 before they serve.

`<root>/<app>/<model>/<version>/` holds a version: the model's files and `manifest.json`. The file `CURRENT`
beside the versions names the one to serve.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

import orjson

from homefeed.errors import ArtifactError
from homefeed.protocols import Model
from homefeed.types import SECOND

M = TypeVar("M", bound=Model)

_MANIFEST = "manifest.json"
_CURRENT = "CURRENT"
_KEPT_VERSIONS = 3


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a version is. `files` maps names to SHA-256; `watermark` is the last event seq it was fitted on."""

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
        """Write a new version and make it the current one; a reader sees the old one or the new one, whole."""
        home = self.root / app / name
        home.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=home))
        try:
            model.save(draft)
            files = {path.name: _sha256(path) for path in sorted(draft.iterdir())}
            moment = datetime.fromtimestamp(now / SECOND, UTC)
            digest = hashlib.sha256(orjson.dumps([files, dict(config), watermark])).hexdigest()[:8]
            version = f"{moment:%Y%m%dT%H%M%S%f}-{digest}"
            created_at = moment.isoformat().replace("+00:00", "Z")
            manifest = Manifest(app, name, part, version, created_at, watermark, config, facts, files)
            (draft / _MANIFEST).write_bytes(orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2))
            _sync_folder(draft)
            if not (home / version).exists():
                draft.rename(home / version)
            self.choose(app, name, version)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        for old in self.versions(app, name)[_KEPT_VERSIONS:]:
            shutil.rmtree(home / old, ignore_errors=True)
        return manifest

    def choose(self, app: str, name: str, version: str) -> None:
        """Make a published version the current one; also the way back to an earlier one.

        Raises:
            ArtifactError: there is no such version.
        """
        home = self.root / app / name
        if not (home / version / _MANIFEST).is_file():
            known = ", ".join(self.versions(app, name)) or "none"
            raise ArtifactError(f"{app}/{name}: no version {version}; there are: {known}")
        descriptor, draft = tempfile.mkstemp(prefix=".current-", dir=home)
        with os.fdopen(descriptor, "w") as file:
            file.write(version)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(home / _CURRENT)
        _sync_folder(home)

    def current(self, app: str, name: str) -> str | None:
        """The version to serve; None where nothing is published."""
        try:
            return (self.root / app / name / _CURRENT).read_text().strip() or None
        except FileNotFoundError:
            return None

    def versions(self, app: str, name: str) -> list[str]:
        """Every published version, newest first."""
        home = self.root / app / name
        if not home.is_dir():
            return []
        return sorted((path.parent.name for path in home.glob(f"*/{_MANIFEST}")), reverse=True)

    def load(self, app: str, name: str, kind: type[M]) -> Loaded[M] | None:
        """The current version, or, where that is damaged, the newest older one that is whole; None without any."""
        refused: dict[str, str] = {}
        for version in self._preferred(app, name):
            folder = self.root / app / name / version
            try:
                manifest = _verified(folder)
                return Loaded(kind.load(folder), manifest, refused)
            except (ArtifactError, OSError, ValueError, KeyError, TypeError) as error:
                refused[version] = f"{type(error).__name__}: {error}"
        if refused:
            newest, why = next(iter(refused.items()))
            raise ArtifactError(f"{app}/{name}: no version is whole; {newest}: {why}. Train again.")
        return None

    def _preferred(self, app: str, name: str) -> Iterator[str]:
        current = self.current(app, name)
        if current is not None:
            yield current
            yield from (version for version in self.versions(app, name) if version < current)


def _verified(folder: Path) -> Manifest:
    try:
        manifest = Manifest(**orjson.loads((folder / _MANIFEST).read_bytes()))
    except (orjson.JSONDecodeError, TypeError) as error:
        raise ArtifactError(f"{_MANIFEST} is damaged: {error}") from None
    for name, expected in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise ArtifactError(f"{name} is missing")
        if _sha256(path) != expected:
            raise ArtifactError(f"{name} is damaged: its SHA-256 is not the manifest's")
    return manifest


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    """Force what a folder holds, and the folder itself, to the disk."""
    for path in [*folder.iterdir(), folder]:
        if path.is_file() or path == folder:
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
