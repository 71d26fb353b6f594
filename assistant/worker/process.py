"""The process that owns the device: runs one step at a time and sends what it yields.

Started by `program.py` as `python -m assistant.worker.process <descriptor of a pipe>`.
"""

import importlib
import os
import queue
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from assistant.worker.messages import (
    Bug,
    Failed,
    Finished,
    Progress,
    Ready,
    Request,
    Setup,
    Stop,
    Taken,
)
from index import catalog
from index.catalog import Catalog
from index.evidence import Fact, Measurement
from index.names import Names
from index.ranker import Ranked
from index.replies import OTHER, Reply
from index.search import Hit
from index.topics import Topic
from tools import provenance
from tools.base import Context, Models, NeedsInput, Stopped, TakesLong, Tool, ToolFailed
from tools.engines.checkpoint import same_randomness

_OFTEN = 0.1  # seconds between two reports of progress
_CONTAINER = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True)
class _Bench:
    """What all steps share."""

    device: str
    catalog: Catalog
    index: "NameIndex"
    tools: Mapping[str, Tool]
    models: Models


@dataclass(frozen=True)
class NameIndex:
    """The index of a step that runs a model: finds systems by their names, right up to case.

    Search by meaning was done before the step was planned, and stays in the server.
    """

    names: Names

    def named(self, text: str) -> tuple[str, ...]:
        """Ids of the systems that a text names, in order."""
        mentions = self.names.mentions(text, typos=False)
        return tuple(dict.fromkeys(mention.system for mention in mentions))

    def rank(
        self, text: str, find: Callable[[str], Sequence[Fact]], only: Sequence[str] = ()
    ) -> Sequence[Ranked]:
        """Nothing: what a question asks for is read in the server."""
        del text, find, only
        return ()

    def reply(self, text: str) -> tuple[Reply, float]:
        """None that fits: what is said without a model is said in the server."""
        del text
        return Reply("", {"any": ""}), 0.0

    def topic(self, text: str, before: str = "") -> Topic:
        """Nothing in particular: what a message is after is read in the server."""
        del text, before
        return Topic(OTHER, 0.0, "", 0.0, "", {}, 0.0)

    def search(self, text: str, k: int = 10) -> Sequence[Hit]:
        """The systems that a text names."""
        return tuple(Hit(system, 2.0, "named in the question") for system in self.named(text)[:k])


@dataclass(frozen=True)
class _Evidence:
    """Claims from the cards; a measurement goes to the server, which keeps it."""

    catalog: Catalog
    send: Callable[[object], None]

    def find(self, system: str, property: str = "") -> Sequence[Fact]:
        return self.catalog.find(system, property)

    def add(self, measurement: Measurement) -> None:
        self.send(measurement)


@dataclass(frozen=True)
class _Desk:
    """Where steps arrive and what they say leaves.

    Attributes:
        bench: what all steps share.
        send: sends a message to the server.
        inbox: steps that have arrived.
        stopped: numbers of the steps that are to stop.
    """

    bench: _Bench
    send: Callable[[object], None]
    inbox: "queue.SimpleQueue[Request]"
    stopped: set[int]

    def serve(self, request: Request) -> None:
        """Runs a step, and sends all that it says."""
        self.send(Taken())
        self.send(_step(self, request))

    def let_in(self) -> None:
        """Runs the steps that have arrived in the middle of a job, which then finds all as it was.

        A thread of its own keeps them apart from what a library holds for the thread of the job,
        such as whether gradients are kept.
        """
        while not self.inbox.empty():
            with same_randomness():
                thread = threading.Thread(target=self.serve, args=(self.inbox.get(),))
                thread.start()
                thread.join()


class _Report:
    """Sends progress, not too often; notices a stop; lets guests in, if it is that of a job."""

    def __init__(self, request: Request, desk: _Desk) -> None:
        self._request = request
        self._desk = desk
        self._sent, self._note = 0.0, ""

    def __call__(
        self,
        done: float,
        note: str = "",
        curve: Mapping[str, float] | None = None,
        preview: Path | None = None,
    ) -> None:
        self.check()
        now = time.monotonic()
        if note != self._note or preview or now - self._sent >= _OFTEN:
            self._sent, self._note = now, note
            self._desk.send(Progress(done, note, curve or {}, preview))
        if self._request.agreement.lasting:
            self._desk.let_in()

    def check(self) -> None:
        if self._request.number in self._desk.stopped:
            raise Stopped


def choose_device(wanted: str) -> str:
    """The device to run on: the one that is wanted; for `auto`, cuda, then mps, then cpu.

    Raises:
        ToolFailed: it is not there.
    """
    import torch

    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted == "auto":
        return next(name for name, usable in there.items() if usable)
    if not there[wanted]:
        raise ToolFailed(
            f"FITTING_ROOM_DEVICE is {wanted}, but torch {torch.__version__} finds no such device "
            "here. Set it to auto or cpu."
        )
    return wanted


