"""Servers to hurt: processes of `homefeed serve` at ports of their own, and their proxy."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

ROOT: Final = Path(__file__).parents[1]
PROXY: Final = ROOT / "examples" / "deploy" / "replicas.nginx.conf"
HOST: Final = "127.0.0.1"
COMMAND: Final = "from homefeed.cli import main; main()"
_PATIENCE_SECONDS: Final = 120.0


@dataclass
class Server:
    """A server that can be killed and started again, at the same port, with the same settings."""

    home: Path
    port: int
    settings: Mapping[str, str]
    code: str = COMMAND
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def log(self) -> Path:
        """What it writes, over all its lives."""
        return self.home / f"server-{self.port}.log"

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        """Begin; `await_ready` waits until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-W", "error", "-c", self.code, "serve", "--port", str(self.port)],
                env=environment(self.home, self.settings),
                cwd=self.home,
                stdout=log,
                stderr=log,
            )

    def await_ready(self) -> None:
        """Wait until it is ready."""
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while answered(self.port, "/readyz") != 200:
            assert self.process is not None
            assert self.process.poll() is None, f"the server ended: {self.log.read_text()[-2_000:]}"
            assert time.monotonic() < give_up, f"the server is not ready: {self.log.read_text()[-2_000:]}"
            time.sleep(0.02)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def end(self) -> None:
        """End it in good order."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(_PATIENCE_SECONDS)

    def json(self, path: str) -> Any:
        """What it answers to a GET."""
        status, body = fetch(self.port, path)
        assert status == 200, (path, status, body[:500])
        return orjson.loads(body)


@contextmanager
def serving(home: Path, store_url: str, code: str = COMMAND, **settings: str) -> Iterator[Server]:
    """A server that is ready; of streaming unless the settings say otherwise."""
    asked = {"apps": "streaming", "database_url": store_url} | settings
    server = Server(home, free_port(), asked, code)
    server.start()
    try:
        server.await_ready()
        yield server
    finally:
        server.kill()


@contextmanager
def replicas(
    home: Path, store_url: str, redis_url: str | None, count: int = 3, **settings: str
) -> Iterator[list[Server]]:
    """Servers that share a store, a folder of models and, where there is one, a Redis."""
    shared = {"redis_url": redis_url} if redis_url else {"replicas": "true"}
    with ExitStack() as stack:
        asked = {"apps": "streaming", "database_url": store_url} | shared | settings
        servers = [Server(home, port, asked) for port in free_ports(count)]
        for server in servers:
            stack.callback(server.kill)
            server.start()
        for server in servers:
            server.await_ready()
        yield servers


@contextmanager
def proxy(folder: Path, servers: Sequence[Server], port: int | None = None) -> Iterator[int]:
    """nginx before the servers, by the file of examples/deploy; the port that it listens at."""
    port = port or free_port()
    text = re.sub(r"listen \d+;", f"listen {HOST}:{port};", PROXY.read_text(encoding="utf-8"))
    (known,) = re.findall(r"(?:^    server [\d.:]+ (.+;)\n)+", text, re.MULTILINE)
    lines = "".join(f"    server {HOST}:{server.port} {known}\n" for server in servers)
    text = re.sub(r"(?:^    server [\d.:]+ .+;\n)+", lines, text, flags=re.MULTILINE)
    (folder / "homefeed.conf").write_text(text)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    user = "user root;" if os.geteuid() == 0 else ""
    whole = f"""{user} daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log warn; worker_processes 1;
        events {{}} http {{ access_log off; {places} include {folder}/homefeed.conf; }}"""
    (folder / "nginx.conf").write_text(whole)
    program = nginx()
    assert program, "nginx is not installed: apt-get install nginx-light"
    command = [program, "-e", str(folder / "nginx.log"), "-c", str(folder / "nginx.conf")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        give_up = time.monotonic() + 10
        while answered(port, "/healthz") != 200:
            assert process.poll() is None, (folder / "nginx.log").read_text()
            assert time.monotonic() < give_up, (folder / "nginx.log").read_text()
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def nginx() -> str | None:
    """The program, which Debian keeps where only root looks."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def fetch(port: int, path: str) -> tuple[int, bytes]:
    """GET a path of a server of this machine."""
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def answered(port: int, path: str) -> int | None:
    """The status of a GET; None where nothing answers."""
    try:
        return fetch(port, path)[0]
    except (OSError, http.client.HTTPException):
        return None


def free_port() -> int:
    """A port that nothing listens at."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens at, each another."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((HOST, 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def environment(home: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """Of a process with these settings and no others of the caller's."""
    found = {name: value for name, value in os.environ.items() if not name.startswith("HOMEFEED_")}
    found |= {"HOMEFEED_HOME": str(home), "HOMEFEED_TEXT_MODEL": "none"}
    return found | {f"HOMEFEED_{name.upper()}": value for name, value in settings.items()}
