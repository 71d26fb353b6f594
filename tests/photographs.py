"""Sixty real photographs, out of the packages that come with the development requirements.

They judge whether pocket-convnext knows its limits. Nothing is trained or fitted on them.
"""

from importlib.resources import files
from pathlib import Path
from typing import Final

from PIL import Image

_PHOTOGRAPHS: Final = {
    "skimage": (
        "data/astronaut.png",
        "data/brick.png",
        "data/camera.png",
        "data/cell.png",
        "data/chelsea.png",
        "data/clock_motion.png",
        "data/coffee.png",
        "data/coins.png",
        "data/grass.png",
        "data/gravel.png",
        "data/hubble_deep_field.jpg",
        "data/ihc.png",
        "data/moon.png",
        "data/motorcycle_left.png",
        "data/motorcycle_right.png",
        "data/retina.jpg",
        "data/rocket.jpg",
    ),
    "sklearn": ("datasets/images/china.jpg", "datasets/images/flower.jpg"),
    "matplotlib": ("mpl-data/sample_data/grace_hopper.jpg",),
}


def _pieces(path: Path) -> list[Image.Image]:
    """A photograph, its middle half, and the square at its upper left."""
    with Image.open(path) as opened:
        whole = opened.convert("RGB")
    width, height = whole.size
    side = min(width, height) * 2 // 3
    middle = whole.crop((width // 4, height // 4, width * 3 // 4, height * 3 // 4))
    return [whole, middle, whole.crop((0, 0, side, side))]


def photographs() -> list[Image.Image]:
    """Twenty photographs and two crops of each, in RGB, always the same and in one order."""
    found = []
    for package, names in _PHOTOGRAPHS.items():
        for name in names:
            found += _pieces(Path(str(files(package).joinpath(name))))
    return found
