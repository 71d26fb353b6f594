"""Long work: jobs and their logs; what was spent, and tasks that run elsewhere."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_STATES = "('queued', 'running', 'paused', 'done', 'failed', 'cancelled')"


def upgrade() -> None:
    """Makes the tables."""
    _jobs()
    _entries()


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer, nullable=False) for name in names]


def _jobs() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.Integer, primary_key=True),
        *_texts("owner", "request", "tool", "title", "arguments", "agreement", "lane"),
        *_texts("conversation"),
        *_numbers("turn", "step"),
        *_texts("state", "wanted", "holder"),
        *_numbers("token", "beat", "served", "crashes", "losses"),
        sa.Column("done", sa.Float(53), nullable=False),
        *_texts("note", "error"),
        sa.Column("seconds", sa.Float(53), nullable=False),
        sa.Column("left", sa.Float(53)),
        *_texts("made", "created", "ended"),
        sa.UniqueConstraint("owner", "request"),
        sa.CheckConstraint(f"state IN {_STATES}", name="known_state"),
    )
    op.create_index("job_in_line", "job", ["state", "lane", "owner"])
    op.create_index("job_of_conversation", "job", ["owner", "conversation"])
    op.create_index("job_served", "job", ["owner", "served"])


def _entries() -> None:
    op.create_table(
        "job_entry",
        sa.Column("id", sa.Integer, primary_key=True),
        *_texts("owner"),
        sa.Column("job_id", sa.Integer, sa.ForeignKey("job.id"), nullable=False, index=True),
        *_texts("at"),
        sa.Column("done", sa.Float(53), nullable=False),
        *_texts("note", "curve"),
    )
