"""A server that is there again a moment after it was killed: forked from one that has imported everything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from torture.servers import answered, environment, free_port

_PATIENCE_SECONDS: Final = 120.0
_PARENT: Final = """
import os, sys
import homefeed.server
from homefeed.apps import find_recipes
from homefeed.cli.run import serve_apps
from homefeed.kernels import warm_up
from homefeed.settings import load_settings

settings = load_settings()
find_recipes(settings.apps, settings.recipes)
warm_up()
for _ in sys.stdin:
    child = os.fork()
    if not child:
        serve_apps(settings, None, settings.port, 1)
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
"""


@dataclass
class Forks:
    """The process that forks, and the server that it forked last."""

    port: int
    log: Path
    _parent: subprocess.Popen[bytes]
    _pid: int = 0

    def start(self) -> None:
        """A new server, ready."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(b"\n")
        self._parent.stdin.flush()
        self._pid = int(self._parent.stdout.readline() or b"0")
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while answered(self.port, "/readyz") != 200:
            ended = self._pid == 0 or time.monotonic() > give_up
            assert not ended, self.log.read_text()[-2_000:]
            time.sleep(0.01)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._pid:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            self._pid = 0


@contextmanager
def forking(home: Path, store_url: str, **settings: str) -> Iterator[Forks]:
    """Servers of streaming, one after the other at one port."""
    port, log = free_port(), home / "forks.log"
    asked = {"apps": "streaming", "database_url": store_url, "port": str(port)} | settings
    with log.open("ab") as file:
        parent = subprocess.Popen(
            [sys.executable, "-P", "-W", "error", "-c", _PARENT],
            env=environment(home, asked),
            cwd=home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=file,
        )
    forks = Forks(port, log, parent)
    try:
        yield forks
    finally:
        forks.kill()
        parent.kill()
        parent.communicate()
