"""Judges what a statement says in words: terms, abilities, makers, and what was claimed before."""

import re
from collections.abc import Sequence
from functools import cache

from index.card import Card
from index.evidence import Claim, Fact
from index.properties import properties
from tools.base import Context
from tools.judging import Judgement, believed
from tools.judging_terms import able, free_of_charge, licensed, permitted, placed, trains, turned
from tools.orders import STAND_IN
from tools.statements import Statement
from tools.vocabulary import pattern, vocabulary

_FREE_TEXT = (
    "publisher", "text_encoder", "training_data", "method", "trains", "architecture", "token",
    "framework", "logger", "weights_format", "successor", "trainable_models", "positioning",
    "auth_header", "output_formats", "precision", "checkpoints", "prior_images", "interface",
    "training_base", "comparison", "quantisation", "transfer_learning", "resume", "guidance_cost",
    "mask_input", "pricing", "family_sizes", "reference_method", "preprocessing", "stage_widths",
    "depths", "result_delivery", "error_codes", "task_statuses", "known_issue", "repository",
    "service_terms", "duties", "documentation", "licence", "smallest_of_family", "output_sizes",
    "vision_encoder", "version", "samplers", "captions",
)  # fmt: skip
_PROSE = ("known_issue", "duties", "comparison", "documentation", "training_base")
_SHARED, _ENOUGH = 0.5, 2  # share and number of words by which a statement repeats a claim
_LOOKED_AT = 6  # facts, best first, that a statement in words may be about


def worded(
    ctx: Context, card: Card, statement: Statement, ranked: Sequence[Fact]
) -> Judgement | None:
    """What the words of a statement about one system come to; none if they say nothing known.

    Args:
        ctx: the context.
        card: the system.
        statement: what is claimed.
        ranked: its facts, those first that the claim is most likely about.
    """
    found = repeated(statement, ranked)
    for judge in (licensed, free_of_charge, permitted, placed):
        found = found or judge(card, statement, ranked)
    said = telling(statement.words)
    others = [other for system in statement.systems[1:] if (other := ctx.catalog.get(system))]
    return (
        found
        or trains(statement, ranked, others)
        or able(card, statement, ranked, said, telling)
        or _free_text(ctx, card, statement, ranked)
    )


def repeated(statement: Statement, ranked: Sequence[Fact]) -> Judgement | None:
    """A claim in words that somebody made before, and that was refuted or could not be verified."""
    said = telling(statement.words)
    for fact in ranked:
        doubtful = isinstance(fact, Claim) and fact.verdict in ("refuted", "unverifiable")
        if doubtful and isinstance(fact, Claim) and isinstance(fact.value, str):
            if denied := _denied_word(fact, said):
                none = re.search(rf"\b(no|without|never)\b.{{0,20}}\b{denied}", statement.words)
                return Judgement(bool(none) or turned(statement, False), (fact,), fact.note)
            if _is_outright(fact, statement):
                return Judgement(turned(statement, False), (fact,), fact.note)
            if _repeats(fact, said) and not statement.negated:
                verdict = None if fact.verdict == "unverifiable" else False
                return Judgement(verdict, (*_stated(fact, ranked), fact), fact.note)
    return None


def _denied_word(claim: Claim, said: set[str]) -> str:
    """The word of which the right value says outright that there is none; empty if none."""
    right = str(claim.right).lower()
    return next((w for w in sorted(said) if re.search(rf"\bno {re.escape(w)}\b", right)), "")


def _is_outright(claim: Claim, statement: Statement) -> bool:
    value = str(claim.value)
    return claim.verdict == "refuted" and len(value) > _ENOUGH and value.lower() in statement.words


def _repeats(claim: Claim, said: set[str]) -> bool:
    """Whether a statement shares enough telling words with the claim, and none with the truth."""
    shared = said & telling(f"{claim.value} {claim.at}")
    right = said & (telling(str(claim.right)) - telling(str(claim.value)))
    outright = claim.verdict == "refuted" and shared & _named_elsewhere(claim.property) - telling(
        str(claim.right)
    )
    enough = len(shared) >= max(_ENOUGH, _SHARED * len(said))
    return (enough or bool(outright)) and not right


def _named_elsewhere(name: str) -> set[str]:
    """Values that a property may have and that are as good as names."""
    return set(vocabulary("claims")["elsewhere"].get(name, ()))


