"""What the batch commands do with one row, and what the model commands tell."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.answer import to_json
from assistant.ask import ask, call, decide, declined
from assistant.conversation import ME, Attachment, Exchange, Question, Step, told, understood
from assistant.plan import Asked, Clarify, Decline, steps_told
from assistant.plan import plan as make_plan
from assistant.settings import Settings
from assistant.steps import Assistant
from assistant.worker import Progress
from index.names import Names
from tools.base import Agreement, Text, Tool

_TRAINING = "train_pocket"
_POSITIONAL = {"recommend": "use_case", "verify": "claim"}


def answered(
    assistant: Assistant, row: Mapping[str, Any], tool: str, agreement: Agreement
) -> dict[str, Any]:
    """The answer to one row, by the router or by one tool."""
    images = tuple(Path(image) for image in row.get("images", ()))
    question = Question(row["text"], images, agreement=agreement)
    if tool:
        answers = call(assistant, tool, {_POSITIONAL[tool]: row["text"]}, question)
    else:
        answers = ask(assistant, question)
    return to_json(list(answers)[-1])


def planned(assistant: Assistant, row: Mapping[str, Any]) -> dict[str, Any]:
    """What would be done about one row, after what would have been done about its history."""
    past = exchanges_of(row.get("history", ()), assistant.names, assistant.tools)
    asked = Asked(row["text"], files_of(row), past)
    plan, answer = decide(assistant, Question(row["text"]), asked.files, past)
    found: dict[str, Any] = {"outcome": "run", "steps": [], "ask": None, "choices": []}
    if isinstance(plan, Clarify):
        found |= {"outcome": "clarify", "ask": plan.question, "choices": list(plan.choices)}
    elif isinstance(plan, Decline):
        found |= {"outcome": "decline", **declined(plan)}
    else:
        found["steps"] = steps_told(plan.steps, asked)
    found["hits"] = [{"id": hit.id, "score": round(hit.score, 4)} for hit in answer.hits]
    return found


def exchanges_of(
    history: Sequence[Mapping[str, Any]], names: Names, tools: Mapping[str, Tool]
) -> tuple[Exchange, ...]:
    """The turns of a history, each with what would have been done about it."""
    past: tuple[Exchange, ...] = ()
    for place, turn in enumerate(history):
        if turn["role"] != "user":
            continue
        reply = history[place + 1] if place + 1 < len(history) else {"role": "user"}
        said = reply["text"] if reply["role"] == "assistant" else ""
        asked = Asked(turn["text"], files_of(turn), past)
        plan = make_plan(asked, names, tools)
        steps = () if isinstance(plan, Decline) else _seen_later(plan.steps, asked)
        systems = tuple(dict.fromkeys(mention.system for mention in names.mentions(said)))
        waiting = isinstance(plan, Clarify)
        past = (*past, Exchange(turn["text"], asked.files, steps, said, (), systems, waiting))
    return past


def _seen_later(steps: Sequence[Step], asked: Asked) -> tuple[Step, ...]:
    """The steps of a turn as later turns point to them."""
    own, turn = len(asked.files), len(asked.past) + 1
    past = (*asked.past, Exchange(asked.text, asked.files))
    return tuple(
        Step(
            step.tool,
            {
                name: understood(told(value, own, asked.past), turn, past)
                for name, value in step.arguments.items()
            },
        )
        for step in steps
    )


def files_of(row: Mapping[str, Any]) -> tuple[Attachment, ...]:
    """The files that a row, or a turn of a history, names: `image` or `image:holiday.jpg`."""
    named = (str(name).partition(":") for name in row.get("attachments", ()))
    return tuple(Attachment(kind, name) for kind, _, name in named)


def availability(settings: Settings) -> list[dict[str, Any]]:
    """Every carded model that can be run by an engine: whether it is usable here, and why not."""
    from index.catalog import load
    from tools.models import Models

    keyed = settings.bfl_api_key is not None
    models = Models("cpu", settings.home, settings.offline, settings.audience, keyed=keyed)
    rows = []
    for card in load().cards.values():
        if card.run.engine in ("none", "training"):
            continue
        found = models.availability(card)
        rows.append(
            {
                "id": card.id,
                "licence": card.licence,
                "download_mb": card.run.download_mb,
                "memory_gib": card.run.memory_gib,
                "repository": card.run.repository,
                "usable": found.usable,
                "why": found.why,
                "how": found.how,
            }
        )
    return rows


def train(
    assistant: Assistant, arguments: Mapping[str, Any], report: Callable[[float, str], None]
) -> dict[str, Any]:
    """Trains a pocket model as a job, which this process follows; one that was cut off goes on.

    Args:
        assistant: the parts that answer.
        arguments: what the work `train_pocket` takes.
        report: told the share done and a line.

    Returns:
        Its measured figures.

    Raises:
        ToolFailed: it failed, or there is no recipe of that name.
        Stopped: it was paused or cancelled meanwhile.
    """
    number = _unfinished(assistant, arguments) or assistant.jobs.submit(
        ME, _TRAINING, arguments, Agreement(), request=uuid.uuid4().hex
    )
    assistant.jobs.start(only=number)
    figures: dict[str, Any] = {}
    for said in assistant.jobs.follow(ME, number):
        if isinstance(said, Progress):
            report(said.done, f"job {number}: {said.note}")
        elif isinstance(said, Text):
            figures |= said.data
    return figures


def _unfinished(assistant: Assistant, arguments: Mapping[str, Any]) -> int:
    """The number of a training with these arguments that was begun and is not done; 0 if none."""
    jobs = assistant.jobs.of(ME)
    for job in jobs.list():
        if job.tool == _TRAINING and job.arguments == arguments and job.state != "done":
            if job.state in ("paused", "failed"):
                jobs.act("resume" if job.state == "paused" else "retry", job.number)
            return job.number if job.state != "cancelled" else 0
    return 0
