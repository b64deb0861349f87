"""The tables. Every one carries the app, first in every key: no query can reach another tenant's rows.

Times are microseconds since 1970 in UTC; attributes and contexts are JSON text.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Constraint,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    false,
    select,
    text,
    tuple_,
)

_NAMES: Final = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}
metadata = MetaData(naming_convention=_NAMES)

apps = Table(
    "apps",
    metadata,
    Column("app", String(63), nullable=False),
    Column("item_number", BigInteger, nullable=False),
    Column("item_revision", BigInteger, nullable=False),
    Column("user_number", BigInteger, nullable=False),
    Column("user_revision", BigInteger, nullable=False),
    Column("erasures", BigInteger, nullable=False),
    Column("event_seq", BigInteger, nullable=False),
    PrimaryKeyConstraint("app"),
    comment="A row per tenant: its counters. Updating it first in a transaction puts its writers in a row.",
)

items = Table(
    "items",
    metadata,
    Column("app", String(63), nullable=False),
    Column("number", Integer, nullable=False),
    Column("item_id", String(255), nullable=False),
    Column("attributes", Text, nullable=False),
    Column("created_at", BigInteger, nullable=True),
    Column("hidden", Boolean, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("revision", BigInteger, nullable=False),
    PrimaryKeyConstraint("app", "number"),
    UniqueConstraint("app", "item_id"),
    Index(None, "app", "revision", "number"),
    comment="The catalogue. A deleted item stays as an empty row, so that every process learns of it.",
)

users = Table(
    "users",
    metadata,
    Column("app", String(63), nullable=False),
    Column("number", Integer, nullable=False),
    Column("user_id", String(255), nullable=False),
    Column("attributes", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    PrimaryKeyConstraint("app", "number"),
    UniqueConstraint("app", "user_id"),
    Index(None, "app", "revision", "number"),
)


def _events(of: MetaData, *unique: Constraint | Index, **options: Any) -> Table:
    return Table(
        "events",
        of,
        Column("app", String(63), nullable=False),
        Column("seq", BigInteger, nullable=False),
        Column("key", LargeBinary(16), nullable=False),
        Column("user", Integer, nullable=False),
        Column("item", Integer, nullable=False),
        Column("event_type", String(63), nullable=False),
        Column("value", Double, nullable=True),
        Column("time", BigInteger, nullable=False),
        Column("received_at", BigInteger, nullable=False),
        Column("event_id", String(255), nullable=True),
        Column("request_id", String(255), nullable=True),
        Column("context", Text, nullable=True),
        *unique,
        Index(None, "app", "user", "time"),
        comment="The event log, in the order it was written; `key` makes it idempotent.",
        **options,
    )


events = _events(
    metadata, PrimaryKeyConstraint("app", "seq"), UniqueConstraint("app", "key"), sqlite_with_rowid=False
)

impressions = Table(
    "impressions",
    metadata,
    Column("app", String(63), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("request_id", String(255), nullable=False),
    Column("feed", String(63), nullable=False),
    Column("start", Integer, nullable=False),
    Column("user", Integer, nullable=True),
    Column("items", LargeBinary, nullable=False),
    Column("scores", LargeBinary, nullable=False),
    Column("propensities", LargeBinary, nullable=False),
    Column("feature_names", Text, nullable=False),
    Column("features", LargeBinary, nullable=False),
    Column("models", Text, nullable=False),
    Column("reused", Boolean, nullable=False, server_default=false()),
    Column("served_by", String(127), nullable=False, server_default=text("''")),
    Column("variant", String(63), nullable=False, server_default=text("''")),
    PrimaryKeyConstraint("app", "time", "request_id", "feed", "start"),
    Index(None, "app", "request_id"),
    Index(None, "app", "user"),
    comment="What each request showed; arrays are little-endian, 32 bits a number.",
)

reports = Table(
    "reports",
    metadata,
    Column("app", String(63), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("report", Text, nullable=False),
    PrimaryKeyConstraint("app", "created_at"),
    comment="The data report of every import.",
)

job_runs = Table(
    "job_runs",
    metadata,
    Column("app", String(63), nullable=False),
    Column("run_id", String(255), nullable=False),
    Column("job", String(63), nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("heartbeat", BigInteger, nullable=False),
    Column("ended", BigInteger, nullable=True),
    Column("outcome", String(15), nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),
    PrimaryKeyConstraint("app", "run_id"),
    Index(None, "app", "started"),
    comment="The latest runs of every job, and how each ended.",
)

leases = Table(
    "leases",
    metadata,
    Column("app", String(63), nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("job", String(63), nullable=False),
    Column("holder", String(255), nullable=False),
    Column("place", String(255), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    PrimaryKeyConstraint("app"),
    comment="Who runs an app's jobs, and until when; the token grows with every holder.",
)

trending_windows = Table(
    "trending_windows",
    metadata,
    Column("app", String(63), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("refreshed_at", BigInteger, nullable=False),
    Column("watermark", BigInteger, nullable=False),
    Column("creator", Text, nullable=False),
    PrimaryKeyConstraint("app"),
    comment="Of which events the trending view of an app is: of which times, places in the log and users.",
)

trending = Table(
    "trending",
    metadata,
    Column("app", String(63), nullable=False),
    Column("item", Integer, nullable=False),
    Column("hour", BigInteger, nullable=False),
    Column("score", Double, nullable=False),
    PrimaryKeyConstraint("app", "item", "hour"),
    sqlite_with_rowid=False,
    comment="What trends, by hours since 1970: on PostgreSQL it is a materialised view.",
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("app", String(63), nullable=False),
    Column("key_id", String(32), nullable=False),
    Column("name", String(63), nullable=False),
    Column("right", String(15), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger, nullable=True),
    Column("revoked_at", BigInteger, nullable=True),
    PrimaryKeyConstraint("app", "key_id"),
    comment="API keys by the SHA-256 of their secrets; those of an empty app are for all apps.",
)

on_postgresql = MetaData(naming_convention=_NAMES)
"""The tables as they are on PostgreSQL, where the log is partitioned: its unique keys must include the time.

