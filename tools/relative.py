"""A wish for more than the earlier choice has: cheaper, smaller, quicker, more accurate."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from index.evidence import Fact
from index.properties import properties
from tools import wording
from tools.choice import Choice
from tools.dossiers import value


@dataclass(frozen=True)
class _Wish:
    """What is wished for, the figures that show it, and whether less of them is more of it."""

    words: re.Pattern[str]
    figures: tuple[str, ...]
    less: bool = True


_WISHES = {
    "cheaper": _Wish(re.compile(r"\bcheaper\b|\bless (?:expensive|money)\b"), ("price",)),
    "smaller": _Wish(re.compile(r"\b(?:smaller|lighter|tinier)\b"), ("parameters",)),
    "quicker": _Wish(
        re.compile(r"\b(?:faster|quicker|speedier)\b"),
        ("latency_ms", "seconds_per_image", "steps"),
    ),
    "more accurate": _Wish(
        re.compile(r"\b(?:more|better) (?:accura\w+|precis\w+)\b"), ("top1",), less=False
    ),
    "content with less memory": _Wish(
        re.compile(r"\bless (?:v?ram|memory)\b"), ("memory_gib", "parameters")
    ),
}


_WORTH = 0.01  # share of the earlier figure that a gain must have to be one


@dataclass(frozen=True)
class Relative:
    """The answer to such a wish.

    Attributes:
        said: one or two sentences.
        cites: the figures in them.
        choice: what is more of it; none if nothing is.
    """

    said: str
    cites: tuple[Fact, ...]
    choice: Choice | None


def surpassing(now: str, fitting: Sequence[Choice], old: Choice) -> Relative | None:
    """What has more of what is wished for than the earlier choice; none if nothing is wished so.

    Args:
        now: the last words, in English.
        fitting: all that keep the limits, best first.
        old: the earlier choice.
    """
    words = now.lower()
    for word, wish in _WISHES.items():
        if not wish.words.search(words):
            continue
        if wish.figures == ("price",) and old.card.kind != "hosted":
            free = f"**{old.card.name}** has no price per picture where you run it yourself"
            return Relative(f"{free}, so nothing that fits is cheaper.", (), None)
        for name in wish.figures:
            if own := _figure(old, name):
                return _weighed(word, wish, name, own, fitting, old)
    return None


def _weighed(
    word: str, wish: _Wish, name: str, own: Fact, fitting: Sequence[Choice], old: Choice
) -> Relative:
    label = properties()[name].label
    for choice, fact in _others(name, fitting, old):
        gained = value(own) - value(fact) if wish.less else value(fact) - value(own)
        if gained >= _WORTH * value(own):
            better = f"**{choice.card.name}**, {label}: {wording.cell(fact)}"
            said = f"Then take {better} ({wording.source(fact)}). {old.card.name}, {label}:"
            return Relative(f"{said} {wording.cell(own)}.", (fact, own), choice)
    told = f"{label}: {wording.cell(own)} ({wording.source(own)})"
    said = f"Nothing that keeps your limits is {word} than **{old.card.name}**, {told}."
    return Relative(f"{said} That is by the figures known here.", (own,), None)


def _others(name: str, fitting: Sequence[Choice], old: Choice) -> Iterator[tuple[Choice, Fact]]:
    for choice in fitting:
        if choice is not old and (fact := _figure(choice, name)):
            yield choice, fact


def _figure(choice: Choice, name: str) -> Fact | None:
    """The figure of a system that counts for its use case."""
    if name.startswith("price") and choice.card.kind != "hosted":
        return None  # what somebody else charges for running it
    point = choice.found.point
    at_work = (point.top1, point.speed) if point else ()
    own = (fact for fact in at_work if fact and fact.property == name)
    return next(chain(own, choice.found.first(name)), None)
