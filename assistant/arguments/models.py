"""Which systems a step uses or is about."""

import re
from typing import Any

from rapidfuzz import process

from assistant.arguments.heard import Heard
from assistant.arguments.refs import pointed, product, systems_of, used
from assistant.conversation import Ref
from index.names import Names

# What an earlier step has made is to be used.
_USES = re.compile(
    r"\b(?:with|use|using|on|to|ask|try|thru|through|by|train|tune|run|do|teach|take) "
    r"(?:it|that|this)\b"
    r"|\b(?:it|that one) (?:say|think|call|make)s?\b|\b(?:trained|tuned|learned|learnt)\b"
    r"|\bnew (?:one|model|network|classifier)\b"
)
_OTHER = re.compile(r"\bother (?:model|one|net|network|system)\b")
_WINNER = re.compile(
    r"\b(?:better|best|cheap(?:er|est)|fast(?:er|est)|quick(?:er|est)|light(?:er|est)|small(?:er|est)"
    r"|(?:more|most) accurate|free(?:r|st)|winning|winner|whichever)\b"
)
# What was talked about before beside one that is named: "that one and resnet18".
_THAT = r"(?:it|that one|this one|the (?:first|last|other) one)"
_BESIDE = re.compile(
    rf"\b{_THAT} (?:and|against|vs|versus|or)\b|\b(?:and|against|vs|versus|or|beside) {_THAT}\b"
)
_ALL = re.compile(
    r"\b(?:these|those|they|them|their|each|all|both|which|ones|others?|models|first|second|third"
    r"|two|three|numbers|figures)\b"
)
_ORIGINAL = re.compile(r"\b(?:original|unexported|plain|pytorch)\b")
_METHOD = "repo:rinongal/textual_inversion"  # names the method more often than its repository
_BACK = 0.2  # probability from which the systems talked about are meant
_KIN = 3  # systems offered beside one that is to be compared
_SAME_MODEL = re.compile(
    r"\b(?:same|that|this) (?:model|net|network)\b"
    r"|\b(?:with|use|take|try|train|tune|run|do|teach) (?:it|that)\b"
    r"|\bit on\b|\bdo (?:it|that) (?:here|with|then|now)\b|\bthe (?:better|best|winning) one\b"
)


# FLUX.2 klein without its size, where no German speaks of what is small.
_KLEIN = re.compile(
    r"(?<!without )(?<!not )(?<!no )\bklein\b(?![\s-]*(?:base\b|small\b|large\b|\d))", re.IGNORECASE
)
_KLEIN_ID = "FLUX.2-klein-4B"


def makers(heard: Heard) -> tuple[tuple[str, int, int], ...]:
    """The systems that may make a picture, in order: each with its place in the question."""
    named = [(one.system, one.start, one.end) for one in heard.gloss.mentions]
    pieces = heard.gloss.pieces
    if heard.gloss.language == "en" and pieces:
        found = _KLEIN.finditer(heard.gloss.question, pieces[0].start, pieces[-1].end)
        bare = (one.span() for one in found)
        named += [
            (_KLEIN_ID, start, end)
            for start, end in bare
            if not any(first <= start < last for _, first, last in named)
        ]
    return tuple(sorted(named, key=lambda one: one[1]))


def pictured(tool: str, heard: Heard) -> tuple[str, ...]:
    """The systems that are named for a tool, each once; for pictures a bare "klein" is one too."""
    if tool not in ("generate", "edit", "compare"):
        return heard.systems
    return tuple(dict.fromkeys(system for system, _, _ in makers(heard)))


def model(tool: str, heard: Heard) -> Any:
    """The system that a step uses, or the model that an earlier step made."""
    said = pictured(tool, heard)
    named = [name for name in said if not (tool == "personalize" and name == _METHOD)]
    if named:
        return named[0]
    if _OTHER.search(heard.text) and (other := _other(heard)):
        return other
    if winner := _winner(tool, heard):
        return winner
    if tool in ("generate", "edit"):
        made = product(heard, tool, ("recommend",)) if heard.steps else None
        return made or (_chosen(heard) if _SAME_MODEL.search(heard.text) else None)
    made = product(heard, tool)
    if tool in ("export", "benchmark"):
        return made or _chosen(heard)
    if heard.steps or (_USES.search(heard.text) and not heard.carried):
        return made or (_chosen(heard) if _SAME_MODEL.search(heard.text) else None)
    return None


def models(tool: str, heard: Heard) -> Any:
    """The systems to be measured."""
    if heard.systems:
        before = pointed(heard.text, used(heard)) if _BESIDE.search(heard.text) else ()
        return tuple(dict.fromkeys((*before, *heard.systems)))
    made = _winner(tool, heard) or product(heard, tool)
    if made and not (heard.steps and _ORIGINAL.search(heard.text)):
        return (made,)
    return heard.kin or pointed(heard.text, used(heard)) or None


def systems(tool: str, heard: Heard) -> tuple[str, ...] | None:
    """The systems that a question is about or that are compared."""
    named, follows = pictured(tool, heard), bool(heard.past or heard.steps)
    if tool == "compare":
        named = tuple(dict.fromkeys((*named, *heard.kin)))
    if not follows:
        return named or None
    if tool == "compare" and len(named) < 2:
        return tuple(dict.fromkeys((*pointed(heard.text, used(heard)), *named))) or None
    if not named and (heard.carried or heard.steps or _points_back(heard)):
        found = pointed(heard.text, used(heard))
        # Of several that were recommended the foremost is meant, unless all are.
        advised = not heard.steps and _last_tool(heard) == "recommend"
        return (found[:1] if advised and not _ALL.search(heard.text) else found) or None
    return named or None


def _points_back(heard: Heard) -> bool:
    return bool(heard.reading.choices["before"][1] >= _BACK)


def _last_tool(heard: Heard) -> str:
    done = (exchange.steps[-1].tool for exchange in reversed(heard.past) if exchange.steps)
    return next((tool for tool in done if tool not in ("explain", "verify", "help")), "")


def partners(system: str, names: Names) -> tuple[tuple[str, str], ...]:
    """The name of a system with those of its nearest kin, which one may want to compare it to."""
    card = names.catalog.cards.get(system)
    if not card:
        return ()
    kin = [
        other.name
        for other in names.catalog.cards.values()
        if other.run.engine == card.run.engine and set(other.tasks) & set(card.tasks)
    ]
    nearest = process.extract(card.name, [name for name in kin if name != card.name], limit=_KIN)
    return tuple((card.name, name) for name, _, _ in nearest)


def _winner(tool: str, heard: Heard) -> Ref | None:
    """What came out best of a comparison or of timings, if it is that one that is meant."""
    wins = _WINNER.search(heard.text) is not None
    return product(heard, tool, ("compare", "benchmark")) if wins else None


def _chosen(heard: Heard) -> str | None:
    return next(iter(pointed(heard.text, used(heard))), None)


def _other(heard: Heard) -> str | None:
    """The system talked about before the one that was used last."""
    last = next(iter(used(heard)), "")
    said = (
        system
        for exchange in reversed(heard.past)
        for system in (*exchange.systems, *(n for step in exchange.steps for n in systems_of(step)))
    )
    return next((system for system in said if system != last), None)
