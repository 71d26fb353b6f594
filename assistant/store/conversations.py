"""Conversations as a list: found, named, continued from an edited question, deleted."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Text, delete, or_, select, type_coerce, update
from sqlalchemy.orm import Session

from assistant.conversation import Turn
from assistant.store.tables import AnswerRow, ConversationRow, FeedbackRow, TurnRow
from assistant.store.words import LONGEST_TITLE, searchable, title_of

_MOST_WORDS = 8  # of a search; more do not narrow it further


@dataclass(frozen=True)
class Conversation:
    """One conversation in the list.

    Attributes:
        key: its id.
        title: its first question shortened, or what the person called it.
        latest: ISO time of its last turn, UTC.
    """

    key: str
    title: str
    latest: str


def find(
    session: Session, owner: str, search: str, limit: int, skip: int
) -> tuple[Conversation, ...]:
    """An owner's conversations, newest first; only those in which every word of `search` is."""
    wanted = select(ConversationRow).where(ConversationRow.owner == owner)
    for word in searchable(search).split()[:_MOST_WORDS]:
        wanted = wanted.where(_holds(owner, word))
    ordered = wanted.order_by(ConversationRow.latest.desc(), ConversationRow.id.desc())
    rows = session.scalars(ordered.limit(limit).offset(skip))
    return tuple(Conversation(row.key, row.title, row.latest) for row in rows)


def one(session: Session, owner: str, key: str) -> Conversation | None:
    """One conversation of the list; none if the owner has no such one."""
    row = session.scalar(
        select(ConversationRow).where(ConversationRow.owner == owner, ConversationRow.key == key)
    )
    return Conversation(row.key, row.title, row.latest) if row else None


def turns(session: Session, owner: str, key: str) -> tuple[Turn, ...]:
    """All turns that a conversation shows, in the order asked."""
    shown = (
        select(TurnRow)
        .join(ConversationRow)
        .where(
            ConversationRow.owner == owner,
            ConversationRow.key == key,
            TurnRow.replaced_by == 0,
        )
    )
    rows = session.scalars(shown.order_by(TurnRow.number)).all()
    kept = session.scalars(
        select(AnswerRow)
        .where(AnswerRow.turn_id.in_(shown.with_only_columns(TurnRow.id)))
        .order_by(AnswerRow.attempt)
    )
    answers: dict[int, list[Mapping[str, Any]]] = {}
    for answer in kept:
        answers.setdefault(answer.turn_id, []).append(answer.answer)
    return tuple(_turn(key, row, answers.get(row.id, ())) for row in rows)


def rename(session: Session, owner: str, key: str, title: str) -> bool:
    """Gives a conversation another title; false if there is none."""
    line = " ".join(title.split())[: 2 * LONGEST_TITLE] or title_of("")
    renamed = session.execute(
        update(ConversationRow)
        .where(ConversationRow.owner == owner, ConversationRow.key == key)
        .values(title=line, words=searchable(line))
        .returning(ConversationRow.id)
    )
    return renamed.one_or_none() is not None


def remove(session: Session, owner: str, key: str) -> tuple[Path, ...] | None:
    """Deletes a conversation with all that hangs on it.

    Returns:
        The pictures that no turn uses any more; none at all if there is no such conversation.
    """
    conversation = session.scalar(
        select(ConversationRow.id)
        .where(ConversationRow.owner == owner, ConversationRow.key == key)
        .with_for_update()
    )
    if conversation is None:
        return None
    asked = select(TurnRow.id).where(TurnRow.conversation_id == conversation)
    said = select(AnswerRow.id).where(AnswerRow.turn_id.in_(asked))
    lists = session.scalars(select(TurnRow.images).where(TurnRow.id.in_(asked)))
    images = {image for images in lists for image in images}
    for gone in (
        delete(FeedbackRow).where(FeedbackRow.answer_id.in_(said)),
        delete(AnswerRow).where(AnswerRow.turn_id.in_(asked)),
        delete(TurnRow).where(TurnRow.conversation_id == conversation),
        delete(ConversationRow).where(ConversationRow.id == conversation),
    ):
        session.execute(gone.execution_options(synchronize_session=False))
    return tuple(Path(image) for image in sorted(images) if not _is_used(session, owner, image))


def replace_turns(session: Session, first: int, new: TurnRow) -> bool:
    """Puts a new turn in the place of turn `first` and of all after it.

    A title that comes from the replaced question follows the new one.

    Returns:
        False if turn `first` is not shown.
    """
    shown = select(TurnRow).where(
        TurnRow.conversation_id == new.conversation_id,
        TurnRow.replaced_by == 0,
        TurnRow.number < new.number,
    )
    rows = session.scalars(shown.order_by(TurnRow.number)).all()
    if first not in [row.number for row in rows]:
        return False
    for row in rows:
        if row.number >= first:
            row.replaced_by = new.number
    named = session.get_one(ConversationRow, new.conversation_id)
    if rows[0].number == first and named.title == title_of(rows[0].question):
        named.title = title_of(new.question)
        named.words = searchable(named.title)
    return True


def _turn(key: str, row: TurnRow, answers: Sequence[Mapping[str, Any]]) -> Turn:
    images = tuple(Path(image) for image in row.images)
    return Turn(key, row.number, row.question, images, tuple(answers), row.asked)


def _holds(owner: str, word: str) -> Any:
    """Whether a conversation holds a word: in its title, a question or an answer that is shown."""
    shown = (TurnRow.owner == owner, TurnRow.replaced_by == 0)
    asked = select(TurnRow.conversation_id).where(
        *shown, TurnRow.words.contains(word, autoescape=True)
    )
    said = (
        select(TurnRow.conversation_id)
        .join(AnswerRow)
        .where(*shown, AnswerRow.words.contains(word, autoescape=True))
    )
    return or_(
        ConversationRow.words.contains(word, autoescape=True),
        ConversationRow.id.in_(asked),
        ConversationRow.id.in_(said),
    )


def _is_used(session: Session, owner: str, image: str) -> bool:
    """Whether a turn of the owner still uses a picture."""
    told = type_coerce(TurnRow.images, Text).contains(json.dumps(image), autoescape=True)
    found: Sequence[list[str]] = session.scalars(
        select(TurnRow.images).where(TurnRow.owner == owner, told)
    ).all()
    return any(image in images for images in found)
