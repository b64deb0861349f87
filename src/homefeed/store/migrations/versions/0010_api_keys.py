"""API keys: who may ask, by the hashes of their keys."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the table, without a key: everything stays allowed until the first is made."""
    op.create_table(
        "api_keys",
        sa.Column("app", sa.String(63), nullable=False),
        sa.Column("key_id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("right", sa.String(15), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger, nullable=True),
        sa.Column("revoked_at", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("app", "key_id", name="pk_api_keys"),
        comment="API keys by the SHA-256 of their secrets; those of an empty app are for all apps.",
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("api_keys")
