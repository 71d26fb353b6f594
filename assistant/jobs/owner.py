"""The jobs of one owner."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from assistant.store.jobs import JobStore, NotNow, UnknownJob
from tools.base import ToolFailed
from tools.work import Action, Entry, Job


@dataclass(frozen=True)
class OwnerJobs:
    """The jobs of one owner, as the tool `jobs` and the page see them.

    Attributes:
        store: where they are.
        owner: whose they are.
        wake: called when something is wanted of one, so that it is seen at once.
    """

    store: JobStore
    owner: str
    wake: Callable[[], None]

    def list(self, limit: int = 50, skip: int = 0) -> tuple[Job, ...]:
        """Jobs without their blocks, the newest first."""
        return self.store.list(self.owner, limit, skip)

    def get(self, number: int) -> Job:
        """One job, with what it has made.

        Raises:
            ToolFailed: there is none of that number.
        """
        with _worded():
            return self.store.get(self.owner, number)

    def log(self, number: int) -> tuple[Entry, ...]:
        """What a job has reported, oldest first.

        Raises:
            ToolFailed: there is none of that number.
        """
        with _worded():
            return self.store.log(self.owner, number)

    def act(self, action: Action, number: int) -> Job:
        """Cancels, pauses, resumes or retries a job, and returns how it stands then.

        Raises:
            ToolFailed: there is none of that number, or its state does not allow that.
        """
        with _worded():
            self.store.act(self.owner, number, action)
        self.wake()
        return self.get(number)


@contextmanager
def _worded() -> Iterator[None]:
    """What the store refuses, as a tool fails: both are worded for the person."""
    try:
        yield
    except (UnknownJob, NotNow) as reason:
        raise ToolFailed(str(reason)) from None
