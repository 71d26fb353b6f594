"""Judges a claimed order: of systems, or of one among all of its kind."""

import re
import statistics
from collections.abc import Iterator, Sequence

from index.card import Card
from index.evidence import Fact
from index.properties import properties
from tools import wording
from tools.base import Context
from tools.dossiers import value
from tools.judging import HARDWARE, Judgement, agrees, believed, in_unit, is_number
from tools.orders import Order
from tools.statements import Number, Statement

_SAME_SIZE = re.compile(r"^\d+ px(, |$)")
_AGREEING = 0.8  # share of the conditions that must agree on an order
_SAME = 0.02  # share by which equal values may differ
_ABOUT = 0.10  # how far "about" reaches, and how exact "three times" is
_PLAINLY = 1.5  # ratio of typical times on one machine that other settings do not turn round
_POINT = 0.01  # how exact "20 % cheaper" is
_NEAR = 24  # characters between a number and the order that it measures
_TIMES = ("latency_ms", "images_per_second", "seconds_per_image")
_ODD = re.compile(r"batch of|fp32|\d x |encoding alone|denoising alone|requests")


def compared(ctx: Context, statement: Statement) -> Judgement:
    """Whether all that is claimed of systems against others holds."""
    return both([_one(ctx, statement, order) for order in statement.comparisons])


def both(judged: Sequence[Judgement]) -> Judgement:
    """Several judgements as one: false if one is, else unverifiable if one is."""
    wrong = [one for one in judged if one.verdict is False]
    open_ = [one for one in judged if one.verdict is None]
    kept = wrong or open_ or judged
    facts = tuple(dict.fromkeys(fact for one in kept for fact in one.facts))
    note = next((one.note for one in kept if one.note), "")
    return Judgement(kept[0].verdict if kept else None, facts, note)


def _one(ctx: Context, statement: Statement, order: Order) -> Judgement:
    """One order; unverifiable if it names none to compare with, or nothing is known of one."""
    if not order.first or not order.others:
        return Judgement(None, ())
    measure = _measure(statement, order)
    told = [_ordered(ctx, order.first, other, order, measure) for other in order.others]
    if any(one is None for one in told):
        return Judgement(None, ())
    found = both([one for one in told if one])
    return _denied(found) if order.negated else found


def _denied(found: Judgement) -> Judgement:
    denied = None if found.verdict is None else not found.verdict
    return Judgement(denied, found.facts, found.note)


def measures(statement: Statement) -> set[Number]:
    """The numbers that say by how much an order holds."""
    found = (_measure(statement, order) for order in statement.comparisons)
    return {number for number in found if number}


def _measure(statement: Statement, order: Order) -> Number | None:
    """The number that says by how much: "3 times smaller", "2 cents cheaper"."""
    near = (n for n in statement.numbers if -2 <= order.start - n.quantity.end <= _NEAR)
    after = (n for n in statement.numbers if statement.words[: n.quantity.start].endswith("by "))
    return next(iter((*near, *after)), None)


def _ordered(
    ctx: Context, first: str, second: str, order: Order, measure: Number | None = None
) -> Judgement | None:
    """Compares under the same conditions; most of them must agree."""
    for name in order.properties:
        if order.direction == "same":
            return _same(ctx, first, second, name)
        pairs = _pairs(ctx, first, second, name)
        if not pairs:
            continue
        right = [_is_so(a, b, name, order.direction) for a, b in pairs]
        share = sum(right) / len(right)
        verdict = True if share >= _AGREEING else False if share <= 1 - _AGREEING else None
        if measure is not None and verdict:
            verdict = _is_by(measure, *pairs[0])
        shown = next(pair for pair, one in zip(pairs, right, strict=True) if one == (share >= 0.5))
        return Judgement(verdict, shown)
    return None


def _same(ctx: Context, first: str, second: str, name: str) -> Judgement | None:
    """Whether both state the same in words."""
    mine, other = (believed(ctx.evidence.find(system, name)) for system in (first, second))
    if not mine or not other:
        return None
    same = {str(wording.truth(f)) for f in mine} & {str(wording.truth(f)) for f in other}
    return Judgement(bool(same), (mine[0], other[0]))


