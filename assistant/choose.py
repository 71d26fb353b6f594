"""Which tool a question is for, from what the network makes of it."""

from collections.abc import Mapping

import numpy as np

from assistant.router import AGAIN, LABELS, NONE, SEVERAL, TOOLS, Reading, Situation

_AGAIN = 0.05  # share of a tool's probability that is "once more" from which its arguments hold on
_DECLINED = 0.25  # probability of no tool from which a question is declined
_TELLS = ("explain", "compare", "verify")  # tools that tell of systems
_TALKS = (*_TELLS, "recommend", "benchmark")  # those after which a talk is about systems
# Where a talk goes on: the probability that what was told is pointed to, the joint one of _TELLS,
# and that of no tool, from which nothing of that counts.
_POINTS, _TELLING, _SURELY = 0.5, 0.25, 0.9
_CLOSE, _BOTH = 0.05, 0.8  # probabilities of two tools by which both may be meant


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
        chosen = _in_talk(chosen, best, reading) if situation.last in _TALKS else NONE
    return chosen, chosen == situation.last and again > _AGAIN * best[chosen]


def _in_talk(chosen: str, best: Mapping[str, float], reading: Reading) -> str:
    """No tool, though a talk about systems goes on: but where one tells of them, or is likelier."""
    points = float(reading.choices["before"][1]) >= _POINTS
    likely = best[NONE] < _SURELY and sum(best[name] for name in _TELLS) >= _TELLING
    return max(_TELLS, key=best.__getitem__) if chosen == NONE and (points or likely) else chosen


def close_tools(reading: Reading) -> tuple[str, ...]:
    """Two tools that a question may be for, one hardly likelier than the other; or none."""
    share = np.exp(reading.tools[: len(TOOLS)])
    first, second = np.argsort(share)[::-1][:2]
    near = share[first] - share[second] < _CLOSE and share[first] + share[second] > _BOTH
    return (TOOLS[first], TOOLS[second]) if near else ()
