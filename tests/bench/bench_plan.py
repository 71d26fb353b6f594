"""How long a plan takes, warm: the whole way from words to tools and arguments."""

import statistics
import time

from assistant.plan import Asked, plan
from assistant.routes import files_of
from tests.answers import index
from tests.routes import rows
from tools.base import load_tools

MIDDLE_MS, SLOW_MS = 40.0, 80.0


def test_a_plan_is_quick() -> None:
    searched, tools = index(), load_tools()
    asked = [row for row in rows() if not row.get("history")]
    took = []
    for row in asked:
        files = files_of(row)
        started = time.perf_counter()
        searched.search(row["text"])
        plan(Asked(row["text"], files), searched, tools)
        took.append((time.perf_counter() - started) * 1000)
    middle, slow = statistics.median(took), statistics.quantiles(took, n=20)[-1]
    print(f"\nplan with search, {len(took)} questions: p50 {middle:.1f} ms, p95 {slow:.1f} ms")
    assert middle <= MIDDLE_MS
    assert slow <= SLOW_MS
