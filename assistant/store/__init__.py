"""The database: conversations, answers, feedback and measurements, each row with its owner."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from assistant.conversation import Turn
from assistant.kept import with_jobs
from assistant.store import conversations, facts
from assistant.store.claims import Claims
from assistant.store.conversations import Conversation
from assistant.store.database import Database, StoreFailed
from assistant.store.jobs import JobStore
from assistant.store.ledger import Ledger
from assistant.store.pictures import Pictures
from assistant.store.remote import RemoteTasks
from assistant.store.tables import (
    VERDICTS,
    AnswerRow,
    ConversationRow,
    FeedbackRow,
    MeasurementRow,
    TurnRow,
    Verdict,
    now,
)
from assistant.store.words import answer_words, searchable, title_of
from index.catalog import Catalog
from index.evidence import Fact, Match, Measurement
from tools.work import Job

__all__ = [
    "Conversation",
    "OwnerEvidence",
    "Store",
    "StoreFailed",
    "UnknownConversation",
    "Verdict",
]


class UnknownConversation(Exception):
    """There is no such conversation or turn of this owner; worded for the person."""


class Store:
    """One open database. Every method takes the owner first and sees no other owner's rows.

    Every method raises `StoreFailed` if the database did not do it; then nothing was kept.

    Args:
        url: SQLAlchemy address; tables are made or brought up to date.

    Attributes:
        jobs: long work, for its owners.
        claims: long work, for those who run it.
        ledger: the money of paid requests.
        remote: paid tasks at providers.
        pictures: what conversations have drawn.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self.jobs = JobStore(self._database)
        self.claims = Claims(self._database)
        self.ledger = Ledger(self._database)
        self.remote = RemoteTasks(self._database)
        self.pictures = Pictures(self._database)

    def close(self) -> None:
        """Closes all connections."""
        self._database.close()

    # --- conversations
    def start_turn(
        self,
        owner: str,
        conversation: str,
        question: str,
        images: Sequence[Path],
        replaces: int = 0,
    ) -> Turn:
        """Keeps a question as the next turn.

        Args:
            owner: whose it is.
            conversation: id of the conversation; empty starts a new one.
            question: the person's words.
            images: its pictures, decoded.
            replaces: number of the turn in whose place, and in that of all after it, this one
                stands; they are kept and no longer shown. 0 replaces none.

        Raises:
            UnknownConversation: the owner has no such conversation, or it shows no such turn.
        """
        asked = _now()
        with self._database.writing() as session:
            if not conversation:
                conversation = self._start(session, owner, title_of(question), asked)
            # Counting and reading the count is one statement, so no two turns share a number.
            counted = session.execute(
                update(ConversationRow)
                .where(ConversationRow.owner == owner, ConversationRow.key == conversation)
                .values(turns=ConversationRow.turns + 1, latest=now())
                .returning(ConversationRow.id, ConversationRow.turns)
            ).one_or_none()
            if counted is None:
                raise _unknown(conversation)
            row = TurnRow(
                owner=owner,
                conversation_id=counted.id,
                number=counted.turns,
                question=question,
                images=[str(image) for image in images],
                attempts=0,
                asked=asked,
                words=searchable(question),
                replaced_by=0,
            )
            session.add(row)
            session.flush()
            if replaces and not conversations.replace_turns(session, replaces, row):
                raise _unknown(conversation, replaces)
        return Turn(conversation, counted.turns, question, tuple(images), (), asked)

    def keep_answer(
        self, owner: str, conversation: str, number: int, answer: Mapping[str, Any]
    ) -> int:
        """Keeps an answer beside the earlier ones, and returns its attempt number, from 1.

        Raises:
            UnknownConversation: the owner has no such turn.
        """
        with self._database.writing() as session:
            counted = session.execute(
                update(TurnRow)
                .where(TurnRow.id == _turn_id(owner, conversation, number).scalar_subquery())
                .values(attempts=TurnRow.attempts + 1)
                .returning(TurnRow.id, TurnRow.attempts)
            ).one_or_none()
            if counted is None:
                raise _unknown(conversation, number)
            session.add(
                AnswerRow(
                    owner=owner,
                    turn_id=counted.id,
                    attempt=counted.attempts,
                    answer=dict(answer),
                    kept=_now(),
                    words=answer_words(answer),
                )
            )
        return int(counted.attempts)

    def turns(self, owner: str, conversation: str) -> tuple[Turn, ...]:
        """All turns that a conversation shows, in the order asked.

        Raises:
            UnknownConversation: the owner has no such conversation.
        """
        with self._database.reading() as session:
            turns = conversations.turns(session, owner, conversation)
        if not turns:
            raise _unknown(conversation)
        jobs = self.jobs.of_conversation(owner, conversation)
        return tuple(_with_jobs(turn, jobs) for turn in turns) if jobs else turns

    def turn(self, owner: str, conversation: str, number: int) -> Turn:
        """One turn.

        Raises:
            UnknownConversation: the owner has no such turn.
        """
        found = [turn for turn in self.turns(owner, conversation) if turn.number == number]
        if not found:
            raise _unknown(conversation, number)
        return found[0]

    # --- the list of conversations
    def conversations(
        self, owner: str, search: str = "", limit: int = 50, skip: int = 0
    ) -> tuple[Conversation, ...]:
        """Conversations, the one with the newest turn first.

        Args:
            owner: whose they are.
            search: words that must all occur in the title, the questions or the answers.
            limit: how many at most.
            skip: how many of the newest to leave out.
        """
        with self._database.reading() as session:
            return conversations.find(session, owner, search, limit, skip)

    def conversation(self, owner: str, key: str) -> Conversation:
        """One conversation of the list.

        Raises:
            UnknownConversation: the owner has no such conversation.
        """
        with self._database.reading() as session:
            found = conversations.one(session, owner, key)
        if found is None:
            raise _unknown(key)
        return found

    def rename(self, owner: str, key: str, title: str) -> None:
        """Gives a conversation a title of the person's own; on one line, at most 120 characters.

        Raises:
            UnknownConversation: the owner has no such conversation.
        """
        with self._database.writing() as session:
            if not conversations.rename(session, owner, key, title):
                raise _unknown(key)

    def delete(self, owner: str, key: str) -> tuple[Path, ...]:
        """Deletes a conversation with its turns, answers and feedback.

        Returns:
            The pictures that no turn uses any more; whoever keeps them deletes them.

        Raises:
            UnknownConversation: the owner has no such conversation.
        """
        with self._database.writing() as session:
            unused = conversations.remove(session, owner, key)
            if unused is None:
                raise _unknown(key)
            return unused

    # --- feedback
    def feedback(
        self,
        owner: str,
        conversation: str,
        number: int,
        attempt: int,
        verdict: Verdict,
        note: str = "",
    ) -> None:
        """Keeps what the person thought of an answer; the latest counts, all are kept.

        Raises:
            UnknownConversation: the owner has no such answer.
            ValueError: the verdict is none of the three.
        """
        if verdict not in VERDICTS:
            raise ValueError(f"{verdict!r} is no verdict; these are: {', '.join(VERDICTS)}")
        with self._database.writing() as session:
            answer = session.scalar(
                select(AnswerRow.id).where(
                    AnswerRow.turn_id == _turn_id(owner, conversation, number).scalar_subquery(),
                    AnswerRow.attempt == _in_range(attempt),
                )
            )
            if answer is None:
                raise _unknown(conversation, number)
            session.add(
                FeedbackRow(owner=owner, answer_id=answer, verdict=verdict, note=note, given=_now())
            )

    def matches(self, owner: str) -> tuple[Match, ...]:
        """Which systems served which questions, oldest first, with the latest verdict on each."""
        with self._database.reading() as session:
            return facts.matches(session, owner)

    # --- measurements
    def add_measurement(self, owner: str, measurement: Measurement) -> None:
        """Keeps a measurement beside the earlier ones."""
        with self._database.writing() as session:
            session.add(MeasurementRow(owner=owner, **asdict(measurement)))

    def measurements(self, owner: str, system: str, property: str = "") -> tuple[Measurement, ...]:
        """Measurements of a system, all or those of one property, newest first."""
        with self._database.reading() as session:
            return facts.measurements(session, owner, system, property)

    def _start(self, session: Session, owner: str, title: str, asked: str) -> str:
        """Begins a conversation without turns, and returns its id."""
        key = uuid.uuid4().hex
        row = ConversationRow(owner=owner, key=key, turns=0, started=asked, latest=asked)
        row.title, row.words = title, searchable(title)
        session.add(row)
        session.flush()
        return key


