"""Which tool a question is for, from what the network makes of it."""

import re

import numpy as np

from assistant.arguments.numbers import pictures_to_do
from assistant.router import AGAIN, LABELS, NONE, SEVERAL, TOOLS, Reading, Situation

_AGAIN = 0.05  # share of a tool's probability that is "once more" from which its arguments hold on
_DECLINED = 0.2  # probability of no tool from which a question is declined
_NEEDS = 0.2  # probability of a use case from which a first question that names no system is one
_CLOSE, _BOTH = 0.05, 0.9  # probabilities of two tools by which both may be meant

_HOW_LONG = re.compile(
    r"\bhow (?:long|much time|many (?:hours|minutes|seconds|days))\b"
    r"(?!.*\b(?:train|tun|learn|teach))"
)


def chosen_tool(reading: Reading, situation: Situation) -> tuple[str, bool]:
    """The likeliest tool, and whether it is the step before once more."""
    share = np.exp(reading.tools)
    share /= 1 - share[LABELS.index(SEVERAL)]
    again = float(share[LABELS.index(AGAIN)])
    best = {name: float(share[LABELS.index(name)]) for name in (*TOOLS, NONE)}
    if situation.last in best:
        best[situation.last] += again
    chosen = max(best, key=best.__getitem__)
    if best[NONE] >= _DECLINED:
        chosen = NONE
    opens = not situation.last and not situation.kinds
    if chosen == "explain" and opens and best["recommend"] >= _NEEDS:
        chosen = "recommend"  # "can AI draw a cake before I bake it?" tells what is wanted
    return chosen, chosen == situation.last and again > _AGAIN * best[chosen]


def close_tools(reading: Reading) -> tuple[str, ...]:
    """Two tools that a question may be for, one hardly likelier than the other; or none."""
    share = np.exp(reading.tools[: len(TOOLS)])
    first, second = np.argsort(share)[::-1][:2]
    near = share[first] - share[second] < _CLOSE and share[first] + share[second] > _BOTH
    return (TOOLS[first], TOOLS[second]) if near else ()


def timed_tool(tool: str, text: str) -> str:
    """The tool; a question for how long so many pictures take is answered by timing them."""
    asks = tool in ("explain", "jobs") and _HOW_LONG.search(text) and pictures_to_do(text)
    return "benchmark" if asks else tool
