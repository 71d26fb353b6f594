"""Processes that order paid pictures are killed at random moments: nothing is paid twice."""

import random
import time
from collections import Counter
from contextlib import closing

from assistant.store import Store
from tests.paid import Studio, process, reach, settled, standing, totals

KILLS = 30


def test_kills_while_a_paid_task_runs(url: str) -> None:
    """Prints where each kill struck, and how the task ended when it was run again."""
    chance = random.Random(19)  # noqa: S311 - the same moments each time
    studio = Studio()
    studio.pause = 0.05
    studio.start()
    struck: Counter[tuple[str, str]] = Counter()
    with closing(Store(url)) as store:
        for number in range(KILLS):
            request = f"{number}"
            with process(url, studio, request) as marks:
                reach(marks, "ready")
                time.sleep(chance.uniform(0.0, 0.4))
            stood = standing(store, studio, request)
            struck[stood, settled(store, studio, request)] += 1
        spent = store.ledger.spent("me")
    studio.stop()
    totals(studio, spent)
    print(f"\n{url.partition(':')[0]}: kills, where the task stood, how it ended when run again")
    for (stood, end), count in sorted(struck.items()):
        print(f"{count:5}  {stood:30} {end}")
    print(
        f"{KILLS} tasks: sent {studio.asked.total()}, sent twice "
        f"{sum(count > 1 for count in studio.asked.values())}; the studio charged "
        f"{studio.charged.total()}; the ledger has ${spent.charged:.4f} charged and "
        f"${spent.unknown:.2f} unknown"
    )
    assert struck.total() == KILLS
