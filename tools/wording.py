"""Facts in words: the one way in which tools state a value and its source."""

import re
from collections.abc import Iterable, Sequence

from index.card import Card
from index.evidence import Claim, Fact, Measurement, Value
from index.properties import properties, show

_COMMERCIAL = {
    "yes": "Yes, commercial use is allowed: the licence of {name} permits it",
    "no": "No, commercial use is not allowed: the licence of {name} forbids it",
    "conditions": "Commercial use of {name} is allowed on conditions of its licence",
}

_SHORT = 4  # words of a value that fits into a sentence
# Labels that are no noun, and what follows the noun in one.
_PHRASE = re.compile(
    r"(how|where|models it|sizes of|compared|meant|preferred|withdrawn|free|sides)\b"
)
_AFTER_HEAD = re.compile(r" (?:of|for|that|in|on|while|with|per|by|to|without|at)\b")


def truth(fact: Fact) -> Value | None:
    """The value of a fact to believe; none if nobody can tell."""
    return fact.truth if isinstance(fact, Claim) else fact.value


def shown(fact: Fact) -> str:
    """The value of a fact to believe, with its unit; a measurement to three digits."""
    value = truth(fact)
    if value is None:
        return "unknown"
    if isinstance(fact, Measurement):
        value = float(f"{fact.value:.3g}") if abs(fact.value) < 1000 else round(fact.value)
    return show(value, fact.unit)


def source(fact: Fact) -> str:
    """Who says it and when, with a link where there is one."""
    if isinstance(fact, Measurement):
        return f"measured on {fact.device}, {fact.date}"
    who = f"{fact.says}, {fact.date}"
    return f"[{who}]({fact.source})" if fact.source.startswith("http") else f"{who}, {fact.source}"


def sentence(card: Card, *facts: Fact) -> str:
    """One sentence that states facts, each with its condition and source."""
    told, said = [], ""
    for fact in facts:
        again = fact.property == said
        statement = f"also {shown(fact)}" if again else _statement(card, fact)
        told.append(f"{statement}{_condition(fact)} ({source(fact)})")
        said = fact.property
    return f"{_upper('; '.join(told))}."


def correction(card: Card, claims: Iterable[Claim]) -> str:
    """What wrong claims say, and that they are wrong; empty if there are none."""
    told = []
    for claim in claims:
        rule = properties()[claim.property]
        wrong, right = show(claim.value, claim.unit), shown(claim)
        said = f"{claim.says} claims for {card.name}: {rule.label} {wrong}. That is wrong"
        told.append(f"{said}; right is {right}{_condition(claim)}. {claim.note}".strip())
    return "\n\n".join(told)


def cell(fact: Fact | None) -> str:
    """A fact as a table cell; a dash where there is none."""
    return "-" if fact is None else f"{shown(fact)}{_condition(fact)}"


def best(facts: Sequence[Fact]) -> Fact | None:
    """The fact to show where there is room for one: the first that can be believed."""
    return next((fact for fact in facts if truth(fact) is not None), None)


def _statement(card: Card, fact: Fact) -> str:
    rule, value = properties()[fact.property], shown(fact)
    if fact.property == "commercial_use":
        return _COMMERCIAL[str(truth(fact))].format(name=card.name)
    if rule.sentence:
        return rule.sentence.format(name=card.name, value=value)
    if _PHRASE.match(rule.label) or len(value.split()) > _SHORT:
        return f"{card.name}, {rule.label}: {value}"
    head = _AFTER_HEAD.split(rule.label)[0]
    verb = "are" if head.endswith("s") and not head.endswith("ss") else "is"
    return f"the {rule.label} of {card.name} {verb} {value}"


def _condition(fact: Fact) -> str:
    return f" ({fact.at})" if fact.at else ""


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
