"""Who draws for a recipe: two processes, which leave when the training does."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context, parent_process

import numpy as np

from tools.pocket import world

_CHUNK = 250


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
    _check(seed)
    return lambda number: world.pictures(seed, number * count, count, executor=executor)


def eased(
    seed: int, start: int, count: int, share: float, executor: Executor
) -> tuple[world.Pictures, list[world.Scene]]:
    """Pictures and scenes of a part of a seed's stream, a share of them easy to learn.

    Half of them have two things: which colour goes with which thing is learned last of all.
    An easy scene has one large thing, mostly in the centre, or two of medium size, mostly solid,
    so that a model which draws meets every kind often in nearly the same form. Learning goes from
    there to small things in any corner, as in Bengio and others, "Curriculum learning" (2009).

    Raises:
        ValueError: If the seed is kept for measuring.
    """
    _check(seed)
    rng = np.random.default_rng((seed, start))
    known = [world.sample(rng, int(rng.integers(1, 3))) for _ in range(count)]
    known = [_easy(scene, rng) if rng.random() < share else scene for scene in known]
    return draw_all(known, executor), known


def _check(seed: int) -> None:
    if seed in world.HELD_OUT:
        raise ValueError(f"Seed {seed} is kept for measuring. Train with a seed below 1000000.")


def draw_all(scenes: list[world.Scene], executor: Executor) -> world.Pictures:
    """Pictures of scenes, drawn by the executor's processes."""
    parts = [scenes[i : i + _CHUNK] for i in range(0, len(scenes), _CHUNK)]
    return np.concatenate(list(executor.map(world.draw_many, parts)))


def _easy(scene: world.Scene, rng: np.random.Generator) -> world.Scene:
    alone = len(scene.things) == 1
    things = [replace(thing, size="large" if alone else "medium") for thing in scene.things]
    if alone and rng.random() < 0.75:
        things = [replace(thing, place="centre") for thing in things]
    if rng.random() < 0.75:
        things = [replace(thing, fill="solid") for thing in things]
    return replace(scene, things=tuple(things))
