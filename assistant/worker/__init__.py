"""The one process that owns the device and runs every step that runs a model.

Steps wait in a fair line. One thread takes them from it, hands each to the process, and passes on
what comes back. While a job runs, the step of a person who waits is handed over too: the process
runs it, as a guest, the next time that the job reports how far it is. The process is a fresh
interpreter (`process.py`), since CUDA does not survive a fork and the server holds no torch;
whatever happens to it costs one step at most.
"""

import itertools
import logging
import queue
import signal
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assistant.runs import RunFolder
from assistant.settings import Settings
from assistant.worker.line import Line, Step
from assistant.worker.messages import (
    Bug,
    Failed,
    Finished,
    Message,
    Ousted,
    Progress,
    Ready,
    Request,
    Setup,
    Taken,
    WorkerDied,
)
from assistant.worker.program import Program
from assistant.worker.watch import Watch
from tools.base import Agreement, Stopped, ToolFailed

__all__ = ["Message", "Ousted", "Progress", "Worker", "WorkerDied"]

_TICK = 0.05  # seconds between looks at the stop event of a step that waits
_SILENCE = 600.0  # seconds after which a job that says nothing counts as hanging
_log = logging.getLogger(__name__)


class Worker:
    """The process, started with the first step or by `start`, and the line in front of it."""

    def __init__(
        self,
        settings: Settings,
        tools: str = "tools.base:load_works",
        silence: float = _SILENCE,
    ) -> None:
        self._setup = Setup(
            settings.device,
            settings.home,
            settings.offline,
            settings.audience,
            settings.memory_gib,
            settings.identity,
            tools,
        )
        self._silence = silence
        self._guest: tuple[Step, Program] | None = None  # sent to the process, not begun
        self._line = Line()
        self._numbers = itertools.count(1)
        self._program: Program | None = None
        self._running = False
        self._device = ""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def ready(self) -> bool:
        """Whether the process is up, with torch loaded."""
        return bool(self._device)

    @property
    def device(self) -> str:
        """`cpu`, `cuda` or `mps`; empty until it is ready."""
        return self._device

    def start(self) -> None:
        """Starts the process in the background, if it is not there yet."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="worker", daemon=True)
                self._thread.start()

    def run(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        owner: str,
        run: RunFolder,
        agreement: Agreement,
        stop: threading.Event,
        kept: Path | None = None,
    ) -> Iterator[Message]:
        """Runs one step; yields its messages as they come.

        Args:
            tool: name of the tool.
            arguments: what it takes, already checked.
            owner: whose step it is; owners take turns.
            run: where its files go.
            agreement: what the person agreed to; if `lasting`, it is a job.
            stop: set it to stop. Leaving the iterator stops the step too.
            kept: folder of a job, which outlives this attempt; that of the run if left out.

        Raises:
            NeedsInput: as the tool raised it; likewise NeedsConsent, TakesLong, ToolFailed and
                Stopped.
            WorkerDied: the process ended in the middle of the step; or, Ousted, of its guest.
        """
        self.start()
        number, folder = next(self._numbers), kept or run.path
        step = Step(Request(number, tool, arguments, owner, run, folder, agreement), stop)
        waits = "waiting for another step to end" if self._running else ""
        note = waits if self.ready else "getting ready"
        self._line.put(step)
        try:
            if note:
                yield Progress(0.0, note)
            while (message := self._next(step)) is not None:
                yield message
        finally:
            step.left.set()
            self._line.remove(step)

    def close(self) -> None:
        """Ends the process; steps that run or wait end as stopped."""
        self._line.close()
        with self._lock:
            if self._thread:
                self._thread.join()

    def _next(self, step: Step) -> Message | None:
        while True:
            try:
                message = step.outbox.get(timeout=_TICK)
            except queue.Empty:
                if step.stop.is_set() and self._line.remove(step):
                    raise Stopped from None
                continue
            if isinstance(message, Exception):
                raise message
            return None if isinstance(message, Finished) else message

    # --- in the thread
    def _serve(self) -> None:
        # Ctrl-C in the terminal reaches the whole process group; the process inherits this mask.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        self._prepare()
        while waiting := self._guest or self._line.take():
            step, sent = waiting if isinstance(waiting, tuple) else (waiting, None)
            self._guest = None
            self._running = True
            try:
                outcome = self._outcome(step, sent)
            except Exception:  # noqa: BLE001 - the thread must outlive every step
                _log.exception("running %s failed", step.request.tool)
                outcome = _own_error(step.request.tool, "outside the tool")
            self._running = False  # before the next step can follow on the outcome
            step.outbox.put(outcome)
            if self.ready:  # a process that could not start is left to the next step
                self._prepare()
        if self._program:
            self._program.end()

    def _prepare(self) -> None:
        """Makes ready for the next step; if that fails, the next step tries again and tells."""
        try:
            self._up()
        except ToolFailed as failure:
            _log.warning("%s", failure)
        except Stopped:
            return

    def _up(self) -> Program:
        """The running process; a fresh one if it is gone.

        Raises:
            ToolFailed: it cannot start.
            Stopped: the line was closed meanwhile.
        """
        if self._program and self._program.alive:
            return self._program
        self._device = ""
        self._program = Program(self._setup)
        while (message := self._program.receive()) is None:
            if self._line.closed:
                raise Stopped
        if isinstance(message, Ready):
            self._device = message.device
            return self._program
        self._program.end()
        if isinstance(message, Failed):
            raise message.error
        _log.error("the process that runs models cannot start:\n%s", message.traceback)
        raise ToolFailed(
            f"The process that runs models cannot start ({message.kind}). The log says why; "
            "installing again most often mends it."
        )

    def _outcome(self, step: Step, sent: Program | None) -> Finished | Exception:
        """Runs a step, and returns how it ended.

        Args:
            step: the step.
            sent: the process that was sent it already, as a guest of the step before.
        """
        try:
            try:
                program = self._begun(sent) if sent else self._hand_over(step.request)
            except WorkerDied:  # while it was idle, which costs no step
                program = self._hand_over(step.request)
            return self._follow(step, program)
        except (ToolFailed, Stopped) as failure:
            return failure

    def _hand_over(self, request: Request) -> Program:
        """The process that has begun with the step.

        Raises:
            WorkerDied: it died before that.
            ToolFailed: it cannot start.
            Stopped: the line was closed meanwhile.
        """
        program = self._up()
        program.send(request)
        return self._begun(program)

    def _begun(self, program: Program) -> Program:
        """The process, which has taken the step that it was sent; raises like `_hand_over`."""
        while program.receive() is None:
            if self._line.closed:
                raise Stopped
        return program

    def _follow(self, step: Step, program: Program) -> Finished | Exception:
        """Passes on what the process sends until the step has ended.

        Raises:
            WorkerDied: the process ended in the middle of it.
        """
        watch = Watch(step, program, self._silence)
        while not self._line.closed:
            if step.lasting and not self._guest and (guest := self._line.guest()):
                self._guest = guest, program
                program.send(guest.request)
            message = program.receive()
            if isinstance(message, Finished | Failed | Bug):
                return _ended(step.request.tool, message)
            if isinstance(message, Taken):
                self._let_in(program)
            elif message is not None:
                step.outbox.put(message)
            if message is not None:
                watch.hear()
            if watch.is_over():
                break
        return Stopped()

    def _let_in(self, program: Program) -> None:
        """Follows the guest that the process has begun with, in the middle of a job.

        Raises:
            Ousted: the process has ended.
        """
        if self._guest is None:
            raise RuntimeError("the process began with a step that it was not sent")
        (guest, _), self._guest = self._guest, None
        try:
            guest.outbox.put(self._follow(guest, program))
        except WorkerDied as death:
            guest.outbox.put(death)
        if not program.alive:
            raise Ousted("The process that runs models ended in a step that went before this one.")


def _ended(tool: str, how: Finished | Failed | Bug) -> Finished | Exception:
    if isinstance(how, Failed):
        return how.error
    if isinstance(how, Bug):
        _log.error("%s met a bug:\n%s", tool, how.traceback)
        return _own_error(tool, how.kind)
    return how


def _own_error(tool: str, kind: str) -> ToolFailed:
    return ToolFailed(
        f"{tool} met an error of its own ({kind}). It has been logged; try another picture or "
        "model."
    )
