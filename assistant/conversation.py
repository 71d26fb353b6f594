"""Questions, the turns of a conversation, and what a later question may point back to."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from tools.base import Agreement
from tools.engines.bfl.keys import without_keys

ME = "me"  # the owner on one's own machine
_YES = re.compile(
    r"(?:yes|yeah|yep|sure|ok|okay|go|do (?:it|that)|please do|start|proceed|fine|ja|sí|si|oui"
    r"|да)\b|好|是"
)
_OBJECTS = re.compile(
    r"\b(?:but|not|no|only|instead|rather|aber|nicht|pero|mais|но|не)\b|但|不", re.IGNORECASE
)


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
        key: of hosted models, typed for a conversation that has no id yet; shown to nobody.
    """

    text: str
    images: tuple[Path, ...] = ()
    mask: Path | None = None
    conversation: str = ""
    turn: int = 0
    replaces: int = 0
    owner: str = ME
    agreement: Agreement = field(default_factory=Agreement)
    key: SecretStr | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Cuts what looks like a key out of the words: this is where every message enters."""
        object.__setattr__(self, "text", without_keys(self.text))


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


@dataclass(frozen=True)
class Attachment:
    """A file that came with a question.

    Attributes:
        kind: image, mask, zip, csv, audio or pdf.
        name: its file name; empty if it has none.
        path: where it lies; none when a plan is made without files.
    """

    kind: str
    name: str = ""
    path: Path | None = None


@dataclass(frozen=True)
class Ref:
    """What an argument points to: a file, or what a step made.

    Attributes:
        kind: attachment or step.
        number: place of the attachment in its turn, or of the step in its plan, from 1.
        turn: number of the earlier turn, from 1; 0 for this one.
        picture: which of several pictures that a step made, from 1; 0 for all.
    """

    kind: str
    number: int
    turn: int = 0
    picture: int = 0


@dataclass(frozen=True)
class Step:
    """One tool to run.

    Attributes:
        tool: name of the tool.
        arguments: what was said or carried over; defaults are left out. Files and what steps make
            are `Ref`s.
        why: why this tool.
    """

    tool: str
    arguments: Mapping[str, Any]
    why: str = ""


@dataclass(frozen=True)
class Exchange:
    """An earlier question and what was done about it.

    Attributes:
        text: the question.
        attachments: its files.
        steps: what was run, or would have been.
        answer: what the assistant said; only its words when they are all that is known.
        pictures: how many pictures each step made.
        systems: the systems that the answer is about, the foremost first.
        waiting: whether something was asked back, so that nothing was run yet.
        made: whether each step made a picture or a model; empty if nobody knows.
    """

    text: str
    attachments: tuple[Attachment, ...] = ()
    steps: tuple[Step, ...] = ()
    answer: str = ""
    pictures: tuple[int, ...] = ()
    systems: tuple[str, ...] = ()
    waiting: bool = False
    made: tuple[bool, ...] = ()

    @property
    def done(self) -> tuple[tuple[int, Step], ...]:
        """The steps that made something, or may have, each with its number, the last one first."""
        steps = () if self.waiting else tuple(enumerate(self.steps, start=1))
        known = self.made or (True,) * len(steps)
        return tuple(step for step, made in zip(steps, known, strict=True) if made)[::-1]


Past = Sequence[Exchange]


def agrees(text: str) -> bool:
    """Whether a reply begins with a yes."""
    return _YES.match(text.strip().lower()) is not None


def objects(text: str) -> bool:
    """Whether a reply takes something back: "ok but smaller"."""
    return _OBJECTS.search(text) is not None


def earlier(past: Past) -> list[tuple[int, int, Attachment]]:
    """The files of earlier turns, oldest first, each with its turn and its place there."""
    return [
        (turn, place, file)
        for turn, exchange in enumerate(past, start=1)
        for place, file in enumerate(exchange.attachments, start=1)
    ]


def told(value: Any, own: int, past: Past) -> Any:
    """An argument as programs read it.

    This question's files are `attachment:1` and so on, those of earlier turns follow them; what a
    step makes is `step:1`, of an earlier turn `turn:1/step:1`.

    Args:
        value: the argument.
        own: how many files came with this question.
        past: the turns before.
    """
    if isinstance(value, Mapping):
        return {name: told(item, own, past) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [told(item, own, past) for item in value]
    if isinstance(value, Path):
        return str(value)
    if not isinstance(value, Ref):
        return value
    if value.kind == "attachment":
        if not value.turn:
            return f"attachment:{value.number}"
        places = [(turn, place) for turn, place, _ in earlier(past)]
        return f"attachment:{own + 1 + places.index((value.turn, value.number))}"
    made = f"step:{value.number}" + (f"/image:{value.picture}" if value.picture else "")
    return f"turn:{value.turn}/{made}" if value.turn else made


def understood(value: Any, turn: int, past: Past) -> Any:
    """What `told` told in an earlier turn, as it is pointed to from now.

    Args:
        value: the argument as it was kept.
        turn: number of that turn.
        past: all turns before the present one.
    """
    if isinstance(value, list):
        return tuple(understood(item, turn, past) for item in value)
    if not isinstance(value, str):
        return value
    kind, _, number = value.partition(":")
    if kind == "attachment" and number.isdigit():
        own = len(past[turn - 1].attachments)
        if int(number) <= own:
            return Ref("attachment", int(number), turn)
        before = earlier(past[: turn - 1])
        place = int(number) - own - 1
        return (
            Ref("attachment", before[place][1], before[place][0]) if place < len(before) else value
        )
    if kind == "step" and number.partition("/")[0].isdigit():
        step, _, picture = number.partition("/image:")
        return Ref("step", int(step), turn, int(picture or 0))
    if kind == "turn" and "/step:" in number:
        there, _, step = number.partition("/")
        return understood(step, int(there), past)
    return value
