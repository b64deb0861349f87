"""What trends by hours: a materialised view on PostgreSQL, a table on SQLite."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

# The inner query has an app and times as parameters: so the partitions of others are not read.
_VIEW = """
CREATE MATERIALIZED VIEW trending AS
SELECT trending_windows.app, counted.item, counted.hour, counted.score
FROM trending_windows CROSS JOIN LATERAL (
    SELECT events.item, LEAST(events.time, trending_windows.refreshed_at) / 3600000000 AS hour,
        sum(trending_weights.weight) AS score
    FROM events JOIN trending_weights
        ON trending_weights.app = events.app AND trending_weights.event_type = events.event_type
    JOIN users ON users.app = events.app AND users.number = events."user"
    JOIN items ON items.app = events.app AND items.number = events.item
    WHERE events.app = trending_windows.app
        AND events.time > trending_windows.since AND events.seq <= trending_windows.watermark
        AND strpos(items.attributes, trending_windows.creator || users.user_id || '"') = 0
    GROUP BY events.item, LEAST(events.time, trending_windows.refreshed_at) / 3600000000
) AS counted
"""


def upgrade() -> None:
    """Create them, without anything that trends yet."""
    op.create_table(
        "trending_windows",
        sa.Column("app", sa.String(63), nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("refreshed_at", sa.BigInteger, nullable=False),
        sa.Column("watermark", sa.BigInteger, nullable=False),
        sa.Column("creator", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("app", name="pk_trending_windows"),
        comment="Of which events the trending view of an app is: of which times, places in the log and users.",
    )
    if op.get_bind().dialect.name == "postgresql":
        op.create_table(
            "trending_weights",
            sa.Column("app", sa.String(63), nullable=False),
            sa.Column("event_type", sa.String(63), nullable=False),
            sa.Column("weight", sa.Double, nullable=False),
            sa.PrimaryKeyConstraint("app", "event_type", name="pk_trending_weights"),
            comment="What an event counts in the trending view: so it stays as it is when a recipe changes.",
        )
        op.execute(_VIEW)
        op.create_index("ix_trending_app_item_hour", "trending", ["app", "item", "hour"], unique=True)
        return
    op.create_table(
        "trending",
        sa.Column("app", sa.String(63), nullable=False),
        sa.Column("item", sa.Integer, nullable=False),
        sa.Column("hour", sa.BigInteger, nullable=False),
        sa.Column("score", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("app", "item", "hour", name="pk_trending"),
        comment="What trends, by hours since 1970: on PostgreSQL it is a materialised view.",
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop them."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP MATERIALIZED VIEW trending")
        op.drop_table("trending_weights")
    else:
        op.drop_table("trending")
    op.drop_table("trending_windows")
