"""Who draws for a recipe: two processes, which leave when the training does."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context, parent_process

from tools.pocket import world


def painters() -> ProcessPoolExecutor:
    """Two processes that draw; started afresh, since a fork of a threaded process may hang."""
    return ProcessPoolExecutor(2, get_context("spawn"), initializer=_leave_with_parent)


def _leave_with_parent() -> None:
    """End this process when its parent ends, however that happens."""
    parent = parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def drawn(
    seed: int, count: int, executor: Executor
) -> Callable[[int], tuple[world.Pictures, list[world.Scene]]]:
    """What gives the pictures and scenes of a round by its number, ``count`` for each.

    Raises:
        ValueError: If the seed is kept for measuring.
    """
    if seed in world.HELD_OUT:
        raise ValueError(f"Seed {seed} is kept for measuring. Train with a seed below 1000000.")
    return lambda number: world.pictures(seed, number * count, count, executor=executor)
