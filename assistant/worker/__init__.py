"""The one process that owns the device and runs every step that runs a model.

Steps wait in a fair line. One thread takes them from it, hands each to the process, and passes on
what comes back. The process is a fresh interpreter (`process.py`), since CUDA does not survive a
fork and the server holds no torch; whatever happens to it costs one step at most.
"""

import itertools
import logging
import queue
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from assistant.runs import RunFolder
from assistant.settings import Settings
from assistant.worker.line import Line, Step
from assistant.worker.messages import (
    Bug,
    Failed,
    Finished,
    Message,
    Progress,
    Ready,
    Request,
    Setup,
    Stop,
    WorkerDied,
)
from assistant.worker.program import Program
from tools.base import Agreement, Stopped, ToolFailed

__all__ = ["Message", "Progress", "Worker", "WorkerDied"]

_TICK = 0.05  # seconds between looks at the stop event of a step that waits
_PATIENCE = 10.0  # seconds that a step may take to notice a stop
_log = logging.getLogger(__name__)


class Worker:
    """The process, started with the first step or by `start`, and the line in front of it."""

    def __init__(self, settings: Settings, tools: str = "tools.base:load_tools") -> None:
        self._setup = Setup(
            settings.device, settings.home, settings.offline, settings.audience, tools
        )
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
    ) -> Iterator[Message]:
        """Runs one step; yields its messages as they come.

        Args:
            tool: name of the tool.
            arguments: what it takes, already checked.
            owner: whose step it is; owners take turns.
            run: where its files go.
            agreement: what the person agreed to.
            stop: set it to stop. Leaving the iterator stops the step too.

        Raises:
            NeedsInput: as the tool raised it; likewise NeedsConsent, ToolFailed and Stopped.
            WorkerDied: the process ended in the middle of the step.
        """
        self.start()
        step = Step(Request(next(self._numbers), tool, arguments, owner, run, agreement), stop)
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
        while step := self._line.take():
            self._running = True
            try:
                step.outbox.put(self._outcome(step))
            except Exception:  # noqa: BLE001 - the thread must outlive every step
                _log.exception("running %s failed", step.request.tool)
                step.outbox.put(_own_error(step.request.tool, "outside the tool"))
            self._running = False
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

    def _outcome(self, step: Step) -> Finished | Exception:
        """Runs a step, and returns how it ended."""
        try:
            try:
                program = self._hand_over(step.request)
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
        while program.receive() is None:
            if self._line.closed:
                raise Stopped
        return program

    def _follow(self, step: Step, program: Program) -> Finished | Exception:
        """Passes on what the process sends until the step has ended."""
        deadline: float | None = None
        while not self._line.closed:
            message = program.receive()
            if isinstance(message, Finished):
                return message
            if isinstance(message, Failed):
                return message.error
            if isinstance(message, Bug):
                _log.error("%s met a bug:\n%s", step.request.tool, message.traceback)
                return _own_error(step.request.tool, message.kind)
            if message is not None:
                step.outbox.put(message)
            if step.unwanted and deadline is None:
                program.send(Stop(step.request.number))
                deadline = time.monotonic() + _PATIENCE
            if deadline is not None and time.monotonic() > deadline:
                _log.warning("%s did not stop and was ended", step.request.tool)
                program.kill()
                break
        return Stopped()


def _own_error(tool: str, kind: str) -> ToolFailed:
    return ToolFailed(
        f"{tool} met an error of its own ({kind}). It has been logged; try another picture or "
        "model."
    )
