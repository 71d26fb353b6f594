"""A real process for every step: what it says arrives, whatever happens to it costs one step."""

import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from assistant import runs
from assistant.settings import Settings
from assistant.worker import Message, Progress, Worker, WorkerDied
from index.evidence import Claim, Measurement
from tests.processes import gone, wait_for
from tools.base import (
    Agreement,
    Image,
    NeedsConsent,
    NeedsInput,
    NotBuiltYet,
    Stopped,
    Text,
    ToolFailed,
)

ROOT = Path(__file__).parent.parent
TOOLS = "tests.worker_tools:tools"


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    made = Worker(Settings(home=tmp_path_factory.mktemp("home"), device="cpu"), tools=TOOLS)
    made.start()
    yield made
    made.close()


@pytest.fixture
def ready(worker: Worker) -> Worker:
    wait_for(lambda: worker.ready)
    return worker


def step(
    worker: Worker,
    folder: Path,
    tool: str,
    arguments: Mapping[str, Any] | None = None,
    owner: str = "me",
    stop: threading.Event | None = None,
) -> Iterator[Message]:
    return worker.run(
        tool,
        arguments or {},
        owner=owner,
        run=runs.start(folder, owner),
        agreement=Agreement(),
        stop=stop or threading.Event(),
    )


def texts(messages: Iterator[Message]) -> list[str]:
    return [message.text for message in messages if isinstance(message, Text)]


def process_id(worker: Worker, folder: Path) -> int:
    return int(texts(step(worker, folder, "surroundings"))[0].split()[0])


# --- what arrives
def test_blocks_and_progress_come_in_order(ready: Worker, tmp_path: Path) -> None:
    messages = list(step(ready, tmp_path, "count", {"upto": 3}))
    assert messages == [
        Progress(1 / 3, "1 of 3"), Text("1"), Progress(2 / 3, "2 of 3"), Text("2"),
        Progress(1.0, "3 of 3"), Text("3"),
    ]  # fmt: skip


def test_measurement_and_picture_arrive(ready: Worker, tmp_path: Path) -> None:
    told = step(ready, tmp_path, "measure", owner="you")
    measurement, image = (message for message in told if not isinstance(message, Progress))
    assert isinstance(measurement, Measurement)
    assert isinstance(image, Image)
    cited = image.cites[1]
    assert isinstance(cited, Claim)
    assert (measurement.value, measurement.device, cited.property) == (1.5, "cpu", "top1")
    assert image.cites[0] == measurement
    assert dict(image.metadata) == {"seed": "1"}
    assert (image.path.parent / "note.txt").read_text(encoding="utf-8") == "you"
    assert image.path.parent.name == measurement.run