@dataclass(frozen=True)
class OwnerEvidence:
    """One owner's evidence: what was measured for them, then what the catalog cites.

    Attributes:
        store: where measurements are kept.
        catalog: where claims stand.
        owner: whose measurements count.
    """

    store: Store
    catalog: Catalog
    owner: str

    def find(self, system: str, property: str = "") -> Sequence[Fact]:
        """Facts about a system: measurements, newest first, then claims."""
        measured = self.store.measurements(self.owner, system, property)
        return (*measured, *self.catalog.find(system, property))

    def add(self, measurement: Measurement) -> None:
        """Keeps a measurement."""
        self.store.add_measurement(self.owner, measurement)


def _turn_id(owner: str, conversation: str, number: int) -> Any:
    return (
        select(TurnRow.id)
        .join(ConversationRow)
        .where(
            ConversationRow.owner == owner,
            ConversationRow.key == conversation,
            TurnRow.number == _in_range(number),
        )
    )


def _in_range(number: int) -> int:
    """The number as a column holds it; 0, which no row has, if it is too large."""
    return number if 0 < number < 2**31 else 0


def _with_jobs(turn: Turn, jobs: Sequence[Job]) -> Turn:
    """The turn with its jobs as they stand now."""
    mine = [job for job in jobs if job.turn == turn.number]
    return replace(turn, answers=tuple(with_jobs(kept, mine) for kept in turn.answers))


def _unknown(conversation: str, number: int = 0) -> UnknownConversation:
    turn = f"turn {number} of " if number else ""
    return UnknownConversation(
        f"There is no {turn}conversation {conversation[:40]!r} here. Start a new one."
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
