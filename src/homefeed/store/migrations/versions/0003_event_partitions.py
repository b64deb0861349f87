"""PostgreSQL: the log in partitions, and what makes an event_id count once whatever its time. SQLite: nothing."""

import sqlalchemy as sa
from alembic import op

from homefeed.store.partitions import making, periods_of

revision = "0003"
down_revision = "0002"

_COMMENT = "The event log, in the order it was written; `key` makes it idempotent."
_DAYS = sa.text("SELECT app, time / 86400000000 * 86400000000 AS day FROM events_before GROUP BY 1, 2 ORDER BY 1")
_HAS_TIMESCALE = sa.text("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')")
_HYPERTABLE = (
    "SELECT create_hypertable('events', 'time', "
    "chunk_time_interval => CAST(2592000000000 AS bigint), create_default_indexes => FALSE)"
)


def upgrade() -> None:
    """Rewrite the log; the indexes are made when it is full, which is the fastest way."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    op.create_table(
        "event_ids",
        sa.Column("app", sa.String(63), nullable=False),
        sa.Column("key", sa.LargeBinary(16), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("app", "key", name="pk_event_ids"),
        comment="The keys of events with an event_id: one counts once, whatever its time and so its partition.",
    )
    op.rename_table("events", "events_before")
    if connection.execute(_HAS_TIMESCALE).scalar_one():
        op.execute("CREATE TABLE events (LIKE events_before)")
        op.execute(_HYPERTABLE)
    else:
        op.execute("CREATE TABLE events (LIKE events_before) PARTITION BY RANGE (app, time)")
        days: dict[str, list[int]] = {}
        for app, day in connection.execute(_DAYS):
            days.setdefault(app, []).append(day)
        for app, times in days.items():
            for period in periods_of(times):
                for statement in making(app, period):
                    connection.exec_driver_sql(statement)
    op.execute("INSERT INTO event_ids SELECT app, key, seq FROM events_before WHERE event_id IS NOT NULL")
    _replace_by_new()
    op.create_primary_key("pk_events", "events", ["app", "seq", "time"])
    op.create_index(
        "uq_events_app_key_time",
        "events",
        ["app", "key", "time"],
        unique=True,
        postgresql_where=sa.text("event_id IS NULL"),
    )


def downgrade() -> None:
    """Make one table of it again."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.rename_table("events", "events_before")
    op.execute("CREATE TABLE events (LIKE events_before)")
    _replace_by_new()
    op.create_primary_key("pk_events", "events", ["app", "seq"])
    op.create_unique_constraint("uq_events_app_key", "events", ["app", "key"])
    op.drop_table("event_ids")


def _replace_by_new() -> None:
    op.execute("INSERT INTO events SELECT * FROM events_before")
    op.drop_table("events_before")
    op.create_index("ix_events_app_user_time", "events", ["app", "user", "time"])
    op.create_table_comment("events", _COMMENT)
