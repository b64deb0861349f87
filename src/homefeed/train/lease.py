"""An app's turn to train: its lease and the note of its run, kept alive beside the work."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import structlog
from filelock import FileLock, Timeout
from sqlalchemy.ext.asyncio import AsyncConnection

from homefeed.environment import Environment
from homefeed.errors import LeaseLostError
from homefeed.store import Store, open_store
from homefeed.store.job_runs import JobRun, Outcome, beat_job_run, end_job_run, start_job_run
from homefeed.store.leases import Lease, acquire_lease, fenced, find_lease, held_by, release_lease
from homefeed.store.private import PRIVATE_FILE, make_private_file, make_private_folder
from homefeed.types import SECOND

_LOCK: Final = ".training.lock"
_PLACE: Final = ".place"
_PATIENCE: Final = 10.0

Progress: TypeAlias = Callable[[str, int, int], None]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How long a lease lasts, and how often it is renewed, in seconds.

    A step of training may hold Python's lock, and with it the renewing, for as long as the difference.
    """

    lease_seconds: float = 120.0
    beat_seconds: float = 15.0

    @property
    def length(self) -> int:
        """How long a lease lasts, in microseconds."""
        return round(self.lease_seconds * SECOND)


@dataclass(slots=True)
class _Stage:
    """How far the work is."""

    name: str = ""
    done: int = 0
    total: int = 0


class Turn:
    """The right to train an app, and the note of the run that uses it.

    A thread renews the lease beside the work, which never waits for the event loop, over connections of its own.
    """

    def __init__(
        self, store: Store, lease: Lease, run: JobRun, environment: Environment, rhythm: Rhythm, progress: Progress
    ) -> None:
        self.run = run
        self._store, self._lease, self._clock, self._rhythm = store, lease, environment.clock, rhythm
        self._progress, self._stage = progress, _Stage()
        self._ending = threading.Event()
        self._lost: LeaseLostError | None = None

    def report(self, stage: str, done: int, total: int) -> None:
        """Tell how far the work is.

        Raises:
            LeaseLostError: it is for nothing: what is made cannot be published.
        """
        self._stage = _Stage(stage, done, total)
        if self._lost is not None:
            raise self._lost
        self._progress(stage, done, total)

    def fenced(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction to publish in: nobody else has the lease before its end.

        Raises:
            LeaseLostError: the lease is over; nothing is published.
        """
        return fenced(self._store, self._lease, self._clock, self._rhythm.length)

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Renew the lease and the note of the run, until the work ends."""
        thread = threading.Thread(target=self._keep, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ending.set()
            thread.join()

    def _keep(self) -> None:
        while not self._ending.wait(self._rhythm.beat_seconds):
            try:
                asyncio.run(self._beat())
            except LeaseLostError as lost:
                self._lost = lost
                return
            except Exception as error:  # the store may be back before the lease is over
                _log.warning("lease not renewed", app=self.run.app, job=self.run.job, error=str(error))

    async def _beat(self) -> None:
        url = self._store.engine.url.render_as_string(hide_password=False)
        stage, length, run = self._stage, self._rhythm.length, self.run
        async with open_store(url, _PATIENCE) as store:
            async with fenced(store, self._lease, self._clock, length):
                pass
            how_far = {"done": stage.done, "total": stage.total}
            await beat_job_run(store, run.app, run.run_id, self._clock(), detail=stage.name, **how_far)


@asynccontextmanager
async def taking_turn(
    store: Store,
    folder: Path,
    app: str,
    job: str,
    environment: Environment,
    *,
    progress: Progress,
    rhythm: Rhythm | None = None,
) -> AsyncIterator[Turn]:
    """Have an app's lease, and note the run of a job and how it ended. `folder` is that of the app's models.

    The lock of a file there goes with its process, however that ends: so the next training on the same machine
    need not wait for the lease of one that was killed to expire.

    Raises:
        LeaseHeldError: another training of this app is running; the text says which, where and since when.
    """
    rhythm, clock = rhythm or Rhythm(), environment.clock
    make_private_folder(folder)
    try:
        with FileLock(folder / _LOCK, timeout=0, mode=PRIVATE_FILE):
            lease = await acquire_lease(
                store,
                app,
                job=job,
                holder=f"{socket.gethostname()} (process {os.getpid()})",
                now=clock(),
                length=rhythm.length,
                place=_place(folder),
                alone=True,
            )
            try:
                run = await start_job_run(store, app, job, environment.new_id(), clock())
                turn = Turn(store, lease, run, environment, rhythm, progress)
                async with _noting_the_end(store, turn.run, environment):
                    with turn.beating():
                        yield turn
            finally:
                with suppress(Exception):  # it expires by itself
                    await release_lease(store, lease)
    except Timeout:
        raise held_by(app, await find_lease(store, app, clock())) from None


@asynccontextmanager
async def _noting_the_end(store: Store, run: JobRun, environment: Environment) -> AsyncIterator[None]:
    outcome: Outcome = "stopped"
    detail = "interrupted"
    try:
        yield
        outcome, detail = "done", ""
    except Exception as error:
        outcome, detail = "failed", f"{type(error).__name__}: {error}"
        raise
    finally:
        try:
            await end_job_run(store, run.app, run.run_id, environment.clock(), outcome, detail)
        except Exception as error:  # the next run notes that this one stopped
            _log.warning("end of run not noted", app=run.app, job=run.job, error=str(error))


def _place(folder: Path) -> str:
    """This machine and this folder of models, by names that no other has. The lock of the folder is held."""
    file = folder / _PLACE
    if not file.exists() or not (name := file.read_text().strip()):
        name = secrets.token_hex(8)
        make_private_file(file)
        file.write_text(name)
    return f"{socket.gethostname()}:{name}"
