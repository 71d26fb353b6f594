"""The server's hold on the process that owns the device."""

import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from assistant.worker.messages import Request, Setup, Stop, WorkerDied

_TICK = 0.05  # seconds between looks at the health of the process
_END = 2.0  # seconds that the process may take to end by itself


class Program:
    """A running `process.py` and the pipe to it; the process ends when the pipe closes."""

    def __init__(self, setup: Setup) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        path = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path)
        with theirs:
            self._program = subprocess.Popen(  # noqa: S603 - our own program
                # -P: the folder that the person works in must not hide our modules.
                [sys.executable, "-P", "-m", "assistant.worker.process", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": path},
            )
        self.send(setup)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._program.poll() is None

    def send(self, message: Setup | Request | Stop) -> None:
        """Sends a message.

        Raises:
            WorkerDied: the process has ended.
        """
        try:
            self._pipe.send(message)
        except OSError:
            raise self._death() from None

    def receive(self) -> Any:
        """The next message; none if there is none within a tick.

        Raises:
            WorkerDied: the process has ended, and everything it sent was received.
        """
        try:
            if self._pipe.poll(_TICK):
                return self._pipe.recv()
            # A process that it started may hold the pipe open after its death.
            if not self.alive and not self._pipe.poll():
                raise self._death()
        except (EOFError, OSError):
            raise self._death() from None
        return None

    def kill(self) -> None:
        """Ends the process at once."""
        self._program.kill()
        self._program.wait()
        self._pipe.close()

    def end(self) -> None:
        """Lets the process end by itself, if it does so soon."""
        self._pipe.close()
        try:
            self._program.wait(_END)
        except subprocess.TimeoutExpired:
            self.kill()

    def _death(self) -> WorkerDied:
        self.end()
        code = self._program.returncode
        how = f"with exit code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
        if code == -signal.SIGKILL:
            how += ", most often because memory ran out"
        return WorkerDied(
            f"The process that runs models ended {how}. A fresh one takes the next step; try "
            "again, with a smaller model or picture if this repeats."
        )
