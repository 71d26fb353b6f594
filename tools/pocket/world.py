"""The pocket world: pictures of one or two drawn things, from which the pocket models learn.

A ``Scene`` says all there is to know about a picture. The names in it are what a model should
learn; the ``look`` numbers stand for everything else (turn, proportions, shade, jitter), so the
same scene always gives the same picture, and changing one name changes nothing else.
"""

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tools.pocket.backgrounds import BACKGROUNDS, PAINTERS
from tools.pocket.colours import COLOURS
from tools.pocket.kinds import KINDS, RESERVED
from tools.pocket.painting import paint
from tools.pocket.shapes import dice

__all__ = [
    "BACKGROUNDS", "COLOURS", "FILLS", "HELD_OUT", "KINDS", "PLACES", "RESERVED", "SIZES",
    "VERSION", "Pictures", "Scene", "Thing", "centre", "draw", "draw_many", "fits", "pictures",
    "relations", "sample", "scenes",
]  # fmt: skip

VERSION: Final = 1
PIXELS: Final = 96
FILLS: Final = ("solid", "outline", "striped", "dotted")
SIZES: Final = {"small": 0.28, "medium": 0.41, "large": 0.58}
PLACES: Final = (
    "top left", "top", "top right",
    "left", "centre", "right",
    "bottom left", "bottom", "bottom right",
)  # fmt: skip
HELD_OUT: Final = range(1_000_000, 2_000_000)
"""Seeds kept for measuring; no recipe may train on them."""

_CHUNK: Final = 250
_TWO: Final = 0.3
_DARK_BACKGROUNDS: Final = ("black", "night")

Pictures = NDArray[np.uint8]


@dataclass(frozen=True)
class Thing:
    """One thing in a picture."""

    kind: str
    colour: str
    fill: str
    size: str
    place: str
    look: int


@dataclass(frozen=True)
class Scene:
    """A picture in words: one or two things, drawn in this order, on a background."""

    things: tuple[Thing, ...]
    background: str
    look: int


def _grid(place: str) -> tuple[int, int]:
    row, column = divmod(PLACES.index(place), 3)
    return column, row


def centre(place: str) -> tuple[float, float]:
    """Where the middle of a thing at a place lies, across and down, as shares of the picture."""
    column, row = _grid(place)
    return 0.22 + 0.28 * column, 0.22 + 0.28 * row


def relations(a: Thing, b: Thing) -> tuple[str, ...]:
    """What ``a`` is to ``b``: left of, right of, above or below; two of them if diagonal."""
    (ax, ay), (bx, by) = _grid(a.place), _grid(b.place)
    across, down = abs(ax - bx), abs(ay - by)
    said = []
    if across >= down and across:
        said.append("left of" if ax < bx else "right of")
    if down >= across and down:
        said.append("above" if ay < by else "below")
    return tuple(said)


def fits(scene: Scene) -> bool:
    """Whether a scene can be told by eye: no colour drowns, and two things keep apart."""
    if scene.background in _DARK_BACKGROUNDS and any(t.colour == "black" for t in scene.things):
        return False
    if len(scene.things) == 1:
        return True
    a, b = scene.things
    (ax, ay), (bx, by) = _grid(a.place), _grid(b.place)
    apart = max(abs(ax - bx), abs(ay - by)) == 2
    return apart and a.kind != b.kind and "large" not in {a.size, b.size}


def _any_scene(rng: np.random.Generator, count: int) -> Scene:
    def one(names: tuple[str, ...]) -> str:
        return names[rng.integers(len(names))]

    sizes = tuple(SIZES)[: 3 if count == 1 else 2]
    things = tuple(
        Thing(one(KINDS), one(COLOURS), one(FILLS), one(sizes), one(PLACES), _look(rng))
        for _ in range(count)
    )
    return Scene(things, one(BACKGROUNDS), _look(rng))


def _look(rng: np.random.Generator) -> int:
    return int(rng.integers(2**62))


def sample(rng: np.random.Generator, count: int | None = None) -> Scene:
    """A random scene of ``count`` things, or of one or two; never of a reserved kind."""
    wanted = count or (2 if rng.random() < _TWO else 1)
    while not fits(scene := _any_scene(rng, wanted)):
        pass
    return scene


def scenes(seed: int, start: int, count: int) -> list[Scene]:
    """Scenes ``start`` to ``start + count`` of the endless stream that a seed stands for."""
    return [
        sample(np.random.default_rng((VERSION, seed, index)))
        for index in range(start, start + count)
    ]


def draw(scene: Scene, size: int = PIXELS) -> Pictures:
    """Draw a scene as 8-bit RGB of shape (size, size, 3)."""
    image = PAINTERS[scene.background](dice(scene.look), size)
    for thing in scene.things:
        at = centre(thing.place)
        paint(image, thing.kind, thing.colour, thing.fill, SIZES[thing.size], at, thing.look)
    return np.asarray(image)


def draw_many(drawn: list[Scene], size: int = PIXELS) -> Pictures:
    """Draw scenes as one array of shape (len(drawn), size, size, 3)."""
    return np.stack([draw(scene, size) for scene in drawn])


def _part(seed: int, start: int, count: int, size: int) -> tuple[Pictures, list[Scene]]:
    part = scenes(seed, start, count)
    return draw_many(part, size), part


def pictures(
    seed: int, start: int, count: int, size: int = PIXELS, executor: Executor | None = None
) -> tuple[Pictures, list[Scene]]:
    """Pictures and scenes of a part of a seed's stream, drawn by the executor's processes."""
    if executor is None:
        return _part(seed, start, count, size)
    starts = range(start, start + count, _CHUNK)
    jobs = [executor.submit(_part, seed, s, min(_CHUNK, start + count - s), size) for s in starts]
    parts = [job.result() for job in jobs]
    return np.concatenate([drawn for drawn, _ in parts]), [s for _, told in parts for s in told]
