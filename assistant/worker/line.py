"""The line in front of the device: owners take turns, and each owner's steps keep their order.

Steps of people who wait go before jobs, also before the one that runs: see `guest`.
"""

import itertools
import queue
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from assistant.worker.messages import Finished, Message, Request
from tools.base import Stopped


@dataclass(frozen=True, eq=False)
class Step:
    """A step on the server's side.

    Attributes:
        request: what the process is sent.
        stop: set by the person to stop it.
        left: set when nobody listens to it any more.
        outbox: what it says, and last how it ended.
    """

    request: Request
    stop: threading.Event
    left: threading.Event = field(default_factory=threading.Event)
    outbox: "queue.SimpleQueue[Message | Finished | Exception]" = field(
        default_factory=queue.SimpleQueue
    )

    @property
    def lasting(self) -> bool:
        """Whether it is a job, before which others go."""
        return self.request.agreement.lasting

    @property
    def unwanted(self) -> bool:
        """Whether it should end."""
        return self.stop.is_set() or self.left.is_set()


_Waiting = OrderedDict[str, deque[Step]]


class Line:
    """Steps that wait."""

    def __init__(self) -> None:
        self._people: _Waiting = OrderedDict()
        self._jobs: _Waiting = OrderedDict()
        self._changed = threading.Condition()
        self.closed = False

    def put(self, step: Step) -> None:
        """Adds a step; on a closed line it ends as stopped."""
        with self._changed:
            if self.closed:
                step.outbox.put(Stopped())
                return
            self._line_of(step).setdefault(step.request.owner, deque()).append(step)
            self._changed.notify()

    def take(self) -> Step | None:
        """Waits for the next step; none once the line is closed."""
        with self._changed:
            while not (self._people or self._jobs or self.closed):
                self._changed.wait()
            return None if self.closed else _next(self._people or self._jobs)

    def guest(self) -> Step | None:
        """The next step of a person who waits, if there is one, to go before a job that runs."""
        with self._changed:
            return _next(self._people) if self._people else None

    def remove(self, step: Step) -> bool:
        """Takes a step out, if it still waits."""
        with self._changed:
            waiting = self._line_of(step)
            steps = waiting.get(step.request.owner, deque())
            if step not in steps:
                return False
            steps.remove(step)
            if not steps:
                del waiting[step.request.owner]
            return True

    def close(self) -> None:
        """Ends the steps that wait as stopped, and takes no more."""
        with self._changed:
            self.closed = True
            for step in itertools.chain(*self._people.values(), *self._jobs.values()):
                step.outbox.put(Stopped())
            self._people.clear()
            self._jobs.clear()
            self._changed.notify_all()

    def _line_of(self, step: Step) -> _Waiting:
        return self._jobs if step.lasting else self._people


def _next(waiting: _Waiting) -> Step:
    """The first step of the owner whose turn it is, who then goes last."""
    owner, steps = waiting.popitem(last=False)
    step = steps.popleft()
    if steps:
        waiting[owner] = steps
    return step
