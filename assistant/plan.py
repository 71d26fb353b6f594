"""From a question and what the index found to a plan: run, ask back, or decline."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from assistant.arguments import arguments_for
from index.documents import Document
from index.encoder import Vectors
from index.search import SearchIndex
from tools.base import NeedsInput, Tool

ROUTING = Path(str(files("index"))) / "routing"


@dataclass(frozen=True)
class Step:
    """One tool to run.

    Attributes:
        tool: name of the tool.
        arguments: what was said or carried over; defaults are left out.
        why: why this tool.
    """

    tool: str
    arguments: Mapping[str, Any]
    why: str


@dataclass(frozen=True)
class Run:
    """Do it: these steps, in order."""

    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Clarify:
    """Ask one short question back, with choices to click."""

    question: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Decline:
    """No tool fits: say so, with what can be done instead, nearest first."""

    nearest: tuple[Step, ...]


Plan = Run | Clarify | Decline


def told(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as programs read them: pictures by their place, as `attachment:1`."""

    def tell(value: Any) -> Any:
        if isinstance(value, tuple) and value and all(isinstance(item, Path) for item in value):
            return [f"attachment:{place}" for place, _ in enumerate(value, start=1)]
        if isinstance(value, Path):
            return str(value)
        return list(value) if isinstance(value, tuple) else value

    return {name: tell(value) for name, value in arguments.items()}


def tool_documents(tools: Mapping[str, Tool]) -> tuple[Document, ...]:
    """The example questions of every tool, to be searched beside the cards."""
    return tuple(
        Document(f"tool:{tool.name}", text)
        for tool in tools.values()
        for text in tool.card.examples
    )


@cache
def threshold() -> float:
    """The cosine from which a question counts as like an example; made by `index fit`."""
    fitted = json.loads((ROUTING / "threshold.json").read_text(encoding="utf-8"))
    return float(fitted["threshold"])


def plan(
    text: str,
    images: Sequence[Path],
    vector: Vectors,
    index: SearchIndex,
    tools: Mapping[str, Tool],
) -> Plan:
    """Chooses what to do about a question.

    Args:
        text: the question.
        images: its pictures, decoded.
        vector: the question's vector, shape (DIMENSIONS,).
        index: holds the tools' example questions beside the cards.
        tools: all tools.
    """
    near = nearest_examples(vector, index)
    if not near or near[0].cosine < threshold():
        return Decline(tuple(Step(found.tool, {}, found.example) for found in near[:3]))
    best = near[0]
    try:
        arguments = arguments_for(tools[best.tool], text, images, index.names)
    except NeedsInput as missing:
        return Clarify(missing.question, missing.choices)
    return Run((Step(best.tool, arguments, f'It is most like "{best.example}".'),))


@dataclass(frozen=True)
class Near:
    """A tool by its example question nearest to a text."""

    tool: str
    cosine: float
    example: str


def nearest_examples(vector: Vectors, index: SearchIndex) -> tuple[Near, ...]:
    """Every tool once, by its nearest example question, nearest first."""
    cosines = index.vectors @ vector
    best: dict[str, Near] = {}
    for place in cosines.argsort()[::-1]:
        found = index.documents[place]
        name = found.id.removeprefix("tool:")
        if name != found.id and name not in best:
            best[name] = Near(name, float(cosines[place]), found.text)
    return tuple(best.values())
