"""What it costs that a step is a job: until it begins, and over the step itself."""

import statistics
import time
from contextlib import closing
from pathlib import Path
from threading import Event

from assistant import runs
from assistant.settings import Settings
from assistant.worker import Worker
from tests.jobs import TOOLS, room, submit
from tests.processes import wait_for
from tools.base import Agreement

ROUNDS = 40
STEP = 0.05  # seconds


def test_overhead_of_a_job(settings: Settings, tmp_path: Path) -> None:
    """Wanted: submit to start p50 <= 150 ms; a step of 50 ms costs <= 100 ms more."""
    plain = _plain(settings, tmp_path)
    began, whole = [], []
    with room(settings) as made:
        made.jobs.start()
        made.worker.start()
        wait_for(lambda: made.worker.ready)
        for number in range(ROUNDS):
            file = tmp_path / f"{number}"
            submitted = time.perf_counter()
            job = submit(made.jobs, "stamp", request=str(number), file=file, seconds=STEP)
            while made.jobs.of("me").get(job).state != "done":
                time.sleep(0.002)
            whole.append(time.perf_counter() - submitted)
            began.append(float(file.read_text(encoding="utf-8")) - submitted)
    start, cost = statistics.median(began), statistics.median(whole) - statistics.median(plain)
    print(
        f"\njobs, {ROUNDS} rounds: submit to start p50 {1e3 * start:.0f} ms, "
        f"p95 {1e3 * sorted(began)[int(0.95 * ROUNDS)]:.0f} ms; a step of {1e3 * STEP:.0f} ms "
        f"takes {1e3 * statistics.median(plain):.0f} ms in a turn, "
        f"{1e3 * statistics.median(whole):.0f} ms as a job: {1e3 * cost:.0f} ms more"
    )
    assert start <= 0.150
    assert cost <= 0.100


def _plain(settings: Settings, folder: Path) -> list[float]:
    """Seconds that the same step takes in a turn."""
    taken = []
    with closing(Worker(settings, tools=TOOLS)) as worker:
        worker.start()
        wait_for(lambda: worker.ready)
        for _ in range(ROUNDS):
            run = runs.start(folder, "me")
            arguments = {"file": folder / "plain", "seconds": STEP}
            began = time.perf_counter()
            list(
                worker.run(
                    "stamp", arguments, owner="me", run=run, agreement=Agreement(), stop=Event()
                )
            )
            taken.append(time.perf_counter() - began)
    return taken
