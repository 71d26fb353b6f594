"""What to try first: questions that work on the first click, some with a drawn picture."""

from dataclasses import dataclass
from pathlib import Path

from tools.pocket.world import Scene, Thing, draw

_PIXELS = 384


@dataclass(frozen=True)
class Example:
    """One thing to try.

    Attributes:
        text: the question.
        pictures: its pictures, drawn into a folder of this process.
    """

    text: str
    pictures: tuple[Path, ...] = ()


_HOUSE = Scene((Thing("house", "red", "solid", "large", "centre", 7),), "sky", 3)
_STAR = Scene((Thing("star", "yellow", "solid", "large", "centre", 11),), "night", 5)


def examples(folder: Path) -> tuple[Example, ...]:
    """The examples, their pictures drawn into `folder`."""
    house = _drawn(_HOUSE, folder / "house.png")
    star = _drawn(_STAR, folder / "star.png")
    return (
        Example("What is in this picture?", (house,)),
        Example("Classify these pictures", (house, star)),
        Example("Draw a large red star at night"),
        Example("Compare schnell and klein 4B"),
        Example("Benchmark pocket-convnext"),
        Example("What can you do?"),
    )


def _drawn(scene: Scene, path: Path) -> Path:
    from PIL import Image

    Image.fromarray(draw(scene, _PIXELS)).save(path)
    return path
