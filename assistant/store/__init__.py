"""The database: conversations, answers, feedback and measurements, each row with its owner."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from assistant.conversation import Turn
from assistant.store.database import StoreFailed, open_database, worded
from assistant.store.tables import (
    VERDICTS,
    AnswerRow,
    ConversationRow,
    FeedbackRow,
    MeasurementRow,
    TurnRow,
    Verdict,
)
from index.catalog import Catalog
from index.evidence import Fact, Match, Measurement

__all__ = ["OwnerEvidence", "Store", "StoreFailed", "UnknownConversation", "Verdict"]


class UnknownConversation(Exception):
    """There is no such conversation or turn of this owner; worded for the person."""


class Store:
    """One open database. Every method takes the owner first and sees no other owner's rows.

    Every method raises `StoreFailed` if the database did not do it; then nothing was kept.

    Args:
        url: SQLAlchemy address; tables are made or brought up to date.
    """

    def __init__(self, url: str) -> None:
        self._engine: Engine = open_database(url)
        self._writer = self._engine.execution_options(writes=True)

    def close(self) -> None:
        """Closes all connections."""
        self._engine.dispose()

    # --- conversations
    def start_turn(
        self, owner: str, conversation: str, question: str, images: Sequence[Path]
    ) -> Turn:
        """Keeps a question as the next turn.

        Args:
            owner: whose it is.
            conversation: id of the conversation; empty starts a new one.
            question: the person's words.
            images: its pictures, decoded.

        Raises:
            UnknownConversation: the owner has no such conversation.
        """
        now = _now()
        with self._writing() as session:
            if not conversation:
                conversation = uuid.uuid4().hex
                session.add(ConversationRow(owner=owner, key=conversation, turns=0, started=now))
                session.flush()
            # Counting and reading the count is one statement, so no two turns share a number.
            counted = session.execute(
                update(ConversationRow)
                .where(ConversationRow.owner == owner, ConversationRow.key == conversation)
                .values(turns=ConversationRow.turns + 1)
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
                asked=now,
            )
            session.add(row)
        return Turn(conversation, counted.turns, question, tuple(images), (), now)

    def keep_answer(
        self, owner: str, conversation: str, number: int, answer: Mapping[str, Any]
    ) -> int:
        """Keeps an answer beside the earlier ones, and returns its attempt number, from 1.

        Raises:
            UnknownConversation: the owner has no such turn.
        """
        with self._writing() as session:
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
                )
            )
        return int(counted.attempts)

    def turns(self, owner: str, conversation: str) -> tuple[Turn, ...]:
        """All turns of a conversation, in the order asked.

        Raises:
            UnknownConversation: the owner has no such conversation.
        """
        with self._reading() as session:
            found = session.scalars(
                select(TurnRow)
                .join(ConversationRow)
                .where(ConversationRow.owner == owner, ConversationRow.key == conversation)
                .order_by(TurnRow.number)
            ).all()
            if not found:
                raise _unknown(conversation)
            rows = session.scalars(
                select(AnswerRow)
                .join(TurnRow)
                .where(TurnRow.conversation_id == found[0].conversation_id)
                .order_by(AnswerRow.attempt)
            )
            answers: dict[int, list[Mapping[str, Any]]] = {}
            for row in rows:
                answers.setdefault(row.turn_id, []).append(row.answer)
            return tuple(_turn(conversation, turn, answers.get(turn.id, ())) for turn in found)

    def turn(self, owner: str, conversation: str, number: int) -> Turn:
        """One turn.

        Raises:
            UnknownConversation: the owner has no such turn.
        """
        found = [turn for turn in self.turns(owner, conversation) if turn.number == number]
        if not found:
            raise _unknown(conversation, number)
        return found[0]

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
        with self._writing() as session:
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
        with self._reading() as session:
            rows = session.execute(
                select(AnswerRow, TurnRow.question)
                .join(TurnRow, TurnRow.id == AnswerRow.turn_id)
                .where(AnswerRow.owner == owner)
                .order_by(AnswerRow.id)
            ).all()
            given = session.execute(
                select(FeedbackRow.answer_id, FeedbackRow.verdict)
                .join(AnswerRow)
                .where(AnswerRow.owner == owner)
                .order_by(FeedbackRow.id)
            )
            verdicts = {row.answer_id: row.verdict for row in given}
            return tuple(
                match
                for answer, question in rows
                for match in _matches(answer, question, verdicts.get(answer.id, ""))
            )

    # --- measurements
    def add_measurement(self, owner: str, measurement: Measurement) -> None:
        """Keeps a measurement beside the earlier ones."""
        with self._writing() as session:
            session.add(MeasurementRow(owner=owner, **asdict(measurement)))

    def measurements(self, owner: str, system: str, property: str = "") -> tuple[Measurement, ...]:
        """Measurements of a system, all or those of one property, newest first."""
        wanted = select(MeasurementRow).where(
            MeasurementRow.owner == owner, MeasurementRow.system == system
        )
        if property:
            wanted = wanted.where(MeasurementRow.property == property)
        with self._reading() as session:
            rows = session.scalars(wanted.order_by(MeasurementRow.id.desc()))
            names = [field.name for field in fields(Measurement)]
            return tuple(
                Measurement(**{name: getattr(row, name) for name in names}) for row in rows
            )

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        """A transaction: all of it is kept, or nothing."""
        with worded(self._engine.url), Session(self._writer) as session, session.begin():
            yield session

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with worded(self._engine.url), Session(self._engine) as session:
            yield session


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


def _turn(conversation: str, row: TurnRow, answers: Sequence[Mapping[str, Any]]) -> Turn:
    images = tuple(Path(image) for image in row.images)
    return Turn(conversation, row.number, row.question, images, tuple(answers), row.asked)


def _matches(row: AnswerRow, question: str, verdict: str) -> Iterator[Match]:
    """A match for each system that the answer rests on."""
    if row.answer.get("outcome") != "run":
        return
    found = (hit["id"].partition("#") for hit in row.answer.get("hits", ()))
    capabilities = {system: capability for system, _, capability in found}
    systems = dict.fromkeys(fact["system"] for fact in row.answer.get("evidence", ()))
    for system in systems:
        yield Match(question, system, capabilities.get(system, ""), verdict, row.kept)


def _unknown(conversation: str, number: int = 0) -> UnknownConversation:
    turn = f"turn {number} of " if number else ""
    return UnknownConversation(
        f"There is no {turn}conversation {conversation[:40]!r} here. Start a new one."
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
