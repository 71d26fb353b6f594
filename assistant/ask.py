"""The one straight pass from a question to its answer, which grows as it goes.

This is the only place where errors become words.
"""

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from assistant.answer import Answer, StepState
from assistant.arguments import use_case_limits
from assistant.beside import spread
from assistant.conversation import (
    Attachment,
    Exchange,
    Question,
    Step,
    Turn,
    agrees,
    objects,
    told,
)
from assistant.history import exchanges
from assistant.kept import from_kept, to_kept
from assistant.paying import asked_in
from assistant.plan import MOST, Asked, Clarify, Decline, Plan, Run, plan, steps_told
from assistant.remaking import drawn_before, told_recipes
from assistant.saying import say
from assistant.steps import Assistant, Wanted, run_steps
from assistant.store import StoreFailed, UnknownConversation
from assistant.uploads import Refused, Upload
from index.gloss import in_english
from tools.base import Block, Text
from tools.guiding import not_known

LONGEST = 20_000  # characters of a question; a longer one is a document, not a question
_HITS = 10
_OF_NAMED = ("compare", "benchmark")  # tools that are given names, and do not see the words
_EXAMPLE = "FLUX.1 [dev]"  # the system that an example names where none is talked about
_log = logging.getLogger(__name__)


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
        taken = _taken(assistant, arguments, question.owner)
        step = Step(tool, _filled(assistant, tool, taken), "It was called by name.")
        steps = spread((step,), assistant.names, f"{started}")
        wanted = Wanted(question, steps, [told(one.arguments, 0, ()) for one in steps])
        for grown in run_steps(assistant, wanted, answer, threading.Event()):
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


def _filled(assistant: Assistant, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments with the limits that a use case states in words."""
    if tool != "recommend" or set(arguments) != {"use_case"}:
        return arguments
    return arguments | use_case_limits(str(arguments["use_case"]), assistant.names)


def decide(
    assistant: Assistant,
    question: Question,
    files: tuple[Attachment, ...] = (),
    past: tuple[Exchange, ...] = (),
) -> tuple[Plan, Answer]:
    """What would be done about a question, without doing it."""
    english = in_english(question.text, assistant.names)
    asked = Asked(question.text, files, past)
    with ThreadPoolExecutor(1) as beside:  # the encoder and the router, each on a core of its own
        searched = beside.submit(assistant.index.search, english, _HITS)
        planned = plan(asked, assistant.names, assistant.tools)
        hits = searched.result()
    if isinstance(planned, Decline):
        told = next((one.systems[0] for one in reversed(past) if one.systems), "")
        card = assistant.catalog.get(told) if told else None
        planned = replace(planned, about=card.name if card else "")
    return planned, Answer(question.text, question.conversation, question.turn, "run", hits=hits)


def _answer(
    assistant: Assistant, question: Question, answer: Answer, stop: threading.Event
) -> Iterator[Answer]:
    if refusal := _refusal(question):
        yield replace(answer, outcome="clarify", ask=refusal)
        return
    try:
        uploads = [assistant.uploads.take(path, question.owner) for path in question.images]
        mask = assistant.uploads.take(question.mask, question.owner) if question.mask else None
    except Refused as refused:
        yield replace(_opened(assistant, question, answer, ()), outcome="clarify", ask=str(refused))
        return
    answer = _opened(assistant, question, answer, tuple(upload.path for upload in uploads))
    files = tuple(Attachment("image", upload.name, upload.path) for upload in uploads)
    files += (Attachment("mask", mask.name, mask.path),) if mask else ()
    turns = _before(assistant, answer, question.owner)
    question = _agreed(question, turns)
    past = exchanges(turns)
    if made := told_recipes(question.text, [upload.path for upload in uploads]):
        yield replace(answer, blocks=(*_notes(uploads), *made))
        return
    files, drawn = drawn_before(question.text, files, assistant.names)
    past = (*past, *drawn)
    planned, found = decide(assistant, question, files, past)
    if isinstance(planned, Run):
        turn = assistant.store.turn(question.owner, answer.conversation, answer.turn)
        asking = f"{turn.conversation}:{asked_in(turn)}"
        planned = replace(planned, steps=spread(planned.steps, assistant.names, asking))
    answer = replace(answer, hits=found.hits, blocks=_notes(uploads))
    told = steps_told(getattr(planned, "steps", ()), Asked(question.text, files, past))
    if not isinstance(planned, Run):
        yield _asked_back(answer, planned, told)
        return
    answer = replace(answer, blocks=(*answer.blocks, *_remarks(planned, question.text)))
    arguments = [step["arguments"] for step in told]
    running = (planned.steps, arguments, files, turns, planned.language, planned.before)
    yield from run_steps(assistant, Wanted(question, *running), answer, stop)


def _asked_back(
    answer: Answer, planned: Clarify | Decline, told: Sequence[Mapping[str, Any]]
) -> Answer:
    """The answer to what is not run: a question back, or what can be done instead."""
    if isinstance(planned, Decline):
        return replace(answer, outcome="decline", **declined(planned))
    waiting = tuple(StepState(step["tool"], step["arguments"]) for step in told)
    return replace(
        answer, outcome="clarify", ask=planned.question, choices=planned.choices, steps=waiting
    )


def _remarks(planned: Run, text: str) -> Iterator[Text]:
    """What is said before the steps: that there are too many, or that a system is not known."""
    if planned.parts > MOST:
        yield Text(say("too_many", planned.language, count=str(planned.parts), most=str(MOST)))
    if unknown := _unknown(planned.steps, text):
        yield Text(unknown)


def _before(assistant: Assistant, answer: Answer, owner: str) -> tuple[Turn, ...]:
    """The turns before the one that is being answered."""
    if answer.turn <= 1:
        return ()
    turns = assistant.store.turns(owner, answer.conversation)
    return tuple(turn for turn in turns if turn.number < answer.turn)


def _agreed(question: Question, turns: Sequence[Turn]) -> Question:
    """The question with the agreement that a plain yes gives to what was asked back."""
    last = from_kept(turns[-1].answers[-1]) if turns and turns[-1].answers else None
    if last and last.consent and agrees(question.text) and not objects(question.text):
        return replace(question, agreement=last.consent)
    return question


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
    if question.key:
        assistant.keys.keep(turn.conversation, question.key)
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


def _unknown(steps: Sequence[Step], text: str) -> str:
    """That systems which shall be compared or timed are not known; empty if all are."""
    return not_known(text) if any(step.tool in _OF_NAMED for step in steps) else ""


def _notes(uploads: Sequence[Upload]) -> tuple[Block, ...]:
    return tuple(Text(f"{upload.name}: {upload.note}.") for upload in uploads if upload.note)


def declined(plan: Decline) -> dict[str, Any]:
    """What is said where no tool fits, and what can be clicked instead."""
    language = plan.language
    offers = "; ".join(say(f"title_{name}", language) for name in plan.nearest)
    said = say("decline", language, offers=offers)
    if kind := say(f"kind_{plan.kind}", language) if plan.kind else "":
        said = f"{say('decline_would', language, kind=kind)} {said}"
    about = plan.about or _EXAMPLE
    choices = tuple(say(f"example_{name}", language, name=about) for name in plan.nearest)
    return {"ask": said, "choices": choices}
