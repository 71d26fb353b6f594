"""The one straight pass from a question to its answer, which grows as it goes.

This is the only place where errors become words.
"""

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
from assistant.conversation import Question
from assistant.kept import to_kept
from assistant.plan import Clarify, Decline, Plan, Step, plan, told
from assistant.settings import Settings
from assistant.store import OwnerEvidence, Store, StoreFailed, UnknownConversation
from assistant.uploads import Refused, Upload, Uploads
from assistant.worker import Message, Progress, Worker
from index.catalog import Catalog
from index.encoder import Vectors
from index.evidence import Measurement
from index.names import Names
from index.search import SearchIndex
from tools import pictures
from tools.base import (
    Block,
    Context,
    NeedsConsent,
    NeedsInput,
    NotBuiltYet,
    Stopped,
    Text,
    Tool,
    ToolFailed,
)

LONGEST = 20_000  # characters of a question; a longer one is a document, not a question
_HITS = 10
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


def ask(
    assistant: Assistant, question: Question, stop: threading.Event | None = None
) -> Iterator[Answer]:
    """Answers a question; yields the answer each time it has grown, the last one finished.

    Args:
        assistant: the parts that answer.
        question: the question, with its pictures.
        stop: set it to stop; what is there by then is kept.
    """
    started = time.monotonic()
    answer = Answer(question.text[:LONGEST], question.conversation, question.turn, "run")
    try:
        for grown in _answer(assistant, question, answer, stop or threading.Event()):
            yield (answer := replace(grown, seconds=time.monotonic() - started))
    except (StoreFailed, UnknownConversation) as failure:
        answer = replace(answer, outcome="failed", ask=str(failure))
    except Exception:  # noqa: BLE001 - the one place where a bug becomes a line
        _log.exception("answering failed")
        said = "The assistant met an error of its own. It has been logged; please ask again."
        answer = replace(answer, outcome="failed", ask=said)
    answer = replace(answer, seconds=time.monotonic() - started, finished=True)
    yield _kept(assistant, question, answer)


def call(
    assistant: Assistant, tool: str, arguments: Mapping[str, Any], question: Question
) -> Iterator[Answer]:
    """Runs one tool directly, without the router; yields like `ask`."""
    started = time.monotonic()
    answer = Answer(question.text, question.conversation, question.turn, "run")
    try:
        step = Step(tool, _taken(assistant, arguments, question.owner), "It was called by name.")
        for grown in _run(assistant, question, answer, (step,), threading.Event()):
            yield (answer := replace(grown, seconds=time.monotonic() - started))
    except Refused as refused:
        answer = replace(answer, outcome="clarify", ask=str(refused))
    except Exception:  # noqa: BLE001 - the one place where a bug becomes a line
        _log.exception("calling %s failed", tool)
        said = f"{tool} met an error of its own. It has been logged."
        answer = replace(answer, outcome="failed", ask=said)
    yield replace(answer, seconds=time.monotonic() - started, finished=True)


