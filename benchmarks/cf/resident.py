"""How much memory this process holds."""

from __future__ import annotations

import resource
from pathlib import Path


def forget_peak() -> None:
    """Linux begins a new peak; elsewhere the peak is that of the whole process."""
    if Path("/proc/self/clear_refs").exists():
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def resident(entry: str) -> float:
    """Megabytes: VmRSS is what is resident now, VmHWM the most since the peak was forgotten."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text(encoding="utf-8").split(f"{entry}:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2  # of macOS, in bytes
