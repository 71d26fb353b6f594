"""How long something takes, on a machine that may stand still for a moment."""

import time
from collections.abc import Callable


def quickest(work: Callable[[], object], times: int = 3) -> float:
    """Seconds that the quickest of several times took."""
    found = []
    for _ in range(times):
        began = time.monotonic()
        work()
        found.append(time.monotonic() - began)
    return min(found)
