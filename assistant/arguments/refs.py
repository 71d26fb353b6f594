"""Which systems, models and jobs a question points back to."""

import re
from collections.abc import Sequence

from assistant.arguments.heard import Heard
from assistant.conversation import Ref, Step

# Tool -> tools whose product it can take for its model, beside those of "".
_MAKES_MODEL = {
    "": ("finetune", "recommend"), "export": ("finetune", "recommend", "personalize"),
    "benchmark": ("finetune", "export", "recommend", "personalize"),
}  # fmt: skip
ORDINALS = {
    "first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4,
    "fifth": 5, "5th": 5, "sixth": 6, "6th": 6, "left": 1, "right": -1, "last": -1, "former": 1,
    "latter": -1,
}  # fmt: skip
_NO_SYSTEM = (
    r"(?! (?:step|time|epoch|picture|image|photo|question|thing|try|day|week|year|one i\b))"
)
_PLACES = re.compile(
    rf"\b({'|'.join(sorted(set(ORDINALS) - {'left', 'right', 'last'}))})\b{_NO_SYSTEM}"
    rf"|\b(?:the|that|your) (last)\b{_NO_SYSTEM}"
)
_COUNTS = {"two": 2, "three": 3, "four": 4, "2": 2, "3": 3, "4": 4}
_BEST = r"(?:best|fastest|quickest|top|first|smallest|cheapest)"
_FOREMOST = re.compile(
    rf"\b({'|'.join(_COUNTS)}) {_BEST}\b|\b{_BEST} ({'|'.join(_COUNTS)})\b", re.IGNORECASE
)
_JOB_ID = re.compile(r"\b[a-z]{1,6}-\d+\b|(?<=\bjob )\d+\b", re.IGNORECASE)
_STATES = re.compile(r"\b(?:failed|running|paused|queued|waiting|crashed|done|finished)\b")
_STATE_AFTER = 24  # characters after the id of a job in which its state is told
_PART = re.compile(r"[a-z]+|\d+[a-z]+")
_CALLS = re.compile(r"\b(?:the|that|your|with|and|or) ([a-z]{3,}|\d+[a-z]+)\b")
_TRAINED = re.compile(r"\b(?:trained|training|tuned|fine-?tuned|learned|learnt)\b")


def product(heard: Heard, tool: str, kinds: Sequence[str] = ()) -> Ref | None:
    """A model that an earlier step made or chose: of this plan, else of the latest turn.

    Args:
        heard: the question.
        tool: what the model is for.
        kinds: the tools that may have made it, if not all that make one for `tool`.
    """
    kinds = kinds or _MAKES_MODEL.get(tool, _MAKES_MODEL[""])
    if _TRAINED.search(heard.text):
        kinds = tuple(kind for kind in kinds if kind in ("finetune", "personalize")) or kinds
    for number, step in reversed(list(enumerate(heard.steps, start=1))):
        if step.tool in kinds:
            return Ref("step", number)
    if not heard.steps:
        for turn in range(len(heard.past), 0, -1):
            exchange = heard.past[turn - 1]
            for number, step in exchange.done:
                if step.tool in kinds and not (step.tool == "recommend" and exchange.systems):
                    return Ref("step", number, turn)
    return None


def used(heard: Heard) -> tuple[str, ...]:
    """The systems that were talked about last, in this plan or in an earlier turn."""
    for step in reversed(heard.steps):
        if found := systems_of(step):
            return found
    for exchange in reversed(heard.past):
        for _, step in reversed(exchange.done):
            if found := systems_of(step):
                return found
        if exchange.systems:
            return exchange.systems
    waiting = (step for exchange in reversed(heard.past) for step in exchange.steps)
    return next((found for step in waiting if (found := systems_of(step))), ())


def pointed(text: str, systems: Sequence[str]) -> tuple[str, ...]:
    """Those of several systems that the words single out: "the second one", "the turbo"."""
    if len(systems) < 2:
        return tuple(systems)
    if called := _called(text, systems):
        return called
    if several := _FOREMOST.search(text):
        return tuple(systems[: _COUNTS[several[1] or several[2]]])
    places = [ORDINALS[first or last] for first, last in _PLACES.findall(text)]
    chosen = (place - 1 if place > 0 else place for place in dict.fromkeys(places))
    found = tuple(systems[at] for at in chosen if -len(systems) <= at < len(systems))
    return found or tuple(systems)


def _called(text: str, systems: Sequence[str]) -> tuple[str, ...]:
    """Those that go by a part of their name that no other has."""
    parts = [set(_PART.findall(system.lower())) for system in systems]
    said = set(_CALLS.findall(text))
    own = [
        each.difference(*(other for other in parts if other is not each)) & said for each in parts
    ]
    return tuple(system for system, part in zip(systems, own, strict=True) if part)


def job_id(heard: Heard) -> str | None:
    """The job that was spoken of last, or the one of several that the words single out."""
    state = _STATES.search(heard.text)
    for exchange in reversed(heard.past):
        said = f"{exchange.text} {exchange.answer}"
        found = {match[0]: said[match.end() :][:_STATE_AFTER] for match in _JOB_ID.finditer(said)}
        if state and (alike := [name for name, after in found.items() if state[0] in after]):
            return alike[0]
        if found:
            return pointed(heard.text, tuple(found))[0 if _PLACES.search(heard.text) else -1]
    return None


def systems_of(step: Step) -> tuple[str, ...]:
    """The systems that a step was told to use or to speak of."""
    said = step.arguments
    found = said.get("systems") or said.get("models") or said.get("model") or ()
    found = (found,) if isinstance(found, str) else found
    return (
        tuple(name for name in found if isinstance(name, str))
        if isinstance(found, tuple | list)
        else ()
    )
