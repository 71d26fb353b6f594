"""Conversations, turns, answers, feedback and measurements."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the tables."""
    _conversations()
    _answers()
    _measurements()


def _conversations() -> None:
    op.create_table(
        "conversation",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("turns", sa.Integer, nullable=False),
        sa.Column("started", sa.Text, nullable=False),
    )
    op.create_table(
        "turn",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("conversation_id", sa.Integer, sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("images", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("asked", sa.Text, nullable=False),
        sa.UniqueConstraint("conversation_id", "number"),
    )


def _answers() -> None:
    op.create_table(
        "answer",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("turn_id", sa.Integer, sa.ForeignKey("turn.id"), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("kept", sa.Text, nullable=False),
        sa.UniqueConstraint("turn_id", "attempt"),
    )
    op.create_index("answer_of_owner", "answer", ["owner"])
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("answer_id", sa.Integer, sa.ForeignKey("answer.id"), nullable=False, index=True),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("given", sa.Text, nullable=False),
        sa.CheckConstraint("verdict IN ('like', 'dislike', 'wrong tool')", name="known_verdict"),
    )


def _measurements() -> None:
    op.create_table(
        "measurement",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("property", sa.Text, nullable=False),
        sa.Column("value", sa.Float(53), nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("machine", sa.Text, nullable=False),
        sa.Column("versions", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("date", sa.Text, nullable=False),
    )
    op.create_index("measurement_of_system", "measurement", ["owner", "system", "property"])
