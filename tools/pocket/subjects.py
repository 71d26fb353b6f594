"""Words around a subject that a pocket model is taught: what its photos show, and what to draw."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from tools.pocket.captions import (
    BACKGROUND_WORDS,
    KIND_WORDS,
    PLACE_WORDS,
    SIZE_WORDS,
    caption,
    describe,
)
from tools.pocket.nearest import nearest
from tools.pocket.world import BACKGROUNDS, KINDS, PIXELS, PLACES, sample

if TYPE_CHECKING:
    from tools.pocket.judge import Verdict

_OF_CLASS: Final = 0.5  # share of the class pictures that show the class; the others, any kind
_SEED: Final = 3


@dataclass(frozen=True)
class Around:
    """What is around a subject in a picture.

    Attributes:
        size: of the subject.
        place: where it stands.
        background: what is behind it.
    """

    size: str
    place: str
    background: str

    def told(self, subject: str) -> str:
        """The picture in words: "a large sks cup on the left at night"."""
        size, place = SIZE_WORDS[self.size][0], PLACE_WORDS[self.place][0]
        return f"a {size} {subject} {place} {BACKGROUND_WORDS[self.background][0]}"


def around(photos: Sequence[Image.Image]) -> list[Around]:
    """What is around the surest thing of each photo, as the judge reads it."""
    from tools.pocket.judge import judged, load_judge

    sized = np.stack([np.asarray(one.convert("RGB").resize((PIXELS, PIXELS))) for one in photos])
    return [_read(verdict) for verdict in judged(load_judge(), sized)]


def _read(verdict: "Verdict") -> Around:
    thing = verdict.things[0]
    return Around(thing.size, thing.place, verdict.background)


def kind_of(noun: str) -> str:
    """The kind that is nearest to a class noun; its own if the pocket models know it."""
    found = f" {nearest(noun)} "
    return next(kind for kind in KINDS if any(f" {one} " in found for one in KIND_WORDS[kind]))


def class_prompts(kind: str, count: int) -> list[str]:
    """Prompts of pictures that a model is to go on drawing as before: of the class, and of all."""
    rng = np.random.default_rng(_SEED)
    told = []
    for number in range(count):
        scene = sample(rng, 1)
        if rng.random() < _OF_CLASS:
            scene = replace(scene, things=(replace(scene.things[0], kind=kind),))
        told.append(describe(scene) if number % 2 else caption(scene, rng))
    return told


def new_places(seen: Sequence[Around], count: int) -> list[Around]:
    """Where to draw a subject to see whether it was learned: backgrounds that no photo has."""
    rng = np.random.default_rng(_SEED)
    others = [name for name in BACKGROUNDS if name not in {one.background for one in seen}]
    chosen = rng.permutation(others or BACKGROUNDS)
    return [
        Around("large" if number % 2 else "medium", str(rng.choice(PLACES)), str(background))
        for number, background in zip(range(count), np.resize(chosen, count), strict=True)
    ]
