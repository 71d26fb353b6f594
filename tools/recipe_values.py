"""How a picture was made, as data: bounded, and clean of what is no text.

What is read of a file may come from anywhere, so that nothing is taken as it stands.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from tools.program import NAME, program_version

_LONGEST = 10_000  # characters of a prompt
_LONGEST_LINE = 200
_MOST_ADAPTERS = 16
# Control characters, halves of surrogate pairs, and marks that turn the direction of writing.
_NOT_TEXT = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _program() -> str:
    return f"{NAME} {program_version()}"


@dataclass(frozen=True)
class Recipe:
    """How a picture was made; what is not known is None or empty.

    Attributes:
        prompt: the words.
        negative_prompt: what is not wanted.
        model: card id, or the name that another program gives the model.
        seed: of the noise.
        width: pixels.
        height: pixels.
        steps: of denoising.
        guidance: its scale.
        strength: how much of a picture that was changed may be new, from 0 to 1.
        mode: of an edit, such as inpaint; empty for pictures from words alone.
        adapters: name and strength of each.
        licence: of the model.
        usd: US dollars that it cost.
        made: ISO date, UTC.
        version: the program that made it, and its version.
    """

    prompt: str
    negative_prompt: str = ""
    model: str = ""
    seed: int | None = None
    width: int | None = None
    height: int | None = None
    steps: int | None = None
    guidance: float | None = None
    strength: float | None = None
    mode: str = ""
    adapters: tuple[tuple[str, float], ...] = ()
    licence: str = ""
    usd: float | None = None
    made: str = field(default_factory=_today)
    version: str = field(default_factory=_program)


def clean(given: Mapping[str, Any]) -> Recipe:
    """A recipe of values of any kind: what is out of bounds is left out, long words are cut."""
    return Recipe(
        prompt=_words(given.get("prompt")),
        negative_prompt=_words(given.get("negative_prompt")),
        model=_line(given.get("model")),
        seed=_whole(given.get("seed"), 0, 2**64 - 1),
        width=_whole(given.get("width"), 1, 65_535),
        height=_whole(given.get("height"), 1, 65_535),
        steps=_whole(given.get("steps"), 1, 10_000),
        guidance=_real(given.get("guidance"), 0, 1_000),
        strength=_real(given.get("strength"), 0, 1),
        mode=_line(given.get("mode")),
        adapters=tuple(_adapters(given.get("adapters")))[:_MOST_ADAPTERS],
        licence=_line(given.get("licence")),
        usd=_real(given.get("usd"), 0, 1_000_000),
        made=_date(given.get("made")),
        version=_line(given.get("version")),
    )


def _words(value: object) -> str:
    if not isinstance(value, str):
        return ""
    return _NOT_TEXT.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))[:_LONGEST]


def _line(value: object) -> str:
    return " ".join(_words(value).split())[:_LONGEST_LINE].strip()


def _whole(value: object, least: int, most: int) -> int | None:
    if isinstance(value, str) and re.fullmatch("[0-9]{1,20}", value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if least <= value <= most else None


def _real(value: object, least: float, most: float) -> float | None:
    if isinstance(value, str):
        with suppress(ValueError):
            value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if least <= value <= most else None  # which NaN never is


def _date(value: object) -> str:
    with suppress(ValueError):
        return date.fromisoformat(_line(value)).isoformat()
    return ""


def _adapters(value: object) -> Iterator[tuple[str, float]]:
    for pair in value if isinstance(value, list | tuple) else ():
        if isinstance(pair, list | tuple) and len(pair) == 2:
            name, weight = _line(pair[0]), _real(pair[1], -10, 10)
            if name and weight is not None:
                yield name, weight
