"""Questions and the turns of a conversation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.base import Agreement

ME = "me"  # the owner on one's own machine


@dataclass(frozen=True)
class Question:
    """What a person sends.

    Attributes:
        text: their words.
        images: picture files as they were dropped or named; not yet decoded.
        mask: a mask file; none if there is none.
        conversation: id of the conversation to go on with; empty starts a new one.
        turn: number of the turn to answer again; 0 asks a new one.
        replaces: number of the turn in whose place it is asked, with all after it; 0 if none.
        owner: whose question it is.
        agreement: what they agreed to in advance.
    """

    text: str
    images: tuple[Path, ...] = ()
    mask: Path | None = None
    conversation: str = ""
    turn: int = 0
    replaces: int = 0
    owner: str = ME
    agreement: Agreement = field(default_factory=Agreement)


@dataclass(frozen=True)
class Turn:
    """One kept turn.

    Attributes:
        conversation: id of the conversation.
        number: from 1, in the order asked.
        question: the person's words.
        images: the pictures of the question, decoded and without metadata.
        answers: the kept answers as JSON, oldest first; a retry adds one.
        asked: ISO time, UTC.
    """

    conversation: str
    number: int
    question: str
    images: tuple[Path, ...]
    answers: tuple[Mapping[str, Any], ...]
    asked: str
