"""What answered: the feed and its ranker, and the variant of an experiment."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_ADDED = {"served_by": 127, "variant": 63}


def upgrade() -> None:
    """Add the columns: of what was shown before, nothing is known of them."""
    for name, length in _ADDED.items():
        column = sa.Column(name, sa.String(length), nullable=False, server_default=sa.text("''"))
        op.add_column("impressions", column)


def downgrade() -> None:
    """Drop them."""
    for name in _ADDED:
        op.drop_column("impressions", name)
