"""Three replicas behind nginx, on a PostgreSQL and a Redis of their own, to try: all at once, without containers.

    python -m torture.stack --port 8000

It serves streaming with sample data until Ctrl+C, and keeps nothing. SIGHUP restarts the replicas one by one.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from tests.embedded_postgresql import running_postgresql
from tests.redis_server import redis_is_installed, running_redis

from torture.sample import fill
from torture.servers import HOST, Server, nginx, proxy, replicas


def roll(servers: Sequence[Server]) -> None:
    """Restart one after the other, each when the one before is ready."""
    for server in servers:
        server.end()
        server.start()
        server.await_ready()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl+C; 1 where something is not installed."""
    parser = ArgumentParser()
    parser.add_argument("--count", type=int, default=3, help="Of replicas.")
    parser.add_argument("--port", type=int, default=8000, help="Of nginx.")
    options = parser.parse_args(arguments)
    if nginx() is None or not redis_is_installed():
        print("nginx and redis-server are needed: apt-get install nginx-light redis-server", file=sys.stderr)
        return 1
    asked = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    for each in asked:  # before all is ready they end it, in good order
        signal.signal(each, signal.default_int_handler)
    print("Starting PostgreSQL, Redis and the servers, and training on sample data: a minute or so.", flush=True)
    with tempfile.TemporaryDirectory(prefix="homefeed-replicas-") as name:
        folder = Path(name)
        with running_postgresql() as store_url, running_redis() as redis:
            fill(store_url, folder)
            with (
                replicas(folder, store_url, redis.url, options.count) as servers,
                proxy(folder, servers, options.port) as port,
            ):
                where = ", ".join(f"{HOST}:{server.port}" for server in servers)
                print(f"{len(servers)} replicas ({where}) at http://{HOST}:{port}.", flush=True)
                print(f"kill -HUP {os.getpid()} restarts them one after the other. Ctrl+C ends.", flush=True)
                signal.pthread_sigmask(signal.SIG_BLOCK, asked)
                while signal.sigwait(asked) == signal.SIGHUP:
                    # What is started inherits what is blocked, and would not end.
                    signal.pthread_sigmask(signal.SIG_UNBLOCK, asked)
                    roll(servers)
                    signal.pthread_sigmask(signal.SIG_BLOCK, asked)
                    print("restarted one after the other", flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
