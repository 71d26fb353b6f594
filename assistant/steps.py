"""Runs the steps of a plan, one after the other, as an answer that grows."""

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from assistant import beside, grounding, paying, runs
from assistant.answer import Answer, StepState
from assistant.conversation import Attachment, Question, Step, Turn
from assistant.history import Made, made_by
from assistant.jobs import Jobs
from assistant.parts import Call, Parts, messages
from assistant.pointing import needed, resolved
from assistant.saying import lead, say, title
from assistant.worker import Progress
from index.evidence import Measurement
from tools.base import (
    Block,
    NeedsConsent,
    NeedsInput,
    NotBuiltYet,
    Stopped,
    TakesLong,
    Text,
    Tool,
    ToolFailed,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Assistant(Parts):
    """The parts that answer, wired together once.

    Attributes:
        jobs: long work.
        serves: whether it stays, so that a turn can leave a job to itself; a command line waits.
    """

    jobs: Jobs
    serves: bool

    def close(self) -> None:
        """Ends jobs, the worker, the decoder and the database connections; jobs go on later."""
        self.jobs.stop()
        self.worker.close()
        self.uploads.close()
        self.store.close()


@dataclass(frozen=True)
class _Handed:
    """The step has become a job of this number."""

    job: int


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
    for places in beside.groups(wanted.steps):
        numbers = [number for place in places for number in needed(wanted.steps[place])]
        if lacking := [number for number in numbers if number not in made]:
            answer = _skipped(answer, places, lacking[0])
            continue
        if len(places) == 1:
            running = _run_step(assistant, wanted, answer, places[0], made, stop)
        else:
            running = _run_beside(assistant, wanted, answer, places, made, stop)
        for grown in running:
            yield (answer := grown)
        if any(answer.steps[place].status in ("stopped", "waiting") for place in places):
            return  # by the person, or for them
    if any(state.status == "done" for state in answer.steps):
        answer = replace(answer, outcome="run")
    yield answer


def _run_beside(
    assistant: Assistant,
    wanted: Wanted,
    answer: Answer,
    places: Sequence[int],
    made: dict[int, Made],
    stop: threading.Event,
) -> Iterator[Answer]:
    """Runs steps that stand side by side: what one of them lacks holds up no other."""
    said: dict[int, tuple[Block, ...]] = {}
    asks: Answer | None = None
    for place in places:
        before = len(answer.blocks)
        for grown in _run_step(assistant, wanted, answer, place, made, stop):
            yield (answer := grown)
        if answer.steps[place].status == "stopped":
            return
        said[place] = answer.blocks[before:]
        answer, asked = beside.gone_on(answer, place)
        asks = asks or asked
    try:
        shown = beside.shown(assistant, wanted.question.owner, answer, said)
    except (ToolFailed, OSError) as failure:
        shown = (Text(_words(failure)),)
    counted = answer.steps[places[-1]].blocks + len(shown)
    answer = _changed(answer, places[-1], blocks=counted)
    yield beside.asked_after(replace(answer, blocks=(*answer.blocks, *shown)), places, asks)


def _skipped(answer: Answer, places: Sequence[int], number: int) -> Answer:
    error = f"It needs what step {number} makes, which is not made."
    for place in places:
        answer = _changed(answer, place, status="failed", error=error)
    return answer


def _run_step(
    assistant: Assistant,
    wanted: Wanted,
    answer: Answer,
    place: int,
    made: dict[int, Made],
    stop: threading.Event,
) -> Iterator[Answer]:
    """Runs one step, and keeps what it has made for those after it."""
    started, question, step = time.monotonic(), wanted.question, wanted.steps[place]

    grown = partial(_grown, place=place, started=started)
    yield (answer := grown(answer, status="running"))
    tool, first = assistant.tools[step.tool], len(answer.blocks)
    try:
        folder = runs.start(assistant.settings.home, question.owner)
        arguments = _checked(tool, resolved(step.arguments, wanted.files, wanted.turns, made))
        run = _Run(tool, arguments, folder, stop)
        for message in _said(assistant, wanted, place, answer, run):
            if isinstance(message, Progress):
                shown = str(message.preview or answer.steps[place].preview)
                answer = grown(answer, done=message.done, note=message.note, preview=shown)
            elif isinstance(message, _Handed):
                answer = replace(answer, blocks=answer.blocks[:first])
                answer = grown(answer, job=str(message.job))
            else:
                new = _opened(assistant, wanted, step, message, first=len(answer.blocks) == first)
                answer = replace(grown(answer, preview=""), blocks=(*answer.blocks, *new))
            yield answer
        state: dict[str, Any] = {"blocks": len(answer.blocks) - first, "note": ""}
        if not (answer.steps[place].job and assistant.serves):  # else it goes on by itself
            manifest = {"tool": tool.name, "arguments": dict(wanted.told[place]), "made": _now()}
            runs.complete(folder, manifest)
            state |= {"status": "done", "done": 1.0}
            made[place + 1] = made_by(answer.blocks[first:])
        yield grown(answer, **state)
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


def _checked(tool: Tool, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments as the tool wants them.

    Raises:
        ToolFailed: one is wrong.
        NotBuiltYet: no argument will do.
    """
    if not tool.card.built:
        raise NotBuiltYet(tool.name)
    # A file of an earlier step may stand where a name is wanted, such as that of an adapter.
    named = {
        name: str(value) if isinstance(value, Path) and _is_text(tool, name) else value
        for name, value in arguments.items()
    }
    return tool.check(named)


def _is_text(tool: Tool, name: str) -> bool:
    parameter = tool.parameters.get(name)
    return parameter is not None and parameter.annotation in (str, str | None)


def _grown(answer: Answer, *, place: int, started: float, **changes: Any) -> Answer:
    """The answer with a step's state changed, and its time as it is now."""
    if changes.get("status", "running") != "running":
        changes["preview"] = ""
    return _changed(answer, place, seconds=time.monotonic() - started, **changes)


def _changed(answer: Answer, place: int, **changes: Any) -> Answer:
    state = replace(answer.steps[place], **changes)
    return replace(answer, steps=(*answer.steps[:place], state, *answer.steps[place + 1 :]))


@dataclass(frozen=True)
class _Run:
    """One run of a step's tool."""

    tool: Tool
    arguments: Mapping[str, Any]
    folder: runs.RunFolder
    stop: threading.Event


def _said(
    assistant: Assistant, wanted: Wanted, place: int, answer: Answer, run: _Run
) -> Iterator[Progress | Block | _Handed]:
    """What a tool says; what is too long for a turn goes on as a job, here or in the background."""
    question = wanted.question
    call = Call(
        run.tool,
        run.arguments,
        question.owner,
        run.folder,
        question.agreement,
        run.stop,
        jobs=assistant.jobs.of(question.owner),
        before=wanted.before,
    )
    call = paying.with_purse(
        assistant, call, _wish(assistant, question, answer, run), f"{place}", answer.conversation
    )
    try:
        for message in messages(assistant, call):
            if isinstance(message, Measurement):
                assistant.store.add_measurement(question.owner, message)
            else:
                yield message
    except TakesLong:
        number = _submitted(assistant, question, place, answer, run)
        yield _Handed(number)
        if assistant.serves:
            yield Text(say("job_started", wanted.language, number=str(number)))
            return
        assistant.jobs.start(only=number)
        yield from assistant.jobs.follow(question.owner, number)


def _wish(assistant: Assistant, question: Question, answer: Answer, run: _Run) -> str:
    """What tells this asking from others, for whoever is paid for it."""
    if not answer.turn:
        return run.folder.id
    return paying.asked_in(assistant.store.turn(question.owner, answer.conversation, answer.turn))


def _submitted(
    assistant: Assistant, question: Question, place: int, answer: Answer, run: _Run
) -> int:
    """The number of the job that a step becomes; the same answer twice makes one job."""
    request = run.folder.id
    if answer.turn:
        turn = assistant.store.turn(question.owner, answer.conversation, answer.turn)
        request = f"{turn.conversation}:{turn.number}:{len(turn.answers)}:{place}"
    return assistant.jobs.submit(
        question.owner,
        run.tool.name,
        run.arguments,
        question.agreement,
        request=request,
        turn=(answer.conversation, answer.turn, place),
    )


def _opened(
    assistant: Assistant, wanted: Wanted, step: Step, block: Block, *, first: bool
) -> tuple[Block, ...]:
    """A block; the first one of a step after a sentence in the person's language."""
    said = lead(step.tool, block, wanted.language, assistant.catalog) if first else ()
    return (*(grounding.checked(one, assistant.names) for one in said), block)


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


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
