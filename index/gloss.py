"""A question as plain English words: names stand in for systems, digits for numbers in words.

The router and the readers of arguments see every question through a gloss. A question in German,
Spanish, French, Russian or Chinese is glossed word by word, so that one fitted head and one set of
patterns serve all languages. Each piece remembers where it came from: what is quoted back, such as
a prompt, is cut from the person's own words.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from types import MappingProxyType

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from index.glossary import UNKNOWN, Glossary, glossary
from index.names import Mention, Names
from index.numerals import numerals

LANGUAGES = ("en", "de", "es", "fr", "ru", "zh")
_WORD = re.compile(
    r"[^\W\d_]+['\u2019](?=[^\W\d_])|[^\W\d_]+|\d+(?:[.,]\d+)*(?:e-?\d+\b)?|[^\s\w]|_"
)
_CYRILLIC, _HAN = re.compile(r"[\u0400-\u04ff]"), re.compile(r"[\u3400-\u9fff]")
_LONGEST = 5  # words of the longest phrase in a glossary
_LONGEST_HAN = 8  # characters of the longest Chinese word
_LATIN = ("de", "es", "fr")
_LETTERS = re.compile(r"[^\W\d_]+")
_ENOUGH, _LEAST = 6, 0.4  # words of a question; share of them that must be known, about
_LAST_LATIN = 0x24F
_SHARED = 0.95  # what a word that English has too says for another language
_MARKS = {"de": re.compile("[äöüß]"), "es": re.compile("[ñáíóú]"), "fr": re.compile("[èêàçùœ]")}
_MARKED = 0.6  # what an unknown word says for the language that has its letters
# The word that stands for a system, by the engine that runs it.
_STAND_INS: Mapping[str, str] = {
    "convnet": "resnet", "flux": "flux", "stable_diffusion": "diffusion", "bfl": "flux",
    "training": "github", "none": "midjourney",
}  # fmt: skip
_SHORT = 20  # words of a message that hardly stands alone
_TYPO_FROM = 5  # letters from which a word may be a misspelling
_FORMATS = frozenset({"tensorrt", "openvino", "coreml", "executorch", "litert", "tflite", "onnx"})
_TERMS = frozenset({"canny", "clutter", "undesired"})  # right words that no list has


@dataclass(frozen=True)
class Piece:
    """Some words of a gloss and where they came from.

    Attributes:
        text: the English words.
        start: first character in the question.
        end: character after the last.
    """

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Gloss:
    """A question in plain English words.

    Attributes:
        question: the person's own words.
        language: one of LANGUAGES.
        pieces: the words, in order.
        mentions: the systems that the question names.
    """

    question: str
    language: str
    pieces: tuple[Piece, ...]
    mentions: tuple[Mention, ...] = ()

    @cached_property
    def text(self) -> str:
        """The gloss, lower case; pieces that touch in the question touch here."""
        return "".join(self._parts)

    @property
    def is_short(self) -> bool:
        """Whether it has so few words that it leans on what was said before."""
        return len(self.text.split()) <= _SHORT

    @cached_property
    def _parts(self) -> tuple[str, ...]:
        parts: list[str] = []
        end, glossed, tail = 0, False, ""
        for piece in self.pieces:
            before, glossed = glossed, piece.text != self.question[piece.start : piece.end].lower()
            # Two glosses must not run together, as the Chinese words did.
            touch = tail.isalnum() and piece.text[:1].isalnum()
            apart = piece.start > end or (touch and (before or glossed))
            parts.append(" " + piece.text if parts and piece.text and apart else piece.text)
            end, tail = piece.end, piece.text[-1:] or tail
        return tuple(parts)

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        starts, at = [], 0
        for part in self._parts:
            starts.append(at + len(part) - len(part.lstrip()))
            at += len(part)
        return tuple(starts)

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Where in the question the words between two places of the gloss came from."""
        first = max(bisect_right(self._starts, start) - 1, 0)
        last = max(bisect_right(self._starts, max(end - 1, start)) - 1, 0)
        return self.pieces[first].start, self.pieces[last].end

    def place(self, at: int) -> int:
        """Where in the gloss a place of the question has gone."""
        starts = [piece.start for piece in self.pieces]
        found = max(bisect_right(starts, at) - 1, 0)
        return self._starts[found] if starts else 0

    def part(self, start: int, end: int) -> "Gloss":
        """The gloss of a part of the question, from one of its characters to another."""
        pieces = tuple(p for p in self.pieces if start <= p.start and p.end <= end)
        mentions = tuple(m for m in self.mentions if start <= m.start and m.end <= end)
        return Gloss(self.question, self.language, pieces, mentions)

    def without(self, spans: Sequence[tuple[int, int]]) -> "Gloss":
        """The gloss without some parts of the question, each from one character to another."""
        pieces = tuple(p for p in self.pieces if not any(a <= p.start < b for a, b in spans))
        mentions = tuple(m for m in self.mentions if not any(a <= m.start < b for a, b in spans))
        return Gloss(self.question, self.language, pieces, mentions)

    def joined(self, other: "Gloss") -> "Gloss":
        """This part of a question with the one that follows it."""
        mentions = (*self.mentions, *other.mentions)
        return Gloss(self.question, self.language, (*self.pieces, *other.pieces), mentions)

    @cached_property
    def named(self) -> str:
        """The gloss with systems as they were typed, in place of the words for their kinds."""
        typed = {found.start: self.question[found.start : found.end] for found in self.mentions}
        named = (replace(p, text=typed.get(p.start, p.text)) for p in self.pieces)
        return replace(self, pieces=tuple(named)).text

    @property
    def said(self) -> str:
        """The part of the question that this glosses, as it was typed."""
        if not self.pieces:
            return ""
        return self.question[self.pieces[0].start : self.pieces[-1].end].strip()


