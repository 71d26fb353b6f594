"""The tables, as they are after the last revision. They are made by the revisions only."""

import json
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from tools.providers import RemoteState
from tools.spending import SpendingState
from tools.work import State

Verdict = Literal["like", "dislike", "wrong tool"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


def now() -> str:
    """The time as it is kept: ISO, to the millisecond, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Words(TypeDecorator[str]):
    """Text that every database takes: NUL and lone surrogates become U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Makes the text safe on its way in."""
        if value is None:
            return None
        text = value.replace("\0", "\ufffd")
        # What was read as surrogate pairs joins to characters; what is left over is replaced.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class Json(TypeDecorator[Any]):
    """A JSON value as ASCII text, which keeps every character."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        """Writes the value."""
        return json.dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Reads the value."""
        return None if value is None else json.loads(value)


class Base(DeclarativeBase):
    """What all tables share: an owner."""

    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(Words)


class ConversationRow(Base):
    """A conversation; `turns` counts the turns asked so far, `latest` is when the last was."""

    __tablename__ = "conversation"
    __table_args__ = (Index("conversation_of_owner", "owner", "latest"),)

    key: Mapped[str] = mapped_column(Words, unique=True)
    turns: Mapped[int]
    started: Mapped[str] = mapped_column(Words)
    title: Mapped[str] = mapped_column(Words, server_default="")
    latest: Mapped[str] = mapped_column(Words, server_default="")
    words: Mapped[str] = mapped_column(Words, server_default="")


class TurnRow(Base):
    """A question; `attempts` counts the answers kept so far.

    `replaced_by` is the number of the turn that was asked in its place; 0 if it is shown.
    """

    __tablename__ = "turn"
    __table_args__ = (UniqueConstraint("conversation_id", "number"),)

    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    number: Mapped[int]
    question: Mapped[str] = mapped_column(Words)
    images: Mapped[list[str]] = mapped_column(Json)
    attempts: Mapped[int]
    asked: Mapped[str] = mapped_column(Words)
    words: Mapped[str] = mapped_column(Words, server_default="")
    replaced_by: Mapped[int] = mapped_column(server_default="0")


class AnswerRow(Base):
    """One answer to a turn, as JSON."""

    __tablename__ = "answer"
    __table_args__ = (
        UniqueConstraint("turn_id", "attempt"),
        Index("answer_of_owner", "owner"),
    )

    turn_id: Mapped[int] = mapped_column(ForeignKey("turn.id"))
    attempt: Mapped[int]
    answer: Mapped[dict[str, Any]] = mapped_column(Json)
    kept: Mapped[str] = mapped_column(Words)
    words: Mapped[str] = mapped_column(Words, server_default="")


class FeedbackRow(Base):
    """What a person thought of an answer; the latest counts."""

    __tablename__ = "feedback"
    __table_args__ = (CheckConstraint(f"verdict IN {VERDICTS}", name="known_verdict"),)

    answer_id: Mapped[int] = mapped_column(ForeignKey("answer.id"), index=True)
    verdict: Mapped[str] = mapped_column(Words)
    note: Mapped[str] = mapped_column(Words)
    given: Mapped[str] = mapped_column(Words)


class MeasurementRow(Base):
    """A figure that a run produced; the columns are those of `index.evidence.Measurement`."""

    __tablename__ = "measurement"
    __table_args__ = (Index("measurement_of_system", "owner", "system", "property"),)

    system: Mapped[str] = mapped_column(Words)
    property: Mapped[str] = mapped_column(Words)
    value: Mapped[float] = mapped_column(Float(53))
    unit: Mapped[str] = mapped_column(Words)
    at: Mapped[str] = mapped_column(Words)
    device: Mapped[str] = mapped_column(Words)
    machine: Mapped[str] = mapped_column(Words)
    versions: Mapped[str] = mapped_column(Words)
    run: Mapped[str] = mapped_column(Words)
    date: Mapped[str] = mapped_column(Words)


class JobRow(Base):
    """A step that runs in the background; people call it by its `id`.

    `token` is counted up each time somebody takes the job: what an earlier holder writes then is
    refused. `beat` is counted up while it runs: a job whose beat stands still has lost its holder.
    `served` tells whose turn it was last, `losses` how often a holder vanished before any progress.
    """

    __tablename__ = "job"
    __table_args__ = (
        UniqueConstraint("owner", "request"),
        CheckConstraint(f"state IN {get_args(State)}", name="known_state"),
        Index("job_in_line", "state", "lane", "owner"),
        Index("job_of_conversation", "owner", "conversation"),
        Index("job_served", "owner", "served"),
    )

    request: Mapped[str] = mapped_column(Words)
    tool: Mapped[str] = mapped_column(Words)
    title: Mapped[str] = mapped_column(Words)
    arguments: Mapped[dict[str, Any]] = mapped_column(Json)
    agreement: Mapped[dict[str, Any]] = mapped_column(Json)
    lane: Mapped[str] = mapped_column(Words)
    conversation: Mapped[str] = mapped_column(Words)
    turn: Mapped[int]
    step: Mapped[int]
    state: Mapped[str] = mapped_column(Words)
    wanted: Mapped[str] = mapped_column(Words)
    holder: Mapped[str] = mapped_column(Words)
    token: Mapped[int]
    beat: Mapped[int]
    served: Mapped[int]
    crashes: Mapped[int]
    losses: Mapped[int]
    done: Mapped[float] = mapped_column(Float(53))
    note: Mapped[str] = mapped_column(Words)
    error: Mapped[str] = mapped_column(Words)
    seconds: Mapped[float] = mapped_column(Float(53))
    left: Mapped[float | None] = mapped_column(Float(53))
    made: Mapped[dict[str, Any]] = mapped_column(Json)
    created: Mapped[str] = mapped_column(Words)
    ended: Mapped[str] = mapped_column(Words)


class JobEntryRow(Base):
    """One line of a job's log; `curve` holds points of lines to be plotted."""

    __tablename__ = "job_entry"

    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"), index=True)
    at: Mapped[str] = mapped_column(Words)
    done: Mapped[float] = mapped_column(Float(53))
    note: Mapped[str] = mapped_column(Words)
    curve: Mapped[dict[str, float]] = mapped_column(Json)


class SpendingRow(Base):
    """The money of one paid request, in millionths of a US dollar, so that sums are exact.

    `reserved` is what it was to cost, `charged` what it did cost once that is known; `at` is when
    the money was set aside, `settled` when the state last changed after that.
    """

    __tablename__ = "spending"
    __table_args__ = (
        UniqueConstraint("owner", "request"),
        CheckConstraint(f"state IN {get_args(SpendingState)}", name="known_state"),
        Index("spending_of_owner", "owner", "at"),
    )

    request: Mapped[str] = mapped_column(Words)
    job: Mapped[int]
    system: Mapped[str] = mapped_column(Words)
    provider: Mapped[str] = mapped_column(Words)
    reserved: Mapped[int] = mapped_column(BigInteger)
    charged: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Words)
    at: Mapped[str] = mapped_column(Words)
    settled: Mapped[str] = mapped_column(Words)


class RemoteTaskRow(Base):
    """A paid task at a provider; `cost` is what the provider said of it, as in `spending`.

    A row is `submitting` before anything is sent: what is found so after a crash may have arrived.
    """

    __tablename__ = "remote_task"
    __table_args__ = (
        UniqueConstraint("owner", "request"),
        CheckConstraint(f"state IN {get_args(RemoteState)}", name="known_state"),
        Index("remote_task_in_state", "state"),
    )

    request: Mapped[str] = mapped_column(Words)
    job: Mapped[int]
    provider: Mapped[str] = mapped_column(Words)
    state: Mapped[str] = mapped_column(Words)
    task: Mapped[str] = mapped_column(Words)
    polling_url: Mapped[str] = mapped_column(Words)
    cost: Mapped[int | None] = mapped_column(BigInteger)
    arguments: Mapped[dict[str, Any]] = mapped_column(Json)
    result: Mapped[dict[str, Any]] = mapped_column(Json)
    error: Mapped[str] = mapped_column(Words)
    at: Mapped[str] = mapped_column(Words)
    changed: Mapped[str] = mapped_column(Words)
