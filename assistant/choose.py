"""Which tool a question is for, from what the network makes of it."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from assistant.arguments.numbers import pictures_to_do
from assistant.arguments.own_words import JOINS
from assistant.asides import quoted
from assistant.router import (
    AGAIN,
    CHOICES,
    LABELS,
    NONE,
    SEVERAL,
    TOOLS,
    Reading,
    Situation,
    load_router,
)
from index.gloss import Gloss
from index.topics import Topic
from tools import runs_here
from tools.needs import group
from tools.told import task_told

_MORE = 0.5  # probability that a use case goes on from which it does
_AGAIN = 0.05  # share of a tool's probability that is "once more" from which its arguments hold on
_DECLINED = 0.15  # probability of no tool from which a question is declined
_NEEDS = 0.2  # probability of a use case from which a first question that names no system is one
_AFTER, _LEAST = 0.5, 1e-9  # what the topic weighs beside the tool; no probability is below it
_ACTS = ("jobs", "finetune", "export", "benchmark", "personalize")
_WORDY = ("explain", "help", "recommend", "verify", "compare")  # nothing is lost by a wrong one
_CLOSE, _BOTH = 0.05, 0.9  # probabilities of two tools by which both may be meant

_SAME = re.compile(
    r"\bsame (?:settings?|knobs|sizes?|seed|prompt|parameters|everything|model|again|as before)\b"
)
# Pictures that go together into one new picture.
_TOGETHER = re.compile(
    rf"\b{JOINS} (?:these|those|the|both|my|all)(?: of)?"
    r"(?: two| three| four| five| six| \d)? (?:images?|pictures?|photos?|drawings?)\b"
    r"|\bus(?:e|ing) .{0,40}\bas (?:references\b|(?:style|pose|pattern|subject) references?\b)"
)
_HOW_LONG = re.compile(
    r"\bhow (?:long|much time|many (?:hours|minutes|seconds|days))\b"
    r"(?!.*\b(?:train|tun|learn|teach))"
)


def chosen_tool(reading: Reading, situation: Situation, words: str = "") -> tuple[str, bool]:
    """The likeliest tool, and whether it is the step before once more.

    Args:
        reading: what the network makes of a question.
        situation: what is known beside it.
        words: the question in plain English.
    """
    share = np.exp(reading.tools)
    share /= 1 - share[LABELS.index(SEVERAL)]
    again = float(share[LABELS.index(AGAIN)])
    heard = {name: float(share[LABELS.index(name)]) for name in (*TOOLS, NONE)}
    if situation.last in heard:
        heard[situation.last] += again
    files = situation.images or situation.archives or situation.masks
    best = heard if files else _weighed(heard, reading.topic)  # words alone tell no topic of files
    chosen = max(best, key=best.__getitem__)
    if best[NONE] >= _DECLINED:
        chosen = NONE
    opens = not situation.last and not situation.kinds
    if chosen == "explain" and opens and best["recommend"] >= _NEEDS:
        chosen = "recommend"  # "can AI draw a cake before I bake it?" tells what is wanted
    same = chosen == situation.last and again > _AGAIN * best[chosen]
    return chosen, same or _SAME.search(words) is not None


def _weighed(heard: Mapping[str, float], topic: Topic) -> dict[str, float]:
    """The probabilities of the tools, in part by what the message is after.

    Its topic tells which of the tools of `answered_by` answers it, or that it is after work; which
    work, and what no topic tells, is left to `heard`.
    """
    works = sum(share for name, share in heard.items() if name not in topic.answered)
    known = topic.work + sum(topic.answered.values())
    told = {name: topic.work * share / max(works, _LEAST) for name, share in heard.items()}
    told |= topic.answered
    return {name: share + _AFTER * (told[name] - known * share) for name, share in heard.items()}


def ordered_tool(reading: Reading, words: Gloss, situation: Situation) -> tuple[str, bool]:
    """The tool for some words, and whether it is the step before once more.

    What is quoted in them is told, not ordered.
    """
    if situation.images > 1 and _TOGETHER.search(words.text):
        return "edit", False
    ordered = chosen_tool(reading, situation, words.text)
    outside = words.without(quoted(words.question))
    if ordered[0] not in _ACTS or len(outside.pieces) == len(words.pieces):
        return ordered
    if not outside.pieces:
        return NONE, False
    return chosen_tool(load_router().read(outside, situation), situation)


def close_tools(reading: Reading) -> tuple[str, ...]:
    """Two tools that a question may be for, one hardly likelier than the other; or none."""
    share = np.exp(reading.tools[: len(TOOLS)])
    first, second = np.argsort(share)[::-1][:2]
    near = share[first] - share[second] < _CLOSE and share[first] + share[second] > _BOTH
    both = (TOOLS[first], TOOLS[second])
    return both if near and not set(both) <= set(_WORDY) else ()


def timed_tool(tool: str, text: str) -> str:
    """The tool; a question for how long so many pictures take is answered by timing them."""
    asks = tool in ("explain", "jobs") and _HOW_LONG.search(text) and pictures_to_do(text)
    return "benchmark" if asks else tool


def placed_tool(tool: str, words: str) -> str:
    """The tool; which FLUX models run on this very machine is answered as advice.

    Args:
        tool: the likeliest by the network.
        words: of the person, with the names as they wrote them.
    """
    return "recommend" if runs_here.asks(words) else tool


def is_more(words: Gloss, reading: Reading, carried: Mapping[str, Any]) -> bool:
    """Whether a use case goes on, and is no new one, such as one of another kind of task.

    Args:
        words: the question.
        reading: what the network makes of it.
        carried: the arguments of the earlier advice.
    """
    before = str(carried.get("use_case", "")).lower()
    task = task_told(words.named.lower(), plainly=True)
    earlier = carried.get("task") or task_told(before)
    likely = CHOICES["task"][int(reading.choices["task"].argmax())]
    if task and likely and earlier and group(earlier) not in (group(task), group(likely)):
        return False
    return words.is_short or bool(reading.choices["before"][1] >= _MORE)