def test_surroundings(ready: Worker, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    [said] = texts(step(ready, tmp_path, "surroundings"))
    pid, device, threads, models, rest = said.split(maxsplit=4)
    assert int(pid) != os.getpid()
    assert (device, models) == ("cpu", "Models")
    assert int(threads) == len(os.sched_getaffinity(0))
    assert rest.startswith("('convnext_femto.d1_in1k',)")
    assert "FLUX.1-schnell" in rest
    assert "must not reach" not in capfd.readouterr().out


# --- how a step fails
@pytest.mark.parametrize(
    ("how", "kind", "says"),
    [
        ("input", NeedsInput, r"^Which one\?$"),
        ("consent", NeedsConsent, r"^It costs \$1\. Go on\?$"),
        ("failed", ToolFailed, r"^It is 7\. Take 8\.$"),
        ("not built", NotBuiltYet, r"^The tool fail is not built yet\."),
        ("odd", ToolFailed, r"^1 is not 2\. Take 2\.$"),
        ("memory", ToolFailed, r"^fail needs more memory than cpu has free\."),
    ],
)
def test_failures_come_as_raised(
    ready: Worker, tmp_path: Path, how: str, kind: type[Exception], says: str
) -> None:
    messages = step(ready, tmp_path, "fail", {"how": how})
    assert next(iter_texts(messages)) == "before"
    with pytest.raises(kind, match=says) as failure:
        next(messages)
    assert type(failure.value) is kind
    if isinstance(failure.value, NeedsInput):
        assert failure.value.choices[0] in {"this", "Yes"}


def test_bug_is_logged_whole_and_told_in_a_line(
    ready: Worker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ToolFailed) as failure:
        list(step(ready, tmp_path, "fail", {"how": "bug"}))
    assert str(failure.value) == (
        "fail met an error of its own (ValueError). It has been logged; try another picture or "
        "model."
    )
    assert "a secret detail\nof two lines" in caplog.text
    assert "worker_tools.py" in caplog.text


@pytest.mark.parametrize("tool", ["unsendable", "no such tool"])
def test_bug_around_a_tool_costs_one_step(ready: Worker, tmp_path: Path, tool: str) -> None:
    with pytest.raises(ToolFailed, match="met an error of its own"):
        list(step(ready, tmp_path, tool))
    assert texts(step(ready, tmp_path, "count", {"upto": 1})) == ["1"]


@pytest.mark.parametrize(("how", "says"), [("exit", "with exit code 3"), ("crash", "by SIGSEGV")])
def test_death_costs_one_step(ready: Worker, tmp_path: Path, how: str, says: str) -> None:
    before = process_id(ready, tmp_path)
    messages = step(ready, tmp_path, "die", {"how": how})
    assert next(iter_texts(messages)) == "last words"
    with pytest.raises(WorkerDied, match=says):
        next(messages)
    assert texts(step(ready, tmp_path, "count", {"upto": 2})) == ["1", "2"]
    assert process_id(ready, tmp_path) != before


def test_killed_in_a_run(ready: Worker, tmp_path: Path) -> None:
    messages = step(ready, tmp_path, "hold", {"flag": tmp_path / "flag"})
    os.kill(int(texts_until(messages, "pid")), signal.SIGKILL)
    with pytest.raises(WorkerDied, match="by SIGKILL, most often because memory ran out"):
        list(messages)
    assert texts(step(ready, tmp_path, "count", {"upto": 1})) == ["1"]


def texts_until(messages: Iterator[Message], start: str) -> str:
    """The rest of the first text that starts so."""
    return next(text for text in iter_texts(messages) if text.startswith(start)).split()[-1]


def iter_texts(messages: Iterator[Message]) -> Iterator[str]:
    return (message.text for message in messages if isinstance(message, Text))


def test_killed_while_idle(ready: Worker, tmp_path: Path) -> None:
    process = psutil.Process(process_id(ready, tmp_path))
    process.kill()
    wait_for(lambda: gone(process))
    assert texts(step(ready, tmp_path, "count", {"upto": 1})) == ["1"]


# --- stop
def test_stop_is_noticed(ready: Worker, tmp_path: Path) -> None:
    stop, before = threading.Event(), process_id(ready, tmp_path)
    messages = step(ready, tmp_path, "hold", {"flag": tmp_path / "flag"}, stop=stop)
    texts_until(messages, "pid")
    stop.set()
    with pytest.raises(Stopped):
        list(messages)
    assert process_id(ready, tmp_path) == before  # it was not ended for being deaf


def test_stop_of_a_step_that_does_not_listen(ready: Worker, tmp_path: Path) -> None:
    stop, before = threading.Event(), process_id(ready, tmp_path)
    messages = step(ready, tmp_path, "sleep", {"seconds": 60}, stop=stop)
    assert next(iter_texts(messages)) == "asleep"
    started = time.monotonic()
    stop.set()
    with pytest.raises(Stopped):
        list(messages)
    assert 10 <= time.monotonic() - started < 50  # it would sleep for 60 s
    assert process_id(ready, tmp_path) != before


def test_stop_while_waiting(ready: Worker, tmp_path: Path) -> None:
    stop, flag = threading.Event(), tmp_path / "flag"
    running = step(ready, tmp_path, "hold", {"flag": flag})
    texts_until(running, "pid")
    waiting = step(ready, tmp_path, "count", {"upto": 1}, stop=stop)
    assert next(waiting) == Progress(0.0, "waiting for another step to end")
    stop.set()
    with pytest.raises(Stopped):
        next(waiting)
    flag.unlink()
    assert texts(running) == ["done"]


def test_leaving_stops_the_step(ready: Worker, tmp_path: Path) -> None:
    messages = step(ready, tmp_path, "hold", {"flag": tmp_path / "flag"})
    next(messages)
    messages.close()  # type: ignore[attr-defined]
    assert texts(step(ready, tmp_path, "count", {"upto": 1})) == ["1"]


# --- the line
def order(worker: Worker, folder: Path, owners: Sequence[str]) -> list[str]:
    """The order in which steps run that were asked for in this order while another ran."""
    flag, file = folder / "flag", folder / "order.txt"
    running = step(worker, folder, "hold", {"flag": flag}, owner="first")
    texts_until(running, "pid")
    waiting = []
    for place, owner in enumerate(owners):
        arguments = {"file": file, "name": f"{owner}{place}"}
        waiting.append(step(worker, folder, "write", arguments, owner))
        assert next(waiting[-1]) == Progress(0.0, "waiting for another step to end")
    flag.unlink()
    assert texts(running) == ["done"]
    assert [text for messages in waiting for text in texts(messages)]
    return file.read_text(encoding="utf-8").split()


def test_owners_take_turns(ready: Worker, tmp_path: Path) -> None:
    asked = ("greedy", "greedy", "greedy", "greedy", "late", "later", "late")
    ran = "greedy0 late4 later5 greedy1 late6 greedy2 greedy3"
    assert order(ready, tmp_path, asked) == ran.split()


def test_steps_of_one_owner_keep_their_order(ready: Worker, tmp_path: Path) -> None:
    assert order(ready, tmp_path, ("me",) * 4) == ["me0", "me1", "me2", "me3"]


# --- start and end
def test_process_that_cannot_start(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    worker = Worker(settings, tools="tests.worker_tools:broken")
    assert not worker.ready
    with pytest.raises(ToolFailed, match=r"cannot start \(ImportError\)"):
        list(step(worker, settings.home, "count", {"upto": 1}))
    assert "no such library" in caplog.text
    assert not worker.ready
    worker.close()
    with pytest.raises(Stopped):
        list(step(worker, settings.home, "count", {"upto": 1}))
