"""Who runs a job: taken by one holder, fenced against whoever held it before."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from assistant.kept import blocks_kept
from assistant.store.database import Database
from assistant.store.line import turns
from assistant.store.tables import JobEntryRow, JobRow, MeasurementRow, now
from index.evidence import Measurement
from tools.blocks import Block
from tools.work import ENDED, Entry, State

_LOSSES = 10  # holders that may vanish in a row before any progress
_DONE_TO = {"cancel": "cancelled", "pause": "paused", "": "queued"}


class Fenced(Exception):
    """Somebody else holds the job by now, or nobody: what was to be written was not."""


@dataclass(frozen=True)
class Claim:
    """The right to run a job; it ends when the job is given back, ends, or is taken over."""

    number: int
    owner: str
    token: int
    tool: str
    arguments: Mapping[str, Any]
    agreement: Mapping[str, Any]
    crashes: int
    done: float


@dataclass(frozen=True)
class End:
    """How a job ended.

    Attributes:
        state: where it stands now; none if it goes back into the line, or where its owner wants it.
        error: why it failed, for the person.
        crashed: whether it has brought down the process that ran it.
    """

    state: State | None
    error: str = ""
    crashed: bool = False


@dataclass(frozen=True)
class Pulse:
    """A running job as others see it: while it is well, one of these figures changes."""

    number: int
    token: int
    beat: int
    holder: str


class Claims:
    """The rights to run jobs. Every method raises `StoreFailed` if the database did not do it.

    Args:
        database: the open database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, holder: str, lane: str, only: Sequence[int] = ()) -> Claim | None:
        """Takes the next job of a lane: owners take turns, and each one's jobs keep their order.

        Args:
            holder: who takes it.
            lane: which jobs.
            only: numbers of the jobs to choose from; none for any.
        """
        waiting = select(JobRow).where(JobRow.state == "queued", JobRow.lane == lane)
        if only:
            waiting = waiting.where(JobRow.id.in_(only))
        with self._database.reading() as session:  # most often there is none
            if session.scalar(waiting.with_only_columns(JobRow.id).limit(1)) is None:
                return None
        with self._database.writing() as session:
            for owner in turns(session, lane):
                mine = waiting.where(JobRow.owner == owner).order_by(JobRow.id).limit(1)
                row = session.scalar(mine.with_for_update(skip_locked=True))
                if row is not None:
                    return _taken(session, row, holder)
        return None

    def beat(
        self, claim: Claim, entry: Entry | None, seconds: float, left: float | None = None
    ) -> str:
        """Tells that a job still runs, and how far it is; returns what its owner wants of it.

        Args:
            claim: the right to run it.
            entry: what it has reported since the last time, if anything.
            seconds: how long it has run since the last time.
            left: seconds that it will still take, as far as can be told.

        Raises:
            Fenced: the right has ended.
        """
        changes = _told(entry, seconds) | {JobRow.beat: JobRow.beat + 1, JobRow.left: left}
        if entry and entry.done > claim.done:
            changes[JobRow.losses] = 0
        with self._database.writing() as session:
            wanted = session.scalar(_held(claim).values(changes).returning(JobRow.wanted))
            if wanted is None:
                raise Fenced
            if entry:
                session.add(JobEntryRow(owner=claim.owner, job_id=claim.number, **vars(entry)))
        return str(wanted)

    def keep(self, claim: Claim, blocks: Sequence[Block]) -> None:
        """Keeps all that a job has made so far.

        Raises:
            Fenced: the right to run it has ended.
        """
        self._write(claim, {JobRow.made: blocks_kept(blocks)})

    def measure(self, claim: Claim, measurement: Measurement) -> None:
        """Keeps a figure that a job has measured.

        Raises:
            Fenced: the right to run it has ended.
        """
        with self._database.writing() as session:
            if (
                session.scalar(_held(claim).values(beat=JobRow.beat + 1).returning(JobRow.id))
                is None
            ):
                raise Fenced
            session.add(MeasurementRow(owner=claim.owner, **asdict(measurement)))

    def end(self, claim: Claim, end: End, entry: Entry | None = None, seconds: float = 0.0) -> None:
        """Ends a job, puts it aside, or puts it back into the line.

        Args:
            claim: the right to run it.
            end: how it ended.
            entry: what it has reported since its last sign of life, if anything.
            seconds: how long it has run since then.

        Raises:
            Fenced: the right to run it had ended before.
        """
        changes = _told(entry, seconds) | {JobRow.crashes: JobRow.crashes + int(end.crashed)}
        if end.state:
            changes |= {JobRow.state: end.state, JobRow.wanted: "", JobRow.error: end.error}
            changes |= {JobRow.left: None, JobRow.ended: now() if end.state in ENDED else ""}
        if end.state == "done":
            changes |= {JobRow.done: 1.0, JobRow.note: ""}
        with self._database.writing() as session:
            wanted = session.scalar(_held(claim).values(changes).returning(JobRow.wanted))
            if wanted is None:
                raise Fenced
            if entry:
                session.add(JobEntryRow(owner=claim.owner, job_id=claim.number, **vars(entry)))
            if end.state is None:
                _put_back(session, claim.number, wanted)

    def running(self) -> tuple[Pulse, ...]:
        """All jobs that are held by somebody."""
        columns = (JobRow.id, JobRow.token, JobRow.beat, JobRow.holder)
        with self._database.reading() as session:
            rows = session.execute(select(*columns).where(JobRow.state == "running")).all()
        return tuple(Pulse(*row) for row in rows)

    def take_away(self, pulse: Pulse) -> bool:
        """Puts a job back whose holder is gone; false if it has shown a sign of life since."""
        same = (
            JobRow.id == pulse.number,
            JobRow.state == "running",
            JobRow.token == pulse.token,
            JobRow.beat == pulse.beat,
        )
        with self._database.writing() as session:
            # Its holder may stand still with the row locked: that is waited for another time.
            free = select(JobRow.id).where(*same).with_for_update(skip_locked=True)
            if session.scalar(free) is None:
                return False
            lost = session.execute(
                update(JobRow)
                .where(*same)
                .values(losses=JobRow.losses + 1)
                .returning(JobRow.losses, JobRow.wanted)
            ).one()
            _put_back(session, pulse.number, lost.wanted)
            if lost.losses > _LOSSES:
                said = f"The server ended {lost.losses} times while this ran. The log says why."
                gone = update(JobRow).where(JobRow.id == pulse.number)
                session.execute(gone.values(state="failed", error=said, ended=now()))
        return True

    def others_wait(self, claim: Claim) -> bool:
        """Whether somebody else waits for the lane in which a job runs."""
        lane = select(JobRow.lane).where(JobRow.id == claim.number).scalar_subquery()
        others = (JobRow.state == "queued", JobRow.lane == lane, JobRow.owner != claim.owner)
        with self._database.reading() as session:
            return session.scalar(select(JobRow.id).where(*others).limit(1)) is not None

    def _write(self, claim: Claim, changes: Mapping[Any, Any]) -> None:
        with self._database.writing() as session:
            held = session.scalar(_held(claim).values(changes).returning(JobRow.id))
            if held is None:
                raise Fenced


