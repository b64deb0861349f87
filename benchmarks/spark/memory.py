"""What this process and those it started cost: their peaks of memory, and the processor's seconds."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_SECONDS = 0.25


class Peaks:
    """Watches them as long as the context lasts: Linux keeps the peak of each process, until it ends."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[str, float]] = {}
        self._seconds: dict[int, float] = {}
        self._before = time.process_time()
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

    def cpu_seconds(self) -> float:
        """Of all of them since this was made; of one that ended, its last quarter of a second may be missing."""
        return round(sum(self._seconds.values()) - self._before, 2)

    def _watch(self) -> None:
        ended = False
        while not ended:
            ended = self._ended.wait(_SECONDS)
            for process in ["self", *_descendants("self")]:
                told = _peak(process)
                if told is not None:
                    number, name, peak = told
                    kind = "driver" if process == "self" else "jvm" if name == "java" else "worker"
                    self._found[number] = (kind, max(peak, self._found.get(number, ("", 0.0))[1]))
                    self._seconds[number] = max(_cpu(number), self._seconds.get(number, 0.0))


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


def _cpu(process: int) -> float:
    """Seconds of the processor, of all its threads; 0 of a process that has ended."""
    try:
        told = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    # utime and stime are the 14th and 15th field; the first two stand before the parenthesis.
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")
