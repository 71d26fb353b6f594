"""Fits what routes and ranks to questions that people wrote; run by `index fit`."""

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assistant.router import CHOICES, FEATURES, LABELS, ROLES, ROUTING
from index.catalog import load
from index.encoder import load_encoder
from index.gloss import in_english
from index.names import Names
from index.properties import properties
from index.ranker import FEATURES as RANKED
from index.replies import ABOUT, BRIEF, DO, ELSEWHERE, OTHER, PICK, replies
from index.topics import elsewhere, general, topics
from tools.base import Report, load_tools

QUESTIONS = Path(__file__).parents[1] / "tests" / "questions"
LANGUAGES = Path(__file__).parents[1] / "index" / "languages"
_SOME = 3  # one in so many questions for each tool shows what messages for it are after


def labelled(folder: Path = QUESTIONS) -> Iterator[tuple[str, str]]:
    """The questions of the tools' own files, with the tool; `none` if they must be declined."""
    for path in sorted(folder.glob("*.toml")):
        for row in tomllib.loads(path.read_text(encoding="utf-8")).get("question", ()):
            if "part" in row:
                yield row["text"], row["tool"] or "none"
    for tool in load_tools().values():
        yield from ((example, tool.name) for example in tool.card.examples)


def read_topics(
    name: str = "topics.tsv", folder: Path = QUESTIONS
) -> tuple[tuple[str, frozenset[str]], ...]:
    """Messages with what they are after; tabs between the first, the second and the text."""
    lines = (folder / name).read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines)
    return tuple((text, frozenset(filter(None, (first, second)))) for first, second, text in rows)


def told_apart() -> Iterator[tuple[str, str]]:
    """Messages whose tool follows from what they are after, with it.

    Whether they point to anything is not known.
    """
    yield from ((asked, "help") for reply in replies(ABOUT) for asked in reply.asked)
    yield from ((asked, "none") for reply in replies(ELSEWHERE) for asked in reply.asked)
    owners = {topic: tool for tool, after in _answered().items() for topic in after}
    for text, right in read_topics():
        tools = {owners[topic] for topic in right if topic in owners}
        if len(tools) == 1 and OTHER not in right:
            yield text, tools.pop()


def _answered() -> dict[str, tuple[str, ...]]:
    """What messages for a tool are after, by the tool; those of the others are after work."""
    return {
        "none": elsewhere(),
        "recommend": (PICK, BRIEF),
        "help": (ABOUT,),
        "explain": general(),
    }


def _sorted_out() -> Iterator[tuple[str, frozenset[str]]]:
    """All messages that show what people are after: some of those for each tool, too."""
    yield from read_topics()
    yield from read_topics("talks.tsv")
    for reply in replies(ELSEWHERE):
        yield from ((asked, frozenset({reply.name})) for asked in reply.asked)
    answered = _answered()
    lines = (QUESTIONS / "routing.tsv").read_text(encoding="utf-8").splitlines()
    for line in lines[::_SOME]:
        tool, _, text = line.split("\t")[:3]
        yield text, frozenset(answered.get(tool, (DO,)))


def fit_stale(report: Report) -> dict[str, Any]:
    """Fits what no longer belongs to the questions, cards and encoder; returns what was fitted."""
    fits = {"router.json": fit_routing, "ranker.json": fit_facts, "topics.json": fit_guides}
    return {name: fits[name](report) for name in _stale()}


def fit_routing(report: Report) -> dict[str, Any]:
    """Fits the router to every question with a known tool or plan, and keeps it."""
    from assistant.fit_router import fit, keep
    from assistant.lessons import lessons, read_rows, read_texts

    names = Names(load(), load_encoder().is_word)
    rows = [
        *read_rows(QUESTIONS / "routing.jsonl"),
        *read_texts(QUESTIONS / "routing.tsv"),
        *({"text": text, "tool": tool} for text, tool in labelled()),
        *({"text": text, "tool": tool, "points": None} for text, tool in told_apart()),
    ]
    found = [lesson for row in rows for lesson in lessons(row, names)]
    later = [lesson for lesson in found if lesson.situation.said]
    keep(fit([*found, *later], report))  # what leans on words before is rarer than in real talk
    kept = {"fingerprint": _router_fingerprint(), "questions": len(rows), "lessons": len(found)}
    _keep("router.json", kept)
    return kept


def fit_facts(report: Report) -> dict[str, Any]:
    """Fits the ranker of facts, and keeps it with what it gets right."""
    from assistant.fit_ranker import fit_ranker

    held = fit_ranker(report)
    kept = {"fingerprint": _ranker_fingerprint(), "held_out": held}
    _keep("ranker.json", kept)
    return kept


def fit_guides(report: Report) -> dict[str, Any]:
    """Fits what a message is after, and keeps it with what it gets right."""
    from assistant.fit_topics import fit_topics

    names = Names(load(), load_encoder().is_word)
    rows = [(in_english(text, names), right) for text, right in _sorted_out()]
    kept = {"fingerprint": _topics_fingerprint(), **fit_topics(rows, report)}
    _keep("topics.json", kept)
    return kept


def _keep(name: str, content: Mapping[str, Any]) -> None:
    (ROUTING / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def check_fit() -> str:
    """What is wrong with the kept fits; empty if they belong to these questions and tools."""
    if _stale():
        return "Questions, tool cards or encoder changed since the last fit. Run `index fit`."
    return ""


def _stale() -> tuple[str, ...]:
    """The kept fits that no longer belong to what they were fitted to."""
    wanted = {
        "router.json": _router_fingerprint(),
        "ranker.json": _ranker_fingerprint(),
        "topics.json": _topics_fingerprint(),
    }
    kept = {
        name: json.loads((ROUTING / name).read_bytes()) if (ROUTING / name).exists() else {}
        for name in wanted
    }
    return tuple(name for name in wanted if kept[name].get("fingerprint") != wanted[name])


def _router_fingerprint() -> str:
    words = (path for path in sorted(LANGUAGES.glob("*")) if path.name != "labels.toml")
    files = [QUESTIONS / "routing.jsonl", QUESTIONS / "routing.tsv", *words]
    texts = [path.read_text(encoding="utf-8") for path in files]
    shape = [
        list(labelled()),
        list(told_apart()),
        LABELS,
        ROLES,
        list(CHOICES),
        FEATURES,
        load_encoder().fingerprint,
    ]
    return hashlib.sha256(json.dumps([texts, shape]).encode()).hexdigest()


def _ranker_fingerprint() -> str:
    questions = (QUESTIONS / "facts.jsonl").read_text(encoding="utf-8")
    asks = [[rule.name, rule.label, *rule.asks] for rule in properties().values()]
    content = json.dumps([questions, asks, RANKED, load_encoder().fingerprint])
    return hashlib.sha256(content.encode()).hexdigest()


def _topics_fingerprint() -> str:
    rows = [[text, sorted(right)] for text, right in _sorted_out()]
    content = json.dumps([rows, topics(), load_encoder().fingerprint])
    return hashlib.sha256(content.encode()).hexdigest()
