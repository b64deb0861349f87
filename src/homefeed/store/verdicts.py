"""What was found of rankers that were trained, published or not: the latest, a line of JSON each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from filelock import FileLock
from pydantic import TypeAdapter, ValidationError

from homefeed.store.private import PRIVATE_FILE, make_private_file, make_private_folder

_FILE: Final = "verdicts.jsonl"
_LOCK: Final = ".verdicts.lock"
_KEPT: Final = 50


@dataclass(frozen=True, slots=True)
class RankerVerdict:
    """What was found of a ranker that was trained: `finding` in a few words, `why` with the figures.

    `version` is the one it was published as, None where it was not. `lead` is the paired difference of `metric`
    from what served, with the ends of its interval; None where there was nothing to judge by.
    """

    judged_at: str
    why: str
    finding: str = ""
    version: str | None = None
    part: str | None = None
    metric: str | None = None
    lead: tuple[float, float, float] | None = None

    @property
    def sentence(self) -> str:
        """Why, and on which day that was found."""
        return f"{self.why}, judged {self.judged_at[:10]}"


_READER: Final = TypeAdapter(RankerVerdict)


def read_verdict(found: object) -> RankerVerdict | None:
    """A verdict from what a file holds of one; None where it is damaged."""
    try:
        return _READER.validate_python(found)
    except ValidationError:
        return None


def latest_verdict(root: Path, app: str, name: str, part: str) -> RankerVerdict | None:
    """The latest of a model of that part: of another the recipe has changed since."""
    found = (read_verdict(each) for each in verdicts_of(root, app, name))
    return next((each for each in found if each is not None and each.part in (None, part)), None)


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
        if read_verdict(verdict) is not None:
            found.append(verdict)
    return found


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()[-_KEPT:]
    except OSError:
        return []
