"""Homes for servers under load: generated, imported and trained once, by the command line of a checkout."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks.serving.pages import Page

_FACTS = "prepared.json"
_MOST_DAYS = 7
_COMMAND = ("-c", "from homefeed.cli import main; main()")


class CommandError(RuntimeError):
    """A command of the measured checkout failed; says what it printed last."""


@dataclass(frozen=True)
class Python:
    """An interpreter with a checkout of Homefeed."""

    path: Path

    def command(self, *arguments: str) -> list[str]:
        """A command line of `homefeed`."""
        return [str(self.path), *_COMMAND, *arguments]

    def environment(self, **settings: str) -> dict[str, str]:
        """The environment, without other settings than these; PYTHONPATH is for the running interpreter only."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HOMEFEED_")}
        search = kept.pop("PYTHONPATH", "")
        if search and self.path == Path(sys.executable):
            kept["PYTHONPATH"] = os.pathsep.join(str(Path(each).absolute()) for each in search.split(os.pathsep))
        return kept | {f"HOMEFEED_{name.upper()}": value for name, value in settings.items()}


def prepare(page: Page, folder: Path, python: Python) -> dict[str, Any]:
    """Make the home of a page where there is none, and return what making it took.

    Raises:
        CommandError: a command failed, or the home is so old that items of its sample have expired.
    """
    facts = folder / _FACTS
    if not facts.exists():
        made = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        _make(page, made, python)
        made.rename(folder)
    found: dict[str, Any] = json.loads(facts.read_text(encoding="utf-8"))
    age = (datetime.now(UTC) - datetime.fromisoformat(found["end"])).days
    if age > _MOST_DAYS:
        raise CommandError(f"{folder}: its events end {age} days ago; delete it, to have it made anew")
    return found


@contextmanager
def root_of(home: Path | None) -> Iterator[Path]:
    """The path that homes are named after: the given one, or one in a folder that is thrown away."""
    if home is not None:
        home.parent.mkdir(parents=True, exist_ok=True)
        yield home.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="homefeed-load-") as name:
        yield Path(name) / "home"


def home_of(root: Path, page: str) -> Path:
    """The home of a page."""
    return root.with_name(f"{root.name}-{page}")


@contextmanager
def copy_of(folder: Path) -> Iterator[Path]:
    """A copy to serve from, so that what a server writes, migrations too, leaves the home as it is."""
    with tempfile.TemporaryDirectory(prefix=f"{folder.name}-", dir=folder.parent) as name:
        shutil.copytree(folder, name, ignore=shutil.ignore_patterns("sample"), dirs_exist_ok=True)
        yield Path(name)


def _make(page: Page, folder: Path, python: Python) -> None:
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    sample = folder / "sample"
    sizes = {"users": page.users, "items": page.items, "events": page.events}
    options = [word for name, value in sizes.items() for word in (f"--{name}", str(value))]
    options += ["--end", f"{end:%Y-%m-%d}", "--format", "csv"]
    facts: dict[str, Any] = {"end": end.isoformat(), **sizes}
    clicks = ("--clicks", str(sample)) if page.app == "live" else ()
    steps = {
        "generate": ("generate", page.app, "--out", str(sample), *options),
        "import": ("import", page.app, str(sample)),
        "train": ("train", page.app, *clicks),
    }
    for step, arguments in steps.items():
        print(f"{page.name}: {step}", file=sys.stderr, flush=True)
        seconds, megabytes = _run(python, folder, *arguments, "--json")
        facts |= {f"{step}_seconds": round(seconds, 1), f"{step}_peak_mb": round(megabytes)}
    (folder / _FACTS).write_text(json.dumps(facts), encoding="utf-8")


def _run(python: Python, home: Path, *arguments: str) -> tuple[float, float]:
    """Seconds, and the most memory that the command and its children held at one time, in MB."""
    start, peak = time.perf_counter(), 0
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        process = psutil.Popen(
            python.command(*arguments), env=python.environment(home=str(home)), cwd=home, stdout=log, stderr=log
        )
        while process.poll() is None:
            peak = max(peak, _resident(process))
            try:
                process.wait(0.1)
            except psutil.TimeoutExpired:
                continue
        if process.returncode:
            log.seek(0)
            raise CommandError(f"homefeed {' '.join(arguments)}: {last_lines(log.read())}")
    return time.perf_counter() - start, peak / 1e6


def _resident(process: psutil.Process) -> int:
    total = 0
    for each in (process, *process.children(recursive=True)):
        try:
            total += each.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def last_lines(text: str, count: int = 5) -> str:
    """What a failed process printed last, in one line."""
    return " | ".join(text.strip().splitlines()[-count:])
