"""Checks that every figure of an answer stands in its evidence.

A figure passes only if a fact that its block cites has the same system, property and unit, and a
value that rounds to it. The system is the one named last before the figure, or in the table's
row, column or title; the property must be named beside it.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.evidence import Claim, Fact, Value
from index.names import Names
from index.properties import LARGER, labels, properties
from index.replies import outsiders
from tools.base import Block, File, Image, Plot, Table, Text

_log = logging.getLogger(__name__)
_NUMBER = re.compile(r"(?<![\w.])\$?\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?", re.IGNORECASE)
_AFTER = re.compile(r"\s?(billion|million|pictures/s|of 100|[A-Za-z%/]+)")
_RATIO = re.compile(
    r"\b(twice|thrice|doubled?|tripled?|quadrupled?|halved?|half|tenfold|\w+fold|dozens?"
    r"|(?:two|three|four|five|six|seven|eight|nine|ten|hundred|thousand)\s+times"
    r"|(?:two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|fifty|hundred)\s+"
    r"(?:million|billion|thousand|hundred|percent|steps|seconds|minutes|milliseconds|cents|dollars"
    r"|gigabytes|megabytes|megapixels|tokens|parameters))\b",
    re.IGNORECASE,
)
_HAN = re.compile(r"[\u3400-\u9fff]")
_LINK = re.compile(r"https?://\S+")
_FREE = re.compile(  # names of things that hold digits
    r"\bImageNet-\d+k\b|\bApache-\d\.\d\b|\b(?:INT|FP|BF|NF)\d+\b|\btop-\d\b"
    r"|\bi\d-\d+\w*|\bRTX \d+\b|\b\d{4}-\d{2}-\d{2}\b",
    re.IGNORECASE,
)
_UNITS = frozenset(rule.unit for rule in properties().values() if rule.unit)


@dataclass(frozen=True)
class _Figure:
    """A number in a text: its value, its written precision, the unit after it, and where."""

    value: float
    decimals: int
    unit: str
    start: int
    shown: str


def checked(block: Block, names: Names, literal: Sequence[str] = ()) -> Block:
    """The block, or a line that says it was withheld if a figure in it cannot be traced."""
    found = faults(block, names, literal)
    if not found:
        return block
    _log.error("ungrounded figures: %s in %r", found, block)
    return Text("A part of the answer was withheld: a figure in it could not be traced to a fact.")


def faults(block: Block, names: Names, literal: Sequence[str] = ()) -> tuple[str, ...]:
    """Every figure of a block that its evidence does not carry, with what is wrong.

    Args:
        block: what an answer would show.
        names: finds the systems that a text names.
        literal: strings that are names, not figures (the names of the person's files).
    """
    said = (*literal, *block.state) if isinstance(block, Text | Table | Image) else literal
    return tuple(
        fault
        for passage in _passages(block)
        for fault in _faults(_prepared(passage, said), block.cites, names)
    )


@dataclass(frozen=True)
class _Part:
    """One text, the text around it that says what it is about, and both as they were written."""

    text: str
    around: str = ""
    written: str = ""


def _passages(block: Block) -> Iterator[tuple[_Part, ...]]:
    """The texts of a block; those of one passage share the conditions that it states."""
    match block:
        case Text(text):
            yield (_Part(text),)
        case Table(columns, rows, title):
            yield (_Part(title),)
            for row in rows:
                yield tuple(_cells(columns, row, title))
        case Plot(_, alt, title, labels):
            rest = (_Part(label, f"{title} | {alt} | ") for label in (alt, *labels))
            yield (_Part(title), *rest)
        case Image(_, alt, metadata):
            yield tuple(_Part(text, f"{alt} | ") for text in (alt, *metadata.values()))
        case File(_, alt):
            yield (_Part(alt),)


def _cells(columns: Sequence[str], row: Sequence[str], title: str) -> Iterator[_Part]:
    for place, (column, cell) in enumerate(zip(columns, row, strict=True)):
        rest = " | ".join((*row[:place], *row[place + 1 :]))
        yield _Part(cell, f"{title} | {rest} | {column} | ")
        yield _Part(column, f"{title} | {cell} | ")


def _prepared(passage: Sequence[_Part], literal: Sequence[str]) -> tuple[_Part, ...]:
    return tuple(
        _Part(
            _without_literal(_without_links(part.text), literal),
            _without_literal(_without_links(part.around), literal),
            f"{part.around} {part.text}",
        )
        for part in passage
    )


def _faults(passage: Sequence[_Part], cites: Sequence[Fact], names: Names) -> Iterator[str]:
    loose: list[tuple[_Figure, str]] = []
    conditions: set[str] = set()
    aside = [words for fact in cites for words in _aside(fact)]
    for part in passage:
        plain = _without_names(part.text, names, cites)
        conditions |= {fact.at for fact in cites if _is_worded(fact, part.written)}
        for ratio in _RATIO.finditer(plain):
            yield f"{ratio[0]!r} is a comparison that no fact states"
        for figure in _figures(plain):
            carriers = [fact for fact in cites if _carries(fact, figure, part, names, aside)]
            conditions |= {fact.at for fact in carriers}
            if not carriers:
                loose.append((figure, part.text))
    for figure, text in loose:
        if not _within(figure, text, conditions):
            yield f"{figure.shown!r} in {text!r} is carried by no cited fact"


def _without_links(text: str) -> str:
    """Addresses hold digits and names that are not what a text is about."""
    return _LINK.sub(lambda link: "\N{NO-BREAK SPACE}" * len(link[0]), text)


def _without_literal(text: str, literal: Sequence[str]) -> str:
    """The text with names of files and the like blanked, as words: a file may be "c".

    The longest go first, since one may be a part of another. Links are blanked already.
    """
    pieces = {piece.strip() for name in literal for piece in _LINK.split(name)} - {""}
    for name in sorted(pieces, key=len, reverse=True):
        whole = rf"(?<!\w){re.escape(name)}(?!\w)"
        text = re.sub(whole, "\N{NO-BREAK SPACE}" * len(name), text)
    return text


def _without_names(text: str, names: Names, cites: Sequence[Fact]) -> str:
    """The text with everything blanked that holds digits but is a name."""
    spans = [(m.start, m.end) for m in names.mentions(text, typos=False)]
    spans += [match.span() for match in _FREE.finditer(text)]
    words = {card.family for card in names.catalog.cards.values() if card.family}
    words |= {properties()[fact.property].label for fact in cites} | set(outsiders(text))
    for fact in cites:
        words |= {value for value in _values(fact) if isinstance(value, str)}
        words |= {fact.says} if isinstance(fact, Claim) else {fact.device, fact.machine}
        words |= {part for part in _thing(fact) if any(map(str.isalpha, part))}
    text = _blanked(text, sorted(words, key=len, reverse=True))
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _blanked(text: str, words: Sequence[str]) -> str:
    for word in filter(None, words):
        text = text.replace(word, "\N{NO-BREAK SPACE}" * len(word))
    return text


def _figures(text: str) -> Iterator[_Figure]:
    read = 0
    for match in _NUMBER.finditer(text):
        if match.start() < read:
            continue  # a digit of the unit before it
        shown = match[0]
        digits = shown.lstrip("$").replace(",", "")
        after = _AFTER.match(text, match.end())
        read = after.end() if after else match.end()
        unit = "USD" if shown.startswith("$") else after[1] if after else ""
        decimals = len(digits.partition(".")[2]) if "e" not in digits.lower() else 12
        yield _Figure(float(digits), decimals, unit, match.start(), shown)


def _carries(fact: Fact, figure: _Figure, part: _Part, names: Names, aside: Sequence[str]) -> bool:
    scope = f"{part.around} {part.text}"
    return (
        any(_rounds(value, figure, fact.unit) for value in _values(fact))
        and _unit_fits(fact.unit, figure, scope)
        and _subject(figure, part, names, aside) in ("", fact.system)
        and _named(fact, part.written)
    )


def _is_worded(fact: Fact, written: str) -> bool:
    """Whether a fact whose value is words, not a figure, is told."""
    return any(isinstance(value, str) and value in written for value in _values(fact))


def _values(fact: Fact) -> tuple[Value, ...]:
    if isinstance(fact, Claim) and fact.right is not None:
        return (fact.value, fact.right)
    return (fact.value,)


def _rounds(value: Value, figure: _Figure, unit: str) -> bool:
    if isinstance(value, str | bool):
        return False
    scale = 1000.0 if figure.unit and figure.unit == LARGER.get(unit) else 1.0
    return abs(round(value / scale, figure.decimals) - figure.value) < 1e-9


def _unit_fits(unit: str, figure: _Figure, scope: str) -> bool:
    if figure.unit in _UNITS or figure.unit in LARGER.values():
        return figure.unit in (unit, LARGER.get(unit))
    return not unit or unit in scope


def _aside(fact: Fact) -> Sequence[str]:
    """What may name a system that the fact is not about: its condition and its source."""
    said = (f"{fact.says}, {fact.date}",) if isinstance(fact, Claim) else ()
    return (fact.at, *_thing(fact), *said)


def _subject(figure: _Figure, part: _Part, names: Names, aside: Sequence[str]) -> str:
    """The system that a figure is about: the last named before it, else around, else after."""
    named = names.mentions(_blanked(part.text, aside), typos=False)
    before = [mention.system for mention in named if mention.start <= figure.start]
    around = _blanked(part.around, aside)
    beside = [mention.system for mention in names.mentions(around, typos=False)]
    after = [mention.system for mention in named]
    for found in (before, beside):
        if found:
            return found[-1]
    return after[0] if after else ""


def _named(fact: Fact, scope: str) -> bool:
    """Whether the fact's property is named, and the thing that was measured, if it says one."""
    lower, asks = scope.lower(), properties()[fact.property].asks
    said = any(_says(word, lower) for word in (*map(str.lower, labels(fact.property)), *asks))
    return said and all(part in scope for part in _thing(fact))


def _says(word: str, text: str) -> bool:
    """Whether a text holds a word; Chinese puts no spaces around it."""
    if _HAN.search(word):
        return word in text
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


def _thing(fact: Fact) -> Sequence[str]:
    """What was measured, such as a picture and a label, if the condition says so."""
    return fact.at.split(": ") if ": " in fact.at else ()


def _within(figure: _Figure, text: str, conditions: set[str]) -> bool:
    """Whether a number belongs to the condition of a fact that the same text states."""
    for condition in filter(None, conditions):
        start = text.find(condition)
        while start >= 0:
            if start <= figure.start < start + len(condition):
                return True
            start = text.find(condition, start + 1)
    return False