So do the keys of events without an event_id; those of the others are unique in a table of their own.
"""

without_id: Final = text("event_id IS NULL")

for _table in metadata.sorted_tables:
    if _table not in (events, trending):
        _table.to_metadata(on_postgresql)
_events(
    on_postgresql,
    PrimaryKeyConstraint("app", "seq", "time"),
    Index("uq_events_app_key_time", "app", "key", "time", unique=True, postgresql_where=without_id),
    postgresql_partition_by="RANGE (app, time)",
)

event_ids = Table(
    "event_ids",
    on_postgresql,
    Column("app", String(63), nullable=False),
    Column("key", LargeBinary(16), nullable=False),
    Column("seq", BigInteger, nullable=False),
    PrimaryKeyConstraint("app", "key"),
    comment="The keys of events with an event_id: one counts once, whatever its time and so its partition.",
)

trending_weights = Table(
    "trending_weights",
    on_postgresql,
    Column("app", String(63), nullable=False),
    Column("event_type", String(63), nullable=False),
    Column("weight", Double, nullable=False),
    PrimaryKeyConstraint("app", "event_type"),
    comment="What an event counts in the trending view: so it stays as it is when a recipe changes.",
)


def changed_after(table: Table, *names: str) -> Select[Any]:
    """The named columns of up to `limit` rows of an `app`, of items or users, that changed beyond a `revision`.

    Of the rows of that revision, those beyond a `number`. All are parameters.
    """
    place = tuple_(table.c.revision, table.c.number)
    revision = bindparam("revision", type_=BigInteger)
    number = bindparam("number", type_=BigInteger)
    return (
        select(*(table.c[name] for name in names))
        .where(table.c.app == bindparam("app"), place > tuple_(revision, number))
        .order_by(table.c.revision, table.c.number)
        .limit(bindparam("limit", type_=BigInteger))
    )
