"""Whether an impression is of a slate that its user got a moment before."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column: of what was shown before, nothing was reused."""
    op.add_column("impressions", sa.Column("reused", sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("impressions", "reused")
