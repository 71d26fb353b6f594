"""Fits what routes and ranks to the fitting part of the questions; run by `index fit`."""

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.plan import ROUTING, nearest_examples, tool_documents
from index.catalog import load
from index.encoder import load_encoder
from index.names import Names
from index.properties import properties
from index.ranker import FEATURES
from index.search import build
from tools.base import Report, load_tools

QUESTIONS = Path(__file__).parents[1] / "tests" / "questions"


@dataclass(frozen=True)
class Labelled:
    """A question with the tool that should answer it; no tool means it must be declined."""

    text: str
    tool: str


@dataclass(frozen=True)
class Routed:
    """Where the nearest example sends a labelled question, and how near it is."""

    asked: Labelled
    tool: str
    cosine: float


def labelled(part: str, folder: Path = QUESTIONS) -> tuple[Labelled, ...]:
    """The questions of one part, `fit` or `held`, of every file that has parts."""
    files = (
        tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.toml"))
    )
    rows = (row for data in files for row in data.get("question", ()) if row.get("part") == part)
    return tuple(Labelled(row["text"], row["tool"]) for row in rows)


def routed(questions: Sequence[Labelled]) -> tuple[Routed, ...]:
    """The nearest example question of each."""
    encoder = load_encoder()
    index = build(tool_documents(load_tools()), encoder, Names(load(), encoder.is_word))
    vectors = encoder.encode([question.text for question in questions])
    nearest = (nearest_examples(vector, index)[0] for vector in vectors)
    return tuple(
        Routed(question, near.tool, near.cosine)
        for question, near in zip(questions, nearest, strict=True)
    )


def figures(found: Sequence[Routed], threshold: float) -> dict[str, float]:
    """Shares: right tool among those a tool should answer, declined among those it should not."""
    answer = [route for route in found if route.asked.tool]
    refuse = [route for route in found if not route.asked.tool]
    right = sum(r.cosine >= threshold and r.tool == r.asked.tool for r in answer)
    wrongly = sum(r.cosine < threshold for r in answer)
    declined = sum(r.cosine < threshold for r in refuse)
    return {
        "right_tool": right / len(answer),
        "wrongly_declined": wrongly / len(answer),
        "declined": declined / len(refuse),
    }


def fit_threshold() -> dict[str, Any]:
    """Chooses the threshold with the best sum of right tools and right refusals, and keeps it."""
    found = routed(labelled("fit"))
    best = max(
        (route.cosine for route in found),
        key=lambda t: (figures(found, t)["right_tool"] + figures(found, t)["declined"], -t),
    )
    kept = {"threshold": round(best, 4), "fingerprint": _fingerprint(), **figures(found, best)}
    _keep("threshold.json", kept)
    return kept


def fit_facts(report: Report) -> dict[str, Any]:
    """Fits the ranker of facts, and keeps it with what it gets right."""
    from assistant.fit_ranker import fit_ranker

    held = fit_ranker(report)
    kept = {"fingerprint": _ranker_fingerprint(), "held_out": held}
    _keep("ranker.json", kept)
    return kept


def _keep(name: str, content: Mapping[str, Any]) -> None:
    (ROUTING / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def check_fit() -> str:
    """What is wrong with the kept fits; empty if they belong to these questions and tools."""
    made = {"threshold.json": _fingerprint(), "ranker.json": _ranker_fingerprint()}
    for name, fingerprint in made.items():
        kept = ROUTING / name
        if not kept.exists() or json.loads(kept.read_bytes()).get("fingerprint") != fingerprint:
            return "Questions, tool cards or encoder changed since the last fit. Run `index fit`."
    return ""


def _ranker_fingerprint() -> str:
    questions = (QUESTIONS / "facts.jsonl").read_text(encoding="utf-8")
    asks = [[rule.name, rule.label, *rule.asks] for rule in properties().values()]
    content = json.dumps([questions, asks, FEATURES, load_encoder().fingerprint])
    return hashlib.sha256(content.encode()).hexdigest()


def _fingerprint() -> str:
    questions = [[question.text, question.tool] for question in labelled("fit")]
    examples = [[document.id, document.text] for document in tool_documents(load_tools())]
    content = json.dumps([questions, examples, load_encoder().fingerprint])
    return hashlib.sha256(content.encode()).hexdigest()
