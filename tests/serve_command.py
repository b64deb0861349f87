"""`homefeed serve` in a process of its own, and clients that do only half of what clients do."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

_SERVE = (
    sys.executable,
    "-P",
    "-W",
    "error",
    "-c",
    "from homefeed.cli import main; main()",
    "serve",
    "--port",
    "0",
)


@dataclass(frozen=True)
class Serving:
    """A server of streaming, started by the command."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def connect(self, sent: bytes = b"") -> socket.socket:
        """A connection that sends this and then waits."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connection.sendall(sent)
        return connection


@contextmanager
def serving(home: Path, *options: str, files: int | None = None, **settings: str | None) -> Iterator[Serving]:
    """A server that answers; `files` is how many it may have open. A setting of None is that of homefeed.toml."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOMEFEED_")}
    asked = {"home": str(home), "apps": "streaming"} | settings
    environment |= {f"HOMEFEED_{name.upper()}": value for name, value in asked.items() if value is not None}
    command = [*_SERVE, *options]
    if files is not None:
        command = ["bash", "-c", f'ulimit -n {files} && exec "$@"', "bash", *command]
    log = home / "serve.log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=environment, cwd=home, stdout=file, stderr=file)
    try:
        server = Serving(process, _port(process, log), log)
        _await_health(server)
        yield server
    finally:
        process.kill()
        process.wait()


def rest(connection: socket.socket) -> bytes:
    """What comes until the server closes the connection."""
    received = b""
    try:
        while part := connection.recv(65_536):
            received += part
    except ConnectionResetError:
        pass
    return received


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    give_up = time.monotonic() + 120
    while time.monotonic() < give_up and process.poll() is None:
        if found := re.search(r"Serving \w+ at http://127\.0\.0\.1:(\d+)", log.read_text()):
            return int(found[1])
        time.sleep(0.05)
    raise AssertionError(f"the server does not start:\n{log.read_text()}")


def _await_health(server: Serving) -> None:
    give_up = time.monotonic() + 120
    while True:
        try:
            assert httpx.get(f"{server.url}/healthz", timeout=20).status_code == 200
            return
        except httpx.TransportError:
            assert time.monotonic() < give_up, server.log.read_text()
            assert server.process.poll() is None, server.log.read_text()
            time.sleep(0.1)
