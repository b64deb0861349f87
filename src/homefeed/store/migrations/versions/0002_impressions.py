"""The impressions."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "impressions",
        sa.Column("app", sa.String(63), nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("request_id", sa.String(255), nullable=False),
        sa.Column("feed", sa.String(63), nullable=False),
        sa.Column("start", sa.Integer, nullable=False),
        sa.Column("user", sa.Integer, nullable=True),
        sa.Column("items", sa.LargeBinary, nullable=False),
        sa.Column("scores", sa.LargeBinary, nullable=False),
        sa.Column("propensities", sa.LargeBinary, nullable=False),
        sa.Column("feature_names", sa.Text, nullable=False),
        sa.Column("features", sa.LargeBinary, nullable=False),
        sa.Column("models", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("app", "time", "request_id", "feed", "start", name="pk_impressions"),
        comment="What each request showed; arrays are little-endian, 32 bits a number.",
    )
    op.create_index("ix_impressions_app_request_id", "impressions", ["app", "request_id"])
    op.create_index("ix_impressions_app_user", "impressions", ["app", "user"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("impressions")
