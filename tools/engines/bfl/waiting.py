"""Waits that are uneven, so that those who wait together do not ask together again."""

import random
import time
from dataclasses import replace

from tools.base import Report
from tools.remote import Pace

_LOOK = 0.2  # seconds between two looks for a stop
_UNEVEN = (1.0, 1.25)  # by which a wait is longer, by chance


def uneven(pace: Pace) -> Pace:
    """A pace that is slower by chance."""
    by = random.uniform(*_UNEVEN)  # noqa: S311 - no secret
    return replace(pace, first=pace.first * by, longest=pace.longest * by)


def pause(seconds: float, note: str, report: Report) -> None:
    """Waits, and notices a stop.

    Args:
        seconds: how long, at least.
        note: why, for the person.
        report: where a stop is noticed.

    Raises:
        Stopped: the person asked to stop.
    """
    end = time.monotonic() + seconds * random.uniform(*_UNEVEN)  # noqa: S311 - no secret
    while (left := end - time.monotonic()) > 0:
        report(0.0, note)
        time.sleep(min(left, _LOOK))
