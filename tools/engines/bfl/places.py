"""Keeps the tasks in flight below what Black Forest Labs allows at once.

This process counts its own tasks; where others ask with the same key, the vendor says so by status
429, and the task is tried again later.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pydantic import SecretStr

MOST = 24  # of all tasks of an account; source: docs.bfl.ai/api_integration/skills_integration
_LOOK = 0.2  # seconds between two looks; a stop is noticed as late as this
_counting = threading.Lock()
_taken: Counter[tuple[SecretStr, str]] = Counter()


@contextmanager
def place(key: SecretStr, system: str, most: int, waiting: Callable[[], None]) -> Iterator[None]:
    """Holds one of the places of an account while a task is in flight.

    Args:
        key: whose places.
        system: card id of what is asked.
        most: tasks of that system at once.
        waiting: called again and again while there is none; may raise.
    """
    while not _takes(key, system, most):
        waiting()
        time.sleep(_LOOK)
    try:
        yield
    finally:
        with _counting:
            _taken[key, system] -= 1


def _takes(key: SecretStr, system: str, most: int) -> bool:
    """Takes a place, if there is one."""
    with _counting:
        total = sum(count for (whose, _), count in _taken.items() if whose == key)
        free = total < MOST and _taken[key, system] < most
        _taken[key, system] += free
        return free
