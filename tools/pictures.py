"""Reads the pictures that a tool was given: files, a folder of them, or a zip."""

import io
import stat
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from tools.base import ToolFailed

if TYPE_CHECKING:
    from PIL.Image import Image

_READ = {".jpg", ".jpeg", ".png", ".webp", ".gif"}
_KNOWN = {".heic", ".heif", ".avif", ".tif", ".tiff", ".bmp", ".jxl"}
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_MOST_BYTES = 40_000_000  # of one file
_MOST_PIXELS = 40_000_000  # of one picture
_MOST_FILES = 20_000  # looked at in a folder or zip


class NotRead(Exception):
    """A picture that cannot be read; the message goes on after its name."""


@dataclass(frozen=True)
class Source:
    """Where a picture comes from.

    Attributes:
        name: what an answer calls it; all different within one answer.
        path: the picture file, or the zip that holds it.
        member: its name in the zip; empty for a file.
    """

    name: str
    path: Path
    member: str = ""


def sources(images: Sequence[Path], dataset: Path | None) -> tuple[Source, ...]:
    """The pictures among files and in a folder or zip, by name; other files are passed over.

    Raises:
        ToolFailed: the dataset is neither, cannot be opened, or is too large to go through.
    """
    found = [Source(path.name, path) for path in images]
    if dataset is not None:
        found += sorted(_in_dataset(dataset), key=lambda source: source.name)
    return tuple(_renamed(found))


def read(source: Source) -> "Image":
    """The picture, upright, in RGB.

    Raises:
        NotRead: it is no picture that can be read, or it is too large.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    data = io.BytesIO(_bytes(source))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(data, formats=_FORMATS) as image:
                if image.width * image.height > _MOST_PIXELS:
                    raise NotRead("has too many pixels. Give a smaller copy.")
                return ImageOps.exif_transpose(_on_white(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise NotRead("has too many pixels. Give a smaller copy.") from None
    except UnidentifiedImageError:
        raise NotRead("is not a JPEG, PNG, WebP or GIF picture. Convert it to one.") from None
    except (OSError, ValueError, SyntaxError):
        raise NotRead("is cut short or damaged. Give the whole file.") from None


def _in_dataset(dataset: Path) -> Iterator[Source]:
    if dataset.is_dir():
        return _in_folder(dataset)
    if zipfile.is_zipfile(dataset):
        return _in_zip(dataset)
    what = "is neither a folder nor a zip file" if dataset.exists() else "does not exist"
    raise ToolFailed(f"The dataset {dataset.name} {what}. Give a folder or a zip of pictures.")


def _in_folder(folder: Path) -> Iterator[Source]:
    for count, path in enumerate(folder.rglob("*")):
        _check_count(count, folder)
        # A link may lead out of the folder that was given.
        if _is_picture(path.name) and not path.is_symlink() and path.is_file():
            yield Source(str(path.relative_to(folder)), path)


def _in_zip(archive: Path) -> Iterator[Source]:
    try:
        with zipfile.ZipFile(archive) as opened:
            members = opened.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise ToolFailed(f"{archive.name} cannot be opened: {error}. Zip it again.") from error
    _check_count(len(members), archive)
    for member in members:
        path = PurePosixPath(member.filename)
        hidden = "__MACOSX" in path.parts or stat.S_ISLNK(member.external_attr >> 16)
        if _is_picture(path.name) and not member.is_dir() and not hidden:
            shown = "/".join(part for part in path.parts if part not in ("/", ".."))
            yield Source(shown, archive, member.filename)


def _is_picture(name: str) -> bool:
    return not name.startswith(".") and PurePosixPath(name).suffix.lower() in _READ | _KNOWN


def _check_count(count: int, dataset: Path) -> None:
    if count > _MOST_FILES:
        raise ToolFailed(f"{dataset.name} holds over {_MOST_FILES:,} files. Give a part of it.")


def _renamed(found: Sequence[Source]) -> Iterator[Source]:
    """Tells pictures of the same name apart."""
    taken: set[str] = set()
    for source in found:
        name, count = source.name, 1
        while name in taken:
            count += 1
            name = f"{source.name} ({count})"
        taken.add(name)
        yield Source(name, source.path, source.member)


def _bytes(source: Source) -> bytes:
    """The file's bytes; counted while they are read, since a zip may lie about its sizes."""
    if PurePosixPath(source.member or source.path.name).suffix.lower() in _KNOWN:
        raise NotRead("is not a JPEG, PNG, WebP or GIF picture. Convert it to one.")
    try:
        if not source.member:
            with source.path.open("rb") as file:
                data = file.read(_MOST_BYTES + 1)
        else:
            with zipfile.ZipFile(source.path) as archive, archive.open(source.member) as file:
                data = file.read(_MOST_BYTES + 1)
    except RuntimeError:
        raise NotRead("is locked with a password. Zip it without one.") from None
    except (OSError, zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise NotRead(f"cannot be read: {error}. Give it again.") from None
    if not data:
        raise NotRead("is empty. Give the file again.")
    if len(data) > _MOST_BYTES:
        raise NotRead("is too large a file. Give a smaller copy.")
    return data


def _on_white(image: "Image") -> "Image":
    """Its colours in RGB, white where it is transparent; EXIF stays for the turn."""
    from PIL import Image

    if image.mode.startswith("I;16"):
        # Pillow's own conversion to 8 bits clips.
        image = image.convert("I").point([value // 257 for value in range(2**16)], "L")
    if not image.has_transparency_data:
        return image.convert("RGB")
    clear = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(clear)
    flat = white.convert("RGB")
    flat.info = clear.info
    return flat
