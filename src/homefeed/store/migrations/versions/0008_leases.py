"""The leases of apps' jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "leases",
        sa.Column("app", sa.String(63), nullable=False),
        sa.Column("token", sa.BigInteger, nullable=False),
        sa.Column("job", sa.String(63), nullable=False),
        sa.Column("holder", sa.String(255), nullable=False),
        sa.Column("place", sa.String(255), nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("app", name="pk_leases"),
        comment="Who runs an app's jobs, and until when; the token grows with every holder.",
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("leases")
