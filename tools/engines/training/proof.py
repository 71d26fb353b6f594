"""Proof that a subject was learned: how like the photos the new pictures are, and what was lost.

Fidelity is the mean cosine between what an encoder sees in the new pictures and in the photos, as
in Ruiz and others, "DreamBooth" (2023), who took DINO and CLIP. A pocket model draws nothing that
those would know, so there the judge looks, which no training sees.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from tools.pocket.judge import features, judged, load_judge
from tools.pocket.world import PIXELS, Pictures

_SAME = 0.97  # correlation of small grey pictures from which one is a copy of the other
_SMALL = 24  # px


@dataclass(frozen=True)
class Fidelity:
    """How well pictures show the subject where it was asked for.

    Attributes:
        subject: mean cosine between features of the pictures and of the photos.
        prompt: share of the pictures whose background is the one that was asked for.
        copies: how many of the pictures are one of the photos again.
    """

    subject: float
    prompt: float
    copies: int


def fidelity(
    photos: Sequence[Image.Image], pictures: Sequence[Image.Image], backgrounds: Sequence[str]
) -> Fidelity:
    """How well pictures show what is on photos, on the backgrounds that were asked for.

    Args:
        photos: RGB.
        pictures: RGB, one for each background.
        backgrounds: names of the pocket world.
    """
    judge, made = load_judge(), _array(pictures)
    alike = features(judge, made) @ features(judge, _array(photos)).T
    seen = [verdict.background for verdict in judged(judge, made)]
    right = [one == asked for one, asked in zip(seen, backgrounds, strict=True)]
    copies = sum(any(_copied(one, photo) for photo in photos) for one in pictures)
    return Fidelity(float(alike.mean()), float(np.mean(right)), copies)


def variety(pictures: Sequence[Image.Image]) -> float:
    """How different pictures are: one minus the mean cosine of each two of them."""
    found = features(load_judge(), _array(pictures))
    alike = found @ found.T
    count = len(pictures)
    return float(1 - (alike.sum() - count) / (count * (count - 1)))


def _array(pictures: Sequence[Image.Image]) -> Pictures:
    sized = (picture.convert("RGB").resize((PIXELS, PIXELS)) for picture in pictures)
    return np.stack([np.asarray(picture) for picture in sized])


def _copied(picture: Image.Image, photo: Image.Image) -> bool:
    """Whether two pictures are the same but for small changes."""
    one, other = (
        np.asarray(each.convert("L").resize((_SMALL, _SMALL)), dtype=np.float64).ravel()
        for each in (picture, photo)
    )
    return bool(np.corrcoef(one, other)[0, 1] > _SAME)
