"""A Redis of the tests' own: on a free port, in memory alone. A service of the machine is left alone."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil

_SECONDS_TO_START = 10


def redis_is_installed() -> bool:
    """Whether there is a server to run."""
    return shutil.which("redis-server") is not None


class RedisServer:
    """A server that can be killed, frozen and started again on the same port: empty then."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.port = folder, _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Run, and wait until it answers."""
        options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(self._folder)]
        self._process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), *options], stdout=subprocess.DEVNULL
        )
        give_up = time.monotonic() + _SECONDS_TO_START
        while not _answers(self.port):
            assert time.monotonic() < give_up, "Redis does not start"
            time.sleep(0.01)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It takes connections and answers nothing meanwhile, as behind a cut network."""
        assert self._process is not None
        process = psutil.Process(self._process.pid)
        process.suspend()
        try:
            yield
        finally:
            process.resume()


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    """A new server."""
    with tempfile.TemporaryDirectory(prefix="homefeed-redis-") as folder:
        server = RedisServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.kill()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
