"""Runs the steps of a plan, one after the other, as an answer that grows."""

import logging
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assistant import grounding, runs
from assistant.answer import Answer, StepState
from assistant.conversation import Attachment, Question, Ref, Step, Turn
from assistant.history import Made, made_by, made_in
from assistant.saying import lead, title
from assistant.settings import Settings
from assistant.store import OwnerEvidence, Store
from assistant.uploads import Uploads
from assistant.worker import Message, Progress, Worker
from index.catalog import Catalog
from index.evidence import Measurement
from index.names import Names
from index.search import SearchIndex
from tools import pictures
from tools.base import (
    Context,
    NeedsConsent,
    NeedsInput,
    NotBuiltYet,
    Stopped,
    Tool,
    ToolFailed,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Assistant:
    """The parts that answer, wired together once.

    Attributes:
        settings: the settings.
        catalog: all systems.
        index: search over cards and tools.
        tools: all tools, by name.
        store: conversations, answers, measurements.
        uploads: decodes pictures.
        worker: runs what runs a model.
    """

    settings: Settings
    catalog: Catalog
    index: SearchIndex
    tools: Mapping[str, Tool]
    store: Store
    uploads: Uploads
    worker: Worker

    @property
    def names(self) -> Names:
        """Finds the systems that a text names."""
        return self.index.names

    def close(self) -> None:
        """Ends the worker, the decoder and the database connections."""
        self.worker.close()
        self.uploads.close()
        self.store.close()


@dataclass(frozen=True)
class Wanted:
    """What is to be run.

    Attributes:
        question: whose question it is, and what they agreed to.
        steps: the steps, in order.
        told: their arguments as programs read them.
        files: what came with the question.
        turns: the turns before.
        language: the language of the question.
        before: the step and the words before it, as the network reads them.
    """

    question: Question
    steps: Sequence[Step]
    told: Sequence[Mapping[str, Any]]
    files: Sequence[Attachment] = ()
    turns: Sequence[Turn] = ()
    language: str = "en"
    before: str = ""


def run_steps(
    assistant: Assistant, wanted: Wanted, answer: Answer, stop: threading.Event
) -> Iterator[Answer]:
    """Runs every step; one that fails stops those that need what it makes, and no other."""
    states = tuple(
        StepState(step.tool, told, why=step.why)
        for step, told in zip(wanted.steps, wanted.told, strict=True)
    )
    answer = replace(answer, steps=states)
    made: dict[int, Made] = {}
    for place, step in enumerate(wanted.steps):
        lacking = [ref.number for ref in _refs(step) if _is_own(ref) and ref.number not in made]
        if lacking:
            answer = _skipped(answer, place, lacking[0])
            continue
        before = len(answer.blocks)
        for grown in _run_step(assistant, wanted, answer, place, made, stop):
            yield (answer := grown)
        state = answer.steps[place]
        if state.status == "done":
            made[place + 1] = made_by(answer.blocks[before:])
        elif state.status != "failed":
            return  # stopped by the person, or waiting for them
    if any(state.status == "done" for state in answer.steps):
        answer = replace(answer, outcome="run")
    yield answer


def _skipped(answer: Answer, place: int, needed: int) -> Answer:
    error = f"It needs what step {needed} makes, which was not made."
    state = replace(answer.steps[place], status="failed", error=error)
    return replace(answer, steps=(*answer.steps[:place], state, *answer.steps[place + 1 :]))


def _run_step(
    assistant: Assistant,
    wanted: Wanted,
    answer: Answer,
    place: int,
    made: Mapping[int, Made],
    stop: threading.Event,
) -> Iterator[Answer]:
    started = time.monotonic()
    question, step = wanted.question, wanted.steps[place]

    def grown(answer: Answer, **changes: Any) -> Answer:
        state = replace(answer.steps[place], seconds=time.monotonic() - started, **changes)
        steps = (*answer.steps[:place], state, *answer.steps[place + 1 :])
        return replace(answer, steps=steps)

    yield (answer := grown(answer, status="running"))
    tool, first = assistant.tools[step.tool], len(answer.blocks)
    try:
        run = runs.start(assistant.settings.home, question.owner)
        arguments = _checked(tool, _resolved(step.arguments, wanted, made))
        literal = _file_names(arguments)
        for message in _messages(assistant, wanted, tool, arguments, run, stop):
            if isinstance(message, Progress):
                yield (answer := grown(answer, done=message.done, note=message.note))
            elif isinstance(message, Measurement):
                assistant.store.add_measurement(question.owner, message)
            else:
                opens = len(answer.blocks) == first
                opening = lead(step.tool, message, wanted.language, assistant.catalog) * opens
                new = (grounding.checked(b, assistant.names, literal) for b in (*opening, message))
                yield (answer := replace(grown(answer), blocks=(*answer.blocks, *new)))
        manifest = {"tool": tool.name, "arguments": dict(wanted.told[place]), "made": _now()}
        runs.complete(run, manifest)
        count = len(answer.blocks) - first
        yield grown(answer, status="done", done=1.0, note="", blocks=count)
    except NeedsInput as missing:
        answer = grown(answer, status="waiting", note="")
        consent = missing.agreement if isinstance(missing, NeedsConsent) else None
        answer = replace(answer, outcome="clarify", consent=consent)
        yield replace(answer, ask=missing.question, choices=missing.choices)
    except Stopped:
        answer = grown(answer, status="stopped", note="")
        yield replace(answer, ask="Stopped. What was there by then is above.")
    except (ToolFailed, OSError) as failure:
        said, choices = _words(failure), _instead(failure, wanted)
        failed = grown(answer, status="failed", error=said)
        yield replace(failed, outcome="failed", ask=said, choices=choices)


def _is_own(ref: Ref) -> bool:
    return ref.kind == "step" and not ref.turn


def _refs(step: Step) -> Iterator[Ref]:
    for value in step.arguments.values():
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Ref):
                yield one


