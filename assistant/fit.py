"""Fits what routes and ranks to questions that people wrote; run by `index fit`."""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.router import CHOICES, FEATURES, LABELS, ROLES
from index.catalog import load
from index.encoder import load_encoder
from index.gloss import gloss
from index.names import Names
from index.properties import properties
from index.ranker import FEATURES as RANKED
from index.reader import ROUTING, load_reader
from index.replies import ABOUT, DO, ELSEWHERE, OTHER, replies
from index.topics import answered_by, read_topic, topics
from tools.base import Report, load_tools

QUESTIONS = Path(__file__).parents[1] / "tests" / "questions"
LANGUAGES = Path(__file__).parents[1] / "index" / "languages"
_FOLD = 16  # one in so many messages with a known topic is left out of the fit
Row = Mapping[str, Any]


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


def told_topics(folder: Path = QUESTIONS) -> tuple[Row, ...]:
    """Messages with what they are after, and with their tool where that tells it.

    Those of a talk are told with the message before. Whether they point to anything is not known.
    """
    rows = [*_sorted_out(folder / "topics.tsv"), *_talks(folder / "talks.tsv")]
    for reply in replies(ABOUT):
        rows += [_after(asked, (ABOUT,)) for asked in reply.asked]
    for reply in replies(ELSEWHERE):
        rows += [_after(asked, (reply.name,)) for asked in reply.asked]
    return tuple(rows)


def _sorted_out(path: Path) -> Iterator[Row]:
    """Messages that stand alone; tabs between what they are after, what else, and the text."""
    for line in path.read_text(encoding="utf-8").splitlines():
        first, second, text = line.split("\t")
        yield _after(text, (first, second))


def _talks(path: Path) -> Iterator[Row]:
    """Messages in the order in which a person wrote them; an empty line ends a talk."""
    before: Row = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line:
            before = {}
            continue
        first, second, text = line.split("\t")
        row = _after(text, (first, second))
        if before:
            said = [{"role": "user", "text": before["text"]}]
            row = {**row, "history": said, "last": before.get("tool", "")}
        yield (before := row)


def _after(text: str, topics: Sequence[str]) -> Row:
    """A message that is after one of some topics; with its tool if only one answers them."""
    right = [topic for topic in topics if topic]
    tools = {tool for tool, after in answered_by().items() if set(after) & set(right)}
    row: Row = {"text": text, "topics": right, "points": None}
    alone = len(tools) == 1 and OTHER not in right and DO not in right
    return {**row, "tool": tools.pop()} if alone else row


def fit_stale(report: Report) -> dict[str, Any]:
    """Fits what no longer belongs to the questions, cards and encoder; returns what was fitted."""
    fits = {"router.json": fit_routing, "ranker.json": fit_facts}
    return {name: fits[name](report) for name in _stale()}


def fit_routing(report: Report) -> dict[str, Any]:
    """Fits the network to every question with a known tool, plan or topic, and keeps it.

    Some messages with a known topic are left out, to tell how often it is found.
    """
    from assistant.fit_router import fit, keep
    from assistant.lessons import lessons, read_rows, read_texts

    names = Names(load(), load_encoder().is_word)
    told = told_topics()
    held = {row["text"] for row in told[::_FOLD]}
    rows = [
        *read_rows(QUESTIONS / "routing.jsonl"),
        *read_texts(QUESTIONS / "routing.tsv"),
        *({"text": text, "tool": tool} for text, tool in labelled()),
        *(row for row in told if row["text"] not in held),
    ]
    found = [lesson for row in rows for lesson in lessons(row, names)]
    # What leans on words before is rarer than in real talk.
    later = [lesson for lesson in found if lesson.situation.said and lesson.labels]
    keep(fit([*found, *later], report))
    load_reader.cache_clear()
    right = topics_right(row for row in told if row["text"] in held)
    kept = {"fingerprint": _router_fingerprint(), "questions": len(rows), "lessons": len(found)}
    _keep("router.json", {**kept, "topics_held_out": len(held), "topics_right": right})
    return kept


def fit_facts(report: Report) -> dict[str, Any]:
    """Fits the ranker of facts, and keeps it with what it gets right."""
    from assistant.fit_ranker import fit_ranker

    held = fit_ranker(report)
    kept = {"fingerprint": _ranker_fingerprint(), "held_out": held}
    _keep("ranker.json", kept)
    return kept


def topics_right(rows: Iterable[Row]) -> float:
    """Share of messages for which the likeliest topic is a right one."""
    from assistant.lessons import situation_of

    names = Names(load(), load_encoder().is_word)
    right = []
    for row in rows:
        found = read_topic(gloss(row["text"], names).text, situation_of(row, names).before_it)
        right.append(found.name in row["topics"])
    return round(sum(right) / len(right), 4)


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
    }
    kept = {
        name: json.loads((ROUTING / name).read_bytes()) if (ROUTING / name).exists() else {}
        for name in wanted
    }
    return tuple(name for name in wanted if kept[name].get("fingerprint") != wanted[name])


def _router_fingerprint() -> str:
    words = (path for path in sorted(LANGUAGES.glob("*")) if path.name != "labels.toml")
    rows = (QUESTIONS / name for name in ("routing.jsonl", "routing.tsv"))
    texts = [path.read_text(encoding="utf-8") for path in (*rows, *words)]
    shape = [
        list(labelled()),
        told_topics(),
        topics(),
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