def gloss(
    question: str, names: Names, stand_ins: Mapping[str, str] = MappingProxyType({})
) -> Gloss:
    """Glosses a question.

    Args:
        question: the person's words.
        names: finds the systems that they name; each is glossed by one word for its kind.
        stand_ins: other words for some systems, by id.
    """
    mentions, language = _named(question, names)
    pieces: list[Piece] = []
    at = 0
    for mention in mentions:
        pieces += _words(question, at, mention.start, language)
        stand_in = stand_ins.get(mention.system) or _STAND_INS[engine(names, mention)]
        pieces.append(Piece(stand_in, mention.start, mention.end))
        at = mention.end
    pieces += _words(question, at, len(question), language)
    if language in ("en", UNKNOWN):
        pieces = [_mended(piece, question, names) for piece in pieces]
    return Gloss(question, language, tuple(_digits(pieces)), mentions)


def in_english(text: str, names: Names) -> str:
    """A text in English words with the names of systems as typed; English stays as it is."""
    english = _named(text, names)[1] in ("en", UNKNOWN)
    return text if english else gloss(text, names).named


def _named(question: str, names: Names) -> tuple[tuple[Mention, ...], str]:
    """The systems that a question names, and its language.

    A lone word of the language is none: "schnell" is German for fast.
    """
    found = names.mentions(question)
    language = _language(question, [mention for mention in found if mention.exact], names)
    known = glossary(language)
    words = [question[mention.start : mention.end].lower().split() for mention in found]
    both = zip(found, words, strict=True)
    return tuple(m for m, said in both if len(said) > 1 or known.find(said) is None), language


def engine(names: Names, mention: Mention) -> str:
    """The engine of a system that was named."""
    card = names.catalog.get(mention.system)
    return card.run.engine if card else "none"


def _language(question: str, mentions: Sequence[Mention], names: Names) -> str:
    """The language of a question: by its script, else by the glossary that knows most of it."""
    kept = list(question.lower())
    for mention in mentions:
        kept[mention.start : mention.end] = " " * (mention.end - mention.start)
    text = "".join(kept)
    han, cyrillic = len(_HAN.findall(text)), len(_CYRILLIC.findall(text))
    if han or cyrillic:
        return "zh" if han * 2 >= cyrillic else "ru"
    words = [word for word in _LETTERS.findall(text) if len(word) > 1]
    english = [names.is_word(word) for word in words]
    scores = {"en": sum(1.0 if whole else 0.2 for whole in english)}
    for name in _LATIN:
        known = [_tells(glossary(name).find((word,)), word) for word in words]
        both = zip(known, english, strict=True)
        scores[name] = sum((_SHARED if whole else 1.2) for found, whole in both if found)
        marked = (_MARKS[name].search(word) is not None for word in words)
        strange = sum(not found and mark for found, mark in zip(known, marked, strict=True))
        scores[name] += _MARKED * strange
    best = max(scores, key=lambda name: (scores[name], name == "en"))
    unheard = len(words) >= _ENOUGH and scores[best] < _LEAST * len(words)
    return UNKNOWN if unheard or _is_foreign(text) else best


