"""How long a step is waited for: to notice a stop, and to give a sign of life."""

import logging
import time

from assistant.worker.line import Step
from assistant.worker.messages import Stop, WorkerDied
from assistant.worker.program import Program

_PATIENCE = 10.0  # seconds that a step may take to notice a stop
_log = logging.getLogger(__name__)


class Watch:
    """Watches one step.

    Args:
        step: the step.
        program: the process that runs it.
        silence: seconds after which a job that says nothing counts as hanging.
    """

    def __init__(self, step: Step, program: Program, silence: float) -> None:
        self._step = step
        self._program = program
        self._silence = silence if step.lasting else float("inf")
        self._heard = time.monotonic()
        self._deadline = float("inf")

    def hear(self) -> None:
        """The step has given a sign of life."""
        self._heard = time.monotonic()

    def is_over(self) -> bool:
        """Passes a stop on; whether the step has not noticed it, and its process was ended.

        Raises:
            WorkerDied: the step gave no sign of life, and its process was ended.
        """
        tool, now = self._step.request.tool, time.monotonic()
        if self._step.unwanted and self._deadline == float("inf"):
            self._program.send(Stop(self._step.request.number))
            self._deadline = now + _PATIENCE
        if now > self._deadline:
            _log.warning("%s did not stop and was ended", tool)
            self._program.kill()
            return True
        if now > self._heard + self._silence:
            self._program.kill()
            raise WorkerDied(
                f"{tool} gave no sign of life for {self._silence:.0f} seconds, so the process that "
                "ran it was ended."
            )
        return False