def _resolved(
    arguments: Mapping[str, Any], wanted: Wanted, made: Mapping[int, Made]
) -> dict[str, Any]:
    """The arguments with files and models in place of what points to them."""
    found: dict[str, Any] = {}
    for name, value in arguments.items():
        several = isinstance(value, tuple)
        values = [
            item
            for one in (value if several else (value,))
            for item in (_meant(one, name, wanted, made) if isinstance(one, Ref) else (one,))
        ]
        found[name] = tuple(values) if several else values[0]
    return found


def _meant(ref: Ref, name: str, wanted: Wanted, made: Mapping[int, Made]) -> tuple[Any, ...]:
    """What a reference points to: one or more files, or the name of a model.

    Raises:
        ToolFailed: it is gone, or never was.
    """
    found: tuple[Any, ...]
    if ref.kind == "attachment":
        paths = (
            wanted.turns[ref.turn - 1].images
            if ref.turn
            else tuple(file.path for file in wanted.files)
        )
        found = paths[ref.number - 1 : ref.number]
    else:
        there = made_in(wanted.turns[ref.turn - 1], ref.number) if ref.turn else made[ref.number]
        pictures = there.pictures[ref.picture - 1 : ref.picture] if ref.picture else there.pictures
        found = (there.model,) if name in ("model", "models", "adapter") else pictures
    gone = not found or any(
        one is None or (isinstance(one, Path) and not one.exists()) for one in found
    )
    if gone:
        if name in ("model", "models"):
            raise ToolFailed("No one model came out of the step that you point to. Name the model.")
        what = "picture" if name in ("images", "mask", "like") else name
        raise ToolFailed(f"The {what} that you point to is not there any more. Give it again.")
    return found


def _checked(tool: Tool, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments as the tool wants them.

    Raises:
        ToolFailed: one is wrong.
        NotBuiltYet: no argument will do.
    """
    if not tool.card.built:
        raise NotBuiltYet(tool.name)
    return tool.check(arguments)


def _messages(
    assistant: Assistant,
    wanted: Wanted,
    tool: Tool,
    arguments: Mapping[str, Any],
    run: runs.RunFolder,
    stop: threading.Event,
) -> Iterator[Message]:
    """What a tool yields: from the worker if it runs a model, else from right here."""
    question = wanted.question
    if tool.card.runs_model:
        yield from assistant.worker.run(
            tool.name,
            arguments,
            owner=question.owner,
            run=run,
            agreement=question.agreement,
            stop=stop,
        )
        return

    def report(done: float, note: str = "") -> None:
        del done, note
        if stop.is_set():
            raise Stopped

    yield from tool.call(
        Context(
            device="cpu",
            catalog=assistant.catalog,
            index=assistant.index,
            tools=assistant.tools,
            models=None,
            evidence=OwnerEvidence(assistant.store, assistant.catalog, question.owner),
            owner=question.owner,
            run=run.id,
            run_folder=run.path,
            agreement=question.agreement,
            report=report,
            before=wanted.before,
        ),
        **arguments,
    )


def _instead(failure: Exception, wanted: Wanted) -> tuple[str, ...]:
    """What to click instead: of a tool that is not built, a model that does it can be named."""
    if not isinstance(failure, NotBuiltYet):
        return ()
    return (title("recommend", wanted.question.text, wanted.language),)


def _words(failure: Exception) -> str:
    if isinstance(failure, OSError):
        _log.error("a file could not be used", exc_info=failure)
        return f"A file could not be used: {failure.strerror}. Make room or mend its rights."
    return str(failure)


def _file_names(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the person's own files, which may hold digits."""
    found = pictures.sources(arguments.get("images", ()), arguments.get("dataset"))
    names = (name for source in found for name in (source.name, Path(source.name).stem))
    # A name of digits alone cannot be told from a figure.
    return tuple(name for name in names if re.search(r"[^\W\d_]", name))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