def _is_foreign(text: str) -> bool:
    """Whether most letters are of a script that no glossary has, such as Arabic."""
    letters = [letter for letter in text if letter.isalpha()]
    other = sum(ord(letter) > _LAST_LATIN for letter in letters)
    return other * 2 > len(letters)


def _mended(piece: Piece, question: str, names: Names) -> Piece:
    """A misspelt English word as the word of the field that was meant."""
    word, after = piece.text, question[piece.end : piece.end + 1]
    typed = word == question[piece.start : piece.end].lower() and word.isalpha()
    if len(word) < _TYPO_FROM or not typed or after.isdigit() or _is_right(word, names):
        return piece
    allowed = 1 + len(word) // 8
    near = process.extractOne(
        word, _field(), scorer=DamerauLevenshtein.distance, score_cutoff=allowed
    )
    return replace(piece, text=near[0]) if near and near[0][0] == word[0] else piece


def _is_right(word: str, names: Names) -> bool:
    """Whether a word, or what is left without an ending, is one that the encoder knows."""
    ends = ("s", "es", "ed", "d", "ing", "er", "ly", "able")
    stems = {word, *(word.removesuffix(end) for end in ends)}
    return any(names.is_word(stem) or stem in _field_words() | _TERMS for stem in stems)


@cache
def _field() -> tuple[str, ...]:
    """The longer English words of the glossaries, and names of formats."""
    meanings = (
        meaning
        for name in LANGUAGES
        for meaning in (*glossary(name).exact.values(), *glossary(name).stems.values())
    )
    words = {word for meaning in meanings for word in re.findall(r"[a-z]+", meaning)}
    return tuple(sorted(word for word in words | _FORMATS if len(word) >= _TYPO_FROM))


@cache
def _field_words() -> frozenset[str]:
    return frozenset(_field())


def _tells(meaning: str | None, word: str) -> bool:
    """Whether a word of a glossary speaks for its language: not if English writes it alike."""
    return meaning is not None and meaning.replace("-", "")[:4] != word[:4]


def _digits(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """The pieces with numbers in digits: "twenty" "five" becomes "25"."""
    for first, last, value in numerals([piece.text for piece in pieces]):
        if value is None:
            yield pieces[first]
        else:
            yield Piece(str(value), pieces[first].start, pieces[last - 1].end)


def _words(question: str, start: int, end: int, language: str) -> Iterator[Piece]:
    found = [
        (word[0].lower().replace("\u2019", "'"), word.start(), word.end())
        for word in _WORD.finditer(question, start, end)
    ]
    words = glossary(language)
    place = 0
    while place < len(found):
        text, first, last = found[place]
        if language == "zh" and _HAN.match(text):
            yield from _han(text, first, words)
            place += 1
            continue
        for length in range(min(_LONGEST, len(found) - place), 0, -1):
            run = found[place : place + length]
            known = words.find(tuple(word for word, _, _ in run))
            if known is not None:
                yield Piece("" if known == "-" else known, first, run[-1][2])
                place += length
                break
        else:
            yield Piece(text, first, last)
            place += 1


def _han(text: str, start: int, words: Glossary) -> Iterator[Piece]:
    """Chinese has no spaces: the longest known word wins at each place."""
    at = 0
    while at < len(text):
        for length in range(min(_LONGEST_HAN, len(text) - at), 0, -1):
            known = words.exact.get(text[at : at + length])
            if known is not None or length == 1:
                word = text[at] if known is None else known
                yield Piece("" if word == "-" else word, start + at, start + at + length)
                at += length
                break
