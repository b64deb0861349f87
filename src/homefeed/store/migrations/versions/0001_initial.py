"""Apps, items, users, the event log and data reports."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _app() -> sa.Column[str]:
    return sa.Column("app", sa.String(63), nullable=False)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "apps",
        _app(),
        *(
            sa.Column(name, sa.BigInteger, nullable=False)
            for name in (
                "item_number",
                "item_revision",
                "user_number",
                "user_revision",
                "erasures",
                "event_seq",
            )
        ),
        sa.PrimaryKeyConstraint("app", name="pk_apps"),
        comment="A row per tenant: its counters. Updating it first in a transaction puts its writers in a row.",
    )
    op.create_table(
        "items",
        _app(),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("item_id", sa.String(255), nullable=False),
        sa.Column("attributes", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=True),
        sa.Column("hidden", sa.Boolean, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("app", "number", name="pk_items"),
        sa.UniqueConstraint("app", "item_id", name="uq_items_app_item_id"),
        comment="The catalogue. A deleted item stays as an empty row, so that every process learns of it.",
    )
    op.create_index("ix_items_app_revision_number", "items", ["app", "revision", "number"])
    op.create_table(
        "users",
        _app(),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("attributes", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("app", "number", name="pk_users"),
        sa.UniqueConstraint("app", "user_id", name="uq_users_app_user_id"),
    )
    op.create_index("ix_users_app_revision_number", "users", ["app", "revision", "number"])
    op.create_table(
        "events",
        _app(),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("key", sa.LargeBinary(16), nullable=False),
        sa.Column("user", sa.Integer, nullable=False),
        sa.Column("item", sa.Integer, nullable=False),
        sa.Column("event_type", sa.String(63), nullable=False),
        sa.Column("value", sa.Double, nullable=True),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String(255), nullable=True),
        sa.Column("request_id", sa.String(255), nullable=True),
        sa.Column("context", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("app", "seq", name="pk_events"),
        sa.UniqueConstraint("app", "key", name="uq_events_app_key"),
        sqlite_with_rowid=False,
        comment="The event log, in the order it was written; `key` makes it idempotent.",
    )
    op.create_index("ix_events_app_user_time", "events", ["app", "user", "time"])
    op.create_table(
        "reports",
        _app(),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("report", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("app", "created_at", name="pk_reports"),
        comment="The data report of every import.",
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("reports", "events", "users", "items", "apps"):
        op.drop_table(table)
