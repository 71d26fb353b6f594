"""Particular things: this very cup, with its pattern and its chip, seen in one place or another.

Three are of kinds that the pocket models know, two of kinds that were kept back from them.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tools.pocket import world
from tools.pocket.backgrounds import PAINTERS
from tools.pocket.colours import shade
from tools.pocket.judge import Judge, features
from tools.pocket.kinds import KINDS, RESERVED
from tools.pocket.painting import paint
from tools.pocket.shapes import dice

_TURN = 8.0  # degrees by which a view may be turned
_KNOWN = 20  # pictures of each kind that a subject is told from
_SURE = "medium", "large"  # sizes at which a pattern can be seen


@dataclass(frozen=True)
class Subject:
    """A thing like no other.

    Attributes:
        kind: what it is.
        colour: of its body.
        pattern: colour of its band and its spot.
        look: what fixes its shape.
    """

    kind: str
    colour: str
    pattern: str
    look: int


@dataclass(frozen=True)
class View:
    """How a subject is seen.

    Attributes:
        background: name of what is behind it.
        size: of the thing.
        place: in the picture.
        look: what fixes the turn and the background.
    """

    background: str
    size: str
    place: str
    look: int


SUBJECTS = {
    "cup": Subject("cup", "red", "yellow", 5),
    "fish": Subject("fish", "blue", "orange", 11),
    "house": Subject("house", "purple", "green", 23),
    "robot": Subject("robot", "purple", "yellow", 7),
    "teapot": Subject("teapot", "turquoise", "red", 3),
}
VIEWS = (
    View("white", "large", "centre", 1),
    View("grey", "medium", "left", 2),
    View("cream", "medium", "top right", 3),
    View("sky", "large", "centre", 4),
    View("meadow", "medium", "bottom", 5),
)
"""The five views that are given to learn from."""


def seen(subject: Subject, view: View) -> world.Pictures:
    """A view of a subject, 8-bit RGB of shape (96, 96, 3)."""
    ground = PAINTERS[view.background](dice(view.look), world.PIXELS)
    thing = _marked(_layer(subject, view), subject)
    turn = float(np.random.default_rng(view.look).uniform(-_TURN, _TURN))
    x, y = world.centre(view.place)
    centre = (x * world.PIXELS, y * world.PIXELS)
    thing = thing.rotate(turn, Image.Resampling.BICUBIC, center=centre)
    ground.paste(thing, (0, 0), thing)
    return np.asarray(ground)


def unseen(count: int, seed: int) -> list[View]:
    """Views on backgrounds that none of those to learn from has, in any place."""
    rng = np.random.default_rng(seed)
    known = {view.background for view in VIEWS}
    others = [name for name in world.BACKGROUNDS if name not in known]
    return [
        View(
            others[rng.integers(len(others))],
            _SURE[rng.integers(2)],
            world.PLACES[rng.integers(len(world.PLACES))],
            seed + number,
        )
        for number in range(count)
    ]


def bank(seed: int) -> tuple[world.Pictures, list[str]]:
    """Pictures of all 29 kinds, in which no particular thing stands, and their names."""
    rng = np.random.default_rng(seed)
    scenes = []
    for kind in (*KINDS, *RESERVED):
        for _ in range(_KNOWN):
            scene = world.sample(rng, 1)
            [thing] = scene.things
            size = _SURE[rng.integers(2)]
            scenes.append(replace(scene, things=(replace(thing, kind=kind, size=size),)))
    return world.draw_many(scenes), [scene.things[0].kind for scene in scenes]


def recognised(judge: Judge, subject: Subject, pictures: world.Pictures) -> list[bool]:
    """Whether each picture shows the subject: it lies nearest among 29 kinds and the subject."""
    others, kinds = bank(1)
    own = np.stack([seen(subject, view) for view in unseen(_KNOWN, 50_000)])
    known = features(judge, np.concatenate([others, own]))
    names = [*kinds, *["this one"] * _KNOWN]
    nearest = (features(judge, pictures) @ known.T).argmax(1).tolist()
    return [names[index] == "this one" for index in nearest]


def _layer(subject: Subject, view: View) -> NDArray[np.float64]:
    """The thing alone, RGBA from 0 to 1: painted on black and on white, which tells how opaque."""
    on = []
    for ground in ("black", "white"):
        image = Image.new("RGB", (world.PIXELS, world.PIXELS), ground)
        at, extent = world.centre(view.place), world.SIZES[view.size]
        paint(image, subject.kind, subject.colour, "solid", extent, at, subject.look)
        on.append(np.asarray(image, dtype=np.float64) / 255)
    black, white = on
    alpha = 1 - (white - black).mean(2, keepdims=True)
    colour = np.divide(black, alpha, out=np.zeros_like(black), where=alpha > 0)
    return np.concatenate([colour, alpha], axis=2).clip(0, 1)


def _marked(layer: NDArray[np.float64], subject: Subject) -> Image.Image:
    """The thing with a band, a spot and a chip out of its upper left."""
    rows, columns = np.nonzero(layer[..., 3] > 0.5)
    top, left = rows.min(), columns.min()
    height, width = rows.max() - top, columns.max() - left
    thing = Image.fromarray((layer * 255).round().astype(np.uint8))
    body = thing.getchannel("A")
    marks = thing.convert("RGB")
    pen = ImageDraw.Draw(marks)
    ink = shade(subject.pattern, dice(subject.look))
    band = [left, top + 0.55 * height, left + width, top + 0.72 * height]
    spot = [left + 0.35 * width, top + 0.18 * height, left + 0.6 * width, top + 0.43 * height]
    pen.rectangle(band, fill=ink)
    pen.ellipse(spot, fill=ink)
    corner = [(left - 2, top - 2), (left + 0.3 * width, top - 2), (left - 2, top + 0.3 * height)]
    ImageDraw.Draw(body).polygon(corner, fill=0)
    marks.putalpha(body)
    return marks
