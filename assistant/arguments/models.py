"""Which systems a step uses or is about."""

import re
from typing import Any

from rapidfuzz import process

from assistant.arguments.heard import Heard
from assistant.arguments.refs import pointed, product, systems_of, used
from index.names import Names

_POINTS = re.compile(
    r"\b(?:it|its|it's|this|that|these|those|they|them|their|same|one|ones|other|which|both|two)\b"
)
_OTHER = re.compile(r"\bother (?:model|one|net|network|system)\b")
_METHOD = "repo:rinongal/textual_inversion"  # names the method more often than its repository
_KIN = 3  # systems offered beside one that is to be compared
_SHORT = 5  # words of a question that can hardly stand alone
_SAME_MODEL = re.compile(
    r"\b(?:same|that|this) (?:model|net|network)\b|\b(?:with|use|take|try) (?:it|that)\b"
    r"|\bit on\b|\bdo (?:it|that) (?:here|with|then|now)\b|\bthe (?:better|best|winning) one\b"
)


def model(tool: str, heard: Heard) -> Any:
    """The system that a step uses, or the model that an earlier step made."""
    named = [name for name in heard.systems if not (tool == "personalize" and name == _METHOD)]
    if named:
        return named[0]
    if _OTHER.search(heard.text) and (other := _other(heard)):
        return other
    if tool in ("generate", "edit"):
        made = product(heard, tool, ("recommend",)) if heard.steps else None
        return made or (_chosen(heard) if _SAME_MODEL.search(heard.text) else None)
    made = product(heard, tool)
    if tool in ("export", "benchmark"):
        return made or _chosen(heard)
    if heard.steps or (_POINTS.search(heard.text) and not heard.carried):
        return made or (_chosen(heard) if _SAME_MODEL.search(heard.text) else None)
    return None


def models(tool: str, heard: Heard) -> Any:
    """The systems to be measured."""
    if heard.systems:
        return heard.systems
    made = product(heard, tool)
    return (made,) if made else pointed(heard.text, used(heard)) or None


def systems(tool: str, heard: Heard) -> tuple[str, ...] | None:
    """The systems that a question is about or that are compared."""
    named, follows = heard.systems, bool(heard.past or heard.steps)
    if not follows:
        return named or None
    if tool == "compare" and len(named) < 2:
        return tuple(dict.fromkeys((*pointed(heard.text, used(heard)), *named))) or None
    short = len(heard.text.split()) <= _SHORT
    if not named and (heard.carried or short or _POINTS.search(heard.text)):
        return pointed(heard.text, used(heard)) or None
    return named or None


def partners(system: str, names: Names) -> tuple[tuple[str, str], ...]:
    """The name of a system with those of its nearest kin, which one may want to compare it to."""
    card = names.catalog.cards.get(system)
    if not card:
        return ()
    kin = [
        other.name
        for other in names.catalog.cards.values()
        if other.run.engine == card.run.engine and set(other.tasks) & set(card.tasks)
    ]
    nearest = process.extract(card.name, [name for name in kin if name != card.name], limit=_KIN)
    return tuple((card.name, name) for name, _, _ in nearest)


def _chosen(heard: Heard) -> str | None:
    return next(iter(pointed(heard.text, used(heard))), None)


def _other(heard: Heard) -> str | None:
    """The system talked about before the one that was used last."""
    last = next(iter(used(heard)), "")
    said = (
        system
        for exchange in reversed(heard.past)
        for system in (*exchange.systems, *(n for step in exchange.steps for n in systems_of(step)))
    )
    return next((system for system in said if system != last), None)