def _is_by(measure: Number, one: Fact, other: Fact) -> bool | None:
    """Whether the values lie as far apart as is claimed: times, percent, or in their unit."""
    first, second = value(one), value(other)
    low, high = sorted((first, second))
    unit, claimed = measure.quantity.unit, measure.quantity.value
    if unit == "runs":
        ratio = high / low if low else 0.0
        outright = measure.bound or abs(ratio - claimed) <= _ABOUT * claimed
        return bool(outright) and agrees(measure, ratio)
    if unit == "%" and one.unit != "%":
        share = (high - low) / (high if first < second else low) if low else 0.0
        return abs(share - claimed / 100) <= _POINT
    if not unit:
        return agrees(measure, high - low)  # "2 points more"
    return agrees(measure, high - low, one) if in_unit(measure, one) is not None else None


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
    """Facts of both under the same condition; the input size may differ if it is never shared.

    Without a shared condition, the typical times on one machine count if they lie far apart.
    """
    mine = [f for f in believed(ctx.evidence.find(first, name)) if is_number(f)]
    other = [f for f in believed(ctx.evidence.find(second, name)) if is_number(f)]
    for key in (_whole, _machine):
        pairs = [(a, b) for a in mine for b in other if key(a) == key(b)]
        if pairs:
            return pairs
    if name in _TIMES:
        return _typical(mine, other)
    return [(mine[0], other[0])] if mine and other else []


def _typical(mine: Sequence[Fact], other: Sequence[Fact]) -> list[tuple[Fact, Fact]]:
    """The middle times of both on each machine that both name, where they lie far apart."""
    pairs = []
    for machine in sorted({m for fact in mine for m in HARDWARE.findall(fact.at.lower())}):
        both_ = [_middle(facts, machine) for facts in (mine, other)]
        if both_[0] and both_[1]:
            low, high = sorted((value(both_[0]), value(both_[1])))
            pairs += [(both_[0], both_[1])] if high >= _PLAINLY * low else []
    return pairs


def _middle(facts: Sequence[Fact], machine: str) -> Fact | None:
    own = [f for f in facts if machine in f.at.lower() and not _ODD.search(f.at)]
    if not own:
        return None
    middle = statistics.median_low(value(fact) for fact in own)
    return next(fact for fact in own if value(fact) == middle)


def _whole(fact: Fact) -> str:
    return fact.at


def _machine(fact: Fact) -> str:
    return _SAME_SIZE.sub("", fact.at)


# --- one among all
def extreme(ctx: Context, statement: Statement) -> Judgement | None:
    """Whether each system that is called an extreme is that one among its kind."""
    found = [_extreme(ctx, statement, order) for order in statement.superlatives]
    known = [one for one in found if one]
    return both(known) if known and len(known) == len(found) else None


def _extreme(ctx: Context, statement: Statement, order: Order) -> Judgement | None:
    card = ctx.catalog.get(order.first)
    if card is None:
        return None
    others = [ctx.catalog.get(system) for system in order.others]
    rivals = [other for other in others if other] or list(_rivals(ctx, card, statement.words))
    for name in order.properties:
        mine = believed(ctx.evidence.find(card.id, name))
        if not mine:
            continue
        beyond = [
            judged.facts[::-1]
            for rival in rivals
            if rival.id != card.id
            and (judged := _ordered(ctx, rival.id, card.id, _of(order, name)))
            if judged.verdict
        ]
        right = (len(beyond) == order.place - 1) != order.negated
        shown = beyond[0] if beyond else (mine[0],)
        note = "" if beyond else "No other card of its kind here goes beyond that."
        return Judgement(right, shown, note)
    return None


def _of(order: Order, name: str) -> Order:
    return Order((name,), order.direction)


def _rivals(ctx: Context, card: Card, words: str) -> Iterator[Card]:
    family = card.family.lower() if card.family else ""
    within = bool(family) and (family in words or "family" in words or "sibling" in words)
    built = next((kind for kind, said in _BUILT.items() if re.search(said, words)), "")
    for rival in ctx.catalog.cards.values():
        alike = rival.tasks[0] == card.tasks[0] and rival.kind == card.kind
        if within and rival.kind == card.kind:
            alike = True
        how = str(next((c.truth for c in rival.claims if c.property == "architecture"), ""))
        alike = alike and rival.status != "withdrawn" and how.startswith(built)
        if alike and (not within or rival.family == card.family):
            yield rival


_BUILT = {
    "vision transformer": r"transformers?\b|\bvits?\b",
    "convolutional": r"convolution|\bcnns?\b|convnets?\b",
}
