"""A clock that jumps an hour, a day, a year to and fro under load: no request fails, nothing is lost or deleted.

    python -m torture.clocks --seconds 5

The server's time is the machine's and an offset that the trial writes to a file.
"""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from torture.counted import logged_events
from torture.lines import trial_folder, write_line
from torture.sample import APP, fill
from torture.servers import COMMAND, serving
from torture.traffic import Traffic

JUMPS: Final = (3_600, -3_600, 86_400, -86_400, 400 * 86_400, -400 * 86_400, 1, -1, 0)
"""Offsets one after the other, in seconds."""
_CODE: Final = """
import threading, time
from pathlib import Path

offset, real, real_ns = 0, time.time, time.time_ns

def follow(file):
    global offset
    while True:
        offset = int(file.read_text() or offset)
        time.sleep(0.01)

threading.Thread(target=follow, args=(Path("offset"),), daemon=True).start()
time.time = lambda: real() + offset
time.time_ns = lambda: real_ns() + offset * 10**9
"""


async def jump(port: int, file: Path, seconds: float) -> Traffic:
    """Each jump, and so many seconds of load after it."""
    async with Traffic(port, connections=2, pause=0.02, prefix="c") as traffic:
        for offset in JUMPS:
            await asyncio.to_thread(file.write_text, str(offset))
            await asyncio.sleep(seconds)
    return traffic


def trial(folder: Path, seconds: float) -> dict[str, Any]:
    """All jumps under one server."""
    url = f"sqlite:///{folder / 'homefeed.db'}"
    fill(url, folder)
    file = folder / "offset"
    file.write_text("0")
    with serving(folder, url, _CODE + COMMAND, events_days="3650") as server:
        before = server.json(f"/v1/apps/{APP}/stats")["events"]
        traffic = asyncio.run(jump(server.port, file, seconds))
        stats = server.json(f"/v1/apps/{APP}/stats")
        traced = server.log.read_text().count("Traceback")
    logged = logged_events(url, traffic.prefix)
    return {
        "jumps_seconds": JUMPS,
        "answered": traffic.answered,
        "failed": dict(traffic.failed),
        "lost": len(set(traffic.acknowledged) - logged.keys()),
        "doubled": sum(times > 1 for times in logged.values()),
        "miscounted": stats["events"] - before - len(logged),
        "tracebacks": traced,
        "latest_event": stats["last_event"],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """One line."""
    parser = ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5, help="Of load after each jump.")
    options = parser.parse_args(arguments)
    with trial_folder() as folder:
        write_line("clocks", **trial(folder, options.seconds))


if __name__ == "__main__":
    main()
