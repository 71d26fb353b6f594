"""Long work: jobs that survive the page, the server and the worker, and never run twice."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assistant.jobs.owner import OwnerJobs
from assistant.jobs.runner import Runner
from assistant.parts import Parts
from assistant.paying import hosted_card
from assistant.store.jobs import NewJob
from assistant.worker import Progress
from tools.base import Agreement, Block, Stopped, Tool, ToolFailed

_LOOK = 0.25  # seconds between looks at a job that is followed


class Jobs:
    """Submits jobs, and runs them once `start` is called.

    Args:
        parts: what they are run with.
        works: all that can be a job, by name.
        lease: seconds without a sign of life after which a job has lost its holder.
    """

    def __init__(self, parts: Parts, works: Mapping[str, Tool], lease: float = 15.0) -> None:
        self._store = parts.store.jobs
        self._names = parts.names
        self._works = works
        self._runner = Runner(parts, works, lease)

    def submit(
        self,
        owner: str,
        work: str,
        arguments: Mapping[str, Any],
        agreement: Agreement,
        *,
        request: str,
        turn: tuple[str, int, int] = ("", 0, 0),
    ) -> int:
        """Keeps a job, and returns its number; the same request twice is one job.

        Args:
            owner: whose it is.
            work: name of the tool.
            arguments: what it takes, checked.
            agreement: what the person agreed to.
            request: what tells this wish from others of the owner.
            turn: conversation, turn and place in it, if it belongs to one.

        Raises:
            StoreFailed: it was not kept.
        """
        tool = self._works[work]
        beside = not tool.card.runs_model or hosted_card(self._names, tool, arguments)
        new = NewJob(
            request=request,
            tool=work,
            title=_title(tool, arguments),
            arguments={name: _plain(value) for name, value in arguments.items()},
            agreement=vars(agreement) | {"lasting": True},
            lane="beside" if beside else "device",
            conversation=turn[0],
            turn=turn[1],
            step=turn[2],
        )
        number = self._store.submit(owner, new)
        self._runner.wake()
        return number

    def of(self, owner: str) -> "OwnerJobs":
        """The jobs of one owner."""
        return OwnerJobs(self._store, owner, self._runner.wake)

    def follow(self, owner: str, number: int) -> Iterator[Progress | Block]:
        """What a job says until it ends, whichever process runs it.

        Raises:
            ToolFailed: it failed, or there is none of that number.
            Stopped: it was cancelled or paused.
        """
        jobs, told = self.of(owner), None
        while (job := jobs.get(number)).state in ("queued", "running"):
            if told != (told := (job.done, job.note)):
                yield Progress(job.done, job.note)
            time.sleep(_LOOK)
        if job.state == "failed":
            raise ToolFailed(job.error)
        if job.state != "done":
            raise Stopped
        yield from job.blocks

    def start(self, only: int = 0) -> None:
        """Begins to run jobs, those first that were left unfinished.

        Args:
            only: number of one job that this process runs, and no other that is not named in the
                same way; 0 for any.

        Raises:
            ToolFailed: the home cannot be written.
        """
        self._runner.start(only)

    def stop(self, seconds: float = 10.0) -> None:
        """Lets the jobs that run save where they are; they go on with the next start.

        Args:
            seconds: how long they may take for that.
        """
        self._runner.stop(seconds)


def _title(tool: Tool, arguments: Mapping[str, Any]) -> str:
    """What a job is, in a few words: its tool, and the names that it was given."""
    said = [v for name, v in arguments.items() if v != tool.parameters[name].default]
    values = [value for value in map(_plain, said) if value]
    names = [v for v in values if isinstance(v, str)]
    names += [one for v in values if isinstance(v, list) for one in v if isinstance(one, str)]
    told = ", ".join(Path(name).name if "/" in name else name for name in names)
    whole = f"{tool.card.title}: {told}" if told else tool.card.title
    return whole if len(whole) <= 80 else f"{whole[:77]}..."


def _plain(value: Any) -> Any:
    """An argument as JSON."""
    if isinstance(value, Path):
        return str(value)
    return [_plain(one) for one in value] if isinstance(value, tuple | list) else value
