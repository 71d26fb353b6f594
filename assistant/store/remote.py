"""Paid tasks at providers: each is sent by one caller, once, and found again after a crash."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, select

from assistant.store.database import Database, lock_owner
from assistant.store.dollars import to_micros, to_usd
from assistant.store.tables import RemoteTaskRow, now
from tools.providers import RemoteState, RemoteTask


class RemoteTasks:
    """The tasks of all owners. Every method raises `StoreFailed` if the database did not do it.

    Args:
        database: the open database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, owner: str, request: str) -> RemoteTask | None:
        """A task; none if it was never begun."""
        with self._database.reading() as session:
            row = session.scalar(_of(owner, request))
            return _task(row) if row else None

    def begin(
        self, owner: str, request: str, *, provider: str, arguments: Mapping[str, Any], job: int
    ) -> RemoteTask:
        """Keeps that a task is about to be sent; one that exists stays as it is.

        Args:
            owner: whose it is.
            request: what tells one wish from another.
            provider: who is asked.
            arguments: what is asked, as JSON; no keys.
            job: number of the job that it belongs to; 0 if none.

        Returns:
            The task. It is `ours` for one caller only, who may send it: whoever made it, or took
            one that was surely never taken. `submitting` that is not ours was sent, or is just
            being sent, by another: it may have arrived.
        """
        with self._database.writing() as session:
            lock_owner(session, owner)
            row = session.scalar(_of(owner, request))
            if row is None:
                row = RemoteTaskRow(owner=owner, request=request, task="", polling_url="", at=now())
                session.add(row)
            elif not _task(row).may_begin:
                return _task(row)
            row.provider, row.arguments, row.job = provider, dict(arguments), job
            row.state, row.result, row.error, row.changed = "submitting", {}, "", now()
            return _task(row, ours=True)

    def submitted(
        self, owner: str, request: str, task: str, polling_url: str, usd: float | None = None
    ) -> RemoteTask:
        """Keeps that the provider has taken it.

        Args:
            owner: whose it is.
            request: which task.
            task: the provider's id of it.
            polling_url: where to ask how it stands.
            usd: what the provider says that it costs, US dollars; none if it does not.

        Raises:
            LookupError: it was never begun.
            ValueError: the sum is negative, too large, or no number.
        """
        cost = None if usd is None else to_micros(usd)
        taken = {"task": task, "polling_url": polling_url, "cost": cost, "error": ""}
        # Another run may have found it while it was being sent, and thought its outcome unknown.
        return self._change(owner, request, ("submitting", "unknown"), "submitted", taken)

    def finished(self, owner: str, request: str, result: Mapping[str, Any]) -> RemoteTask:
        """Keeps what it made, as JSON; the first result stays.

        Raises:
            LookupError: it was never begun.
        """
        return self._change(owner, request, ("submitted",), "done", {"result": dict(result)})

    def failed(self, owner: str, request: str, error: str) -> RemoteTask:
        """Keeps why it came to nothing, for the person; what has ended stays as it is.

        Raises:
            LookupError: it was never begun.
        """
        before: tuple[RemoteState, ...] = ("submitting", "unknown", "submitted")
        return self._change(owner, request, before, "failed", {"error": error})

    def unknown(self, owner: str, request: str, error: str) -> RemoteTask:
        """Keeps that nobody can tell whether it arrived; one that is known to stays as it is.

        Raises:
            LookupError: it was never begun.
        """
        return self._change(owner, request, ("submitting",), "unknown", {"error": error})

    def unfinished(self, owner: str | None) -> tuple[RemoteTask, ...]:
        """Tasks to follow after a start, oldest first; those of all owners if none is named.

        Those that are `submitting` may just be sent by another process on the same database.
        """
        wanted = select(RemoteTaskRow).where(RemoteTaskRow.state.in_(("submitting", "submitted")))
        if owner is not None:
            wanted = wanted.where(RemoteTaskRow.owner == owner)
        with self._database.reading() as session:
            return tuple(map(_task, session.scalars(wanted.order_by(RemoteTaskRow.id))))

    def _change(
        self,
        owner: str,
        request: str,
        before: tuple[RemoteState, ...],
        state: RemoteState,
        values: Mapping[str, Any],
    ) -> RemoteTask:
        """Changes a task that is in one of some states, and returns it as it stands then."""
        with self._database.writing() as session:
            row = session.scalar(_of(owner, request).with_for_update())
            if row is None:
                raise LookupError(f"no task was begun for the request {request!r}")
            if row.state in before:
                for name, value in {**values, "state": state, "changed": now()}.items():
                    setattr(row, name, value)
            return _task(row)


def _of(owner: str, request: str) -> Select[RemoteTaskRow]:
    return select(RemoteTaskRow).where(
        RemoteTaskRow.owner == owner, RemoteTaskRow.request == request
    )


def _task(row: RemoteTaskRow, ours: bool = False) -> RemoteTask:
    same = {
        name: getattr(row, name)
        for name in RemoteTask.__dataclass_fields__
        if name not in ("usd", "ours")
    }
    cost = None if row.cost is None else to_usd(row.cost)
    return RemoteTask(**same, usd=cost, ours=ours)
