"""Long work as a tool sees it: jobs, their state, and what can be done with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from tools.blocks import Block

State = Literal["queued", "running", "paused", "done", "failed", "cancelled"]
Action = Literal["cancel", "pause", "resume", "retry"]
ENDED: tuple[State, ...] = ("done", "failed", "cancelled")


@dataclass(frozen=True)
class Job:
    """A step that goes on in the background, whatever happens to the page and the server.

    Attributes:
        number: by which people call it.
        tool: name of the tool that does it.
        title: what it is, in a few words.
        state: where it stands.
        wanted: `cancel` or `pause`, if it runs and has not followed yet.
        done: progress from 0 to 1.
        note: what is going on.
        error: why it failed, for the person.
        seconds: how long it has run, all attempts together.
        left: seconds that it will still take, as far as can be told.
        ahead: jobs that come before it, if it waits.
        crashes: how often the process that ran it has died of it.
        created: ISO time at which it was submitted, UTC.
        ended: ISO time at which it ended; empty before.
        conversation: id of the conversation that it belongs to; empty if none.
        turn: number of the turn that it belongs to.
        step: its place in that turn, from 0.
        arguments: what the tool was given, as JSON.
        blocks: what it has given so far.
    """

    number: int
    tool: str
    title: str
    state: State
    wanted: str = ""
    done: float = 0.0
    note: str = ""
    error: str = ""
    seconds: float = 0.0
    left: float | None = None
    ahead: int = 0
    crashes: int = 0
    created: str = ""
    ended: str = ""
    conversation: str = ""
    turn: int = 0
    step: int = 0
    arguments: Mapping[str, Any] = field(default_factory=dict, hash=False)
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One line of a job's log.

    Attributes:
        at: ISO time, UTC.
        done: progress from 0 to 1.
        note: what went on.
        curve: points of the lines to be plotted; `step` is their place.
    """

    at: str
    done: float
    note: str
    curve: Mapping[str, float] = field(default_factory=dict, hash=False)


class Jobs(Protocol):
    """The jobs of one owner; those of others are unknown to it."""

    def list(self, limit: int = 50, skip: int = 0) -> Sequence[Job]:
        """Jobs, the newest first."""
        ...

    def get(self, number: int) -> Job:
        """One job.

        Raises:
            ToolFailed: there is none of that number.
        """
        ...

    def log(self, number: int) -> Sequence[Entry]:
        """What a job has reported, oldest first."""
        ...

    def act(self, action: Action, number: int) -> Job:
        """Cancels, pauses, resumes or retries a job, and returns how it stands then.

        Raises:
            ToolFailed: there is none of that number, or its state does not allow that.
        """
        ...


def duration(seconds: float) -> str:
    """A length of time in words: `45 s`, `3 min`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 90:
        return f"{whole} s"
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    return f"{minutes} min" if not hours else f"{hours} h {rest} min" if rest else f"{hours} h"
