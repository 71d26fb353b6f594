"""From words and files to the typed arguments of one tool."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from index.names import Names
from tools.base import NeedsInput, Tool

_TOP = re.compile(r"\btop[\s-]?(\d+)\b", re.IGNORECASE)
_TRIES = re.compile(r"\b(\d+)\s+(?:runs|times|repetitions)\b", re.IGNORECASE)
_BATCH = re.compile(r"\bbatch(?:\s*size)?(?:\s*of)?\s*(\d+)\b", re.IGNORECASE)


def arguments_for(tool: Tool, text: str, images: Sequence[Path], names: Names) -> dict[str, Any]:
    """The arguments that a question gives to a tool; what was not said is left out.

    Args:
        tool: the tool.
        text: the question.
        images: its pictures.
        names: finds the systems that the question names.

    Raises:
        NeedsInput: something is missing that the tool cannot do without.
    """
    found: dict[str, Any] = {}
    for name in tool.parameters:
        if reader := _READERS.get(name):
            value = reader(text, tuple(images), _systems(text, names))
            if value is not None:
                found[name] = value
    _insist(tool, found)
    return found


def _systems(text: str, names: Names) -> tuple[str, ...]:
    return tuple(dict.fromkeys(mention.system for mention in names.mentions(text)))


def _number(pattern: re.Pattern[str]) -> Callable[..., int | None]:
    def read(text: str, images: tuple[Path, ...], systems: tuple[str, ...]) -> int | None:
        del images, systems
        match = pattern.search(text)
        return int(match[1]) if match else None

    return read


# Parameter name -> how it is read from the question, its pictures and the systems it names.
_READERS: Mapping[str, Callable[[str, tuple[Path, ...], tuple[str, ...]], Any]] = {
    "topic": lambda text, images, systems: text,
    "query": lambda text, images, systems: text,
    "use_case": lambda text, images, systems: text,
    "claim": lambda text, images, systems: text,
    "prompt": lambda text, images, systems: text,
    "images": lambda text, images, systems: images or None,
    "systems": lambda text, images, systems: systems or None,
    "models": lambda text, images, systems: systems or None,
    "model": lambda text, images, systems: systems[0] if systems else None,
    "top_k": _number(_TOP),
    "runs": _number(_TRIES),
    "batch_size": _number(_BATCH),
}


def _insist(tool: Tool, found: Mapping[str, Any]) -> None:
    if tool.name == "compare" and len(found.get("systems", ())) < 2:
        raise NeedsInput("Which two systems shall I compare? Name both.")
    if tool.name == "classify" and "images" not in found:
        raise NeedsInput("Which picture? Drop one in, or paste it.")
