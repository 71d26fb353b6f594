"""The line in front of the device: owners take turns, and each owner's steps keep their order."""

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
    def unwanted(self) -> bool:
        """Whether it should end."""
        return self.stop.is_set() or self.left.is_set()


class Line:
    """Steps that wait."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, deque[Step]] = OrderedDict()
        self._changed = threading.Condition()
        self.closed = False

    def put(self, step: Step) -> None:
        """Adds a step; on a closed line it ends as stopped."""
        with self._changed:
            if self.closed:
                step.outbox.put(Stopped())
                return
            self._waiting.setdefault(step.request.owner, deque()).append(step)
            self._changed.notify()

    def take(self) -> Step | None:
        """Waits for the next step; none once the line is closed."""
        with self._changed:
            while not self._waiting and not self.closed:
                self._changed.wait()
            if self.closed:
                return None
            owner, steps = self._waiting.popitem(last=False)
            step = steps.popleft()
            if steps:
                self._waiting[owner] = steps
            return step

    def remove(self, step: Step) -> bool:
        """Takes a step out, if it still waits."""
        with self._changed:
            steps = self._waiting.get(step.request.owner, deque())
            if step not in steps:
                return False
            steps.remove(step)
            if not steps:
                del self._waiting[step.request.owner]
            return True

    def close(self) -> None:
        """Ends the steps that wait as stopped, and takes no more."""
        with self._changed:
            self.closed = True
            for step in itertools.chain(*self._waiting.values()):
                step.outbox.put(Stopped())
            self._waiting.clear()
            self._changed.notify_all()
