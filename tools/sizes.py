"""Sizes of pictures that a model takes: what its card allows, and the nearest legal one."""

from math import ceil, floor

from index.card import Run
from tools.base import NeedsInput

_SMALLEST, _LARGEST = 64, 4096  # px, where a card says nothing
_MOST_MEGAPIXELS = 4.2


def size(system: str, run: Run, width: int | None, height: int | None) -> tuple[int, int]:
    """Width and height to draw at, px: as asked, the model's own where nothing is said.

    Raises:
        NeedsInput: the model does not take that size; the nearest legal one is the choice.
    """
    said = [side for side in (width, height) if side is not None]
    # One side alone asks for a square.
    wanted = (said[0], said[-1]) if said else (run.width or 1024, run.height or 1024)
    legal = _legal(run, *wanted)
    if legal != wanted:
        asked, offered = (f"{one} x {other}" for one, other in (wanted, legal))
        raise NeedsInput(
            f"{system} cannot draw {asked} pixels. The nearest size that it takes is {offered}; "
            "shall I use that?",
            (f"Use {offered.replace(' ', '')}",),
        )
    return wanted


def _legal(run: Run, width: int, height: int) -> tuple[int, int]:
    """The size nearest to a wanted one: the same shape as far as the bounds let it."""
    least, most = run.min_side or _SMALLEST, run.max_side or _LARGEST
    step = run.multiple_of or 16
    area = (run.max_megapixels or _MOST_MEGAPIXELS) * 1e6
    shrink = min(1.0, (area / (width * height)) ** 0.5) if min(width, height) > 0 else 1.0
    rounded = floor if shrink < 1 else round  # up would be too large an area again
    lowest, highest = ceil(least / step), most // step
    sides = (rounded(side * shrink / step) for side in (width, height))
    legal = [min(max(side, lowest), highest) * step for side in sides]
    return legal[0], legal[1]