def _set_up(setup: Setup) -> _Bench:
    module, _, function = setup.tools.partition(":")
    tools = getattr(importlib.import_module(module), function)()

    import torch

    from tools.models import Models as LoadedModels

    for library in sorted({name for tool in tools.values() for name in tool.card.loads}):
        importlib.import_module(library)
    torch.set_num_threads(_cores())
    device = choose_device(setup.device)
    if device == "cpu":
        _limit_memory(setup.memory_gib)
    torch.zeros(1, device=device)  # opens the device
    provenance.use(setup.identity)
    known = catalog.load()
    return _Bench(
        device,
        known,
        NameIndex(Names(known, lambda word: False)),
        tools,
        LoadedModels(device, setup.home, setup.offline, setup.audience),
    )


def _limit_memory(gib: float) -> None:
    """Lets a step that asks for too much fail by itself, before the system ends something."""
    import psutil

    most = psutil.virtual_memory().total
    with suppress(OSError, ValueError):
        most = min(most, int(_CONTAINER.read_text(encoding="ascii")))
    limit = int(gib * 2**30) or most * 9 // 10
    with suppress(ValueError):  # one that is lower stands already
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _step(desk: _Desk, request: Request) -> Finished | Failed | Bug:
    bench, report = desk.bench, _Report(request, desk)
    context = Context(
        device=bench.device,
        catalog=bench.catalog,
        index=bench.index,
        tools=bench.tools,
        models=bench.models,
        evidence=_Evidence(bench.catalog, desk.send),
        owner=request.owner,
        run=request.run.id,
        run_folder=request.run.path,
        kept=request.kept,
        agreement=request.agreement,
        report=report,
    )
    try:
        for block in bench.tools[request.tool].call(context, **request.arguments):
            report.check()
            desk.send(block)
    except (NeedsInput, TakesLong, ToolFailed, Stopped) as failure:
        return _told(failure)
    except Exception as error:  # noqa: BLE001 - the server logs it whole
        if _out_of_memory(error):
            return _told(_too_large(request.tool, bench.device))
        return _bug(error)
    return Finished()


def _told(failure: Exception) -> Failed:
    """Its nearest class in `tools.base`: the server must not import an engine to read it."""
    kind = next(kind for kind in type(failure).__mro__ if kind.__module__ == "tools.base")
    return Failed(kind, str(failure), dict(failure.__dict__))


def _bug(error: Exception) -> Bug:
    return Bug(type(error).__name__, "".join(traceback.format_exception(error)))


def _out_of_memory(error: Exception) -> bool:
    named = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return named or "can't allocate memory" in str(error)


def _too_large(tool: str, device: str) -> ToolFailed:
    return ToolFailed(
        f"{tool} needs more memory than {device} has free. Try a smaller model, picture or batch."
    )


def _listen(
    pipe: "Connection[Any, Any]", inbox: "queue.SimpleQueue[Request]", stopped: set[int]
) -> None:
    """Takes in requests and stops, also while a step runs; the server's end is ours too."""
    for message in _messages(pipe):
        if isinstance(message, Stop):
            stopped.add(message.number)
        else:
            inbox.put(message)
    os._exit(0)


def _messages(pipe: "Connection[Any, Any]") -> Iterator[Request | Stop]:
    with suppress(EOFError, OSError):
        while True:
            yield pipe.recv()


def _go_first() -> None:
    """Where memory runs out, Linux is to end this process and not the server."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", encoding="utf-8")


def main(descriptor: int) -> None:
    """Serves the pipe until the server closes it or ends."""
    os.set_inheritable(descriptor, False)
    os.dup2(2, 1)  # what libraries print must not mix with the server's own output
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _go_first()
    pipe: Connection[Any, Any] = Connection(descriptor)
    setup = pipe.recv()
    inbox: queue.SimpleQueue[Request] = queue.SimpleQueue()
    stopped: set[int] = set()
    threading.Thread(target=_listen, args=(pipe, inbox, stopped), daemon=True).start()
    try:
        bench = _set_up(setup)
    except ToolFailed as failure:
        pipe.send(_told(failure))
        return
    except Exception as error:  # noqa: BLE001 - the server logs it whole
        pipe.send(_bug(error))
        return
    pipe.send(Ready(bench.device))
    desk = _Desk(bench, pipe.send, inbox, stopped)
    while True:
        desk.serve(inbox.get())


if __name__ == "__main__":
    main(int(sys.argv[1]))
