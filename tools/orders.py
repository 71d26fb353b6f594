"""Which systems a claim sets in order: who comes before whom, in what, by how much."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools.vocabulary import pattern, vocabulary

STAND_IN = "system"  # what stands for each name, with its letter
_NAMED = re.compile(rf"\b{STAND_IN}([a-z])\b")
_THAN = re.compile(r"\b(than|as|compared (to|with)|versus|vs|against|beats?|of|to)\b")
_BESIDE = re.compile(
    rf"\b(?:compared (?:to|with)|next to|against|versus|vs|unlike)\W+(?:the )?({STAND_IN}[a-z])"
)
_WHICH = re.compile(r"\b(which|who|that|the latter)\b[^,.]{0,25}$")
_JOINED = re.compile(r"^\W*((and|or|but|nor|yet|also|even|both|is|has|are|it|at|once)\W+)*$")
_END = re.compile(r"[.!?;:]\s|$")
_ALL_OTHERS = re.compile(
    r"\bthan\W+(any(thing)?|all|every(thing)?|each|the (other|rest)|its (siblings|rivals))"
)
_NONE_OTHER = re.compile(r"\b(no|nothing|none|no one|nobody)\b[^.]{0,45}$")
_LIST = re.compile(
    r"\b(?:among|amongst|of|between|from)\b\W*(?:(?:the|these|models?|three|two|both|\d)\W+)*"
    rf"({STAND_IN}[a-z](?:\W*(?:,|and|or|&|\s)\W*(?:the )?{STAND_IN}[a-z])+)"
)
_ORDINALS = {"second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4}
_ORDINAL = re.compile(rf"\b({'|'.join(_ORDINALS)})[\s-]+(?:\w+[\s-]+)?$")


@dataclass(frozen=True)
class Order:
    """A claimed order of systems in one property.

    Attributes:
        properties: what may be meant, best first.
        direction: `lower`, `higher`, `better`, `worse` or `equal` of the first system.
        first: id of the system that is set before others; empty if the claim names none.
        others: ids of those it is set before; empty if none is named.
        negated: whether the order is denied.
        place: 1 for the extreme one, 2 for the one next to it.
        start: where in the words the order is said.
    """

    properties: tuple[str, ...]
    direction: str
    first: str = ""
    others: tuple[str, ...] = ()
    negated: bool = False
    place: int = 1
    start: int = 0


@dataclass(frozen=True)
class _Said:
    """A word of order in a text.

    Attributes:
        row: its row of the vocabulary.
        start: first character.
        end: character after the last.
        objects: stand-ins of what it is set against.
    """

    row: Mapping[str, Any]
    start: int
    end: int
    objects: tuple[str, ...] = ()


def orders(words: str, systems: Mapping[str, str]) -> tuple[tuple[Order, ...], tuple[Order, ...]]:
    """The comparisons and the superlatives of a claim.

    Args:
        words: the claim, with stand-ins for the names of systems.
        systems: ids of the systems, by stand-in.
    """
    said = _compared(words)
    extremes = [_extreme(words, systems, one) for one in _found("superlatives", words)]
    compared: list[Order] = []
    for one in said:
        if _is_of_all(words, one):
            extremes.append(_among_all(words, systems, one))
        elif not _of_number(words, one):
            compared.append(_comparison(words, systems, said, one))
    return tuple(compared), tuple(extremes)


def _found(table: str, words: str) -> list[_Said]:
    """The words of order, those that begin first in front; of two that overlap, the longer."""
    found = [
        _Said(row, match.start(), match.end())
        for row in vocabulary("claims")[table]
        for match in pattern([rf"\b(?:{word})\b" for word in row["words"]]).finditer(words)
    ]
    kept: list[_Said] = []
    for one in sorted(found, key=lambda said: (said.start - said.end, said.start)):
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda said: said.start)


def _compared(words: str) -> list[_Said]:
    """The words of comparison, each with what it is set against.

    Of several that are joined ("smaller and faster than"), all are set against the same.
    """
    found = _found("comparisons", words)
    told = [
        _Said(one.row, one.start, one.end, _objects(words, one, following))
        for one, following in zip(found, [*found[1:], None], strict=False)
    ]
    for place in reversed(range(len(told) - 1)):
        one, after = told[place], told[place + 1]
        if not one.objects and _JOINED.match(words[one.end : after.start]):
            told[place] = _Said(one.row, one.start, one.end, after.objects)
    for place in range(1, len(told)):
        one, before = told[place], told[place - 1]
        if not one.row["properties"]:
            row = {**one.row, "properties": before.row["properties"]}
            told[place] = one = _Said(row, one.start, one.end, one.objects)
        if not one.objects and not _of_number(words, one) and not _names_after(words, one):
            told[place] = _Said(one.row, one.start, one.end, before.objects)
    return [one for one in told if one.row["properties"]]


def _objects(words: str, one: _Said, following: _Said | None) -> tuple[str, ...]:
    end = following.start if following else _sentence_end(words, one.end)
    text = words[one.end : end]
    than = _THAN.search(text)
    named = tuple(match[0] for match in _NAMED.finditer(text, than.end() if than else 0))
    near = than or re.match(rf"\W*(the )?{STAND_IN}", text)
    if named and near:
        # "than B, which is smaller than C": the last one named opens the next comparison
        return named[:-1] if following and _opens(text, named) else named
    return tuple(match[1] for match in _BESIDE.finditer(words[_sentence_start(words, one.start) :]))


def _opens(text: str, named: Sequence[str]) -> bool:
    """Whether the last one named is the subject of what follows: "than B and C is smaller"."""
    return len(named) > 1 and bool(re.search(rf"{named[-1]}\W+(is|has|are|costs?|needs?)\b", text))


def _names_after(words: str, one: _Said) -> bool:
    """Whether it is set against something, of which no card is known."""
    return bool(re.match(r"[^.,]{0,25}\bthan\b", words[one.end :]))


def _of_number(words: str, one: _Said) -> bool:
    """Whether it only bounds a number: "less memory than 8 GB"."""
    return bool(re.match(r"\W*(than|as|to) (?:[$€]\s?)?[\d.]", words[one.end :]))


def _is_of_all(words: str, one: _Said) -> bool:
    rest = words[one.end : _sentence_end(words, one.end)]
    if _ALL_OTHERS.match(rest.lstrip()) or _ALL_OTHERS.search(rest[:30]):
        return True
    return bool(one.objects and _NONE_OTHER.search(words[: one.start]))


def _among_all(words: str, systems: Mapping[str, str], one: _Said) -> Order:
    none = _NONE_OTHER.search(words[: one.start]) and one.objects
    subjects = one.objects if none else _before(words, one)
    return Order(
        tuple(one.row["properties"]), one.row["direction"],
        systems.get(subjects[0], "") if subjects else "",
        negated=not none and _denied(words, one), start=one.start,
    )  # fmt: skip


def _subjects(words: str, said: Sequence[_Said], one: _Said) -> list[str]:
    """The systems that are set before others: named before, and not set behind themselves."""
    earlier = {name for other in said if other.start < one.start for name in other.objects}
    before = _before(words, one)
    if _WHICH.search(words[: one.start]) and earlier & set(before):
        return before[-1:]
    beside = {match[1] for match in _BESIDE.finditer(words)}
    return [name for name in before if name not in earlier | beside]


def _comparison(words: str, systems: Mapping[str, str], said: Sequence[_Said], one: _Said) -> Order:
    objects = [name for name in one.objects if name in systems]
    before, subjects = _before(words, one), _subjects(words, said, one)
    listed = _LIST.search(words)
    if not objects and listed:  # "between A and B, B is"
        subjects = before[-1:] if before else subjects
        objects = [match[0] for match in _NAMED.finditer(listed[1]) if match[0] not in subjects]
    if not subjects and len(objects) > 1 and not before:
        objects, subjects = objects[:1], objects[1:]  # "cheaper than B is A"
    if one.row["direction"] in ("equal", "same") and not objects:
        subjects, objects = subjects[:1], subjects[1:]  # "A and B cost the same"
    return Order(
        tuple(one.row["properties"]), one.row["direction"],
        systems[subjects[0]] if subjects else "",
        tuple(systems[name] for name in objects if name not in subjects[:1]),
        _denied(words, one), start=one.start,
    )  # fmt: skip


def _before(words: str, one: _Said) -> list[str]:
    """The systems named before a word of order, those of its own sentence if there are any."""
    own = _NAMED.finditer(words, _sentence_start(words, one.start), one.start)
    return [m[0] for m in own] or [m[0] for m in _NAMED.finditer(words, 0, one.start)]


def _extreme(words: str, systems: Mapping[str, str], one: _Said) -> Order:
    """The system that is called the extreme one, and among whom."""
    listed = _LIST.search(words)
    among = tuple(match[0] for match in _NAMED.finditer(listed[1])) if listed else ()
    again = [name for place, name in enumerate(among) if name in among[:place]]
    inside = listed.span(1) if listed else (0, 0)
    named = [m for m in _NAMED.finditer(words) if not inside[0] <= m.start() < inside[1]]
    before = [m[0] for m in named if m.start() < one.start]
    after = [m[0] for m in named if m.start() >= one.start]
    first = next(iter([*again, *before[-1:], *after]), "")  # "of A, B and C, B is"
    ordinal = _ORDINAL.search(words[: one.start])
    return Order(
        tuple(one.row["properties"]), one.row["direction"], systems.get(first, ""),
        tuple(systems[name] for name in among if name != first and name in systems),
        _denied(words, one), _ORDINALS[ordinal[1]] if ordinal else 1, one.start,
    )  # fmt: skip


def _denied(words: str, one: _Said) -> bool:
    """Whether the order is denied in its own clause."""
    start = _sentence_start(words, one.start)
    clause = re.split(r",|\bbut\b|\bwhile\b|\bthan\b|\bof\b", words[start : one.start])[-1]
    denials = len(pattern(vocabulary("claims")["negation"]).findall(clause))
    return denials % 2 == 1 or bool(re.search(r"\bneither\b", clause))


def _sentence_start(words: str, at: int) -> int:
    ends = [match.end() for match in _END.finditer(words, 0, at) if match[0]]
    return ends[-1] if ends else 0


def _sentence_end(words: str, at: int) -> int:
    found = _END.search(words, at)
    return found.start() if found else len(words)
