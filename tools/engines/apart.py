"""A measurement in a process of its own, so that its memory is its own and not the worker's.

The process is a module run as a program. It is given what to do as JSON, and writes a line of JSON
for each step that it has done, the last of which holds what it found or says why there is nothing.
"""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from tools.base import Report, ToolFailed

_ROOT = Path(__file__).parents[2]
_TICK = 0.2  # seconds between two looks at the process


def found_by(
    module: str,
    told: Mapping[str, Any],
    name: str,
    advice: str,
    report: Report,
    doing: str = "timing",
) -> dict[str, Any]:
    """Runs a module in a fresh process.

    Args:
        module: its name; it calls `serve` when it is run.
        told: what to do, as JSON holds it.
        name: of what is looked at, for the progress and for failures.
        advice: what to do when the process ends without a word.
        report: told the progress several times a second; ends the process when it stops.
        doing: what is done, for the progress and for failures.

    Raises:
        ToolFailed: nothing was found; the message says why.
        Stopped: the person asked to stop.
    """
    command = [sys.executable, "-P", "-m", module, json.dumps(told)]
    environment = {**os.environ, "PYTHONPATH": str(_ROOT), "HF_HUB_OFFLINE": "1"}
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own program
        reader = threading.Thread(target=_put_lines, args=(process.stdout, lines))
        reader.start()
        try:
            last = _followed(reader, lines, f"{doing} {name}", report)
            process.wait()
        finally:
            process.kill()
            reader.join()
    if "found" in last:
        found: dict[str, Any] = last["found"]
        return found
    raise ToolFailed(last.get("failed") or _ended(f"{doing} {name}", advice, process.returncode))


def _put_lines(stream: IO[str], lines: "queue.SimpleQueue[str]") -> None:
    for line in stream:
        lines.put(line)


def _followed(
    reader: threading.Thread, lines: "queue.SimpleQueue[str]", note: str, report: Report
) -> dict[str, Any]:
    """Passes progress on until the process ends; returns its last line."""
    last: dict[str, Any] = {"done": 0.0}
    while reader.is_alive() or not lines.empty():
        with suppress(queue.Empty):
            last = json.loads(lines.get(timeout=_TICK))
        report(last.get("done", 1.0), note)
    return last


def _ended(what: str, advice: str, status: int) -> str:
    why = "it ran out of memory" if status == -9 else f"it ended with status {status}"
    return f"{what[:1].upper()}{what[1:]} failed: {why}. {advice}"


# --- in the process
def serve(work: Callable[[dict[str, Any]], Mapping[str, Any]]) -> None:
    """Does what this process was told to, and says what was found."""
    try:
        _say(found=work(json.loads(sys.argv[1])))
    except ToolFailed as failure:
        _say(failed=str(failure))


def tell(done: float) -> None:
    """Says how far the work has come, from 0 to 1."""
    _say(done=done)


def _say(**line: Any) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def forget_peak(device: str) -> None:
    """Lets the peak of memory begin anew, where that can be done."""
    if device == "cuda":
        import torch

        torch.cuda.reset_peak_memory_stats()
        return
    with suppress(OSError):  # Linux only; elsewhere the peak is that of all until then
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_memory(device: str) -> float:
    """MiB: of the device on cuda, else the most that this process has held."""
    if device == "cuda":
        import torch

        return float(torch.cuda.max_memory_allocated() / 2**20)
    status = Path("/proc/self/status")
    if status.is_file():
        # Unlike ru_maxrss it does not begin with what the parent process held.
        lines = status.read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) / 2**10 for line in lines if line.startswith("VmHWM"))
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