def _told(entry: Entry | None, seconds: float) -> dict[Any, Any]:
    """What a report and the time since the last one change in the row of a job."""
    changes: dict[Any, Any] = {JobRow.seconds: JobRow.seconds + seconds}
    if entry:
        changes |= {JobRow.done: entry.done, JobRow.note: entry.note}
    return changes


def _held(claim: Claim) -> Any:
    """An update of a job that touches nothing if somebody else holds it."""
    return update(JobRow).where(
        JobRow.id == claim.number, JobRow.token == claim.token, JobRow.state == "running"
    )


def put_all_back(session: Session) -> None:
    """Puts back all jobs that run: in a database that is restored, nobody holds them."""
    running = select(JobRow.id, JobRow.wanted).where(JobRow.state == "running")
    for job in session.execute(running).all():
        _put_back(session, job.id, job.wanted)


def _put_back(session: Session, number: int, wanted: str) -> None:
    ended = now() if wanted == "cancel" else ""
    session.execute(
        update(JobRow)
        .where(JobRow.id == number)
        .values(state=_DONE_TO[wanted], wanted="", holder="", left=None, ended=ended)
    )


def _taken(session: Session, row: JobRow, holder: str) -> Claim:
    row.state, row.holder, row.wanted, row.left = "running", holder, "", None
    row.token, row.beat, row.made = row.token + 1, 0, blocks_kept(())
    row.served = (session.scalar(select(func.max(JobRow.served))) or 0) + 1
    return Claim(
        row.id, row.owner, row.token, row.tool, row.arguments, row.agreement, row.crashes, row.done
    )
