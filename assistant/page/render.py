"""An answer as chat messages: Markdown throughout, so that it can be copied and folded whole."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from assistant.answer import Answer, StepState
from assistant.page.markdown import body, evidence, literal, reason, seconds_in_words
from tools.base import Block, File, Image, Plot
from tools.recipe import caption

Message = dict[str, Any]

_AS_JOB = {"running": "running", "waiting": "paused"}
_SHOWN = 2_000  # characters of a question that the page repeats


def user_message(text: str, pictures: Sequence[str]) -> Message:
    """The person's words, taken literally, and their pictures, numbered if there are several.

    Args:
        text: the question.
        pictures: addresses of its pictures on this server.
    """
    words = text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ... ({len(text):,} characters)"
    several = len(pictures) > 1
    seen = " ".join(
        _picture(address, f"Picture {place} of the question", str(place) if several else "")
        for place, address in enumerate(pictures, start=1)
    )
    content = "\n\n".join(filter(None, (seen, literal(words))))
    return {"role": "user", "content": content or "(empty)"}


def answer_messages(answer: Answer, earlier: Sequence[Answer], home: Path) -> list[Message]:
    """An answer with its tools and why, its evidence folded under it, and the answers it replaces.

    Args:
        answer: the answer, finished or still growing.
        earlier: older answers to the same question, oldest first.
        home: the folder that holds the files of answers.
    """
    file = partial(_file, home=home)
    messages = [_step(step, home, going=not answer.finished) for step in answer.steps]
    if not answer.finished and not any(step.status == "running" for step in answer.steps):
        messages.append(_fold("Looking it up", "", pending=True))
    if said := body(answer, file):
        messages.append({"role": "assistant", "content": said})
    if answer.finished and answer.evidence:
        messages.append(_fold(_evidence_title(answer), evidence(answer)))
    for place, old in enumerate(reversed(earlier)):
        title = "Earlier answer" if not place else f"Earlier answer, {place + 1} back"
        messages.append(_fold(title, _whole(old, home)))
    if answer.finished and answer.choices and messages:
        messages[-1]["options"] = [{"value": choice} for choice in answer.choices]
    return messages


def made(blocks: Sequence[Block], home: Path) -> str:
    """What a job has made, and the facts behind it, as Markdown.

    Args:
        blocks: what it has made so far.
        home: the folder that holds the files.
    """
    answer = Answer("", "", 0, "run", blocks=tuple(blocks))
    behind = f"### Evidence\n\n{evidence(answer)}" if answer.evidence else ""
    said = body(answer, partial(_file, home=home))
    return "\n\n".join(filter(None, ("### Made so far" if said else "", said, behind)))


def address(path: Path, home: Path) -> str:
    """Where the page finds a file of an answer; empty if it does not lie in the home.

    The owner's folder is left out: the server takes it from who asks, never from the address.
    """
    if not path.is_relative_to(home):
        return ""
    kind, _, *rest = path.relative_to(home).parts
    return quote("/".join(("files", kind, *rest)))


def _fold(title: str, content: str, *, pending: bool = False) -> Message:
    status = "pending" if pending else "done"
    return {
        "role": "assistant",
        "content": content,
        "metadata": {"title": title, "status": status},
    }


def _step(step: StepState, home: Path, *, going: bool) -> Message:
    title = f"{step.tool} · {_standing(step)}"
    running = step.status == "running" and (going or not step.job)
    if step.why and not running:
        title += " · why this tool?"
    progress = f"{step.done:.0%} {literal(step.note)}".strip() if running else ""
    seen = address(Path(step.preview), home) if running and step.preview else ""
    preview = _picture(seen, "The picture as it forms") if seen else ""
    lines = (progress, preview, literal(step.error), "" if running else reason(step))
    return _fold(title, "\n\n".join(filter(None, lines)), pending=running)


def _standing(step: StepState) -> str:
    """How far a step is; one that is a job goes on after its answer is finished."""
    if step.job and step.status in _AS_JOB:
        if step.status == "running" and not step.done:
            return f"job {step.job} waits to begin"
        return f"job {step.job} is {_AS_JOB[step.status]} · {step.done:.0%}"
    took = f" · {seconds_in_words(step.seconds)}" if step.seconds else ""
    return f"{step.status}{took}"


def _evidence_title(answer: Answer) -> str:
    facts = len(answer.evidence)
    counted = f"{facts} fact" if facts == 1 else f"{facts} facts"
    return f"Evidence · {counted} · answered in {seconds_in_words(answer.seconds)}"


def _whole(answer: Answer, home: Path) -> str:
    """An answer that another one has replaced, in one piece."""
    steps = ", ".join(f"{step.tool} ({step.status})" for step in answer.steps)
    behind = evidence(answer) if answer.evidence else ""
    said = body(answer, partial(_file, home=home))
    return "\n\n".join(filter(None, (f"*{steps}*" if steps else "", said, behind)))


def _file(block: Image | Plot | File, home: Path) -> str:
    where = address(block.path, home)
    match block:
        case Image():
            return _picture(where, block.alt, mark=caption(block.metadata))
        case Plot():
            return _picture(f"{where}#plot", block.alt)
        case File():
            return f"[{literal(block.path.name)}]({where}) {literal(block.alt)}"


def _picture(where: str, alt: str, number: str = "", mark: str = "") -> str:
    """A picture that opens on a click, with its number in a corner or a mark under it."""
    words = literal(" ".join(f"{alt} ({mark})".split() if mark else alt.split()))
    if not where:
        return f"*{words}*"
    face = f" **{number}**" if number else f" *{literal(mark)}*" if mark else ""
    return f"[![{words}]({where}){face}]({where})"
