"""Copies of all models of a folder, to keep or to bring back: only of versions that are intact."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import nullcontext
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
    """Which versions were copied (as APP/MODEL/VERSION), and which of these are named to serve; both in order.

    `refused` says what was not copied (path: why).
    """

    versions: tuple[str, ...]
    serving: tuple[str, ...]
    refused: dict[str, str]


def copy_models(root: Path, target: Path, *, in_use: bool) -> CopiedModels:
    """Copy every published version that is intact, and which of them serves, to a new folder; durable on return.

    Where they are `in_use` a model's files are those of one moment: it is not published meanwhile. Else nothing is
    written to `root`. Where the version that serves is not intact no version is named, and the newest of those
    that are serves. Symbolic links below `root` are refused.

    Raises:
        OSError: there is no room for them.
    """
    done = CopiedModels((), (), {})
    make_private_folder(target)
    for home in _homes(root, done.refused):
        app, name = home.parent.name, home.name
        with FileLock(home / LOCK, mode=PRIVATE_FILE) if in_use else nullcontext():
            copied = _copy_model(ArtifactStore(root), app, name, target / app / name)
        refused = done.refused | copied.refused
        done = CopiedModels(done.versions + copied.versions, done.serving + copied.serving, refused)
    sync(target)
    return done


def _homes(root: Path, refused: dict[str, str]) -> Iterator[Path]:
    """The folders of models. Of each link among them `refused` tells that it is one."""
    for app in _folders(root, root, refused):
        yield from _folders(app, root, refused)


def _folders(folder: Path, root: Path, refused: dict[str, str]) -> Iterator[Path]:
    for path in sorted(folder.glob("*")):
        if path.name.startswith("."):
            continue
        if path.is_symlink():
            # What it leads to would be read, and locked, as if it were a model.
            refused[str(path.relative_to(root))] = "it is a symbolic link"
        elif path.is_dir():
            yield path


def _copy_model(models: ArtifactStore, app: str, name: str, target: Path) -> CopiedModels:
    current, copied = models.current(app, name), list[str]()
    refused: dict[str, str] = {}
    for version in models.versions(app, name):
        try:
            _copy_version(models.root / app / name / version, app, name, target / version)
        except ArtifactError as error:
            shutil.rmtree(target / version, ignore_errors=True)
            refused[f"{app}/{name}/{version}"] = str(error)
        else:
            copied.append(version)
    served = current if current in copied else None
    if served is not None:
        make_private_file(target / CURRENT)
        (target / CURRENT).write_text(served)
        sync(target / CURRENT)
    if copied:
        sync(target)
        sync(target.parent)
    paths = tuple(f"{app}/{name}/{version}" for version in sorted(copied))
    return CopiedModels(paths, () if served is None else (f"{app}/{name}/{served}",), refused)


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
