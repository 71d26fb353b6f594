"""A job that runs in this process: why it is to stop, how far it is, how long it will take."""

import threading
import time
from datetime import UTC, datetime

from assistant.store.claims import Claim
from assistant.worker import Progress
from tools.base import Block
from tools.work import Entry


class Going:
    """A job that this process runs.

    Attributes:
        claim: the right to run it.
        stop: set to stop it.
        why: `cancel`, `pause`, `aside`, `close` or `fenced`, once it is to stop.
        blocks: what it has made.
    """

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.stop = threading.Event()
        self.why = ""
        self.blocks: tuple[Block, ...] = ()
        self.began = self._beat = time.monotonic()
        self._first: tuple[float, float] | None = None
        self._told: Progress | None = None
        self._latest: Progress | None = None

    def end(self, why: str) -> None:
        """Asks it to stop; the first reason counts."""
        self.why = self.why or why
        self.stop.set()

    def tell(self, progress: Progress) -> None:
        """Takes in how far it is."""
        if self._first is None and progress.done > 0:
            self._first = time.monotonic(), progress.done
        self._latest = progress

    def pulse(self) -> tuple[Entry | None, float, float | None]:
        """What is new since the last time, the seconds since, and those that are left."""
        clock = time.monotonic()
        seconds, self._beat = clock - self._beat, clock
        news, self._told = self._latest is not self._told, self._latest
        entry = _entry(self._latest) if news and self._latest else None
        return entry, seconds, self._left(clock)

    def _left(self, clock: float) -> float | None:
        if not (self._first and self._latest):
            return None
        began, done = self._first
        risen = self._latest.done - done
        return (clock - began) * (1 - self._latest.done) / risen if risen > 0 else None


def _entry(progress: Progress) -> Entry:
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    return Entry(at, progress.done, progress.note, dict(progress.curve))
