"""The words of a subject: its rare token, what stands beside each photo, prompts of its class."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.base import ToolFailed

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from tools.pocket.subjects import Around

RARE = ("sks", "zwx", "ohwx", "vqn", "xjk", "qlt")
"""Words without a meaning, for a training to give them one."""
_WORD = re.compile(r"[^\W\d_][\w-]{0,30}")
_OWN = "(?:my|our|his|her|their|this|that|the)"  # before the noun of a subject that one has
_MOST_WORDS = 4  # of a class noun


@dataclass(frozen=True)
class Subject:
    """What is taught.

    Attributes:
        token: the word that stands for it.
        noun: what it is.
        pictures: its photos, 8-bit RGB.
        around: what each photo shows beside it.
        prompts: what each photo shows, in words, with the token in them.
        advice: what would make the photos better.
    """

    token: str
    noun: str
    pictures: tuple["Picture", ...]
    around: tuple["Around", ...]
    prompts: tuple[str, ...]
    advice: tuple[str, ...]

    @property
    def trigger(self) -> str:
        """What stands for it in prompts."""
        return f"{self.token} {self.noun}"

    def key(self, settings: str) -> str:
        """What tells a training of it from any other, so that no checkpoint of another is taken."""
        told = "\n".join((settings, *self.prompts)).encode()
        pixels = b"".join(picture.tobytes() for picture in self.pictures)
        return hashlib.sha256(told + pixels).hexdigest()[:16]


def noun(told: str) -> str:
    """The class noun as it goes into prompts: without an article, in small letters.

    Raises:
        ToolFailed: it is no word.
    """
    words = re.sub(r"^(my|our|the|an?)\b(?!-)", "", told.strip().lower()).split()
    if not words or len(words) > _MOST_WORDS or not all(map(_WORD.fullmatch, words)):
        raise ToolFailed(
            f"{told[:60]!r} is no word for what your subject is. Say it in a word or two, such as "
            "dog, mug or toy car."
        )
    return " ".join(words)


def token(told: str | None, pieces: Callable[[str], int], known: Callable[[str], bool]) -> str:
    """The word that stands for the subject.

    Args:
        told: as the person wants it; one is chosen if it is left out.
        pieces: how many tokens a model reads a word as.
        known: whether a word means something to it already.

    Raises:
        ToolFailed: the word will not do.
    """
    if told is None:
        return next((word for word in RARE if pieces(word) == 1), RARE[0])
    if not _WORD.fullmatch(told):
        raise ToolFailed(
            f"The token {told[:60]!r} is no single word. Choose a short one of letters."
        )
    if known(told):
        raise ToolFailed(
            f"The token {told!r} means something to the model already, so it would draw that. "
            f"Choose a word without a meaning, such as {RARE[0]}, or leave it out."
        )
    if pieces(told) > 3:
        raise ToolFailed(
            f"The model reads the token {told!r} as {pieces(told)} pieces, which it learns badly. "
            f"Choose a shorter one, such as {RARE[0]}, or leave it out."
        )
    return told


def caption(token: str, noun: str, told: str = "") -> str:
    """What a photo shows, with the subject by its token and class.

    What is told may name the subject by its class, or only what is around it.
    """
    subject = f"{token} {noun}"
    if not told:
        return f"a {subject}"
    if re.search(rf"\b{re.escape(token)}\b", told):
        return told
    own = re.sub(rf"\b{_OWN}\s+(?={re.escape(noun)}\b)", "a ", told, count=1, flags=re.IGNORECASE)
    named = re.sub(rf"\b{re.escape(noun)}\b", subject, own, count=1, flags=re.IGNORECASE)
    return named if named != told else f"a {subject} {told}"


def captions(images: Sequence[Path], told: Sequence[str]) -> tuple[str, ...]:
    """What was told of each photo: in order, else in a text file beside it; empty if nothing was.

    Raises:
        ToolFailed: there are more captions than photos, or a file cannot be read.
    """
    if len(told) > len(images):
        raise ToolFailed(
            f"There are {len(told)} captions for {len(images)} photos. Give one for each, in order."
        )
    if told:
        return (*told, *[""] * (len(images) - len(told)))
    return tuple(_beside(image) for image in images)


def _beside(image: Path) -> str:
    file = image.with_suffix(".txt")
    try:
        return " ".join(file.read_text(encoding="utf-8").split()) if file.is_file() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ToolFailed(f"The caption {file.name} cannot be read: {error}.") from None
