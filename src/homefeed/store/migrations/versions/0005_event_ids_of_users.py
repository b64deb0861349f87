"""The keys of events with an event_id are made of their user too: an id belongs to its user."""

import hashlib
from collections.abc import Callable, Sequence

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_PAGE = 20_000
_apps = sa.table("apps", sa.column("app"))
_users = sa.table("users", *map(sa.column, ("app", "number", "user_id")))
_events = sa.table("events", *map(sa.column, ("app", "seq", "key", "user", "time", "event_id")))
_READ = (
    sa.select(_events.c.seq, _events.c.time, _users.c.user_id, _events.c.event_id)
    .join(_users, sa.and_(_users.c.app == _events.c.app, _users.c.number == _events.c.user))
    .where(_events.c.app == sa.bindparam("app"), _events.c.seq > sa.bindparam("after"))
    .where(_events.c.event_id.is_not(None))
    .order_by(_events.c.seq)
    .limit(_PAGE)
)
_WRITE_ONE = (
    _events.update()
    .where(*(_events.c[name] == sa.bindparam(f"its_{name}") for name in ("app", "seq")))
    .values(key=sa.bindparam("new_key"))
    .prefix_with("OR IGNORE")
)
_WRITE_MANY = sa.text(
    "UPDATE events SET key = new.key "
    "FROM unnest(CAST(:seqs AS bigint[]), CAST(:times AS bigint[]), CAST(:keys AS bytea[])) "
    "AS new (seq, time, key) "
    "WHERE events.app = :app AND events.seq = new.seq AND events.time = new.time"
)
_KEEP_FIRST = (
    "INSERT INTO event_ids (app, key, seq) SELECT app, key, seq FROM events WHERE event_id IS NOT NULL "
    "ORDER BY seq ON CONFLICT (app, key) DO NOTHING"
)


def upgrade() -> None:
    """Write the new keys."""
    _rewrite(lambda user_id, event_id: ("id", user_id, event_id))


def downgrade() -> None:
    """Write the old ones. Of two users with the same id the first has it; the other's event stays."""
    _rewrite(lambda _, event_id: ("id", event_id))


def _rewrite(parts: Callable[[str, str], tuple[str, ...]]) -> None:
    connection = op.get_bind()
    on_postgresql = connection.dialect.name == "postgresql"
    write = _write_postgresql if on_postgresql else _write_sqlite
    for app in connection.execute(sa.select(_apps.c.app)).scalars().all():
        seq = 0
        while rows := connection.execute(_READ, {"app": app, "after": seq}).all():
            seqs, times, user_ids, event_ids = zip(*rows, strict=True)
            keys = [_hashed(parts(*ids)) for ids in zip(user_ids, event_ids, strict=True)]
            write(connection, app, seqs, times, keys)
            seq = seqs[-1]
    if on_postgresql:
        op.execute("DELETE FROM event_ids")
        op.execute(_KEEP_FIRST)


def _hashed(parts: tuple[str, ...]) -> bytes:
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()


def _write_sqlite(
    connection: sa.Connection, app: str, seqs: Sequence[int], _: Sequence[int], keys: Sequence[bytes]
) -> None:
    rows = zip(seqs, keys, strict=True)
    connection.execute(_WRITE_ONE, [{"its_app": app, "its_seq": seq, "new_key": key} for seq, key in rows])


def _write_postgresql(
    connection: sa.Connection, app: str, seqs: Sequence[int], times: Sequence[int], keys: Sequence[bytes]
) -> None:
    # Row by row it takes twice as long.
    connection.execute(_WRITE_MANY, {"app": app, "seqs": list(seqs), "times": list(times), "keys": keys})
