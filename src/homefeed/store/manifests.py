"""What says what a version of a model is: its manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from homefeed.errors import ArtifactError
from homefeed.store.copies import open_plain

MANIFEST: Final = "manifest.json"
FORMAT: Final = 2

_LARGEST: Final = 1 << 24


@dataclass(frozen=True, slots=True)
class Manifest:
    """A version of an app's model: made by a part, of a kind, which is its class, and in a format of files.

    `files` maps names to SHA-256; `watermark` is the last event seq it was fitted on.
    """

    format: int
    app: str
    model: str
    part: str
    kind: str
    version: str
    created_at: str
    watermark: int
    config: Mapping[str, Any]
    facts: Mapping[str, Any]
    files: Mapping[str, str]


def read_manifest(folder: Path, app: str, name: str) -> Manifest:
    """The manifest of a version of a model, if it is the one that was published there.

    Raises:
        ArtifactError: it is missing, damaged, of another format, or of another model.
    """
    if folder.is_symlink():
        raise ArtifactError("it is a symbolic link")
    with open_plain(folder, MANIFEST) as file:
        text = file.read(_LARGEST)
    try:
        found = orjson.loads(text)
        if isinstance(found, dict) and found.get("format") != FORMAT:
            raise ArtifactError(
                f"{MANIFEST} is of format {found.get('format', 1)}, and this Homefeed reads {FORMAT}"
            )
        manifest = Manifest(**found)
        published = manifest.version == folder.name and folder.name.endswith(f"-{digest_of(manifest)}")
    except (orjson.JSONDecodeError, TypeError, ValueError) as error:
        raise ArtifactError(f"{MANIFEST} is damaged: {error}") from None
    if not published:
        raise ArtifactError(f"{MANIFEST} is damaged: it is not the published one")
    if (manifest.app, manifest.model) != (app, name):
        raise ArtifactError(f"it is of {manifest.app}/{manifest.model}, copied here; train {app} instead")
    return manifest


def digest_of(manifest: Manifest) -> str:
    """What ends a version's name: of all that says what it is, but for what is only told of it."""
    told = manifest.format, manifest.app, manifest.model, manifest.part, manifest.kind
    said = [*told, dict(manifest.files), dict(manifest.config), manifest.watermark]
    return hashlib.sha256(orjson.dumps(said)).hexdigest()[:8]
