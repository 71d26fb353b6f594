"""The limits of a use case: what its words tell plainly, else what the network reads in them."""

from typing import Any

from assistant.arguments.choices import choice
from assistant.arguments.heard import Heard
from tools.needs import CLASSIFIER_TASKS
from tools.told import limits_told, task_told

_CERTAIN = 0.95  # probability from which its reading of the task outweighs plain words
_SURE = 0.6  # probability from which the network's reading of a wish counts


def limits(heard: Heard) -> dict[str, Any]:
    """What a use case asks for, as arguments of `recommend`."""
    told = limits_told(heard.gloss)
    task, commercial = _task(heard), choice("commercial", heard, _SURE)
    if told.get("max_price_usd") and task in CLASSIFIER_TASKS:
        task = None  # only a picture that is made has a price
    plain = task_told(heard.gloss.named.lower(), plainly=True)
    guessed = {"task": task, "commercial": commercial}
    # A guess from few words does not replace what was said.
    kept = {name for name in guessed if name in heard.carried and plain != guessed[name]}
    found = {name: value for name, value in guessed.items() if name not in kept} | told
    return {name: value for name, value in found.items() if value is not None}


def _task(heard: Heard) -> str | None:
    """What the network reads; words that name the task, or tell it where it doubts, come first."""
    words = heard.gloss.named.lower()
    sure: str | None = choice("task", heard, _CERTAIN)
    likely: str | None = choice("task", heard)
    guess: str | None = choice("task", heard, 0.0)
    return sure or task_told(words, plainly=True) or likely or task_told(words) or guess
