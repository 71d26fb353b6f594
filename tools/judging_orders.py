"""Judges a claimed order: of two systems, or of one among all of its kind."""

import re
from collections.abc import Iterator

from index.card import Card
from index.evidence import Fact
from index.properties import properties
from tools.base import Context
from tools.dossiers import value
from tools.judging import Judgement, believed, is_number
from tools.statements import Number, Order, Statement

_SAME_SIZE = re.compile(r"^\d+ px(, |$)")
_AGREEING = 0.8  # share of the conditions that must agree on an order
_SAME = 0.02  # share by which equal values may differ
_ABOUT = 0.10  # how far "about" reaches


def compared(ctx: Context, statement: Statement) -> Judgement | None:
    """Whether the first system comes before the second in everything that is claimed."""
    first, second = statement.systems[:2]
    times = next((n for n in statement.numbers if n.quantity.unit == "runs"), None)
    judged = [_ordered(ctx, first, second, order, times) for order in statement.comparisons]
    if any(one is None for one in judged):
        return Judgement(None, ())
    told = [one for one in judged if one]
    facts = tuple(fact for one in told for fact in one.facts)
    unknown = any(one.verdict is None for one in told)
    wrong = [one for one in told if one.verdict is False]
    if wrong:
        facts = tuple(fact for one in wrong for fact in one.facts)
    verdict = None if unknown and not wrong else not wrong
    return Judgement(verdict, facts)


def _is_ratio(times: Number, one: Fact, other: Fact) -> bool:
    """Whether one value is so many times the other."""
    low, high = sorted((value(one), value(other)))
    ratio, claimed = high / low if low else 0.0, times.quantity.value
    if times.bound == "about":
        return abs(ratio - claimed) <= _ABOUT * claimed
    bounds = {"least": ratio >= claimed, "over": ratio > claimed,
              "most": ratio <= claimed, "under": ratio < claimed}  # fmt: skip
    return bounds.get(times.bound, abs(round(ratio, times.decimals) - claimed) < 1e-9)


def _ordered(
    ctx: Context, first: str, second: str, order: Order, times: Number | None = None
) -> Judgement | None:
    """Compares under the same conditions; most of them must agree."""
    for name in order.properties:
        pairs = _pairs(ctx, first, second, name)
        if not pairs:
            continue
        right = [_is_so(a, b, name, order.direction) for a, b in pairs]
        share = sum(right) / len(right)
        verdict = True if share >= _AGREEING else False if share <= 1 - _AGREEING else None
        if times is not None and verdict:
            verdict = _is_ratio(times, *pairs[0])
        shown = next(pair for pair, one in zip(pairs, right, strict=True) if one == (share >= 0.5))
        return Judgement(verdict, shown)
    return None


def _is_so(first: Fact, second: Fact, name: str, direction: str) -> bool:
    one, other = value(first), value(second)
    if direction == "equal":
        return abs(one - other) <= _SAME * max(one, other)
    return one != other and (one < other) == _wants_lower(name, direction)


def _wants_lower(name: str, direction: str) -> bool:
    if direction in ("lower", "higher"):
        return direction == "lower"
    return (properties()[name].better == "lower") == (direction == "better")


def _pairs(ctx: Context, first: str, second: str, name: str) -> list[tuple[Fact, Fact]]:
    """Facts of both under the same condition; the input size may differ if it is never shared."""
    mine = [f for f in believed(ctx.evidence.find(first, name)) if is_number(f)]
    other = [f for f in believed(ctx.evidence.find(second, name)) if is_number(f)]
    for key in (_whole, _machine):
        pairs = [(a, b) for a in mine for b in other if key(a) == key(b)]
        if pairs:
            return pairs
    return [(mine[0], other[0])] if mine and other and name not in _TIMES else []


_TIMES = ("latency_ms", "images_per_second", "seconds_per_image")


def _whole(fact: Fact) -> str:
    return fact.at


def _machine(fact: Fact) -> str:
    return _SAME_SIZE.sub("", fact.at)


def extreme(ctx: Context, statement: Statement) -> Judgement | None:
    """Whether the first system is the extreme one of its kind or family."""
    system, order = statement.systems[0], statement.superlatives[0]
    card = ctx.catalog.get(system)
    if card is None:
        return None
    rivals = [rival for rival in _rivals(ctx, card, statement.words) if rival.id != system]
    for name in order.properties:
        mine = believed(ctx.evidence.find(system, name))
        if not mine:
            continue
        opposite = Order((name,), order.direction)
        for rival in rivals:
            judged = _ordered(ctx, rival.id, system, opposite)
            if judged and judged.verdict:
                return Judgement(False, judged.facts[::-1])
        return Judgement(True, (mine[0],), "No other card of its kind here goes beyond that.")
    return None


def _rivals(ctx: Context, card: Card, words: str) -> Iterator[Card]:
    family = card.family.lower() if card.family else ""
    within = bool(family) and (family in words or "family" in words)
    for rival in ctx.catalog.cards.values():
        alike = rival.tasks[0] == card.tasks[0] and rival.kind == card.kind
        if alike and rival.status != "withdrawn" and (not within or rival.family == card.family):
            yield rival
