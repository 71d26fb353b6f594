"""Pictures on their way to Black Forest Labs, and results on their way back."""

import base64
import hashlib
import io
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.base import ToolFailed
from tools.engines.bfl.checking import is_address
from tools.engines.bfl.endpoints import Endpoint

MOST_RESULT = 64 * 2**20  # bytes of a result that are taken
_MOST_FILE = 20 * 2**20  # bytes of a file that are sent; base64 makes them a third more
_FORMATS = {"JPEG": "jpeg", "PNG": "png", "WEBP": "webp"}


class NoPicture(Exception):
    """What came as a result is no picture that can be read."""


@dataclass(frozen=True)
class Shape:
    """What the head of a picture says.

    Attributes:
        format: `jpeg`, `png` or `webp`.
        width: pixels.
        height: pixels.
    """

    format: str
    width: int
    height: int


def shapes(endpoint: Endpoint, values: Mapping[str, Any]) -> dict[str, Shape | None]:
    """The shapes of the pictures of a request, by field; none for one that is no file.

    Raises:
        ToolFailed: one cannot be sent, or a mask is of another size than its picture.
    """
    found = {
        name: None if _is_sent_as_it_is(endpoint, name, value) else _shape_of(name, value)
        for name, value in _pictures(endpoint, values)
    }
    image, mask = found.get("image"), found.get("mask")
    if image and mask and (image.width, image.height) != (mask.width, mask.height):
        raise ToolFailed(
            f"The mask is {mask.width} x {mask.height} px, but the picture is {image.width} x "
            f"{image.height} px. Give a mask of the picture's size."
        )
    return found


def filled(endpoint: Endpoint, values: Mapping[str, Any]) -> dict[str, Any]:
    """A request with its files in base64.

    Raises:
        OSError: a file cannot be read any more.
    """
    files = {
        name: base64.b64encode(Path(value).read_bytes()).decode()
        for name, value in _pictures(endpoint, values)
        if not _is_sent_as_it_is(endpoint, name, value)
    }
    return {**values, **files}


def keep_result(content: bytes, task: str, folder: Path) -> tuple[Path, Shape]:
    """Writes a result as it came, so that what it says of its origin stays in it.

    Args:
        content: the file.
        task: the vendor's id of the task, which gives the file its name.
        folder: where it goes; made if it is not there.

    Raises:
        NoPicture: it is none.
    """
    shape = _shape(content)
    if shape is None:
        raise NoPicture(f"its result is no picture ({len(content)} bytes)")
    name = hashlib.sha256(task.encode("utf-8", "replace")).hexdigest()[:16]
    path = folder / f"bfl-{name}.{shape.format}"
    folder.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")  # two may ask after one task
    try:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return path, shape


def _pictures(endpoint: Endpoint, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if endpoint.fields[name].picture and value is not None:
            yield name, value


def _is_sent_as_it_is(endpoint: Endpoint, name: str, value: str) -> bool:
    kind = endpoint.fields[name].picture
    return kind == "path at the vendor's" or (kind == "file or address" and is_address(value))


def _shape_of(name: str, value: str) -> Shape:
    path = Path(value)
    try:
        size = path.stat().st_size
        shape = _shape(path.read_bytes()) if size <= _MOST_FILE else None
    except (OSError, ValueError):
        raise ToolFailed(
            f"{name} is {value[:200]!r}, which is no file that can be read. Give a picture."
        ) from None
    if size > _MOST_FILE:
        raise ToolFailed(
            f"{name} is a file of {size / 2**20:.1f} MiB, but at most {_MOST_FILE / 2**20:.0f} MiB "
            "are sent. Give a smaller picture."
        )
    if shape is None:
        raise ToolFailed(f"{name} is {path.name!r}, which is no JPEG, PNG or WebP. Give a picture.")
    return shape


def _shape(content: bytes) -> Shape | None:
    """What the head says, without unpacking any pixel; none if it is no picture."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=tuple(_FORMATS)) as picture:
            return Shape(_FORMATS[str(picture.format)], *picture.size)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Warning):
        return None
