"""How a step tells how far it is, and notices that it is to stop."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol


class Report(Protocol):
    """Progress and cancel in one."""

    def __call__(self, done: float, note: str = "") -> None:
        """Tells how far the step is.

        Args:
            done: from 0 to 1.
            note: what is going on, for the person.

        Raises:
            Stopped: the person asked to stop.
        """
        ...


class LiveReport(Report, Protocol):
    """The report of a step, which can be plotted and seen; a job lets who waits go first here."""

    def __call__(
        self,
        done: float,
        note: str = "",
        curve: Mapping[str, float] | None = None,
        preview: Path | None = None,
    ) -> None:
        """Tells how far the step is.

        Args:
            done: from 0 to 1.
            note: what is going on, for the person.
            curve: a point of each line to be plotted, such as the loss; `step` is its place.
            preview: file of a picture as it forms, in the run folder; the one before it is gone.

        Raises:
            Stopped: the person asked to stop.
        """
        ...
