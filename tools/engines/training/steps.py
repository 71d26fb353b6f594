"""Training in steps, kept by and by: it goes on from where it was cut off, to the same weights."""

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tools.base import LiveReport
from tools.engines.checkpoint import Checkpoints

_log = logging.getLogger(__name__)


class Training:
    """A training under way, which goes on from its last checkpoint if there is one.

    Random states are not kept: every step draws from a seed of its own.

    Args:
        folder: of the checkpoints.
        parts: what changes, by name: networks, optimisers, all that has a `state_dict`.

    Attributes:
        losses: of every step so far.
        seconds: that the steps took, those of earlier processes too.
        cpu_seconds: that this and earlier processes worked on them.
    """

    def __init__(self, folder: Path, parts: Mapping[str, Any]) -> None:
        self._kept, self._parts = Checkpoints(folder), parts
        self.losses: list[float] = []
        self.seconds, self.cpu_seconds = 0.0, 0.0
        if last := self._kept.last():
            state = last.load()
            for name, part in parts.items():
                part.load_state_dict(state[name])
            self.losses = state["losses"]
            self.seconds, self.cpu_seconds = state["seconds"], state["cpu_seconds"]

    def run(
        self,
        steps: int,
        advance: Callable[[int], float],
        report: LiveReport,
        *,
        save_seconds: float,
        speed: Callable[[float], str],
        show: Callable[[int], Path | None] = lambda step: None,
    ) -> None:
        """Takes the steps that are left.

        Args:
            steps: in all.
            advance: takes one step, by its number from 0, and gives its loss.
            report: told after every step; if it raises, to stop, the step is kept first.
            save_seconds: after which a checkpoint is written; also one at the end.
            speed: says in words how fast it is, by the steps a second of this process.
            show: gives the file of a picture to show after a step, or none.
        """
        first = len(self.losses)
        began = saved = time.monotonic()
        while (step := len(self.losses)) < steps:
            clock, worked = time.monotonic(), time.process_time()
            self.losses.append(advance(step))
            now = time.monotonic()
            self.seconds += now - clock
            self.cpu_seconds += time.process_time() - worked
            if step + 1 == steps or now - saved >= save_seconds:
                saved = now
                self._save()
            loss = self.losses[-1]
            pace = speed((step + 1 - first) / (now - began))
            curve = {"step": float(step + 1), "loss": loss}
            try:
                note = f"step {step + 1} of {steps}: loss {loss:.3f}, {pace}"
                report((step + 1) / steps, note, curve, show(step + 1))
            except BaseException:
                self._save()
                raise

    def _save(self) -> None:
        """Keeps a checkpoint; one that the disk does not take costs no more than itself."""
        state = {name: part.state_dict() for name, part in self._parts.items()}
        told = {
            "losses": self.losses, "seconds": self.seconds, "cpu_seconds": self.cpu_seconds,
        }  # fmt: skip
        try:
            self._kept.save(state | told, len(self.losses))
        except OSError as error:
            _log.warning("no checkpoint at step %d: %s", len(self.losses), error)
