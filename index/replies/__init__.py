"""What is said to questions that no fact of a system answers.

`about` is asked of the assistant itself, `guides` of image models in general, `terms` are technical
words; `elsewhere` names what kind of system does what none here does.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # `--help` must not wait for what it imports
    from index.encoder import Vectors

ABOUT, GUIDES, TERMS, ELSEWHERE = "about", "guides", "terms", "elsewhere"
# What a message is after, where it is neither a guide nor what no tool here does.
FACT, TERM, PICK, BRIEF, DO, OTHER = "fact", "term", "pick", "brief", "do", "other"
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


def named_reply(kind: str, name: str) -> Reply | None:
    """The reply of a kind with a name; none if there is none."""
    return next((reply for reply in replies(kind) if reply.name == name), None)


def terms_in(text: str) -> tuple[Reply, ...]:
    """The technical words in a text, each once, in order; a longer one hides those inside it."""
    pattern, owners = _terms()
    found = (owners[match[0].lower()] for match in pattern.finditer(text))
    return tuple({reply.name: reply for reply in found}.values())


def outsiders(text: str) -> tuple[str, ...]:
    """Well-known systems in a text of which nothing is known here, each once."""
    anyhow, exact, names = _outsiders()
    found = [names[match[0].lower()] for match in anyhow.finditer(text)]
    return tuple(dict.fromkeys((*found, *(match[0] for match in exact.finditer(text)))))


@cache
def _outsiders() -> tuple[re.Pattern[str], re.Pattern[str], Mapping[str, str]]:
    """Patterns for names however they are written, and only as they are; the first ones' names."""
    rows = tomllib.loads((_HERE / "outsiders.toml").read_text(encoding="utf-8"))
    names = {name.lower(): name for name in rows["names"]}
    return _words(names, re.IGNORECASE), _words(rows["exact"], re.NOFLAG), names


@cache
def _terms() -> tuple[re.Pattern[str], Mapping[str, Reply]]:
    """A pattern for the technical words, and the reply to each."""
    owners = {word: reply for reply in replies(TERMS) for word in reply.words}
    return _words(owners, re.IGNORECASE), owners


def _words(names: Iterable[str], flags: re.RegexFlag) -> re.Pattern[str]:
    """A pattern that matches any of the names as whole words, a longer one first."""
    longest = sorted(map(re.escape, names), key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(longest)})(?![\w-])", flags)
