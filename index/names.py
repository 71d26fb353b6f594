"""Which systems a text names: exact ids, aliases, spellings without separators, and typos."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from rapidfuzz import fuzz, process

from index.catalog import Catalog

_WORD = re.compile(r"[a-z0-9]+")
# Words of a text: a part of one with an accent, such as "s" of "s\u00e4he", is none.
_LETTER = "[a-z0-9\u00df-\u00f6\u00f8-\u00ff\u0153]"
_WHOLE = re.compile(f"(?<!{_LETTER})[a-z0-9]+(?!{_LETTER})")
_LONGEST = 9  # words in the longest id
_COMPACT_FROM = 4  # letters from which a spelling without separators counts
_FAMILY_FROM = 6  # letters from which the beginning of a family's name stands for it
_RECENT = 64  # texts
_TYPO_FROM, _TYPO_WORDS = 5, 6  # letters from which, and words up to which, a near miss counts
_TYPO_RATIO, _WORD_RATIO = 80, 70  # rapidfuzz ratio, 0 to 100, of the name and of its odd words


@dataclass(frozen=True)
class Mention:
    """A place in a text that names a system.

    Attributes:
        system: id of the system.
        start: first character.
        end: character after the last.
        exact: whether the name was spelt right.
    """

    system: str
    start: int
    end: int
    exact: bool


@dataclass(frozen=True)
class Names:
    """Finds systems by name.

    Attributes:
        catalog: where the names come from.
        is_word: tells ordinary words, which are never taken for a misspelt name.
    """

    catalog: Catalog
    is_word: Callable[[str], bool]

    @cached_property
    def _known(self) -> Mapping[str, str]:
        """Normalised and compact names, with the system; cards come before table weights."""
        known: dict[str, str] = {}
        for name, system in self.catalog.names():
            for form in (_plain(name), _compact(name)):
                known.setdefault(form, system)
        for weight in self.catalog.timm:
            known.setdefault(_plain(weight.split(".", maxsplit=1)[0]), weight)
        return known

    def resolve(self, name: str) -> str | None:
        """The system that goes by this name, spelt right up to case and separators."""
        return self._known.get(_plain(name)) or self._known.get(_compact(name))

    def nearest(self, name: str, count: int = 3) -> tuple[str, ...]:
        """The systems with the most similar names, best first."""
        found = process.extract(_plain(name), list(self._known), scorer=fuzz.WRatio, limit=20)
        return tuple(dict.fromkeys(self._known[form] for form, _, _ in found))[:count]

    def mentions(self, text: str, typos: bool = True) -> tuple[Mention, ...]:
        """The systems that a text names, in order; the longest name wins where two overlap.

        Args:
            text: what may name systems.
            typos: whether misspelt names count.
        """
        return self._recent(text, typos)

    def of_families(self, text: str) -> tuple[str, ...]:
        """The classifiers of the families that a text names where it names no system.

        The first letters of families may stand for them all, as "mobilenet" does for its versions.
        """
        for mention in reversed(self.mentions(text)):
            text = f"{text[: mention.start]} {text[mention.end :]}"
        found: list[str] = []
        for word in _WHOLE.findall(text.lower()):
            stem = word.removesuffix("s")
            begun = [name for name in self._families if name.startswith(stem)]
            kin = [stem] if stem in begun else begun if len(stem) >= _FAMILY_FROM else []
            found += [card for name in kin for card in self._families[name]]
        return tuple(dict.fromkeys(found))

    @cached_property
    def _families(self) -> Mapping[str, tuple[str, ...]]:
        return {_compact(name): cards for name, cards in self.catalog.families().items()}

    @cached_property
    def _recent(self) -> Callable[[str, bool], tuple[Mention, ...]]:
        """What `mentions` finds, kept for the texts of late: several parts ask about one text."""
        return lru_cache(_RECENT)(self._mentions)

    def _mentions(self, text: str, typos: bool) -> tuple[Mention, ...]:
        words = [(word[0], word.start(), word.end()) for word in _WHOLE.finditer(text.lower())]
        found: dict[tuple[int, int], Mention] = {}
        for exact in (True, False) if typos else (True,):
            for first, last in _spans(len(words)):
                inside = [span for span in found if first < span[1] and span[0] < last]
                run = [word for word, _, _ in words[first:last]]
                system = self._exact(run) if exact else self._typo(run)
                # A misspelt word beside a right one belongs to the same name.
                if system and all(
                    not exact and first <= span[0] and span[1] <= last and named.system == system
                    for span, named in found.items()
                    if span in inside
                ):
                    for span in inside:
                        del found[span]
                    start, end = words[first][1], words[last - 1][2]
                    found[first, last] = Mention(system, start, end, exact)
        return tuple(found[span] for span in sorted(found))

    def _exact(self, words: list[str]) -> str | None:
        joined = "".join(words)
        compact = self._known.get(joined) if len(joined) >= _COMPACT_FROM else None
        return self._known.get(" ".join(words)) or compact

    def _typo(self, words: list[str]) -> str | None:
        joined = " ".join(words)
        odd = [word for word in words if not word.isdigit() and not self._is_right(word)]
        if len(joined) < _TYPO_FROM or len(words) > _TYPO_WORDS or not odd:
            return None
        if any(word not in odd and word not in self._parts for word in (words[0], words[-1])):
            return None  # an ordinary word at the rim belongs to the sentence
        best = process.extractOne(
            joined, self._known.keys(), scorer=fuzz.ratio, score_cutoff=_TYPO_RATIO
        )
        if best is None or not all(_resembles(word, best[0]) for word in odd):
            return None
        if not {word for word in words if word.isdigit()} <= {*_WORD.findall(best[0])}:
            return None  # another version is another system
        if not {words[0], words[-1]} <= {*odd, *best[0].split()}:
            return None
        return self._known[best[0]]

    def _is_right(self, word: str) -> bool:
        """Whether a word is no misspelling: an ordinary one, or a part of some name."""
        return word in self._parts or self.is_word(word)

    @cached_property
    def _parts(self) -> frozenset[str]:
        """The words of all names."""
        return frozenset(
            word for name, _ in self.catalog.names() for word in _WORD.findall(name.lower())
        )


def without(text: str, mentions: Iterable[Mention], system: str) -> str:
    """The text with "it" wherever it names the system."""
    for mention in sorted(mentions, key=lambda mention: -mention.start):
        if mention.system == system:
            text = f"{text[: mention.start]}it{text[mention.end :]}"
    return text


def _resembles(word: str, name: str) -> bool:
    """Whether an unknown word can be a misspelling of some word of a name."""
    return any(fuzz.ratio(word, part) >= _WORD_RATIO for part in (*name.split(), name))


def _spans(count: int) -> Iterator[tuple[int, int]]:
    """Spans of words, the longest first."""
    for length in range(min(count, _LONGEST), 0, -1):
        for first in range(count - length + 1):
            yield first, first + length


def _plain(name: str) -> str:
    return " ".join(_WORD.findall(name.lower()))


def _compact(name: str) -> str:
    return "".join(_WORD.findall(name.lower()))
