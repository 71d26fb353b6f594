"""Questions with their right plans, as lessons for the router."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from assistant.fit_router import IGNORED, Lesson
from assistant.router import (
    AGAIN,
    CHOICES,
    LABELS,
    NONE,
    ROLES,
    SEVERAL,
    SPANS,
    TOOLS,
    Situation,
    kinds,
    situated,
)
from index.encoder import load_encoder
from index.gloss import Gloss, gloss
from index.names import Names
from index.quantities import number_of
from index.reader import tokens
from index.replies import DO
from index.topics import answered_by, topics

Row = Mapping[str, Any]
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*(?:e-?\d+)?")
_SCALES = (1, 0.01, 1000, 1e6, 0.001)  # "60 %", "2 cents", "3k", "5 million", "20 microseconds"
_OF_TOOL = {
    "jobs": ("action",), "recommend": ("task", "commercial", "offline"), "edit": ("mode",),
    "personalize": ("method",), "finetune": ("freeze",), "explain": ("before",),
}  # fmt: skip
_FIRST = {"action": "list"}
_POINTING = ("explain", "recommend")  # tools that may go on about the systems of the talk


def read_rows(path: Path) -> tuple[Row, ...]:
    """The rows of a file of JSON lines."""
    return tuple(map(json.loads, path.read_text(encoding="utf-8").splitlines()))


def read_texts(path: Path) -> tuple[Row, ...]:
    """The rows of a file of tool, attachments, text and, where known, the arguments in the text.

    Tabs stand between them; the arguments are JSON.
    """
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        tool, files, text, *said = line.split("\t")
        row: dict[str, Any] = {"tool": tool, "attachments": files.split(",") if files else []}
        rows.append({**row, "text": text, **({"said": json.loads(said[0])} if said else {})})
    return tuple(rows)


def lessons(row: Row, names: Names) -> Iterator[Lesson]:
    """What the router can learn from a row: the whole question, and each part of a plan.

    Args:
        row: the question with its right plan; or with the right tool alone.
        names: finds the systems that it names.
    """
    whole = gloss(row["text"], names)
    if "steps" not in row:
        yield _tool_alone(row, whole, names)
        return
    steps = row["steps"]
    tool = (
        row.get("tool", "") if row["outcome"] == "clarify" else steps[0]["tool"] if steps else NONE
    )
    situation = replace(situation_of(row, names), kinds=kinds(whole, names))
    starts = _starts(whole, row.get("parts", ()))
    if len(steps) > 1 and not starts:
        if len({step["tool"] for step in steps}) > 1:
            return
        steps = steps[:1]  # "onnx and openvino too": one wish, in several ways
    labels = _labels(tool, row, whole) if len(steps) < 2 else (LABELS.index(SEVERAL),)
    if labels:
        yield _lesson(whole, situation, labels, steps, starts)
    if len(steps) > 1:
        yield from _parts(row, whole, situation, starts, names)


def _tool_alone(row: Row, whole: Gloss, names: Names) -> Lesson:
    """A lesson about the tool, what the question is after, and its arguments; as far as known."""
    situation = replace(situation_of(row, names), kinds=kinds(whole, names))
    tool = row.get("tool", "")
    if "said" in row:
        step = {"tool": tool, "arguments": row["said"]}
        return _lesson(whole, situation, (LABELS.index(tool),), [step], ())
    right = [tool, *row.get("also", ()), *([AGAIN] if tool == situation.last else ())]
    labels = tuple(map(LABELS.index, right)) if tool else ()
    count = len(tokens(load_encoder(), whole.text, situation.before_it).ids)
    # Nothing is pointed to by what stands alone; of what may stand in a talk it may be unknown.
    points = row.get("points", False)
    known = tool in _POINTING and points is not None
    choices = {"before": CHOICES["before"].index(points or None)} if known else {}
    after = tuple(map(topics().index, row.get("topics", ())))
    unmarked = (IGNORED,) * count, (False,) * count
    return Lesson(
        whole, situation, labels, *unmarked, choices, after or _of_tools(labels), not after
    )


def _of_tools(labels: Iterable[int]) -> tuple[int, ...]:
    """What questions for some tools may be after."""
    tools = {LABELS[place] for place in labels} - {AGAIN, SEVERAL}
    after = {topic for tool in tools for topic in answered_by().get(tool, (DO,))}
    return tuple(place for place, topic in enumerate(topics()) if topic in after)


def _parts(
    row: Row, whole: Gloss, situation: Situation, starts: Sequence[int], names: Names
) -> Iterator[Lesson]:
    """A lesson for each part of a question of several steps."""
    steps = iter(row["steps"])
    bounds = [0, *starts, len(row["text"])]
    last, said = situation.last, situation.said
    counts = row.get("counts", [1] * (len(starts) + 1))
    for place, count in enumerate(counts):
        own = [next(steps) for _ in range(count)]
        part = whole.part(bounds[place], bounds[place + 1])
        here = replace(situation, last=last, said=said, later=place > 0, kinds=kinds(part, names))
        last, said = own[-1]["tool"], part.text
        if part.pieces:
            yield _lesson(part, here, (LABELS.index(own[0]["tool"]),), own, ())


def _starts(whole: Gloss, parts: Sequence[str]) -> list[int]:
    """The first characters of the later parts of a question."""
    at, found = 0, []
    for part in parts:
        at = whole.question.find(part.strip(), at)
        if at < 0:
            return []
        found.append(at)
        at += len(part.strip())
    return found[1:]


def situation_of(row: Row, names: Names) -> Situation:
    """What is known beside the words of a row."""
    history = row.get("history", ())
    said = [turn["text"] for turn in history if turn["role"] == "user"]
    return situated(
        [str(name).partition(":")[0] for name in row.get("attachments", ())],
        sum(len(turn.get("attachments", ())) for turn in history),
        row.get("last", ""),
        history[-1]["text"] if history else "",
        gloss(said[-1], names).text if said else "",
    )


def _labels(tool: str, row: Row, whole: Gloss) -> tuple[int, ...]:
    """The labels that are right: the tool, or "again" if it is that of the turn before."""
    if not tool:
        return ()
    tools = [LABELS.index(name) for name in (tool, *row.get("also", ()))]
    if tool != row.get("last") or tool not in TOOLS:
        return tuple(tools)
    said = row["steps"][0]["arguments"] if row["steps"] else {}
    carried = any(
        isinstance(value, str)
        and name in ("prompt", "model", "class_noun", "format")
        and value.lower() not in row["text"].lower()
        and not _is_named(value, whole)
        for name, value in said.items()
    )
    return (LABELS.index(AGAIN),) if carried else (*tools, LABELS.index(AGAIN))


def _is_named(value: str, whole: Gloss) -> bool:
    return any(mention.system == value for mention in whole.mentions)


def _lesson(
    gloss: Gloss,
    situation: Situation,
    labels: tuple[int, ...],
    steps: Sequence[Row],
    starts: Iterable[int],
) -> Lesson:
    read = tokens(load_encoder(), gloss.text, situation.before_it)
    spans = read.spans
    roles = [IGNORED if before else 0 for before in read.before]
    for step in steps:
        for name, value in step["arguments"].items():
            _mark(roles, spans, gloss, name, value)
    places = {gloss.place(start) for start in starts}
    begins = tuple(any(first <= p < last for p in places) for first, last in spans)
    choices, after = _choices(steps, gloss), _of_tools(labels)
    return Lesson(gloss, situation, labels, tuple(roles), begins, choices, after)


def _choices(steps: Sequence[Row], gloss: Gloss) -> dict[str, int]:
    """Places of the right values of the arguments with few values, of one step."""
    if len(steps) != 1:
        return {}
    said = dict(steps[0]["arguments"])
    if not all(_is_named(system, gloss) for system in said.get("systems", ())):
        said["before"] = True
    found = {}
    for name in _OF_TOOL.get(steps[0]["tool"], ()):
        value = said.get(name, _FIRST.get(name))
        if value in CHOICES[name]:
            found[name] = CHOICES[name].index(value)
    return found


def _mark(
    roles: list[int], spans: Sequence[tuple[int, int]], gloss: Gloss, name: str, value: Any
) -> None:
    if name in SPANS and isinstance(value, str):
        at = gloss.question.lower().find(value.lower())
        if at >= 0:
            _fill(roles, spans, gloss, at, at + len(value), ROLES.index(name))
    elif name in ("width", "height") or name in ROLES:
        role = ROLES.index("size" if name in ("width", "height") else name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            _mark_number(roles, spans, gloss, role, float(value))


def _fill(
    roles: list[int],
    spans: Sequence[tuple[int, int]],
    gloss: Gloss,
    start: int,
    end: int,
    role: int,
) -> None:
    """Gives a role to the tokens that come from a part of the question."""
    for place, (first, last) in enumerate(spans):
        if last > first:
            begin, over = gloss.original(first, last)
            if start <= begin and over <= end:
                roles[place] = role


def _mark_number(
    roles: list[int], spans: Sequence[tuple[int, int]], gloss: Gloss, role: int, value: float
) -> None:
    """Gives a role to the number that has this value; to none if several have."""
    found = [
        match
        for match in _NUMBER.finditer(gloss.text)
        if any(abs(number_of(match[0]) * scale - value) < 1e-9 * max(1, value) for scale in _SCALES)
    ]
    unknown = len({match[0] for match in found}) > 1 or (
        len(found) > 1 and role != ROLES.index("size")
    )
    for match in found:
        for place, (first, last) in enumerate(spans):
            if match.start() <= first and last <= match.end() and last > first:
                roles[place] = IGNORED if unknown else role
