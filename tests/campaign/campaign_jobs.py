"""The acceptance rows of durable jobs, at full length; `make campaign` prints their figures."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from assistant.store import Store
from assistant.store.jobs import NewJob
from tests import training
from tests.jobs import room
from tests.killing import (
    away,
    fill_up,
    kill_again_and_again,
    settings_for,
    stop_one_past_its_lease,
)
from tests.postgresql import Server
from tests.processes import fresh
from tests.test_checkpoint import ended
from tools.engines.checkpoint import Checkpoints

LIGHT = (("beside", {"seconds": 0.02}), ("beside", {"seconds": 0.2}))
HEAVY = (*LIGHT, ("keep", {"upto": 5, "seconds": 0.05}))


def test_r1_kills_of_the_app(url: str, home: Path) -> None:
    """100 on SQLite, 50 on PostgreSQL; some of the jobs run in the worker."""
    began = time.monotonic()
    figures = kill_again_and_again(url, home, 100 if url.startswith("sqlite") else 50, 1, HEAVY)
    print(f"\nR1 {url.partition(':')[0]}: {figures}, {time.monotonic() - began:.0f} s")
    assert (figures.lost, figures.doubled, figures.unfinished, figures.twice) == (0, 0, 0, 0)
    assert figures.whole


def test_r2_kills_of_a_training(tmp_path: Path) -> None:
    """30 at random moments of whole trainings, each ended as if it was never cut off."""
    (tmp_path / "whole").mkdir()
    training.train(tmp_path / "whole")
    whole, chance = ended(tmp_path / "whole"), random.Random(30)  # noqa: S311
    kills = trainings = same = most = 0
    while kills < 30:
        trainings += 1
        folder = tmp_path / str(trainings)
        folder.mkdir()
        while True:
            before = _reached(folder)
            process = fresh().Process(target=training.train, args=(folder,))
            process.start()
            process.join(chance.uniform(0.02, 0.6))
            alive = process.is_alive()
            process.kill()
            process.join()
            most = max(most, before - _reached(folder))
            if not alive:
                break
            kills += 1
        found = ended(folder)
        same += found[0] == whole[0] and found[2] == whole[2]
        assert found[0] == whole[0]
    print(
        f"\nR2: {kills} kills, {same} of {trainings} bit-equal, steps lost from checkpoints {most}"
    )
    assert most == 0


def _reached(folder: Path) -> int:
    last = Checkpoints(folder / "kept").last()
    return last.step if last else 0


def test_r4_duplicated_submits(url: str) -> None:
    """1,000 requests, each submitted twice at the same time."""
    store, requests = Store(url), [str(number) for number in range(1000)] * 2
    random.Random(4).shuffle(requests)  # noqa: S311

    def submit(request: str) -> int:
        return store.jobs.submit("me", NewJob(request, "beside", "", {}, {}, "beside"))

    with ThreadPoolExecutor(16) as threads:
        numbers = set(threads.map(submit, requests))
    rows = len(store.jobs.list("me", limit=5000))
    print(f"\nR4 {url.partition(':')[0]}: 2,000 submits of 1,000 requests: {rows} jobs")
    store.close()
    assert len(numbers) == rows == 1000


def test_r6_stopped_past_the_lease(url: str, home: Path) -> None:
    """Four processes, 400 jobs, clocks a day off."""
    figures, refused = stop_one_past_its_lease(url, home, 400)
    print(f"\nR6 {url.partition(':')[0]}: {figures}, stale writes refused {refused}")
    assert (figures.unfinished, figures.twice, figures.failed) == (0, 0, 0)


def test_r7_a_full_disk(home: Path) -> None:
    """The database has room for ever one page more; then there is room."""
    refused = sum(fill_up(home / str(pages), pages) for pages in range(24))
    print(f"\nR7: 24 points at which the database was full, {refused} submits refused, 0 lost")


def test_r8_a_server_that_is_gone_for_a_minute(postgresql: Server, home: Path) -> None:
    with (
        postgresql.another() as server,
        room(settings_for(server.new_database(), home)) as made,
    ):
        made.jobs.start()
        began = time.monotonic()
        said = away(made, server.stop, server.start, 60.0)
        print(
            f"\nR8: gone 60 s, all done after {time.monotonic() - began:.0f} s; said: {said[:90]}"
        )
