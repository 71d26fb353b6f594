"""What the pocket world is drawn from: polygons in unit coordinates, and uniform chance."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

Points = list[tuple[float, float]]
Uniform = Callable[[float, float], float]
Tone = Literal["body", "hole", "dark", "pale"]


@dataclass(frozen=True)
class Part:
    """One polygon: of the body, a hole in it, or a detail in a darker or paler tone."""

    tone: Tone
    points: Points


def dice(look: int) -> Uniform:
    """A uniform random source; ``look`` fixes all its throws (128 at most)."""
    throws = iter(np.random.default_rng(look).random(128).tolist())
    return lambda low, high: low + (high - low) * next(throws)


@cache
def _arc(start: float, end: float, corners: int) -> Points:
    turns = np.linspace(start, end, corners + 1) * 2 * math.pi
    return list(zip(np.cos(turns).tolist(), np.sin(turns).tolist(), strict=True))


def ellipse(
    x: float,
    y: float,
    rx: float,
    ry: float,
    *,
    start: float = 0,
    end: float = 1,
    corners: int = 32,
) -> Points:
    """Points of an ellipse, or of its arc from ``start`` to ``end`` in turns, clockwise."""
    return [(x + rx * c, y + ry * s) for c, s in _arc(start, end, corners)]


def box(left: float, top: float, right: float, bottom: float) -> Points:
    """The corners of an upright rectangle."""
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def bar(x0: float, y0: float, x1: float, y1: float, width: float) -> Points:
    """A straight stroke of a given width as a polygon."""
    length = math.hypot(x1 - x0, y1 - y0)
    dx, dy = (y0 - y1) / length * width / 2, (x1 - x0) / length * width / 2
    return [(x0 + dx, y0 + dy), (x1 + dx, y1 + dy), (x1 - dx, y1 - dy), (x0 - dx, y0 - dy)]
