"""The runs of jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "job_runs",
        sa.Column("app", sa.String(63), nullable=False),
        sa.Column("run_id", sa.String(255), nullable=False),
        sa.Column("job", sa.String(63), nullable=False),
        sa.Column("started", sa.BigInteger, nullable=False),
        sa.Column("heartbeat", sa.BigInteger, nullable=False),
        sa.Column("ended", sa.BigInteger, nullable=True),
        sa.Column("outcome", sa.String(15), nullable=False),
        sa.Column("done", sa.BigInteger, nullable=False),
        sa.Column("total", sa.BigInteger, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("app", "run_id", name="pk_job_runs"),
        comment="The latest runs of every job, and how each ended.",
    )
    op.create_index("ix_job_runs_app_started", "job_runs", ["app", "started"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("job_runs")
