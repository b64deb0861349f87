"""What was found of rankers that were trained, published or not: the latest, a line of JSON each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson
from filelock import FileLock

from homefeed.store.private import PRIVATE_FILE, make_private_file, make_private_folder

_FILE: Final = "verdicts.jsonl"
_LOCK: Final = ".verdicts.lock"
_KEPT: Final = 50


def note_verdict(root: Path, app: str, name: str, verdict: Mapping[str, Any]) -> None:
    """Add one of a model of an app; of more than 50 the oldest go."""
    home = root / app / name
    make_private_folder(home)
    with FileLock(home / _LOCK, mode=PRIVATE_FILE):
        lines = [*_lines(home / _FILE), orjson.dumps(dict(verdict))][-_KEPT:]
        draft = home / f".{_FILE}"
        draft.unlink(missing_ok=True)
        make_private_file(draft)
        draft.write_bytes(b"".join(line + b"\n" for line in lines))
        draft.replace(home / _FILE)


def verdicts_of(root: Path, app: str, name: str) -> list[dict[str, Any]]:
    """Those of a model, the latest first. Lines that are damaged are passed over."""
    found = []
    for line in reversed(_lines(root / app / name / _FILE)):
        try:
            verdict = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(verdict, dict) and all(isinstance(verdict.get(name), str) for name in ("why", "judged_at")):
            found.append(verdict)
    return found


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()[-_KEPT:]
    except OSError:
        return []
