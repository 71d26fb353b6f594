"""Real processes that are killed with SIGKILL, many of them quickly.

One process imports everything once; each piece of work is done by a child that it forks.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_FORKS = """
import gc, json, os, signal, sys, time, traceback
{work}
gc.disable()
for line in sys.stdin:
    call, seconds = json.loads(line)
    began = time.monotonic()
    if not (child := os.fork()):
        try:
            work(*call)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps([status, time.monotonic() - began]), flush=True)
"""


class Forks:
    """Runs pieces of work in processes of their own.

    Attributes:
        seconds: how long the last one took.
    """

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.seconds = 0.0

    def run(self, *call: Any, kill_after: float | None = None) -> bool:
        """Whether a piece of work came to its end; else it was killed.

        Args:
            call: what it is told.
            kill_after: seconds after which it is killed; never if left out.
        """
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([call, kill_after]) + "\n")
        self._process.stdin.flush()
        status, self.seconds = json.loads(self._process.stdout.readline())
        assert status in (0, -9), f"it ended with {status}"
        return bool(status == 0)


@contextmanager
def forks(work: str) -> Iterator[Forks]:
    """A process that forks.

    Args:
        work: source that imports what is needed and defines `work(...)`.
    """
    with subprocess.Popen(
        [sys.executable, "-c", _FORKS.replace("{work}", work)],
        cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        yield Forks(process)
        assert process.stdin
        process.stdin.close()
