"""What answers and runs have taught: which systems served which questions, and measurements."""

from collections.abc import Iterator
from dataclasses import fields

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.store.tables import AnswerRow, FeedbackRow, MeasurementRow, TurnRow
from index.evidence import Match, Measurement


def matches(session: Session, owner: str) -> tuple[Match, ...]:
    """Which systems served which questions, oldest first, with the latest verdict on each."""
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


def measurements(
    session: Session, owner: str, system: str, property: str
) -> tuple[Measurement, ...]:
    """Measurements of a system, all or those of one property, newest first."""
    wanted = select(MeasurementRow).where(
        MeasurementRow.owner == owner, MeasurementRow.system == system
    )
    if property:
        wanted = wanted.where(MeasurementRow.property == property)
    rows = session.scalars(wanted.order_by(MeasurementRow.id.desc()))
    names = [field.name for field in fields(Measurement)]
    return tuple(Measurement(**{name: getattr(row, name) for name in names}) for row in rows)


def _matches(row: AnswerRow, question: str, verdict: str) -> Iterator[Match]:
    """A match for each system that the answer rests on."""
    if row.answer.get("outcome") != "run":
        return
    found = (hit["id"].partition("#") for hit in row.answer.get("hits", ()))
    capabilities = {system: capability for system, _, capability in found}
    systems = dict.fromkeys(fact["system"] for fact in row.answer.get("evidence", ()))
    for system in systems:
        yield Match(question, system, capabilities.get(system, ""), verdict, row.kept)
