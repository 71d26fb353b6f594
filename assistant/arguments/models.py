"""Which systems a step uses or is about."""

import re
from typing import Any

from assistant.arguments.heard import Heard
from assistant.arguments.refs import product, used

_POINTS = re.compile(
    r"\b(?:it|its|it's|this|that|these|those|they|them|their|same|one|ones|other|which|both|two)\b"
)
_SAME_MODEL = re.compile(r"\b(?:same|that|this) (?:model|net|network|one)\b|\bwith it\b|\bit on\b")


def model(tool: str, heard: Heard) -> Any:
    """The system that a step uses, or the model that an earlier step made."""
    if heard.systems:
        return heard.systems[0]
    if tool in ("generate", "edit"):
        return product(heard, ("recommend",)) if heard.steps else None
    if tool in ("export", "classify", "embed", "benchmark"):
        made = product(heard)
        follows = heard.steps or tool in ("export", "benchmark") or _POINTS.search(heard.text)
        if (
            made
            and follows
            and not (tool in ("classify", "embed") and not heard.steps and heard.carried)
        ):
            return made
    if tool == "export":
        return next(iter(used(heard)), None)
    if tool in ("embed", "finetune") and _SAME_MODEL.search(heard.text):
        return next(iter(used(heard)), None)
    return None


def models(tool: str, heard: Heard) -> Any:
    """The systems to be measured."""
    if heard.systems:
        return heard.systems
    one = model(tool, heard)
    return (one,) if one else used(heard) if heard.past or heard.steps else None


def systems(tool: str, heard: Heard) -> tuple[str, ...] | None:
    """The systems that a question is about or that are compared."""
    named = heard.systems
    if tool == "compare" and len(named) < 2 and (heard.past or heard.steps):
        return tuple(dict.fromkeys((*used(heard), *named))) or None
    if (
        not named
        and (heard.past or heard.steps)
        and (heard.carried or _POINTS.search(heard.text) or len(heard.text.split()) < 6)
    ):
        return used(heard) or None
    return named or None
