"""How long a plan takes, warm: the whole way from words to tools and arguments."""

import statistics
import time
from contextlib import closing

from assistant.ask import decide
from assistant.conversation import Question
from assistant.routes import files_of
from assistant.settings import Settings
from assistant.wiring import open_assistant
from tests.routes import rows

MIDDLE_MS, SLOW_MS = 40.0, 80.0


def test_a_plan_is_quick(settings: Settings) -> None:
    asked = [row for row in rows() if not row.get("history")]
    took = []
    with closing(open_assistant(settings)) as assistant:
        for row in asked:
            question, files = Question(row["text"]), files_of(row)
            started = time.perf_counter()
            decide(assistant, question, files)
            took.append((time.perf_counter() - started) * 1000)
    middle, slow = statistics.median(took), statistics.quantiles(took, n=20)[-1]
    print(f"\nplan with search, {len(took)} questions: p50 {middle:.1f} ms, p95 {slow:.1f} ms")
    assert middle <= MIDDLE_MS
    assert slow <= SLOW_MS
