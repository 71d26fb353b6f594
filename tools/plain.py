"""Words around a subject that a large model is taught: what to draw of it, and of its class.

They are what `tools/pocket/subjects.py` is for the pocket models. The places are some of those by
which DreamBooth was judged (Ruiz and others, 2023).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_PLACES: Final = (
    "in the jungle", "in the snow", "on the beach", "on a cobblestone street",
    "with a city in the background", "on top of a wooden floor",
)  # fmt: skip


@dataclass(frozen=True)
class Around:
    """What is around a subject in a picture; nothing is known of it where it is empty."""

    place: str = ""

    def told(self, subject: str) -> str:
        """The picture in words: "a photo of a sks dog on the beach"."""
        return f"a photo of a {subject} {self.place}".strip()


def around(photos: Sequence["Picture"]) -> list[Around]:
    """Nothing: no small model here reads what is around a thing in a photograph."""
    return [Around()] * len(photos)


def kind_of(noun: str) -> str:
    """The class noun itself: a large model knows it."""
    return noun


def class_prompts(kind: str, count: int) -> list[str]:
    """Prompts of pictures of the class, which differ by their seeds."""
    return [f"a photo of a {kind}"] * count


def new_places(seen: Sequence[Around], count: int) -> list[Around]:
    """Where to draw a subject to see whether it was learned."""
    del seen
    return [Around(place) for place in _PLACES[:count]]
