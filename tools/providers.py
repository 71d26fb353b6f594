"""Paid work at a provider: what is asked of it, and what it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

RemoteState = Literal["submitting", "submitted", "done", "failed", "unknown"]


# --- the ways in which a provider does not do it, raised by what speaks to it
class Refused(Exception):
    """It has answered that it will not; nothing is paid. The message holds its words."""


class NotSent(Exception):
    """Nothing has reached it, such as when a connection is refused; the message says why."""


class NoAnswer(Exception):
    """What was sent may have arrived: cut off, too late, or an answer that nobody can read."""


# --- what a provider answers
@dataclass(frozen=True)
class Taken:
    """It has taken a task.

    Attributes:
        task: its id.
        polling_url: where to ask how the task stands.
        usd: what it costs, US dollars; none if the provider does not say.
    """

    task: str
    polling_url: str
    usd: float | None = None


@dataclass(frozen=True)
class Pending:
    """It works on a task.

    Attributes:
        done: progress from 0 to 1.
        note: what goes on, for the person.
    """

    done: float = 0.0
    note: str = ""


@dataclass(frozen=True)
class Ready:
    """A task is done.

    Attributes:
        result: what it made, as JSON. It must last: a picture that the provider keeps for minutes
            is saved by whoever polls, and named here by its file.
    """

    result: Mapping[str, Any]


@dataclass(frozen=True)
class Failed:
    """A task that was taken came to nothing.

    Attributes:
        words: why, in the provider's words.
        paid: whether it was charged nevertheless.
    """

    words: str
    paid: Literal["no", "yes", "unknown"] = "no"


# --- what is kept of a task
@dataclass(frozen=True)
class RemoteTask:
    """A paid task, as it is kept.

    Attributes:
        owner: whose it is.
        request: what tells one wish from another: the same request twice is one task.
        job: number of the job that it belongs to; 0 if none.
        provider: who is asked.
        arguments: what is asked, as JSON; no keys, and pictures by their files.
        state: where it stands; `unknown` if nobody can tell whether it arrived.
        task: the provider's id; empty before it was taken.
        polling_url: where to ask how it stands; empty before it was taken.
        usd: what the provider says that it costs, US dollars; none if it did not.
        result: what it made, as JSON.
        error: why it came to nothing, for the person.
        at: ISO time at which it was begun, UTC.
        changed: ISO time of the last change, UTC.
        ours: whether whoever got this may send it now; nobody else may, ever.
    """

    owner: str
    request: str
    job: int
    provider: str
    arguments: Mapping[str, Any] = field(hash=False)
    state: RemoteState
    task: str
    polling_url: str
    usd: float | None
    result: Mapping[str, Any] = field(hash=False)
    error: str
    at: str
    changed: str
    ours: bool = False

    @property
    def may_begin(self) -> bool:
        """Whether it was surely never taken, so that sending it again pays nothing twice."""
        return self.state == "failed" and not self.task


@dataclass(frozen=True)
class Provider:
    """Who does paid tasks, and how to speak to it.

    Attributes:
        name: as people know it.
        account: address of the page where they see what they were charged.
        submit: sends a task; raises `Refused`, `NotSent` or `NoAnswer`.
        poll: asks how a task stands; raises the same.
    """

    name: str
    account: str
    submit: Callable[[RemoteTask], Taken]
    poll: Callable[[RemoteTask], Pending | Ready | Failed]
