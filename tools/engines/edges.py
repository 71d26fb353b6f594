"""The edges of a picture, white on black, as FLUX.1 Canny [dev] was trained to follow."""

import numpy as np
from PIL import Image
from scipy import ndimage

_SIGMA = 1.0  # px of blur
_LOW, _HIGH = 0.05, 0.15  # of the step from black to white
_DARK, _LIGHT = 40, 215  # what a map of edges is made of, beside little else
_GREY = 12  # by which the colours of a grey pixel differ at most
_BETWEEN = 0.1  # of a map's pixels that may be neither dark nor light
_MOSTLY = 0.6  # of them that are dark at least


def canny(picture: Image.Image) -> Image.Image:
    """The edges by Canny's method: blurred, thinned to ridges, weak ones kept beside strong ones.

    Args:
        picture: RGB.

    Returns:
        RGB of the same size, each pixel white or black.
    """
    grey = ndimage.gaussian_filter(np.asarray(picture.convert("L"), dtype=float) / 255, _SIGMA)
    down, across = ndimage.sobel(grey, axis=0) / 4, ndimage.sobel(grey, axis=1) / 4
    slope = np.hypot(down, across)
    ridge = slope * _is_highest(slope, down, across)
    kept = ndimage.binary_propagation(
        ridge > _HIGH, structure=np.ones((3, 3), dtype=bool), mask=ridge > _LOW
    )
    return Image.fromarray((255 * kept).astype(np.uint8)).convert("RGB")


def is_edges(picture: Image.Image) -> bool:
    """Whether a picture is a map of edges already: bright lines on black, without colour."""
    values = np.asarray(picture.convert("L"))
    between = ((values > _DARK) & (values < _LIGHT)).mean()
    return is_grey(picture) and between <= _BETWEEN and (values <= _DARK).mean() >= _MOSTLY


def is_grey(picture: Image.Image) -> bool:
    """Whether a picture has no colour, as a map of depth has none."""
    values = np.asarray(picture)
    return bool((values.max(axis=2) - values.min(axis=2)).max() <= _GREY)


def _is_highest(
    slope: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    down: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    across: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Whether a pixel is steeper than its neighbours on both sides of the edge it may lie on."""
    turn = np.round(np.arctan2(down, across) / (np.pi / 4)).astype(int) % 4
    padded = np.pad(slope, 1)
    height, width = slope.shape
    highest = np.zeros(slope.shape, dtype=bool)
    for way, (y, x) in enumerate(((0, 1), (1, 1), (1, 0), (1, -1))):
        one = padded[1 + y : 1 + y + height, 1 + x : 1 + x + width]
        other = padded[1 - y : 1 - y + height, 1 - x : 1 - x + width]
        # Of two as steep as each other one is kept.
        highest |= (turn == way) & (slope > one) & (slope >= other)
    return highest
