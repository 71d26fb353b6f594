"""The parts that run a tool, and the one place where a tool is run: in the worker or right here."""

import queue
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant import grounding, settling
from assistant.keys import Keys
from assistant.runs import RunFolder
from assistant.settings import Settings
from assistant.store import OwnerEvidence, Store
from assistant.uploads import Uploads
from assistant.worker import Message, Progress, Worker
from index.catalog import Catalog
from index.names import Names
from index.search import SearchIndex
from tools import pictures
from tools.base import Agreement, Block, Context, Stopped, Tool
from tools.purse import Purse
from tools.work import Jobs


@dataclass(frozen=True)
class Parts:
    """What answers and jobs are made with, wired together once.

    Attributes:
        settings: the settings.
        catalog: all systems.
        index: search over cards and tools.
        tools: all tools, by name.
        store: conversations, answers, jobs, measurements.
        uploads: decodes pictures.
        worker: runs what runs a model.
        keys: that people typed.
    """

    settings: Settings
    catalog: Catalog
    index: SearchIndex
    tools: Mapping[str, Tool]
    store: Store
    uploads: Uploads
    worker: Worker
    keys: Keys

    @property
    def names(self) -> Names:
        """Finds the systems that a text names."""
        return self.index.names


@dataclass(frozen=True)
class Call:
    """One run of a tool.

    Attributes:
        tool: the tool.
        arguments: what it takes, checked.
        owner: whose it is.
        run: where its files go.
        agreement: what the person agreed to.
        stop: set to stop it.
        kept: folder of a job, which outlives this attempt; none in a turn.
        jobs: the owner's long work.
        tell: hears of the progress of a tool that runs right here.
        purse: pays a hosted model, which is asked right here; none if none is.
        before: the step and the words before the question, as the network reads them.
    """

    tool: Tool
    arguments: Mapping[str, Any]
    owner: str
    run: RunFolder
    agreement: Agreement
    stop: threading.Event
    kept: Path | None = None
    jobs: Jobs | None = None
    tell: Callable[[Progress], None] = lambda _: None
    purse: Purse | None = None
    before: str = ""


def messages(parts: Parts, call: Call) -> Iterator[Message]:
    """What a tool yields, as it was checked: a figure that nothing carries does not get through.

    Raises:
        NeedsInput: as the tool raised it; likewise TakesLong, ToolFailed and Stopped.
        WorkerDied: the process that ran it has ended.
    """
    literal = file_names(call.arguments)
    for message in _run(parts, call):
        if isinstance(message, Block):
            yield grounding.checked(message, parts.names, literal)
        else:
            yield message


def file_names(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the person's own files, which may hold digits."""
    found = pictures.sources(arguments.get("images", ()), arguments.get("dataset"))
    names = (name for source in found for name in (source.name, Path(source.name).stem))
    # A name of digits alone cannot be told from a figure.
    return tuple(name for name in names if re.search(r"[^\W\d_]", name))


def _run(parts: Parts, call: Call) -> Iterator[Message]:
    if call.purse is not None:
        yield from _beside(parts, call, call.purse)
    elif call.tool.card.runs_model:
        yield from parts.worker.run(
            call.tool.name,
            call.arguments,
            owner=call.owner,
            run=call.run,
            agreement=call.agreement,
            stop=call.stop,
            kept=call.kept,
        )
    else:
        yield from _here(parts, call, call.tell)


def _beside(parts: Parts, call: Call, purse: Purse) -> Iterator[Message]:
    """Runs a tool that waits for others in a thread of its own, so that its progress is seen."""
    said: queue.SimpleQueue[Message | Exception | None] = queue.SimpleQueue()
    left = threading.Event()

    def tell(progress: Progress) -> None:
        said.put(progress)
        if left.is_set():
            raise Stopped

    def work() -> None:
        try:
            for block in _paid(parts, call, purse, tell):
                said.put(block)
            said.put(None)
        except Exception as error:  # noqa: BLE001 - raised again by whoever listens
            said.put(error)

    threading.Thread(target=work, name="hosted", daemon=True).start()
    try:
        while (message := said.get()) is not None:
            if isinstance(message, Exception):
                raise message
            yield message
    finally:
        left.set()


def _paid(
    parts: Parts, call: Call, purse: Purse, tell: Callable[[Progress], None]
) -> Iterator[Block]:
    """Runs a tool that pays; what was sent before a stop is fetched, as it lasts for minutes."""
    try:
        yield from _here(parts, call, tell)
    except Stopped:
        settling.settle(parts.settings, parts.store, purse.key, f"{purse.step}:")
        raise


def _here(parts: Parts, call: Call, tell: Callable[[Progress], None]) -> Iterator[Block]:
    def report(
        done: float,
        note: str = "",
        curve: Mapping[str, float] | None = None,
        preview: Path | None = None,
    ) -> None:
        tell(Progress(done, note, curve or {}, preview))
        if call.stop.is_set():
            raise Stopped

    context = Context(
        device="cpu",
        catalog=parts.catalog,
        index=parts.index,
        tools=parts.tools,
        models=None,
        evidence=OwnerEvidence(parts.store, parts.catalog, call.owner),
        owner=call.owner,
        run=call.run.id,
        run_folder=call.run.path,
        kept=call.kept or call.run.path,
        agreement=call.agreement,
        report=report,
        jobs=call.jobs,
        purse=call.purse,
        before=call.before,
    )
    yield from call.tool.call(context, **call.arguments)
