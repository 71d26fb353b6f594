"""Drawings that a person stops, one after the other, in the process of a real worker."""

import threading
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import fmean

import psutil

from assistant import runs
from assistant.settings import Settings
from assistant.worker import Progress, Worker
from tools.base import Agreement, Stopped

_PROMPT = {"prompt": "a large red star on a blue background", "seed": 7}


@dataclass(frozen=True)
class Stops:
    """How the stops went.

    Attributes:
        seconds: from each stop to its end.
        steps: reports of steps that came after each stop.
        memory: of the process after each stop, in MiB.
        files: pictures that were left behind, finished or not.
    """

    seconds: list[float]
    steps: list[int]
    memory: list[float]
    files: int

    @property
    def growth(self) -> float:
        """MiB that the last fifth of the stops is above the second fifth; the first one warms."""
        fifth = len(self.memory) // 5
        return fmean(self.memory[-fifth:]) - fmean(self.memory[fifth : 2 * fifth])


def stop_again_and_again(settings: Settings, times: int) -> Stops:
    """Begins a drawing and stops it in the middle, again and again."""
    worker, found = Worker(settings), Stops([], [], [], 0)
    try:
        for number in range(times):
            _stop(worker, settings.home, number, found)
            found.memory.append(_resident())
    finally:
        worker.close()
    files = sum(1 for _ in (settings.home / "runs").rglob("*.png"))
    return Stops(found.seconds, found.steps, found.memory, files)


def _stop(worker: Worker, home: Path, number: int, found: Stops) -> None:
    stop, at, steps = threading.Event(), 0.0, count()
    messages = worker.run(
        "generate",
        {**_PROMPT, "steps": 100},
        owner="me",
        run=runs.start(home, "me"),
        agreement=Agreement(),
        stop=stop,
    )
    try:
        for message in messages:
            if not isinstance(message, Progress) or "step" not in message.note:
                continue
            if stop.is_set():
                next(steps)
            elif message.done > 0.02 + 0.01 * (number % 10):
                at = time.monotonic()
                stop.set()
    except Stopped:
        found.seconds.append(time.monotonic() - at)
        found.steps.append(next(steps))


def _resident() -> float:
    own = [child for child in psutil.Process().children() if "worker" in " ".join(child.cmdline())]
    return float(sum(child.memory_info().rss for child in own)) / 2**20
