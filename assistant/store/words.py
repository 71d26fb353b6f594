"""What is read off a conversation: its title, and the words by which it is found."""

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

LONGEST_TITLE = 60  # characters
_UNTITLED = "Untitled"


def title_of(question: str) -> str:
    """A question as a title: on one line, shortened at a word."""
    words = " ".join(question.split())
    if len(words) <= LONGEST_TITLE:
        return words or _UNTITLED
    room = words[: LONGEST_TITLE - 3]
    whole = room if words[len(room)] == " " else room.rpartition(" ")[0]
    return (whole or room).rstrip(" ,;:.-") + "..."


def searchable(text: str) -> str:
    """Text as it is searched: without regard to case and to ways of writing one character."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def answer_words(answer: Mapping[str, Any]) -> str:
    """What an answer says to a reader, as it is searched.

    Args:
        answer: the answer as JSON.
    """
    return searchable("\n".join(filter(None, _said(answer))))


def _said(answer: Mapping[str, Any]) -> Iterator[str]:
    yield answer.get("ask") or ""
    for block in answer.get("blocks", ()):
        yield block.get("text", "")
        yield block.get("alt", "")
        yield " ".join(block.get("columns", ()))
        yield from (" ".join(row) for row in block.get("rows", ()))