def _stated(claim: Claim, ranked: Sequence[Fact]) -> Sequence[Fact]:
    """The fact that somebody states with the right value."""
    same = (f for f in believed(ranked) if f.property == claim.property and f.value == claim.right)
    return tuple(same)[:1]


def _free_text(
    ctx: Context, card: Card, statement: Statement, ranked: Sequence[Fact]
) -> Judgement | None:
    """Compares telling words with the value, and with what the same property is elsewhere."""
    said = telling(statement.words) | _others(ctx, statement)
    for fact in believed(ranked)[:_LOOKED_AT]:
        if fact.property in _FREE_TEXT and isinstance(fact.value, str) and _meant(fact, statement):
            same = believed([other for other in ranked if other.property == fact.property])
            right = set().union(*(telling(str(other.value)) for other in same))
            asked = set().union(*(telling(phrase) for phrase in properties()[fact.property].asks))
            other = (said & _elsewhere(ctx, fact.property)) - right - telling(card.name)
            wrong = other if fact == ranked[0] else other - asked
            against = {f"un{word}" for word in said} | {w[2:] for w in said if w.startswith("un")}
            if against & right or (wrong and len(said & right) <= len(wrong)):
                return Judgement(turned(statement, False), (fact,))
            shared = (said & right) - (asked - right)
            if len(shared) >= (_ENOUGH if fact.property in _PROSE else 1):
                return _held(statement, said, same, shared)
    return None


def _meant(fact: Fact, statement: Statement) -> bool:
    """Whether the words let the property be meant, where they must."""
    wanted = vocabulary("claims")["speaks"].get(fact.property)
    return wanted is None or bool(pattern([wanted]).search(statement.words))


def _held(
    statement: Statement, said: set[str], same: Sequence[Fact], shared: set[str]
) -> Judgement:
    """The statement holds by the value that shares most with it, unless that one denies it.

    "Only" one of several that the value lists does not hold.
    """
    holder = max(same, key=lambda one: len(said & telling(str(one.value))))
    value = str(holder.value).lower()
    denied = any(
        re.search(rf"\b(?:not?|not an?) {re.escape(word)}", value) for word in said & telling(value)
    )
    listed = len(telling(value.partition(";")[0])) > len(shared) and bool(_LIST.search(value))
    alone = listed and bool(re.search(r"\b(only|nothing (but|else)|solely)\b", statement.words))
    said_numbers, right_numbers = _numerals(statement.words), _numerals(value)
    other = bool(said_numbers and right_numbers) and not said_numbers & right_numbers
    defaults = [set(_DEFAULT.findall(text)) for text in (statement.words, value)]
    other |= all(defaults) and defaults[0] <= telling(value) and not defaults[0] & defaults[1]
    holds = not denied and not alone and not other and not value.startswith(("no ", "not "))
    return Judgement(turned(statement, holds), (holder,))


def _numerals(text: str) -> set[str]:
    """Numbers of three digits or more that stand alone, such as those of ports."""
    return set(re.findall(r"(?<![\w.-])\d{3,}(?![\w.-])", text))


_DEFAULT = re.compile(r"(\w+) by default")
_LIST = re.compile(r"\w,? (and|or) \w")


def _others(ctx: Context, statement: Statement) -> set[str]:
    """Telling words of the further systems that are named: "replaced by", "made by"."""
    cards = [ctx.catalog.get(system) for system in statement.systems[1:]]
    return set().union(*(telling(f"{card.name} {card.id}") for card in cards if card))


def _elsewhere(ctx: Context, name: str) -> set[str]:
    """Telling words of the values of a property over all cards."""
    found = _named_elsewhere(name)
    for card in ctx.catalog.cards.values():
        for claim in card.claims:
            if claim.property == name and isinstance(claim.value, str):
                found |= telling(claim.value)
    return found


def telling(text: str) -> set[str]:
    """Words that tell things apart: no stand-ins, no common words, no plural endings."""
    words = re.findall(r"[a-z]+[\d.]*\w*|\d+[a-z]+|\d+(?:\s?-\s?\d+)+|\d+", text.lower())
    plain = {word.strip(".").removesuffix("s") if len(word) > 3 else word for word in words}
    return {w for w in plain if w not in _common() and not w.startswith(STAND_IN) and len(w) > 1}


@cache
def _common() -> frozenset[str]:
    words = vocabulary("claims")["common"]
    return frozenset((*words, *(word.removesuffix("s") for word in words)))
