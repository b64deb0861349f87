"""Copies of all models of a folder, to keep or to bring back: only of versions that are intact."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from homefeed.errors import ArtifactError
from homefeed.store.artifacts import CURRENT, LOCK, ArtifactStore
from homefeed.store.copies import copy_plain, require_sha256, sync
from homefeed.store.manifests import MANIFEST, read_manifest
from homefeed.store.private import PRIVATE_FILE, make_private_file, make_private_folder, seal


@dataclass(frozen=True, slots=True)
class CopiedModels:
    """How many versions of how many models were copied; `refused` says which were not (path: why)."""

    models: int
    versions: int
    refused: dict[str, str]


def copy_models(root: Path, target: Path) -> CopiedModels:
    """Copy every published version that is intact, and which of them serves, to a new folder; durable on return.

    A model's files are those of one moment: it is not published meanwhile. Where the version that serves is not
    intact no version is named, and the newest of those that are serves.

    Raises:
        OSError: there is no room for them.
    """
    models = versions = 0
    refused: dict[str, str] = {}
    make_private_folder(target)
    for home in _homes(root):
        app, name = home.parent.name, home.name
        with FileLock(home / LOCK, mode=PRIVATE_FILE):
            copied = _copy_model(ArtifactStore(root), app, name, target / app / name, refused)
        versions += copied
        models += bool(copied)
    sync(target)
    return CopiedModels(models, versions, refused)


def _homes(root: Path) -> Iterator[Path]:
    for home in sorted(root.glob("*/*")):
        if home.is_dir() and not home.parent.name.startswith(".") and not home.name.startswith("."):
            yield home


def _copy_model(models: ArtifactStore, app: str, name: str, target: Path, refused: dict[str, str]) -> int:
    current, copied = models.current(app, name), set()
    for version in models.versions(app, name):
        try:
            _copy_version(models.root / app / name / version, app, name, target / version)
        except ArtifactError as error:
            shutil.rmtree(target / version, ignore_errors=True)
            refused[f"{app}/{name}/{version}"] = str(error)
        else:
            copied.add(version)
    if current in copied:
        make_private_file(target / CURRENT)
        (target / CURRENT).write_text(current)
        sync(target / CURRENT)
    if copied:
        sync(target)
        sync(target.parent)
    return len(copied)


def _copy_version(folder: Path, app: str, name: str, target: Path) -> None:
    manifest = read_manifest(folder, app, name)
    make_private_folder(target)
    for file in (*manifest.files, MANIFEST):
        copy_plain(folder, file, target)
        if file != MANIFEST:
            # Of the copy: the original may change meanwhile.
            require_sha256(target, file, manifest.files[file])
        seal(target / file)
        sync(target / file)
    sync(target)
