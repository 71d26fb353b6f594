"""Waiting for processes."""

import time
from collections.abc import Callable

import psutil


def wait_for(condition: Callable[[], object], seconds: float = 240.0) -> None:
    """Waits until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def gone(process: psutil.Process) -> bool:
    """Whether it runs no more, even if nobody has asked how it ended."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
