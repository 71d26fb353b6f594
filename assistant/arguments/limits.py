"""The limits of a use case: what its words tell plainly, else what the network reads in them."""

from typing import Any

from assistant.arguments.choices import choice
from assistant.arguments.heard import Heard
from tools.told import limits_told, task_told

_SURE = 0.6  # probability from which the network's reading of a wish counts


def limits(heard: Heard) -> dict[str, Any]:
    """What a use case asks for, as arguments of `recommend`."""
    found = {
        "task": _task(heard),
        "commercial": choice("commercial", heard, _SURE),
        **limits_told(heard.gloss),
    }
    if heard.carried:  # a guess from few words does not replace what was said
        found = {name: value for name, value in found.items() if _is_new(name, value, heard)}
    return {name: value for name, value in found.items() if value is not None}


def _is_new(name: str, value: Any, heard: Heard) -> bool:
    return isinstance(value, float) or name not in heard.carried


def _task(heard: Heard) -> str | None:
    """By words that name it; else what the network reads, if no other words speak against it."""
    words = heard.gloss.named.lower()
    told = task_told(words)
    if told and told == task_told(words, plainly=True):
        return told
    guess: str | None = choice("task", heard, _SURE)
    return guess if guess == (told or guess) else None
