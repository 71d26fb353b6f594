"""The order of jobs that wait: owners take turns, and each one's jobs keep their order."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from assistant.store.tables import JobRow


def turns(session: Session, lane: str) -> list[str]:
    """Owners who wait in a lane, the one who was served longest ago first."""
    waiting = select(JobRow.owner, func.min(JobRow.id).label("first")).where(
        JobRow.state == "queued", JobRow.lane == lane
    )
    firsts = session.execute(waiting.group_by(JobRow.owner)).all()
    served = _served(session, [row.owner for row in firsts])
    return [row.owner for row in sorted(firsts, key=lambda row: (served[row.owner], row.first))]


def places(session: Session) -> dict[int, int]:
    """How many jobs come before each one that waits, if owners take turns."""
    columns = (JobRow.id, JobRow.owner, JobRow.lane)
    rows = session.execute(
        select(*columns).where(JobRow.state == "queued").order_by(JobRow.id)
    ).all()
    served = _served(session, list({row.owner for row in rows}))
    behind: dict[tuple[str, str], int] = {}
    order: dict[str, list[tuple[int, int, int]]] = {}
    for row in rows:
        place = behind[row.lane, row.owner] = behind.get((row.lane, row.owner), -1) + 1
        order.setdefault(row.lane, []).append((place, served[row.owner], row.id))
    return {
        number: place
        for lane in order.values()
        for place, (_, _, number) in enumerate(sorted(lane))
    }


def _served(session: Session, owners: Sequence[str]) -> dict[str, int]:
    latest = select(JobRow.owner, func.max(JobRow.served)).where(JobRow.owner.in_(owners))
    return {row[0]: row[1] for row in session.execute(latest.group_by(JobRow.owner))}
