"""The pictures that an edit starts from: read, masked, extended, and brought to a model's size."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.base import ToolFailed
from tools.pictures import NotRead, Source, read

if TYPE_CHECKING:
    from PIL.Image import Image

_SIDES = ("left", "top", "right", "bottom")
_WHERE: Mapping[str, tuple[str, ...]] = {
    **{side: (side,) for side in _SIDES},
    "up": ("top",), "above": ("top",), "down": ("bottom",), "below": ("bottom",),
    "all": _SIDES, "sides": ("left", "right"),
}  # fmt: skip
_SHAPE = re.compile(r"(\d+(?:\.\d+)?) ?: ?(\d+(?:\.\d+)?)")
_FILLERS = re.compile(r"\b(?:by|to|on|at|the|both|every|each|side)\b|(?<=all) sides")
_PART = re.compile(
    r"(?P<before>[a-z]+)?(?: ?(?P<number>\d+(?:\.\d+)?) ?(?P<unit>%|percent|px|pixels?)?)?"
    r"(?: ?(?P<after>[a-z]+))?"
)
_QUARTER = 0.25  # of a side, where it is not said how far
_MOST = 2.0  # times a side
_SAY = "Say a side and how far, such as 'left 200' or 'all 25%', or a shape, such as '16:9'."
_MOST_PIXELS = 40_000_000  # of the larger canvas
_HALF = 128  # from which a mask is white


@dataclass(frozen=True)
class Margins:
    """What a picture is extended by, px."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0


def picture(path: Path) -> "Image":
    """A picture, upright, in RGB, white where it was transparent.

    Raises:
        ToolFailed: it cannot be read, or is too large.
    """
    try:
        return read(Source(path.name, path))
    except NotRead as error:
        raise ToolFailed(f"{path.name} {error}") from None


def mask(path: Path, size: tuple[int, int]) -> "Image":
    """A mask: 8 bits, white where the picture may change, black elsewhere.

    Args:
        path: the file; what is lighter than middle grey counts as white.
        size: of the picture, width and height in px.

    Raises:
        ToolFailed: it cannot be read, has another size, or leaves nothing to do.
    """
    told = picture(path).convert("L")
    if told.size != size:
        mine, its = (f"{width} x {height}" for width, height in (size, told.size))
        raise ToolFailed(
            f"The mask {path.name} is {its} pixels, but the picture is {mine}. Give a mask of the "
            "picture's size: white where it may change, black where it stays."
        )
    white = told.point([255 * (value >= _HALF) for value in range(256)])
    lowest, highest = white.getextrema()
    if not highest:
        raise ToolFailed(
            f"The mask {path.name} is all black, so that nothing may change. Paint white what is "
            "to be drawn anew."
        )
    if lowest:
        raise ToolFailed(
            f"The mask {path.name} is all white, so that nothing would stay. Paint black what is "
            "to stay, or leave the mask out to change the whole picture."
        )
    return white


def margins(told: str | Mapping[str, int | None], size: tuple[int, int]) -> Margins:
    """How far a picture is to be extended.

    Args:
        told: such as "left 200", "16:9" or "top 10%, right 50 px"; or pixels by side, where none
            stands for a quarter.
        size: of the picture, width and height in px.

    Raises:
        ToolFailed: that makes no sense, adds nothing, or adds too much.
    """
    words = told if isinstance(told, str) else ", ".join(_spelt(told))
    words = " ".join(words.lower().split())
    shape = _SHAPE.fullmatch(words)
    found = _to_shape(float(shape[1]), float(shape[2]), size) if shape else _by_side(words, size)
    if not any(vars(found).values()):
        raise ToolFailed(f"'{words}' adds nothing to a picture of {size[0]} x {size[1]}. {_SAY}")
    added = ((found.left, size[0]), (found.right, size[0]), (found.top, size[1]))
    if any(margin > _MOST * side for margin, side in (*added, (found.bottom, size[1]))):
        raise ToolFailed(
            f"'{words}' adds more than twice the picture of {size[0]} x {size[1]} on a side. Go "
            "in smaller steps."
        )
    width, height = size[0] + found.left + found.right, size[1] + found.top + found.bottom
    if width * height > _MOST_PIXELS:
        raise ToolFailed(
            f"Extended, the picture would have {width:,} x {height:,} pixels, which is too large. "
            "Give a smaller copy, or add less."
        )
    return found


def extended(given: "Image", by: Margins) -> tuple["Image", "Image"]:
    """A picture on a larger canvas, its edges drawn out, and the mask of what was added."""
    import numpy as np
    from PIL import Image

    wide = ((by.top, by.bottom), (by.left, by.right))
    canvas = Image.fromarray(np.pad(np.asarray(given), (*wide, (0, 0)), mode="edge"))
    inside = np.zeros((given.height, given.width), dtype=np.uint8)
    return canvas, Image.fromarray(np.pad(inside, wide, constant_values=255))


def resized(given: "Image", size: tuple[int, int]) -> "Image":
    """A picture at a size in px; a mask keeps to black and white."""
    from PIL import Image

    if given.size == size:
        return given
    sharp = given.mode == "L"
    return given.resize(size, Image.Resampling.NEAREST if sharp else Image.Resampling.LANCZOS)


def _spelt(told: Mapping[str, int | None]) -> Sequence[str]:
    return [side if count is None else f"{side} {count}" for side, count in told.items()]


def _to_shape(across: float, down: float, size: tuple[int, int]) -> Margins:
    """What makes a picture of another shape, as much on either side."""
    width, height = size
    if not across or not down:
        raise ToolFailed(f"{across:g}:{down:g} is no shape of a picture. {_SAY}")
    more_across = max(round(height * across / down) - width, 0)
    more_down = max(round(width * down / across) - height, 0)
    left, top = more_across // 2, more_down // 2
    return Margins(left, top, more_across - left, more_down - top)


def _by_side(words: str, size: tuple[int, int]) -> Margins:
    added = dict.fromkeys(_SIDES, 0)
    for part in re.split(r"[,;&]| and ", words):
        match = _PART.fullmatch(" ".join(_FILLERS.sub("", part).split()))
        named = {match["before"], match["after"]} - {None} if match else set()
        sides = _WHERE.get(named.pop(), ()) if len(named) == 1 else ()
        if match is None or not sides:
            raise ToolFailed(f"'{part.strip()}' does not tell how far to extend it. {_SAY}")
        for side in sides:
            along = size[0] if side in ("left", "right") else size[1]
            added[side] = round(_pixels(match["number"], match["unit"], along))
    return Margins(**added)


def _pixels(number: str | None, unit: str | None, along: int) -> float:
    if number is None:
        return _QUARTER * along
    return float(number) / 100 * along if unit in ("%", "percent") else float(number)
