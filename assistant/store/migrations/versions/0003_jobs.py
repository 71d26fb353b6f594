"""Long work: jobs and their logs; what was spent, and tasks that run elsewhere."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_STATES = "('queued', 'running', 'paused', 'done', 'failed', 'cancelled')"
_SPENDING_STATES = "('reserved', 'charged', 'released', 'unknown')"
_REMOTE_STATES = "('submitting', 'submitted', 'done', 'failed', 'unknown')"


def upgrade() -> None:
    """Makes the tables."""
    _jobs()
    _entries()
    _spending()
    _remote_tasks()


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


def _spending() -> None:
    op.create_table(
        "spending",
        sa.Column("id", sa.Integer, primary_key=True),
        *_texts("owner", "request"),
        *_numbers("job"),
        *_texts("system", "provider"),
        sa.Column("reserved", sa.BigInteger, nullable=False),
        sa.Column("charged", sa.BigInteger, nullable=False),
        *_texts("state", "at", "settled"),
        sa.UniqueConstraint("owner", "request"),
        sa.CheckConstraint(f"state IN {_SPENDING_STATES}", name="known_state"),
    )
    op.create_index("spending_of_owner", "spending", ["owner", "at"])


def _remote_tasks() -> None:
    op.create_table(
        "remote_task",
        sa.Column("id", sa.Integer, primary_key=True),
        *_texts("owner", "request"),
        *_numbers("job"),
        *_texts("provider", "state", "task", "polling_url"),
        sa.Column("cost", sa.BigInteger),
        *_texts("arguments", "result", "error", "at", "changed"),
        sa.UniqueConstraint("owner", "request"),
        sa.CheckConstraint(f"state IN {_REMOTE_STATES}", name="known_state"),
    )
    op.create_index("remote_task_in_state", "remote_task", ["state"])
