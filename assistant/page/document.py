"""A conversation as a document to keep: Markdown for people, JSON for programs."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from assistant.answer import Answer
from assistant.conversation import Turn
from assistant.kept import from_kept, without_whole
from assistant.page.markdown import body, evidence, literal, reason, seconds_in_words
from tools.base import File, Image, Plot
from tools.recipe import caption


def as_markdown(title: str, turns: Sequence[Turn]) -> str:
    """Questions and answers with tables, steps, and evidence with its sources.

    Pictures are named, not held.
    """
    parts = [f"# {literal(title)}", *(part for turn in turns for part in _turn(turn))]
    return "\n\n".join(parts) + "\n"


def as_json(title: str, turns: Sequence[Turn]) -> str:
    """The turns, their answers as the command line gives them, oldest attempt first."""
    told = [
        {
            "turn": turn.number,
            "question": turn.question,
            "images": [image.name for image in turn.images],
            "asked": turn.asked,
            "answers": [without_whole(answer) for answer in turn.answers],
        }
        for turn in turns
    ]
    conversation = turns[0].conversation if turns else ""
    whole: dict[str, Any] = {"conversation": conversation, "title": title, "turns": told}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def file_name(title: str, ending: str) -> str:
    """A name for the document that every file system takes."""
    words = re.sub(r"[^\w]+", "-", title).strip("-").lower()
    return f"{words[:60].strip('-') or 'conversation'}.{ending}"


def _turn(turn: Turn) -> Iterator[str]:
    yield f"## {_quoted(turn.question)}"
    pictures = [
        f"![Picture {place}: {literal(image.name)}]({quote(image.name)})"
        for place, image in enumerate(turn.images, start=1)
    ]
    if pictures:
        yield " ".join(pictures)
    for attempt, kept in enumerate(turn.answers, start=1):
        if len(turn.answers) > 1:
            yield f"### Answer {attempt} of {len(turn.answers)}"
        yield from _answer(from_kept(kept))


def _answer(answer: Answer) -> Iterator[str]:
    if said := body(answer, _named):
        yield said
    if answer.choices:
        yield "\n".join(f"- {literal(choice)}" for choice in answer.choices)
    for step in answer.steps:
        took = f"Step: {step.tool}, {step.status}, {seconds_in_words(step.seconds)}"
        yield "\n\n".join(filter(None, (f"*{took}*", literal(step.error), reason(step))))
    if answer.evidence:
        yield f"**Evidence**\n\n{evidence(answer)}"


def _named(block: Image | Plot | File) -> str:
    name = block.path.name
    if isinstance(block, File):
        return f"[{literal(name)}]({quote(name)}) {literal(block.alt)}"
    words = literal(" ".join(block.alt.split()))
    if isinstance(block, Image) and "deleted" in block.metadata:
        return f"*{words}*"
    mark = caption(block.metadata) if isinstance(block, Image) else ""
    return f"![{words}]({quote(name)})" + (f" *{literal(mark)}*" if mark else "")


def _quoted(question: str) -> str:
    """The question as a heading; what is more than a line stands below it."""
    first, _, rest = literal(question.strip()).partition("\n")
    return f"{first}\n\n{rest}" if rest else first
