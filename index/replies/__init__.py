"""What is said to questions that no fact of a system answers.

`about` is asked of the assistant itself, `guides` of image models in general, `terms` are technical
words; `elsewhere` names what kind of system does what none here does.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # `--help` must not wait for what it imports
    from index.encoder import Vectors

ABOUT, GUIDES, TERMS, ELSEWHERE = "about", "guides", "terms", "elsewhere"
FACT, TERM, OTHER = "fact", "term", "other"  # what a question is about, where it is no guide
ASKED = (ABOUT, ELSEWHERE)  # those that are found by the nearest way of asking
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Reply:
    """One reply.

    Attributes:
        name: what it is called in its file; may be empty.
        say: the words, by the kind of system that is talked about; `any` where none is.
        asked: ways of asking for it.
        words: ways in which a term is written, lower case.
        facts: properties whose facts of that system are told after the words.
        card: whose facts are told if no system is talked about.
        tool: the tool that does it here.
        lead: whether the facts come first.
        lacks: what is said where the system has none of the facts.
    """

    name: str
    say: Mapping[str, str]
    asked: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    card: str = ""
    tool: str = ""
    lead: bool = False
    lacks: str = ""


@dataclass(frozen=True)
class Replies:
    """Replies of one kind, to be found by the nearest way of asking.

    Attributes:
        replies: the replies.
        owners: place in `replies` of each way of asking.
        vectors: unit vectors of the ways, shape (ways, dimensions).
    """

    replies: Sequence[Reply]
    owners: Sequence[int]
    vectors: "Vectors"

    def nearest(self, vector: "Vectors") -> tuple[Reply, float]:
        """The reply to the way of asking nearest to a vector, with its cosine."""
        likeness = self.vectors @ vector
        best = int(likeness.argmax())
        return self.replies[self.owners[best]], float(likeness[best])


@cache
def replies(kind: str) -> tuple[Reply, ...]:
    """The replies of `<kind>.toml`."""
    rows = tomllib.loads((_HERE / f"{kind}.toml").read_text(encoding="utf-8"))["reply"]
    return tuple(
        Reply(
            row.get("name", ""),
            MappingProxyType({"any": row["say"]} if isinstance(row["say"], str) else row["say"]),
            tuple(row.get("asked", ())),
            tuple(row.get("words", ())),
            tuple(row.get("facts", ())),
            row.get("card", ""),
            row.get("tool", ""),
            row.get("lead", False),
            row.get("lacks", ""),
        )
        for row in rows
    )


def guide(name: str) -> Reply | None:
    """The guide of a name; none if there is none."""
    return next((reply for reply in replies(GUIDES) if reply.name == name), None)


def terms_in(text: str) -> tuple[Reply, ...]:
    """The technical words in a text, each once, in order; a longer one hides those inside it."""
    found = (
        _term_words()[match[0].lower()] for match in _words(tuple(_term_words())).finditer(text)
    )
    return tuple({reply.name: reply for reply in found}.values())


def outsiders(text: str) -> tuple[str, ...]:
    """Well-known systems in a text of which nothing is known here, each once."""
    names, exact = _outsiders()
    anyhow = {name.lower(): name for name in names}
    found = [anyhow[match[0].lower()] for match in _words(names).finditer(text)]
    found += [name for name in exact if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)]
    return tuple(dict.fromkeys(found))


@cache
def _outsiders() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names that are found however they are written, and those found only as they are."""
    rows = tomllib.loads((_HERE / "outsiders.toml").read_text(encoding="utf-8"))
    return tuple(rows["names"]), tuple(rows["exact"])


@cache
def _term_words() -> Mapping[str, Reply]:
    return {word: reply for reply in replies(TERMS) for word in reply.words}


@cache
def _words(names: tuple[str, ...]) -> re.Pattern[str]:
    """A pattern that matches any of the names as whole words, a longer one first."""
    longest = sorted(map(re.escape, names), key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(longest)})(?![\w-])", re.IGNORECASE)
