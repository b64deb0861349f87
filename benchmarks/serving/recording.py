"""What a server answers to the steps of a plan, and the file that keeps it."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final, TypeAlias

import httpx
import orjson

from benchmarks.serving.plan import Step
from benchmarks.serving.stores import START, Clock, application, follow, retrain

Answer: TypeAlias = dict[str, Any]
"""`status` and `body`; the status is 0 where a step was left out, as an earlier answer lacks what it needs."""

DIGITS: Final = 5
SCORES: Final = frozenset({"score", "value", "contribution", "propensity"})
ITEM_IDS: Final = ("item_id", "product_id", "id")

_VOLATILE: Final = frozenset({"request_id", "event_id", "models", "events_per_minute", "seconds"})


@dataclass(frozen=True, slots=True)
class Recording:
    """The steps, and the answer to each."""

    steps: Sequence[Step]
    answers: Sequence[Answer]


def write_recording(recording: Recording, path: Path) -> None:
    """Write it, compressed; the same recording gives the same bytes."""
    content = {"steps": [asdict(step) for step in recording.steps], "answers": list(recording.answers)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(orjson.dumps(content), mtime=0))


def read_recording(path: Path) -> Recording:
    """Read what `write_recording` wrote."""
    content = orjson.loads(gzip.decompress(path.read_bytes()))
    steps = [
        Step(**{**step, "params": tuple((name, value) for name, value in step["params"])})
        for step in content["steps"]
    ]
    return Recording(steps, content["answers"])


async def record(steps: Sequence[Step], home: Path, *, trained_anew: bool = False) -> Recording:
    """Serve a copy of the stores and models in `home`, and put the steps to it one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "home"
        shutil.copytree(home, copy, ignore=shutil.ignore_patterns("sample"))
        if trained_anew:
            await retrain(copy)
        clock, numbers = Clock(), count(1)
        server = application(copy, clock, lambda: f"{next(numbers):032x}")
        async with server.router.lifespan_context(server):
            transport = httpx.ASGITransport(server, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                answers: list[Answer] = []
                cursors: list[str | None] = []
                for step in steps:
                    clock.now = START + step.at * 1_000_000
                    if step.kind == "follow":
                        await follow(server)
                        answer, cursor = _left_out(), None
                    else:
                        answer, cursor = await _answered(client, step, answers, cursors)
                    answers.append(answer)
                    cursors.append(cursor)
    return Recording(steps, answers)


def normalised(value: Any) -> Any:
    """A JSON value without what may differ: scores rounded, attributes as a digest, a cursor as its presence."""
    if isinstance(value, dict):
        return {name: _normalised_field(name, inner) for name, inner in value.items() if name not in _VOLATILE}
    if isinstance(value, list):
        return [normalised(inner) for inner in value]
    return value


def rounded(value: float) -> float:
    """A number to five significant digits."""
    return float(f"{value:.{DIGITS}g}")


def items_of(body: Any) -> list[str]:
    """The ids of the items of an answer, in the order in which they stand there."""
    if isinstance(body, dict):
        return [found for inner in body.values() if isinstance(inner, dict | list) for found in items_of(inner)]
    if not isinstance(body, list):
        return []
    found = []
    for inner in body:
        item_id = item_id_of(inner)
        found.extend(items_of(inner) if item_id is None else [item_id])
    return found


def item_id_of(value: Any) -> str | None:
    """The id of the item that an element of a list is about; None where it is about none."""
    if isinstance(value, dict):
        return next((value[name] for name in ITEM_IDS if isinstance(value.get(name), str)), None)
    return None


def _normalised_field(name: str, value: Any) -> Any:
    if name == "next_cursor":
        return value is not None
    if name == "attributes":
        return hashlib.blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()
    if name in SCORES and isinstance(value, float):
        return rounded(value)
    return normalised(value)


async def _answered(
    client: httpx.AsyncClient, step: Step, answers: Sequence[Answer], cursors: Sequence[str | None]
) -> tuple[Answer, str | None]:
    values = {} if step.of is None else _values(step, answers[step.of], cursors[step.of])
    requested = orjson.dumps([step.path, step.params, step.body]).decode()
    if any(name in requested and name not in values for name in ("<item>", "<cursor>")):
        return _left_out(), None
    path, params, body = _replaced([step.path, list(step.params), step.body], values)
    response = await client.request(
        step.method,
        path,
        params=[(name, value) for name, value in params],
        content=None if body is None else orjson.dumps(body),
        headers={} if body is None else {"content-type": "application/json"},
    )
    raw = _json(response)
    cursor = raw.get("next_cursor") if isinstance(raw, dict) else None
    return {"status": response.status_code, "body": normalised(raw)}, cursor


def _left_out() -> Answer:
    return {"status": 0, "body": None}


def _values(step: Step, answer: Answer, cursor: str | None) -> dict[str, str]:
    items = items_of(answer["body"])
    found = {"<item>": items[step.place]} if step.place < len(items) else {}
    return found if cursor is None else {**found, "<cursor>": cursor}


def _replaced(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for name, found in values.items():
            value = value.replace(name, found)
        return value
    if isinstance(value, dict):
        return {name: _replaced(inner, values) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(inner, values) for inner in value]
    return value


def _json(response: httpx.Response) -> Any:
    if not response.content:
        return None
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return response.text
