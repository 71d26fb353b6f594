"""The jobs in the database, as their owners see them: submitted once, watched, acted on.

One row is the whole truth of a job, so nothing can be half submitted or half finished. DBOS, a
library for this, was tried instead: two of its processes on one database ran one job twice at the
same time, and with names of their own neither took over what a killed one had begun.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session, defer

from assistant.kept import blocks_from, blocks_kept
from assistant.store.database import Database
from assistant.store.line import places
from assistant.store.tables import JobEntryRow, JobRow, now
from tools.blocks import Block
from tools.work import ENDED, Action, Entry, Job

_MOST_ENTRIES = 600  # of a log that are shown; a longer one is thinned


class UnknownJob(Exception):
    """The owner has no such job; worded for the person."""


class NotNow(Exception):
    """The job's state does not allow it; worded for the person."""


@dataclass(frozen=True)
class NewJob:
    """What is submitted.

    Attributes:
        request: what tells one wish from another: the same request twice is one job.
        tool: name of the tool.
        title: what it is, in a few words.
        arguments: what the tool is given, as JSON.
        agreement: what the person agreed to, as JSON.
        lane: `device` if it needs the worker, else `beside`.
        conversation: id of the conversation that it belongs to; empty if none.
        turn: number of the turn.
        step: place in the turn, from 0.
    """

    request: str
    tool: str
    title: str
    arguments: Mapping[str, Any]
    agreement: Mapping[str, Any]
    lane: str
    conversation: str = ""
    turn: int = 0
    step: int = 0


class JobStore:
    """Jobs of all owners. Every method raises `StoreFailed` if the database did not do it.

    Args:
        database: the open database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def submit(self, owner: str, new: NewJob) -> int:
        """Keeps a job, and returns its number; that of the first if it was submitted before."""
        row = {
            **{name: getattr(new, name) for name in new.__dataclass_fields__},
            "owner": owner, "state": "queued", "wanted": "", "holder": "", "token": 0, "beat": 0,
            "served": 0, "crashes": 0, "losses": 0, "done": 0.0, "note": "", "error": "",
            "seconds": 0.0, "made": blocks_kept(()), "created": now(), "ended": "",
        }  # fmt: skip
        with self._database.writing() as session:
            on_sqlite = session.get_bind().dialect.name == "sqlite"
            insert = insert_sqlite if on_sqlite else insert_postgresql
            session.execute(insert(JobRow).values(row).on_conflict_do_nothing())
            wanted = (JobRow.owner == owner, JobRow.request == new.request)
            return int(session.scalars(select(JobRow.id).where(*wanted)).one())

    def list(self, owner: str, limit: int = 50, skip: int = 0) -> tuple[Job, ...]:
        """An owner's jobs without their blocks, the newest first."""
        wanted = _of(owner).order_by(JobRow.id.desc()).limit(limit).offset(skip)
        with self._database.reading() as session:
            rows = session.scalars(wanted.options(defer(JobRow.made))).all()
            waits = any(row.state == "queued" for row in rows)
            ahead = places(session) if waits else {}
            return tuple(_job(row, ahead) for row in rows)

    def get(self, owner: str, number: int) -> Job:
        """One job, with what it has made so far.

        Raises:
            UnknownJob: the owner has no such job.
        """
        with self._database.reading() as session:
            row = _row(session, owner, number)
            ahead = places(session) if row.state == "queued" else {}
            return _job(row, ahead, blocks_from(row.made))

    def of_conversation(self, owner: str, conversation: str) -> tuple[Job, ...]:
        """The jobs that a conversation has begun, with what they have made."""
        with self._database.reading() as session:
            rows = session.scalars(_of(owner).where(JobRow.conversation == conversation))
            return tuple(_job(row, {}, blocks_from(row.made)) for row in rows)

    def log(self, owner: str, number: int) -> tuple[Entry, ...]:
        """What a job has reported, oldest first; evenly thinned if it is long.

        Raises:
            UnknownJob: the owner has no such job.
        """
        entries = select(JobEntryRow).where(JobEntryRow.job_id == number).order_by(JobEntryRow.id)
        with self._database.reading() as session:
            _row(session, owner, number)
            rows = session.scalars(entries).all()
        every = len(rows) // _MOST_ENTRIES + 1
        shown = [*rows[:-1:every], *rows[-1:]]
        return tuple(Entry(row.at, row.done, row.note, row.curve) for row in shown)

    def act(self, owner: str, number: int, action: Action) -> None:
        """Cancels, pauses, resumes or retries a job.

        Raises:
            UnknownJob: the owner has no such job.
            NotNow: its state does not allow that.
        """
        with self._database.writing() as session:
            row = _row(session, owner, number, lock=True)
            if action not in get_args(Action):
                raise NotNow(
                    f"{action[:40]!r} cannot be done. Choose: {', '.join(get_args(Action))}."
                )
            if action in ("cancel", "pause"):
                _hold(row, action)
            else:
                _go_on(row, action)


def _of(owner: str) -> Select[JobRow]:
    return select(JobRow).where(JobRow.owner == owner)


def _row(session: Session, owner: str, number: int, *, lock: bool = False) -> JobRow:
    wanted = _of(owner).where(JobRow.id == (number if 0 < number < 2**31 else 0))
    row = session.scalar(wanted.with_for_update() if lock else wanted)
    if row is None:
        raise UnknownJob(f"There is no job {number} here. Ask for the list of jobs to see yours.")
    return row


def _hold(row: JobRow, action: Action) -> None:
    if row.state in ENDED:
        raise NotNow(f"Job {row.id} is {row.state} already; there is nothing to {action}.")
    if row.state == "running":
        row.wanted = action
    elif action == "cancel":
        row.state, row.ended = "cancelled", now()
    elif row.state == "paused":
        raise NotNow(f"Job {row.id} is paused already. Resume it to go on.")
    else:
        row.state = "paused"


def _go_on(row: JobRow, action: Action) -> None:
    possible = ("paused",) if action == "resume" else ("failed", "cancelled")
    if row.state not in possible:
        raise NotNow(_cannot(row, action))
    row.state, row.wanted, row.ended, row.error = "queued", "", "", ""
    row.crashes = row.losses = 0


def _cannot(row: JobRow, action: Action) -> str:
    if row.state in ("queued", "running"):
        how = "waits in the line" if row.state == "queued" else "runs"
        return f"Job {row.id} {how} already; there is nothing to {action}."
    if row.state == "done":
        return f"Job {row.id} is done. Ask for the same again to run it anew."
    other = "Resume" if row.state == "paused" else "Retry"
    return f"Job {row.id} is {row.state}, so it cannot {action}. {other} it instead."


def _job(row: JobRow, ahead: Mapping[int, int], blocks: tuple[Block, ...] = ()) -> Job:
    same = {
        name: getattr(row, name)
        for name in Job.__dataclass_fields__
        if name not in ("number", "ahead", "blocks")
    }
    return Job(number=row.id, ahead=ahead.get(row.id, 0), blocks=blocks, **same)
