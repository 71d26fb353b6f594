"""Conversations get a title, a time and words to find them by; turns can be replaced."""

import sqlalchemy as sa
from alembic import op

from assistant.store.tables import Json, Words
from assistant.store.words import answer_words, searchable, title_of

revision = "0002"
down_revision = "0001"

_CONVERSATION = sa.table(
    "conversation",
    sa.column("id"),
    sa.column("title", Words),
    sa.column("latest", Words),
    sa.column("words", Words),
)
_TURN = sa.table(
    "turn",
    sa.column("id"),
    sa.column("conversation_id"),
    sa.column("number"),
    sa.column("question", Words),
    sa.column("asked", Words),
    sa.column("words", Words),
)
_ANSWER = sa.table("answer", sa.column("id"), sa.column("answer", Json), sa.column("words", Words))


def upgrade() -> None:
    """Adds the columns, fills them from what is there, and makes the index of the list."""
    for table in ("conversation", "turn", "answer"):
        op.add_column(table, sa.Column("words", sa.Text, nullable=False, server_default=""))
    for name in ("title", "latest"):
        op.add_column("conversation", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.add_column("turn", sa.Column("replaced_by", sa.Integer, nullable=False, server_default="0"))
    connection = op.get_bind()
    _fill_turns(connection)
    _fill_answers(connection)
    op.create_index("conversation_of_owner", "conversation", ["owner", "latest"])


def _fill_turns(connection: sa.Connection) -> None:
    for key in connection.scalars(sa.select(_CONVERSATION.c.id)).all():
        turns = connection.execute(
            sa.select(_TURN).where(_TURN.c.conversation_id == key).order_by(_TURN.c.number)
        ).all()
        for turn in turns:
            _set(connection, _TURN, turn.id, words=searchable(turn.question))
        title = title_of(turns[0].question if turns else "")
        latest = turns[-1].asked.replace("+00:00", ".000+00:00") if turns else ""
        _set(connection, _CONVERSATION, key, title=title, words=searchable(title), latest=latest)


def _fill_answers(connection: sa.Connection) -> None:
    for key in connection.scalars(sa.select(_ANSWER.c.id)).all():  # one by one: they are large
        kept = connection.scalar(sa.select(_ANSWER.c.answer).where(_ANSWER.c.id == key))
        _set(connection, _ANSWER, key, words=answer_words(kept))


def _set(connection: sa.Connection, table: sa.TableClause, key: int, **values: str) -> None:
    connection.execute(sa.update(table).where(table.c.id == key).values(**values))
