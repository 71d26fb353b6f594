"""The worker is killed again and again: each kill costs at most the step that was running."""

import random
import time
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import psutil

from assistant import runs
from assistant.settings import Settings
from assistant.worker import Worker, WorkerDied
from tests.processes import wait_for
from tools.base import Agreement, Text

KILLS = 100


def test_kills_at_random_moments(settings: Settings, tmp_path: Path) -> None:
    """Half of them while a step runs, the others at any moment."""
    chance = random.Random(3)  # noqa: S311 - the same moments each time
    died = finished = 0
    with closing(Worker(settings, tools="tests.worker_tools:tools")) as worker:
        worker.start()
        for _ in range(KILLS):
            wait_for(lambda: worker.ready)
            killer = Thread(target=_kill, args=(chance.uniform(0.0, 0.4),))
            killer.start()
            try:
                finished += _count(worker, tmp_path)
            except WorkerDied:
                died += 1
            killer.join()
            assert _count(worker, tmp_path) == 1
    print(f"\n{KILLS} kills: {died} ended the step that ran, {finished} ended none")
    assert died + finished == KILLS


def _count(worker: Worker, folder: Path) -> int:
    """Runs a step of a fifth of a second, whole."""
    arguments = {"upto": 10, "seconds": 0.02}
    run = runs.start(folder, "me")
    step = worker.run("count", arguments, owner="me", run=run, agreement=Agreement(), stop=Event())
    assert [m.text for m in step if isinstance(m, Text)] == [str(n) for n in range(1, 11)]
    return 1


def _kill(seconds: float) -> None:
    time.sleep(seconds)
    for process in psutil.Process().children():
        if "assistant.worker.process" in process.cmdline():
            process.kill()
