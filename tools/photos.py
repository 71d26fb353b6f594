"""The photos of a subject, checked before a model learns from them."""

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools import pictures
from tools.base import NeedsInput, ToolFailed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image as Picture

FEWEST, MOST = 3, 50
_SMALLEST = 64  # px of the shorter side
_ALIKE = 4  # of 64 bits of a difference hash, up to which two photos are the same
_SHARP = 60.0  # variance of the Laplacian of 8-bit grey values, below which a photo looks blurred
_LOOKED_AT = 256  # px of the longer side, for sharpness


@dataclass(frozen=True)
class Photos:
    """Photos that will do.

    Attributes:
        sources: where they come from.
        pictures: 8-bit RGB, upright.
        advice: what would make them better, a sentence each.
    """

    sources: tuple[pictures.Source, ...]
    pictures: tuple["Picture", ...]
    advice: tuple[str, ...] = ()


def checked(images: Sequence[Path], resolution: int) -> Photos:
    """Reads photos, leaves out those that say nothing new, and says what could be better.

    Args:
        images: the files, or a folder or zip of them.
        resolution: px of the sides that the model will see.

    Raises:
        NeedsInput: there are too few, or too few that differ.
        ToolFailed: there are too many, or one cannot be read or is too small.
    """
    files, folders = _sorted(images)
    found = pictures.sources(files, None)
    for folder in folders:
        found += pictures.sources((), folder)
    if not found:
        raise NeedsInput(
            f"Which photos show your subject? Give {FEWEST} to 5 that show it from several sides."
        )
    if len(found) > MOST:
        raise ToolFailed(
            f"There are {len(found):,} photos; at most {MOST} are taken, and 5 good ones will do. "
            "Choose those that differ most."
        )
    read = [(one, _read(one)) for one in found]
    kept, same = _different(read)
    if len(kept) < FEWEST:
        raise NeedsInput(_too_few(len(kept), same))
    advice = [*_same(same), *_small(kept, resolution), *_blurred(kept)]
    return Photos(tuple(one for one, _ in kept), tuple(p for _, p in kept), tuple(advice))


def of_class(folder: Path) -> list["Picture"]:
    """Pictures of a class that are the person's own, in a folder or a zip.

    Raises:
        ToolFailed: there are none, or one cannot be read or is too small.
    """
    found = pictures.sources((), folder)
    if not found:
        raise ToolFailed(f"{folder.name} holds no pictures of the class. Give a folder of some.")
    return [_read(source) for source in found]


def _sorted(images: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Picture files, and folders or zips of them."""
    several = [path for path in images if path.is_dir() or zipfile.is_zipfile(path)]
    return [path for path in images if path not in several], several


def _read(source: pictures.Source) -> "Picture":
    try:
        picture = pictures.read(source)
    except pictures.NotRead as error:
        raise ToolFailed(f"{source.name} {error}") from None
    if min(picture.size) < _SMALLEST:
        width, height = picture.size
        raise ToolFailed(
            f"{source.name} is {width} x {height} px, too small to learn from: at least "
            f"{_SMALLEST} px a side are needed. Give a larger photo."
        )
    return picture


def _too_few(count: int, same: Sequence[str]) -> str:
    shown = f" ({', '.join(same)} show the same again)" if same else ""
    there = "There is 1 photo" if count == 1 else f"There are {count} photos that differ"
    return (
        f"{there}{shown}; a model needs {FEWEST} to 5 of them, from several sides and on several "
        "backgrounds. Can you add some?"
    )


def _different(
    read: Sequence[tuple[pictures.Source, "Picture"]],
) -> tuple[list[tuple[pictures.Source, "Picture"]], list[str]]:
    """The photos that differ, and the names of those that show the same again."""
    import numpy as np

    kept: list[tuple[pictures.Source, Picture]] = []
    hashes: list[NDArray[np.bool_]] = []
    same: list[str] = []
    for source, picture in read:
        own = _hash(picture)
        if any(np.count_nonzero(own != other) <= _ALIKE for other in hashes):
            same.append(source.name)
            continue
        kept.append((source, picture))
        hashes.append(own)
    return kept, same


def _hash(picture: "Picture") -> "NDArray[np.bool_]":
    """Difference hash, 64 bits: whether each of 8 x 8 cells is brighter than the one beside it.

    Source: Neal Krawetz, "Kind of like that" (2013).
    """
    import numpy as np

    grey = np.asarray(picture.convert("L").resize((9, 8)), dtype=np.int16)
    brighter: NDArray[np.bool_] = grey[:, 1:] > grey[:, :-1]
    return brighter.ravel()


def _sharpness(picture: "Picture") -> float:
    """Variance of the Laplacian of a picture's grey values, at a size common to all."""
    import numpy as np

    shown = picture.convert("L")
    shown.thumbnail((_LOOKED_AT, _LOOKED_AT))
    grey = np.asarray(shown, dtype=np.float64)
    edges = (
        grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    )
    return float(edges.var())


def _same(names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"{_listed(names)} the same as another photo and left out."


def _small(kept: Sequence[tuple[pictures.Source, "Picture"]], resolution: int) -> Iterator[str]:
    small = [one.name for one, picture in kept if min(picture.size) < resolution]
    if small:
        yield (
            f"{_listed(small)} smaller than the {resolution} px that the model sees; larger photos "
            "give finer pictures."
        )


def _blurred(kept: Sequence[tuple[pictures.Source, "Picture"]]) -> Iterator[str]:
    blurred = [one.name for one, picture in kept if _sharpness(picture) < _SHARP]
    if blurred:
        yield f"{_listed(blurred)} blurred; sharp photos give sharp pictures."


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}"
