"""Runs jobs: takes them one after the other, watches over them, takes over those left behind.

Each process that serves does so. It tells every second that it still holds its jobs, and what it
writes about one carries the token under which it holds it: that is refused once somebody else does.
A holder that has vanished is known by its lock; one that merely stands still, or is on another
machine, by a sign of life that stays away. No clock of the wall is asked, so none can be wrong.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from assistant import runs
from assistant.jobs.going import Going
from assistant.jobs.holder import Holder
from assistant.jobs.owner import OwnerJobs
from assistant.parts import Call, Parts, messages
from assistant.paying import with_purse
from assistant.store import StoreFailed
from assistant.store.claims import Claim, End, Fenced, Pulse
from assistant.worker import Message, Ousted, Progress, WorkerDied
from index.evidence import Measurement
from tools.base import Agreement, NeedsInput, NeedsKey, Stopped, Tool, ToolFailed
from tools.engines import checkpoint
from tools.work import State

_LANES = {"device": 1, "beside": 3}  # how many jobs of each run at once
_POLL = 0.5  # seconds between looks for jobs that another process has submitted
_BEAT = 1.0  # seconds between two signs of life of a job
_TURN = 600.0  # seconds after which a job steps aside for another owner's
_CRASHES = 2  # times that a job may bring down the process that runs it
_STOPPED: Mapping[str, State] = {"cancel": "cancelled", "pause": "paused"}
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class Runner:
    """The threads that run jobs in this process.

    Args:
        parts: what they are run with.
        works: all that can be a job, by name.
        lease: seconds without a sign of life after which a job has lost its holder.
    """

    def __init__(self, parts: Parts, works: Mapping[str, Tool], lease: float) -> None:
        self._parts = parts
        self._works = works
        self._only: set[int] = set()
        self._lease = lease
        self._home = parts.settings.home
        self._claims = parts.store.claims
        self._holder = Holder(self._home)
        self._going: dict[int, Going] = {}
        self._seen: dict[Pulse, float] = {}
        self._woken = threading.Condition()
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []

    def wake(self) -> None:
        """Looks for jobs now; those that run here see at once what is wanted of them."""
        with self._woken:
            self._woken.notify_all()

    def start(self, only: int) -> None:
        """See `Jobs.start`."""
        if only:
            self._only.add(only)
        if self._threads:
            self.wake()
            return
        try:
            self._holder.begin()
        except OSError as error:
            raise ToolFailed(
                f"Jobs cannot be run: {self._home} cannot be written ({error.strerror}). Make room "
                "or change its rights."
            ) from None
        lanes = [lane for lane, count in _LANES.items() for _ in range(count)]
        works = [(self._serve, (lane,)) for lane in lanes] + [(self._watch, ())]
        for work, arguments in works:
            thread = threading.Thread(target=work, args=arguments, name="jobs", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self, seconds: float) -> None:
        """See `Jobs.stop`."""
        self._closing.set()
        for going in list(self._going.values()):
            going.end("close")
        self.wake()
        by = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, by - time.monotonic()))
        if not any(thread.is_alive() for thread in self._threads):
            self._holder.end()

    def _serve(self, lane: str) -> None:
        """Runs the jobs of a lane, one after the other."""
        while not self._closing.is_set():
            try:
                claim = self._claims.claim(self._holder.name, lane, tuple(self._only))
            except StoreFailed as failure:
                _log.warning("no job could be taken: %s", failure)
                claim = None
            if claim:
                self._run(claim)
                continue
            with self._woken:
                self._woken.wait(_POLL)

    def _run(self, claim: Claim) -> None:
        going = self._going[claim.number] = Going(claim)
        if self._closing.is_set():
            going.end("close")
        try:
            end = self._ended(going)
            entry, seconds, _ = going.pulse()
            self._insist(lambda: self._claims.end(claim, end, entry, seconds))
            if end.state == "done":
                checkpoint.Checkpoints(self._kept(claim)).remove()
        except (Fenced, Stopped):
            _log.warning("job %d is held by somebody else now", claim.number)
        finally:
            del self._going[claim.number]

    def _ended(self, going: Going) -> End:
        """Runs a job, and tells how it ended."""
        try:
            self._work(going)
        except Stopped:
            return End(_STOPPED.get(going.why))
        except Ousted:
            return End(None)
        except NeedsKey as missing:
            return End("paused", f"{missing} Then resume the job.")
        except WorkerDied as death:
            if going.claim.crashes + 1 < _CRASHES:
                return End(None, crashed=True)
            said = f"It has brought down the process that ran it twice. {death}"
            return End("failed", said, crashed=True)
        except Fenced:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is costs one job
            return End("failed", _words(going.claim, error))
        return End("done")

    def _work(self, going: Going) -> None:
        claim = going.claim
        tool = self._works.get(claim.tool)
        if tool is None:
            raise ToolFailed(f"This version has no {claim.tool}. Cancel the job.")
        run = runs.start(self._home, claim.owner)
        call = Call(
            tool,
            tool.check(claim.arguments),
            claim.owner,
            run,
            Agreement(**claim.agreement),
            going.stop,
            kept=self._kept(claim),
            jobs=OwnerJobs(self._parts.store.jobs, claim.owner, self.wake),
            tell=going.tell,
        )
        for message in messages(self._parts, self._paying(claim, call)):
            self._take(going, message)
        made = {"job": claim.number, "tool": claim.tool, "arguments": dict(claim.arguments)}
        runs.complete(run, {**made, "made": datetime.now(UTC).isoformat(timespec="seconds")})

    def _paying(self, claim: Claim, call: Call) -> Call:
        """The call, with what it pays with if it asks a hosted model."""
        job = self._insist(lambda: self._parts.store.jobs.get(claim.owner, claim.number))
        name = f"job {claim.number}"
        return with_purse(self._parts, call, name, "0", job.conversation, claim.number)

    def _take(self, going: Going, message: Message) -> None:
        if isinstance(message, Progress):
            going.tell(message)
        elif isinstance(message, Measurement):
            self._insist(lambda: self._claims.measure(going.claim, message))
        else:
            going.blocks = (*going.blocks, message)
            self._insist(lambda: self._claims.keep(going.claim, going.blocks))

    def _insist(self, ask: Callable[[], _T]) -> _T:
        """Asks the database, as long as it takes: no job fails for it, and nothing done is lost.

        Raises:
            Fenced: somebody else holds the job.
            Stopped: the process ends first; the job goes on from what was kept.
        """
        while True:
            try:
                return ask()
            except StoreFailed as failure:
                _log.warning("a job waits for the database: %s", failure)
                if self._closing.wait(_BEAT):
                    raise Stopped from None

    def _kept(self, claim: Claim) -> Path:
        return self._home / "jobs" / claim.owner / str(claim.number)

    # --- watching over them
    def _watch(self) -> None:
        """Tells that the jobs of this process live, and looks after those of others."""
        while not self._closing.is_set() or self._going:
            for going in list(self._going.values()):
                with suppress(StoreFailed):
                    self._beat(going)
            try:
                self._look_after(time.monotonic())
            except StoreFailed:
                self._seen.clear()  # what was not seen cannot have stood still
            with self._woken:
                self._woken.wait(_BEAT)

    def _beat(self, going: Going) -> None:
        try:
            wanted = self._claims.beat(going.claim, *going.pulse())
        except Fenced:
            wanted = "fenced"
        if wanted:
            going.end(wanted)
        elif time.monotonic() > going.began + _TURN and self._claims.others_wait(going.claim):
            going.end("aside")

    def _look_after(self, clock: float) -> None:
        """Puts back the jobs whose holder is gone."""
        pulses = [p for p in self._claims.running() if p.holder != self._holder.name]
        self._seen = {pulse: self._seen.get(pulse, clock) for pulse in pulses}
        for pulse, since in self._seen.items():
            still = clock - since >= self._lease
            if (still or self._holder.is_gone(pulse.holder)) and self._claims.take_away(pulse):
                _log.warning("job %d had lost its holder and goes on", pulse.number)
                self.wake()


def _words(claim: Claim, error: Exception) -> str:
    """Why a job failed, for the person."""
    if isinstance(error, NeedsInput | ToolFailed | StoreFailed):
        return str(error)
    _log.error("job %d failed", claim.number, exc_info=error)
    if isinstance(error, OSError):
        return (
            f"A file could not be used: {error.strerror}. Make room or mend its rights, and retry."
        )
    return f"It met an error of its own ({type(error).__name__}). It has been logged."
