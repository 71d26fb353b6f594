"""The vocabulary of facts: what can be said of a system, in which unit, and how people ask."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True)
class Property:
    """One property of systems.

    Attributes:
        name: key used in cards and measurements.
        label: what an answer calls it.
        unit: the one unit in which every value of it is kept; empty for words and yes/no.
        asks: words and phrases that ask for it, lower case.
        better: whether a higher or a lower value is better; empty if neither.
        score: whether it is a published score.
        sentence: how an answer states it, with `{name}` and `{value}`; empty for the usual way.
    """

    name: str
    label: str
    unit: str = ""
    asks: tuple[str, ...] = ()
    better: Literal["", "higher", "lower"] = ""
    score: bool = False
    sentence: str = ""


@cache
def properties() -> Mapping[str, Property]:
    """All properties by name, read once from `properties.toml`."""
    path = Path(__file__).with_name("properties.toml")
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return MappingProxyType(
        {
            name: Property(**{"name": name, **row, "asks": tuple(row.get("asks", ()))})
            for name, row in table.items()
        }
    )


LARGER = {"million": "billion", "MB": "GB", "ms": "s"}  # what a thousand of a unit is called


def show(value: str | float | bool, unit: str) -> str:
    """A value with its unit, as people write it: "12 billion", "$0.04", "77.498 %"."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if unit in LARGER and value >= 1000:
        value, unit = value / 1000, LARGER[unit]
    if unit == "USD":
        return f"${value:,.0f}" if value >= 1000 else "$" + f"{value:.3f}".removesuffix("0")
    number = f"{value:g}" if abs(value) < 10_000 else f"{value:,.10g}"
    return f"{number} {unit}".strip()


def translated(name: str, language: str) -> str:
    """What a property is called in another language."""
    return _translations()[language][name]


def labels(name: str) -> tuple[str, ...]:
    """What a property is called, in every language."""
    return (properties()[name].label, *(table[name] for table in _translations().values()))


@cache
def _translations() -> Mapping[str, Mapping[str, str]]:
    path = Path(__file__).parent / "languages" / "labels.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))
