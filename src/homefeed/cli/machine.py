"""What doctor looks at around the apps: migrations, clocks, caches, memory, open files, jobs."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from homefeed.cli.run import files_needed
from homefeed.times import format_time
from homefeed.types import SECOND

if TYPE_CHECKING:
    from homefeed.settings import Settings
    from homefeed.store import Store
    from homefeed.store.events import Totals
    from homefeed.store.job_runs import JobRun

Check: TypeAlias = tuple[str, bool, str]
"""What was looked at, whether it is well, and what was found or is to be done."""

MAX_SKEW_SECONDS: Final = 5.0
"""How far the database's clock may be from this machine's: what they cannot agree on is what is new."""
_AHEAD_SECONDS: Final = 300
_MEMORY_SHARE: Final = 0.5
_PREFIX: Final = "HOMEFEED_"
_OF_TESTS: Final = "HOMEFEED_TEST_"
_SECRET: Final = ("token_secrets", "database_url", "redis_url")


def machine_checks(settings: Settings, facts: StoreFacts | None) -> Iterator[Check]:
    """Of this machine, and of the store as a whole; without facts nothing is known of that."""
    from homefeed.store.migrations import HEAD

    if facts is not None:
        # Opening the store has brought its tables up to date, or said why it cannot.
        yield "migrations", facts.revision >= HEAD, f"tables of revision {facts.revision}"
    yield "clock", *clock_check(time.time(), None if facts is None else facts.clock)
    yield "caches", *_cache_check()
    yield "memory", *memory_check(settings, len(settings.apps), _memory_bytes())
    if sys.platform != "win32":
        import resource

        yield "open files", *files_check(settings, resource.getrlimit(resource.RLIMIT_NOFILE)[1])


def environment_checks(settings: Settings, environment: Mapping[str, str]) -> Iterator[Check]:
    """Variables that are taken for settings and are none, and who else may read secrets."""
    from homefeed.apps import app_names

    known = {name.upper() for name in type(settings).model_fields}
    given = [name for name in environment if name.startswith(_PREFIX) and not name.startswith(_OF_TESTS)]
    for name in sorted({name.removeprefix(_PREFIX) for name in given} - known):
        meant = get_close_matches(name, known, 1, 0.75)
        told = f"it is no setting; remove it, or write {_PREFIX}{meant[0]}" if meant else "no effect: no setting"
        yield f"{_PREFIX}{name}", not meant, told
    for app in sorted(settings.token_secrets.keys() - app_names(settings.apps).keys()):
        yield f"token_secrets.{app}", True, f"no effect: the setting apps has no {app}"
    file = Path("homefeed.toml")
    if file.is_file() and sys.platform != "win32" and file.stat().st_mode & 0o004:
        text = file.read_text(encoding="utf-8-sig", errors="replace")
        if any(name in text for name in _SECRET):
            yield "homefeed.toml", False, "it has secrets, and everybody on this machine may read it: chmod 640"


def store_advice(settings: Settings, why: str) -> str:
    """What to do about a store that cannot be used."""
    if settings.database_url is not None and not settings.store_url.startswith("sqlite"):
        return "is it running, and do host, port, name, user and password of database_url hold?"
    if "malformed" in why or "not a database" in why:
        return "the file is damaged: stop the servers and homefeed restore the latest backup, with --yes"
    return f"may this user write in {settings.home}, and is there room?"


def clock_check(here: float, there: float | None) -> tuple[bool, str]:
    """Whether this machine's clock and the database's agree."""
    told = format_time(int(here) * SECOND)
    if there is None:
        return True, told
    away = here - there
    if abs(away) <= MAX_SKEW_SECONDS:
        return True, f"{told}, {abs(away):.1f} s from the database's"
    which = "ahead of" if away > 0 else "behind"
    return False, f"{told}, {abs(away):,.0f} s {which} the database's; set both by NTP"


def _cache_check() -> tuple[bool, str]:
    """Whether the compiled loops can be kept on disk: else every start of a server compiles for half a minute."""
    from homefeed.kernels import cache_folder

    folder = cache_folder()
    if folder is not None and os.access(folder if folder.exists() else folder.parent, os.W_OK):
        return True, f"compiled loops are kept in {folder}"
    named = "nowhere" if folder is None else f"not in {folder}"
    return False, (
        f"compiled loops can be kept {named}, so that each start compiles; set NUMBA_CACHE_DIR to a folder that "
        "this user may write, and run homefeed compile"
    )


def memory_check(settings: Settings, apps: int, available: int | None) -> tuple[bool, str]:
    """Whether what the settings let the caches of a process take fits into memory, with room for all else."""
    most = (settings.user_cache_megabytes + settings.reuse_cache_megabytes) * apps
    told = f"caches take up to {most:,.0f} MB a process"
    if available is None:
        return True, told
    free = available / 1e6
    if most <= free * _MEMORY_SHARE:
        return True, f"{told}, {free:,.0f} MB are available"
    return False, f"{told}, only {free:,.0f} MB are available: lower user_cache_megabytes or reuse_cache_megabytes"


def files_check(settings: Settings, hard: int) -> tuple[bool, str]:
    """Whether a process may open as many files as `max_connections` needs; below 0 the system sets no limit."""
    needed = files_needed(settings.max_connections)
    if hard < 0 or hard >= needed:
        return True, f"{'any number' if hard < 0 else f'{hard:,}'} allowed, {needed:,} needed at most"
    return False, f"{hard:,} allowed, max_connections needs {needed:,}: raise ulimit -n, or lower the setting"


def events_check(totals: Totals, now: int) -> tuple[bool, str]:
    """Whether the log ends now or before: events of a time to come stay new, and keep what they are about new."""
    last: object = totals.last_event  # SQLite keeps whatever was written to its columns
    if last is None:
        return True, "none yet"
    if not isinstance(last, int):
        return False, f"an event's time is no number: {last!r:.40}; see rows"
    ahead = (last - now) / SECOND
    told = f"latest of {format_time(last)}"
    if ahead <= _AHEAD_SECONDS:
        return True, told
    return False, f"{told}, {ahead / 86_400:,.1f} days ahead of this clock: set it, or import those events anew"


def job_check(name: str, job: str, run: JobRun, by_hand: JobRun | None) -> tuple[bool, str]:
    """Whether the latest run of a job of an app ended well, or goes on, or all was trained by hand since."""
    told = f"{run.outcome}, begun at {format_time(run.started)}"
    if run.outcome not in ("failed", "stopped"):
        return True, told
    if by_hand is not None and by_hand.outcome == "done" and by_hand.started > run.started:
        return True, f"{told}; trained by hand at {format_time(by_hand.started)}"
    why = f": {run.detail}" if run.detail else ""
    return False, f"{told}{why}; homefeed train {name} {job}"


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What a store says of itself: its kind, the revision of its tables, and the seconds since 1970 by its clock,
    None of SQLite, which goes by this machine's.
    """

    dialect: str
    revision: str
    clock: float | None


async def facts_of(store: Store) -> StoreFacts:
    """Asked of an open store."""
    import sqlalchemy as sa

    async with store.read() as connection:
        revision = (await connection.execute(sa.text("SELECT version_num FROM alembic_version"))).scalar_one()
        if store.dialect == "sqlite":
            return StoreFacts(store.dialect, revision, None)
        clock = (await connection.execute(sa.text("SELECT extract(epoch FROM clock_timestamp())"))).scalar_one()
    return StoreFacts(store.dialect, revision, float(clock))


def _memory_bytes() -> int | None:
    """What this machine has available; None where it does not tell."""
    with suppress(OSError, StopIteration, ValueError):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return 1_024 * int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1])
    return None
