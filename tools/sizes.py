"""Sizes of pictures that a model takes: what its card allows, and the nearest legal one."""

import math
from math import ceil, floor

from index.card import Run
from tools.base import NeedsInput

_SMALLEST, _LARGEST = 64, 4096  # px, where a card says nothing
_MOST_MEGAPIXELS = 4.0
_MEGAPIXEL = 2**20  # px: vendors call 2048 x 2048 four megapixels


def size(system: str, run: Run, width: int | None, height: int | None) -> tuple[int, int]:
    """Width and height to draw at, px: as asked, the model's own where nothing is said.

    Raises:
        NeedsInput: the model does not take that size; the nearest legal one is the choice.
    """
    said = [side for side in (width, height) if side is not None]
    # One side alone asks for a square.
    wanted = (said[0], said[-1]) if said else (run.width or 1024, run.height or 1024)
    nearest = legal(run, *wanted)
    if nearest != wanted:
        asked, offered = (f"{one} x {other}" for one, other in (wanted, nearest))
        raise NeedsInput(
            f"{system} cannot draw {asked} pixels. The nearest size that it takes is {offered}; "
            "shall I use that?",
            (f"Use {offered.replace(' ', '')}",),
        )
    return wanted


def of_picture(
    system: str, run: Run, picture: tuple[int, int], width: int | None, height: int | None
) -> tuple[int, int]:
    """Width and height to draw a picture anew at, px, in its own shape as far as that is legal.

    Args:
        system: the model.
        run: how it is run.
        picture: width and height of the picture, px.
        width: as asked; if only one side is, the other follows the picture's shape.
        height: as asked. Without both, it is the picture's own size, but no larger area than what
            the model draws by itself.

    Raises:
        NeedsInput: the model does not take the size that was asked for.
    """
    if width is None and height is None:
        return legal(run, *picture, (run.width or 1024) * (run.height or 1024))
    step = run.multiple_of or 16
    if width is None and height is not None:
        width = round(picture[0] * height / picture[1] / step) * step
    elif height is None and width is not None:
        height = round(picture[1] * width / picture[0] / step) * step
    return size(system, run, width, height)


def legal(run: Run, width: int, height: int, most_area: float = math.inf) -> tuple[int, int]:
    """The size nearest to a wanted one, px: the same shape as far as the bounds let it.

    Args:
        run: how the model is run.
        width: as wanted.
        height: as wanted.
        most_area: square pixels that it may have at most.
    """
    least, most = run.min_side or _SMALLEST, run.max_side or _LARGEST
    step = run.multiple_of or 16
    area = min((run.max_megapixels or _MOST_MEGAPIXELS) * _MEGAPIXEL, most_area)
    shrink = min(1.0, (area / (width * height)) ** 0.5) if min(width, height) > 0 else 1.0
    rounded = floor if shrink < 1 else round  # up would be too large an area again
    lowest, highest = ceil(least / step), most // step
    sides = (rounded(side * shrink / step) for side in (width, height))
    near = [min(max(side, lowest), highest) * step for side in sides]
    return near[0], near[1]
