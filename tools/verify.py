"""The tool `verify`: whether a claim about systems is true, with the right value and its source."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from index.card import Card
from index.evidence import Claim, Fact, Measurement
from index.properties import properties
from tools import wording
from tools.base import Block, Context, NeedsInput, Table, Text, ToolCard
from tools.guiding import advice
from tools.judging import Judgement, believed, numeric
from tools.judging_dates import dated
from tools.judging_orders import both, compared, extreme, measures
from tools.judging_prices import priced, sized
from tools.judging_words import repeated, worded
from tools.naming import each_named, full_names, is_deictic
from tools.statements import Statement, read_statement
from tools.vocabulary import pattern, vocabulary

if TYPE_CHECKING:  # `--help` must not wait for what it imports
    from index.ranker import Ranked

CARD = ToolCard(
    title="Check a claim",
    summary="Says whether a claim about a model is true, with the right value and its source.",
    examples=(
        "Is it true that convnext_femto is smaller than MobileNetV3?",
        "They say FLUX.1 dev is free for commercial use, is that right?",
        "Check this claim: schnell needs one step",
        "Fact check: FLUX.1 pro is free",
        "Someone told me the model has 4.7 million parameters, true or false?",
        "Can you verify that SDXL Turbo needs only one step?",
        "true or false: it runs in 8 GB",
        "I read on a blog that convolutions beat every transformer, can that be correct?",
        "My colleague insists that it may be used in paid work. Is he right?",
        "Am I right that it was trained on ImageNet-21k?",
        "A vendor claims that his model reaches 90 percent, should I believe it?",
        "Is the following claim correct: it costs 7 cents a picture",
        "Really? Is mobilenetv4 truly faster than resnet50, as they say?",
        "is it a myth that one needs 100 photos for this",
        "The slide says that vit_tiny has 6 million parameters, please confirm or deny",
        "Double-check something for me: pro was withdrawn last year",
        "I doubt that Fill is open source. Correct me if I am wrong",
        "Someone wrote that LoRA training needs 24 GB, is that nonsense?",
        "I am not sure whether this statement is correct, please check it",
        "they told me it is the most small model, it is true or a lie?",
        "Is it really possible that klein draws in under a second? I doubt it",
        "That can't be right, a 5 MB network at 80 percent accuracy?",
        "Before I print this in our brochure: is it a fact that it is free?",
        "Debunk or confirm: turbo models cannot do negative prompts",
        "My teacher says dall-e-3 can be downloaded. Was she wrong?",
        "Our contract states that outputs of dev belong to us, does this hold?",
        "An article said that kontext has 12 billion parameters, please fact-check that",
        "I heard the links die after ten minutes, is that so?",
        "The salesman promises one second per image, is that claim honest?",
        "Prove or disprove that transformers are more robust",
    ),
)
_ANSWERS = re.compile(r"^(?:Yes|No), (\w)")  # a verdict stands before it already
_VERDICTS = {True: "True", False: "False", None: "Unverifiable"}
_FUTURE = re.compile(
    r"\bnext (year|month|week|spring|summer|autumn|winter|quarter)\b|\b(soon|tomorrow)\b"
    r"|\bwill (soon )?(be|get|have) (withdrawn|discontinued|removed|a successor)"
    r"|\b(is|are) (going|planned|about|expected) to\b|\bby 20(2[7-9]|[3-9]\d)\b"
)
_COMPARES = re.compile(r"\b(than|as \w+ as) (?![$\d])|\b(beats?|outperforms?)\b")
_OFFERED = 3  # systems to choose from when none was named
_MORE = 6  # rows of what else is known of the same


def verify(ctx: Context, claim: str) -> Iterator[Block]:
    """States the verdict, the right value, and who says so and when.

    Args:
        ctx: the context.
        claim: what is claimed, with doubts around it or not.

    Raises:
        NeedsInput: no system is named, and what is claimed does not hold for all alike.
    """
    if each := each_named(ctx, claim):
        yield from _told(ctx, _of_all([check for text in each if (check := _check(ctx, text))]))
        return
    checks = [_check(ctx, text) for text in full_names(ctx, claim)]
    known = [check for check in checks if check is not None]
    if not known:
        yield from _general(ctx, claim, read_statement(ctx, claim)[0])
        return
    verdicts = {check.judged.verdict for check in known}
    if len(verdicts) > 1 and not known[0].statement.comparisons:
        if re.search(r"\b(all|every|each|both)\b", claim.lower()):
            yield from _told(ctx, _of_all(known))
            return
        choices = [check.text for check in known][:_OFFERED]
        raise NeedsInput("That depends on which one is meant. Which?", choices)
    best = min(known, key=lambda check: check.distance) if len(verdicts) > 1 else known[0]
    yield from _told(ctx, best)


@dataclass(frozen=True)
class _Check:
    """A claim, spelt out, with its verdict.

    Attributes:
        text: the claim.
        statement: as it was read.
        card: the system that it is about.
        ranked: facts of the system, best first.
        judged: the verdict.
    """

    text: str
    statement: Statement
    card: Card
    ranked: tuple[Fact, ...]
    judged: Judgement

    @property
    def distance(self) -> float:
        """How far apart the first two values are; 0 if there are none."""
        values = [wording.truth(fact) for fact in self.judged.facts[:2]]
        numbers = [float(value) for value in values if isinstance(value, int | float)]
        return abs(numbers[0] - numbers[1]) / max(numbers) if len(numbers) > 1 else 0.0


def _check(ctx: Context, text: str) -> _Check | None:
    """The verdict on a claim, all parts of which must hold; none if it names no system."""
    parts = read_statement(ctx, text)
    checks = [check for part in parts if (check := _part(ctx, text, part))]
    return _of_all(checks) if checks else None


def _part(ctx: Context, text: str, statement: Statement) -> _Check | None:
    """The verdict on one part of a claim."""
    first = [order.first for order in statement.comparisons if order.first]
    named = (*first, *statement.systems)
    card = ctx.catalog.get(named[0]) if named else None
    if card is None:
        return None
    ranked = _facts(ctx, statement, card)
    return _Check(text, statement, card, ranked, _judged(ctx, statement, card, ranked))


def _of_all(checks: "Sequence[_Check]") -> _Check:
    """Several verdicts as one, told of the system that decides."""
    judged = both([check.judged for check in checks])
    deciding = next(check for check in checks if check.judged.verdict == judged.verdict)
    return replace(deciding, judged=judged)


def _facts(ctx: Context, statement: Statement, card: Card) -> tuple[Fact, ...]:
    """The facts of the first system, best first by what the claim is about."""
    ranked = ctx.index.rank(statement.question, ctx.evidence.find, (card.id,))
    return tuple(found.fact for found in ranked if found.fact)


def _judged(ctx: Context, statement: Statement, card: Card, ranked: Sequence[Fact]) -> Judgement:
    """By the kind of claim; what is to come, and what is a matter of taste, nobody can tell."""
    unknown = Judgement(None, tuple(believed(ranked)[:1]))
    if _FUTURE.search(statement.words):
        return unknown
    if found := _in_order(ctx, statement, ranked):
        return found if found.facts else replace(unknown, verdict=found.verdict)
    if _COMPARES.search(statement.words) or _is_opinion(statement):
        return repeated(statement, ranked) or unknown
    for judge in (dated, priced, sized, numeric):
        if found := judge(ranked, statement):
            return found
    return worded(ctx, card, statement, ranked) or unknown


def _in_order(ctx: Context, statement: Statement, ranked: Sequence[Fact]) -> Judgement | None:
    """By the orders that are claimed, and by the numbers beside them."""
    found = [compared(ctx, statement)] if statement.comparisons else []
    if found and not found[0].facts:
        found = [told] if (told := repeated(statement, ranked)) else found
    if extremes := extreme(ctx, statement) if statement.superlatives else None:
        found.append(extremes)
    apart = (n for n in statement.numbers if n not in measures(statement))
    beside = [n for n in apart if n.quantity.unit not in ("", "runs", "images")]
    if found and beside and (told := numeric(ranked, replace(statement, numbers=tuple(beside)))):
        found.append(told)
    return both(found) if found else None


def _is_opinion(statement: Statement) -> bool:
    said = pattern(vocabulary("claims")["opinion"]).search(statement.words)
    return bool(said) and not statement.numbers


def _general(ctx: Context, claim: str, statement: Statement) -> Iterator[Block]:
    """A claim that names no system holds where all systems that state the property agree."""
    ranked = ctx.index.rank(statement.question, ctx.evidence.find)
    best = next((found for found in ranked if found.fact), None)
    if best and best.fact and _agreed(ctx, best.fact):
        card = ctx.catalog.get(best.system)
        facts = tuple(found.fact for found in ranked if found.fact and found.system == best.system)
        if card and (found := _outright(ctx, statement, card, facts)):
            yield from _told(ctx, _Check(claim, statement, card, facts, found))
            return
    general = advice(ctx, statement.question)
    is_general = general is not None and general.sure
    if is_deictic(statement.words) and not is_general:
        raise NeedsInput("Which model is it about?", _choices(ctx, claim, ranked))
    told = general.told if general and is_general else Text(_UNKNOWN)
    words = f"Unverifiable: no source here tells whether this holds. {told.text}"
    yield Text(words, told.cites, _data(Judgement(None, ())))


_UNKNOWN = (
    "It names no system that is known here, and it is nothing on which all systems here agree."
)


def _outright(
    ctx: Context, statement: Statement, card: Card, facts: Sequence[Fact]
) -> Judgement | None:
    same = [fact for fact in facts if fact.property == facts[0].property]
    found = numeric(same, statement) or worded(ctx, card, statement, same)
    return found if found and found.verdict is not None else None


def _agreed(ctx: Context, fact: Fact) -> bool:
    """Whether several systems state the property, and all state the same."""
    values = [
        str(claim.truth)
        for card in ctx.catalog.cards.values()
        for claim in card.claims
        if claim.property == fact.property and claim.truth is not None
    ]
    return len(values) > 1 and len(set(values)) == 1


def _choices(ctx: Context, claim: str, ranked: "Sequence[Ranked]") -> tuple[str, ...]:
    systems = list(dict.fromkeys(found.system for found in ranked))[:_OFFERED]
    cards = [ctx.catalog.get(system) for system in systems]
    return tuple(f"{card.name}: {claim}" for card in cards if card)


# --- in words
def _told(ctx: Context, check: _Check) -> Iterator[Block]:
    """The verdict with its facts, what was wrongly claimed, and what else is known of the same."""
    card, judged = check.card, check.judged
    right = _right(judged.facts)
    wrong = [fact for fact in judged.facts if isinstance(fact, Claim) and fact not in right]
    note = "" if wrong else judged.note
    parts = [_sentence(ctx, card, judged), note, *_corrections(ctx, wrong)]
    yield Text("\n\n".join(filter(None, parts)), judged.facts, _data(judged))
    shown = {fact.property for fact in judged.facts}
    rest = [f for f in believed(check.ranked) if f.property in shown and f not in judged.facts]
    if rest:
        yield _table(card, rest[:_MORE])


def _sentence(ctx: Context, card: Card, judged: Judgement) -> str:
    """The first sentence: verdict and right value, who says so and when."""
    if judged.verdict is None:
        return _unverifiable(card, judged)
    stated = " ".join(
        _checked_here(ctx, fact)
        if isinstance(fact, Claim) and fact.verdict == "refuted"
        else _ANSWERS.sub(_upper, wording.sentence(_card(ctx, card, fact), fact))
        for fact in _right(judged.facts)
    )
    return f"{_VERDICTS[judged.verdict]}: {stated}"


def _upper(answer: re.Match[str]) -> str:
    return answer[1].upper()


def _checked_here(ctx: Context, claim: Claim) -> str:
    """A right value that stands in the card alone, beside the wrong one."""
    card = ctx.catalog.get(claim.system)
    told = wording.correction(card, (claim,)) if card else ""
    return f"{told} (checked for its card, {claim.date})"


def _right(facts: Sequence[Fact]) -> Sequence[Fact]:
    """Each value to believe once; a refuted claim only where nothing else says it."""
    refuted = [fact for fact in facts if isinstance(fact, Claim) and fact.verdict == "refuted"]
    return [fact for fact in facts if fact not in refuted] or refuted[:1]


def _card(ctx: Context, card: Card, fact: Fact) -> Card:
    return card if fact.system == card.id else ctx.catalog.get(fact.system) or card


def _unverifiable(card: Card, judged: Judgement) -> str:
    words = f"Unverifiable: no source here tells whether this holds for {card.name}."
    known = [fact for fact in judged.facts if wording.truth(fact) is not None]
    nearest = f" The nearest that is known: {wording.sentence(card, known[0])}" if known else ""
    return f"{words}{nearest}"


def _corrections(ctx: Context, wrong: Sequence[Claim]) -> Iterator[str]:
    for claim in wrong:
        card = ctx.catalog.get(claim.system)
        if card:
            yield wording.correction(card, (claim,))


def _data(judged: Judgement) -> dict[str, str | float | bool | None]:
    """What programs read."""
    verdict = _VERDICTS[judged.verdict].lower()
    fact = next(iter(judged.facts), None)
    if judged.verdict is None or fact is None:
        return {"verdict": verdict, "right_value": None, "unit": None, "source": None}
    source = wording.source(fact) if isinstance(fact, Measurement) else fact.source
    if isinstance(fact, Claim) and fact.verdict == "refuted":
        source = f"index/cards/{fact.field}"
    right = wording.truth(fact)
    return {"verdict": verdict, "right_value": right, "unit": fact.unit, "source": source}


def _table(card: Card, facts: Sequence[Fact]) -> Table:
    rows = tuple(
        (properties()[f.property].label, wording.shown(f), f.at or "-", wording.source(f))
        for f in facts
    )
    title = f"{card.name}: more of the same"
    return Table(("Fact", "Value", "Condition", "Source"), rows, title, tuple(facts))
