"""The peaks of memory of this process and of those it started."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_SECONDS = 0.25


class Peaks:
    """Watches them as long as the context lasts: Linux keeps the peak of each process, until it ends."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[str, float]] = {}
        self._ended = threading.Event()
        self._watching = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._watching.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._watching.join()

    def megabytes(self) -> dict[str, float]:
        """Of this process, of Java, of the largest other, and of all together, each at its own peak."""
        kinds = {
            kind: [peak for other, peak in self._found.values() if other == kind]
            for kind in ("driver", "jvm", "worker")
        }
        peaks = {f"{kind}_mb": round(max(found, default=0.0), 1) for kind, found in kinds.items()}
        return {**peaks, "all_mb": round(sum(sum(found) for found in kinds.values()), 1)}

    def _watch(self) -> None:
        while True:
            for process in ["self", *_descendants("self")]:
                told = _peak(process)
                if told is not None:
                    number, name, peak = told
                    kind = "driver" if process == "self" else "jvm" if name == "java" else "worker"
                    self._found[number] = (kind, max(peak, self._found.get(number, ("", 0.0))[1]))
            if self._ended.wait(_SECONDS):
                return


def _descendants(process: str) -> list[str]:
    found: list[str] = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = task.read_text(encoding="ascii").split()
        except OSError:  # the thread has ended
            continue
        for child in children:
            found += [child, *_descendants(child)]
    return found


def _peak(process: str) -> tuple[int, str, float] | None:
    """Number, name and megabytes; nothing of a process that has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    told = dict(line.split(":", 1) for line in lines if ":" in line)
    if "VmHWM" not in told:
        return None
    return int(told["Pid"]), told["Name"].strip(), int(told["VmHWM"].split()[0]) / 1024
