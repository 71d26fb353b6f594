"""Pictures with their recipes as one zip file, written as it is sent: never whole in memory."""

import io
import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import IO, Any
from zipfile import ZipFile, ZipInfo

from assistant.page.document import file_name
from assistant.store.pictures import Picture

_RECIPES = "recipes.json"
_PIECE = 2**20  # bytes copied at once


def zipped(pictures: Iterable[Picture]) -> Iterator[bytes]:
    """The zip file in pieces: each picture's very file, then `recipes.json`, a list.

    A picture whose file is gone stands in the list without a file.

    Args:
        pictures: which ones, in the order in which they are numbered.
    """
    sent = _Sent()
    with tempfile.TemporaryFile() as recipes, ZipFile(sent, "w") as archive:
        recipes.write(b"[")
        for number, picture in enumerate(pictures, start=1):
            name = _name(picture, number)
            told = _recipe(picture, name, there=False)
            with suppress(FileNotFoundError), picture.path.open("rb") as file:
                for _ in _copied(file, archive, ZipInfo(name, _when(picture))):
                    yield sent.take()
                told = _recipe(picture, name, there=True)
            recipes.write(b",\n" if number > 1 else b"\n")
            recipes.write(json.dumps(told, ensure_ascii=False).encode("utf-8", "replace"))
        recipes.write(b"\n]\n")
        recipes.seek(0)
        now = datetime.now(UTC).timetuple()[:6]
        for _ in _copied(recipes, archive, ZipInfo(_RECIPES, now)):
            yield sent.take()
    yield sent.take()


class _Sent(io.RawIOBase):
    """What was written and not yet taken; it knows no place to go back to."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        """That it can be written."""
        return True

    def write(self, piece: Any) -> int:
        """Takes a piece."""
        self._pieces.append(bytes(piece))
        return len(self._pieces[-1])

    def take(self) -> bytes:
        """All since the last time."""
        taken, self._pieces = b"".join(self._pieces), []
        return taken


def _copied(source: IO[bytes], archive: ZipFile, entry: ZipInfo) -> Iterator[int]:
    """Copies a file into the archive, piece by piece; gives their sizes."""
    entry.external_attr = 0o644 << 16
    with archive.open(entry, "w") as target:
        while piece := source.read(_PIECE):
            yield target.write(piece)


def _recipe(picture: Picture, name: str, *, there: bool) -> dict[str, Any]:
    took = {} if picture.seconds is None else {"seconds": round(picture.seconds, 3)}
    return {"file": name if there else None, "at": picture.at, **picture.metadata, **took}


def _name(picture: Picture, number: int) -> str:
    words = picture.metadata.get("prompt") or picture.metadata.get("mode") or "picture"
    return f"{number:04d}-{file_name(words, picture.path.suffix.lstrip('.'))}"


def _when(picture: Picture) -> tuple[int, int, int, int, int, int]:
    """Its time as a zip file holds it, which knows none before 1980."""
    when = datetime.fromisoformat(picture.at)
    return max(when.year, 1980), when.month, when.day, when.hour, when.minute, when.second
