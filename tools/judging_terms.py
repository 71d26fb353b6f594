"""Judges questions of yes or no: licence, commercial use, price, status, place, abilities."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from index.card import Card
from index.evidence import Claim, Fact
from tools import wording
from tools.judging import Judgement, believed
from tools.statements import Statement, denies
from tools.vocabulary import pattern, vocabulary

_HOLDS: dict[str, Callable[[str], bool]] = {
    "yes": lambda value: value.startswith(("yes", "allowed", "conditions")),
    "withdrawn": lambda value: value == "withdrawn",
    "on": lambda value: value.startswith(("on", "yes")) and "off" not in value,
    "some": lambda value: not value.startswith("none"),
    "may": lambda value: "may not" not in value,
    "not withdrawn": lambda value: value != "withdrawn",
}
_ABLE = re.compile(
    r"\b(can|cannot|can't|able|unable|does|do|supports?|takes?|accepts?|lets|needs?|makes?"
    r"|edits|is an?|is not an?|isn't an?|generates|draws|paints"
    r"|classif\w+|recogni[sz]es|inpaints|outpaints|retouches)\b"
)
_TERMS = re.compile(r"commercial|business|sell")
_MIT = re.compile(r"licen|under|is mit")  # the same letters are a university
_UNLIMITED = re.compile(
    r"unconditional\w*|without (any )?(conditions?|limits?|restrictions?)|any company|no matter"
    r"|whatever"
)
_KIND = {True: "You run it yourself.", False: "It is hosted: no weights of it can be had."}


def turned(statement: Statement, holds: bool) -> bool:
    """The verdict on a statement that may deny what its words say."""
    return holds != statement.negated


def licensed(card: Card, statement: Statement, ranked: Sequence[Fact]) -> Judgement | None:
    """Whether the licence is the one named."""
    facts = believed([fact for fact in ranked if fact.property == "licence"])
    rows = vocabulary("claims")["licences"]
    named = [row["named"] for row in rows if pattern(row["words"]).search(statement.words)]
    doubtful = named == [[r"\bmit\b"]] and not _MIT.search(statement.words)
    if not facts or not named or doubtful:
        return None
    licence = str(facts[0].value).lower()
    holds = any(pattern(words).search(licence) for words in named)
    return Judgement(turned(statement, holds), (facts[0],))


def free_of_charge(card: Card, statement: Statement, ranked: Sequence[Fact]) -> Judgement | None:
    """Whether it costs nothing: a price says no; commercial terms are another question."""
    costless = pattern(vocabulary("claims")["costless"])
    prices = [fact for fact in ranked if fact.property in ("price", "price_edit", "price_month")]
    told = costless.search(statement.words) and not _TERMS.search(statement.words)
    if not told or not prices or card.kind == "weights":
        return None
    wrong = [f for f in prices if isinstance(f, Claim) and f.verdict == "refuted"]
    return Judgement(turned(statement, False), (*(wrong or believed(prices)[:1]),))


def permitted(card: Card, statement: Statement, ranked: Sequence[Fact]) -> Judgement | None:
    """What a fact of yes or no answers: leave to use, status, mask, negative prompt."""
    for topic in vocabulary("claims")["topics"]:
        facts = believed([fact for fact in ranked if fact.property == topic["property"]])
        found = pattern(topic["words"]).search(statement.words) if facts else None
        if found:
            here = replace(statement, negated=denies(statement.words, found.end() - 1))
            return _answered(topic, here, facts[0])
    return None


def _answered(topic: Mapping[str, Any], statement: Statement, fact: Fact) -> Judgement:
    value = wording.shown(fact)
    holds = _HOLDS[topic["holds"]](value)
    denied = pattern(topic["denied"]) if "denied" in topic else None
    if topic["property"] in ("commercial_use", "output_use", "prompt_upsampling", "raw_mode"):
        return _allowed(statement, fact, holds, denied)
    if denied and denied.search(statement.words):
        return Judgement(holds, (fact,))  # "no longer" is part of what is asked
    return Judgement(turned(statement, holds), (fact,))


def _allowed(
    statement: Statement, fact: Fact, holds: bool, denied: re.Pattern[str] | None
) -> Judgement:
    """Leave to use: conditions count as leave, but not as leave without any."""
    conditional = wording.shown(fact) == "conditions"
    if conditional and _UNLIMITED.search(statement.words):
        holds = False
    denials = len(denied.findall(statement.words)) if denied else 0
    twice = "not allowed" in statement.words  # its "not" was counted already
    against = statement.negated != bool(denials % 2 and not twice)
    return Judgement(holds != against, (fact,), "Its licence sets conditions." * conditional)


def placed(card: Card, statement: Statement, ranked: Sequence[Fact]) -> Judgement | None:
    """Whether it runs on one's own machine, or is hosted."""
    own = card.kind in ("weights", "pocket", "repository")
    where = [f for f in ranked if f.property in ("repository", "publisher", "status")]
    where = sorted(believed(where), key=lambda fact: fact.property != "repository")
    for name, holds in (("local", own), ("hosted", not own)):
        if where and pattern(vocabulary("claims")[name]).search(statement.words):
            return Judgement(turned(statement, holds), (where[0],), _KIND[own])
    return None


def trains(
    statement: Statement, ranked: Sequence[Fact], others: Sequence[Card]
) -> Judgement | None:
    """Whether a trainer trains the other system that is named; open lists do not say no."""
    facts = believed([fact for fact in ranked if fact.property == "trainable_models"])
    if not facts or not others or not re.search(r"train|tun|lora|support", statement.words):
        return None
    told, _, refused = str(facts[0].value).lower().partition("; not ")
    for card in others:
        names = {card.name.lower(), *(alias.lower() for alias in card.aliases)}
        own = re.sub(r"[\[\]]", "", card.name.lower()).split()
        listed = any(name in told for name in names) or all(word in told for word in own)
        if not listed and ("others" in told and card.family.lower() not in refused):
            return Judgement(None, (facts[0],))
        if not listed:
            return Judgement(turned(statement, False), (facts[0],))
    return Judgement(turned(statement, True), (facts[0],))


def able(
    card: Card,
    statement: Statement,
    ranked: Sequence[Fact],
    said: set[str],
    telling: Callable[[str], set[str]],
) -> Judgement | None:
    """Whether the card lists a job.

    Args:
        card: the system.
        statement: what is claimed.
        ranked: its facts.
        said: telling words of the statement.
        telling: finds the telling words of a text.
    """
    stated = believed([fact for fact in ranked if fact.property == "publisher"])
    if not stated or not _ABLE.search(statement.words):
        return None
    for capability in card.capabilities:
        parts = telling(capability.id.replace("-", " "))
        if parts and parts <= said:
            note = f"{capability.title}: {capability.summary}"
            return Judgement(turned(statement, True), (stated[0],), note)
    for row in vocabulary("claims")["jobs"]:
        if pattern(row["words"]).search(statement.words):
            can = row["job"] in card.tasks or any(c.id == row["job"] for c in card.capabilities)
            listed = "; ".join(capability.title for capability in card.capabilities)
            return Judgement(turned(statement, can), (stated[0],), f"Its card lists: {listed}.")
    return None