def _taken(assistant: Assistant, arguments: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """The arguments with their pictures decoded."""
    images = tuple(assistant.uploads.take(p, owner).path for p in arguments.get("images", ()))
    return {**arguments, "images": images} if images else dict(arguments)


def decide(assistant: Assistant, question: Question, images: Sequence[Path]) -> tuple[Plan, Answer]:
    """What would be done about a question, without doing it."""
    vector: Vectors = assistant.index.encoder.encode([question.text])[0]
    hits = assistant.index.search(question.text, _HITS, vector)
    planned = plan(question.text, images, vector, assistant.index, assistant.tools)
    answer = Answer(question.text, question.conversation, question.turn, "run", hits=hits)
    return planned, answer


def _answer(
    assistant: Assistant, question: Question, answer: Answer, stop: threading.Event
) -> Iterator[Answer]:
    if refusal := _refusal(question):
        yield replace(answer, outcome="clarify", ask=refusal)
        return
    try:
        uploads = [assistant.uploads.take(path, question.owner) for path in question.images]
    except Refused as refused:
        yield replace(_opened(assistant, question, answer, ()), outcome="clarify", ask=str(refused))
        return
    images = tuple(upload.path for upload in uploads)
    answer = _opened(assistant, question, answer, images)
    planned, found = decide(assistant, question, images)
    answer = replace(answer, hits=found.hits, blocks=_notes(uploads))
    match planned:
        case Clarify(asked, choices):
            yield replace(answer, outcome="clarify", ask=asked, choices=choices)
        case Decline(nearest):
            yield replace(answer, outcome="decline", **_declined(nearest, assistant.tools))
        case _:
            yield from _run(assistant, question, answer, planned.steps, stop)


def _refusal(question: Question) -> str:
    if len(question.text) > LONGEST:
        return (
            f"The message has {len(question.text):,} characters; a question may have {LONGEST:,}. "
            "Ask about the part that matters."
        )
    if not question.text.strip():
        return (
            "What would you like to know about the picture? For example: what is in it?"
            if question.images
            else "The message is empty. Ask a question, or drop in a picture."
        )
    return ""


def _opened(
    assistant: Assistant, question: Question, answer: Answer, images: tuple[Path, ...]
) -> Answer:
    """The answer with its place in the conversation, which is kept from here on."""
    if question.turn:
        return answer
    place = (question.owner, question.conversation, question.text, images, question.replaces)
    turn = assistant.store.start_turn(*place)
    return replace(answer, conversation=turn.conversation, turn=turn.number)


def _kept(assistant: Assistant, question: Question, answer: Answer) -> Answer:
    if not answer.turn:
        return answer
    try:
        assistant.store.keep_answer(
            question.owner, answer.conversation, answer.turn, to_kept(answer)
        )
    except (StoreFailed, UnknownConversation) as failure:
        note = Text(f"This answer could not be kept: {failure}")
        return replace(answer, blocks=(*answer.blocks, note))
    return answer


def _notes(uploads: Sequence[Upload]) -> tuple[Block, ...]:
    return tuple(Text(f"{upload.name}: {upload.note}.") for upload in uploads if upload.note)


def _declined(nearest: Sequence[Step], tools: Mapping[str, Tool]) -> dict[str, Any]:
    offers = [f"{tools[step.tool].card.title.lower()}" for step in nearest]
    said = "I have no tool for that. "
    said += f"The nearest I can do: {'; '.join(offers)}." if offers else "Ask what I can do."
    return {"ask": said, "choices": tuple(step.why for step in nearest)}


def _run(
    assistant: Assistant,
    question: Question,
    answer: Answer,
    steps: Sequence[Step],
    stop: threading.Event,
) -> Iterator[Answer]:
    states = tuple(StepState(step.tool, told(step.arguments), why=step.why) for step in steps)
    answer = replace(answer, steps=states)
    for place, step in enumerate(steps):
        for grown in _run_step(assistant, question, answer, place, step, stop):
            yield (answer := grown)
        if answer.steps[place].status != "done":
            return


def _run_step(
    assistant: Assistant,
    question: Question,
    answer: Answer,
    place: int,
    step: Step,
    stop: threading.Event,
) -> Iterator[Answer]:
    started = time.monotonic()

    def grown(answer: Answer, **changes: Any) -> Answer:
        state = replace(answer.steps[place], seconds=time.monotonic() - started, **changes)
        steps = (*answer.steps[:place], state, *answer.steps[place + 1 :])
        return replace(answer, steps=steps)

    yield (answer := grown(answer, status="running"))
    tool = assistant.tools[step.tool]
    try:
        run = runs.start(assistant.settings.home, question.owner)
        arguments = _checked(tool, step.arguments)
        literal = _file_names(arguments)
        for message in _messages(assistant, question, tool, arguments, run, stop):
            if isinstance(message, Progress):
                yield (answer := grown(answer, done=message.done, note=message.note))
            elif isinstance(message, Measurement):
                assistant.store.add_measurement(question.owner, message)
            else:
                block = grounding.checked(message, assistant.names, literal)
                yield (answer := replace(grown(answer), blocks=(*answer.blocks, block)))
        runs.complete(run, {"tool": tool.name, "arguments": told(step.arguments), "made": _now()})
        yield grown(answer, status="done", done=1.0, note="")
    except NeedsInput as missing:
        answer = grown(answer, status="waiting", note="")
        consent = missing.agreement if isinstance(missing, NeedsConsent) else None
        answer = replace(answer, outcome="clarify", consent=consent)
        yield replace(answer, ask=missing.question, choices=missing.choices)
    except Stopped:
        answer = grown(answer, status="stopped", note="")
        yield replace(answer, ask="Stopped. What was there by then is above.")
    except (ToolFailed, OSError) as failure:
        said = _words(failure)
        yield replace(grown(answer, status="failed", error=said), outcome="failed", ask=said)


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
    question: Question,
    tool: Tool,
    arguments: Mapping[str, Any],
    run: runs.RunFolder,
    stop: threading.Event,
) -> Iterator[Message]:
    """What a tool yields: from the worker if it runs a model, else from right here."""
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
        ),
        **arguments,
    )


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
