"""Starting processes, and waiting for them."""

import multiprocessing
import time
from collections.abc import Callable
from functools import cache
from multiprocessing.context import ForkServerContext

import psutil

_LOADED = ("tests.training", "tests.killing", "tests.jobs", "tests.paid", "tests.bfl_crash")


@cache
def fresh() -> ForkServerContext:
    """Starts processes that have loaded what tests run in them; there is one such server only."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_LOADED))
    return context


def wait_for(condition: Callable[[], object], seconds: float = 240.0) -> None:
    """Waits until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def gone(process: psutil.Process) -> bool:
    """Whether it runs no more, even if nobody has asked how it ended."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
