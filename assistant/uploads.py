"""Uploaded pictures: taken in only as clean PNG files: pixels, and how they were made if known."""

import hashlib
import json
import os
import selectors
import socket
import stat
import struct
import subprocess
import sys
import threading
import unicodedata
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

from assistant.settings import Settings
from tools.base import ToolFailed

_PROGRAM = Path(__file__).with_name("decoder.py")
_REQUEST = struct.Struct("!QQQ")
_AT_ONCE = 2  # pictures; each may take 1 GiB
_LONGEST_SIDE = 12_000  # pixels
_LONGEST_NAME = 120  # bytes
_UNSAFE = '/\\:*?"<>|'


class Refused(ToolFailed):
    """A file that is not taken; worded for the person.

    Attributes:
        name: the file's name, safe to show.
    """

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.name = name


@dataclass(frozen=True)
class Upload:
    """A picture that was taken.

    Attributes:
        path: the clean PNG file: RGB, 8 bits, upright, sRGB, no metadata but a recipe.
        name: the file's own name, safe to show.
        width: pixels.
        height: pixels.
        note: what the person should know, such as "animated: the first of 12 frames is used".
    """

    path: Path
    name: str
    width: int
    height: int
    note: str


@dataclass(frozen=True)
class _Limits:
    size: int  # bytes of the file
    pixels: int
    seconds: int  # of processor time; the clock may run twice as long

    @property
    def wait(self) -> float:
        """Seconds after which no reply can come any more."""
        return 2.0 * self.seconds + 2.0

    def request(self) -> bytes:
        return _REQUEST.pack(self.pixels, _LONGEST_SIDE, self.seconds)


_LIMITS = {
    "local": _Limits(40_000_000, 40_000_000, 8),
    "public": _Limits(15_000_000, 25_000_000, 4),
}


class Uploads:
    """Takes pictures in; keeps one decoder program at hand."""

    def __init__(self, settings: Settings) -> None:
        self._home = settings.home
        self._limits = _LIMITS[settings.audience]
        self._decoder = _Decoder(self._limits)

    def take(self, path: Path, owner: str) -> Upload:
        """Decodes a picture and keeps a clean copy; a clean copy of the owner's is kept as it is.

        Args:
            path: the file that was dropped or named.
            owner: whose it is; a plain file name.

        Raises:
            Refused: the file is not taken, or cannot be kept.
        """
        name = safe_name(path.name)
        folder = _folder(self._home / "uploads", owner)
        with _opened(path, name, self._limits.size) as source:
            real = path.resolve()
            self._check_owner(real, name, owner)
            if real.parent.parent == folder:
                return Upload(real, name, *_png_size(source), "")
            digest = hashlib.file_digest(source, "sha256").hexdigest()[:16]
            target = folder / digest / f"{safe_name(path.stem)}.png"
            try:
                reply = self._decode(source, target)
            except OSError as error:
                raise Refused(name, _unwritten(self._home, error.strerror or str(error))) from None
        if "refused" in reply:
            raise Refused(name, f"{name} {reply['refused']}")
        if "unwritten" in reply:
            raise Refused(name, _unwritten(self._home, reply["unwritten"]))
        return Upload(target, name, reply["width"], reply["height"], reply["note"])

    def remove(self, paths: Sequence[Path], owner: str) -> None:
        """Deletes kept pictures of an owner; what is not one, or gone already, is left alone."""
        folder = _folder(self._home / "uploads", owner).resolve()
        for path in (path.resolve() for path in paths):
            if path.parent.parent == folder:
                path.unlink(missing_ok=True)
                with suppress(OSError):  # another picture of the same content lies beside it
                    path.parent.rmdir()

    def close(self) -> None:
        """Ends the decoder program."""
        self._decoder.close()

    def _check_owner(self, real: Path, name: str, owner: str) -> None:
        """Keeps one owner from naming another's files."""
        for kept in (self._home / "uploads", self._home / "runs"):
            if real.is_relative_to(kept) and not real.is_relative_to(kept / owner):
                raise Refused(name, _missing(name))

    def _decode(self, source: BufferedReader, target: Path) -> Mapping[str, Any]:
        aside = target.parent.with_name(f".{uuid.uuid4().hex}")
        aside.parent.mkdir(parents=True, exist_ok=True)
        try:
            with aside.open("xb") as png:
                source.seek(0)
                reply = self._decoder.decode(source.fileno(), png.fileno())
                if "width" in reply:
                    os.fsync(png.fileno())
                    target.parent.mkdir(exist_ok=True)
                    aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)
        return reply


class _Decoder:
    """The client of `decoder.py`; starts it when first needed, and again if it died."""

    def __init__(self, limits: _Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        self._program: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def decode(self, source: int, target: int) -> Mapping[str, Any]:
        """The decoder's reply to one request.

        Args:
            source: descriptor of the picture, at its beginning.
            target: descriptor of the file for the clean PNG.
        """
        with self._room:
            reply, theirs = os.pipe()
            try:
                try:
                    self._submit((source, target, theirs))
                finally:
                    os.close(theirs)
                return _read_reply(reply, self._limits.wait)
            finally:
                os.close(reply)

    def _submit(self, files: Sequence[int]) -> None:
        with self._lock:
            for _ in range(2):
                control = self._control or self._start()
                with suppress(OSError):
                    socket.send_fds(control, [self._limits.request()], files)
                    if control.recv(1):
                        return
                self._stop()
        raise RuntimeError(f"the picture decoder does not start: {_PROGRAM}")

    def close(self) -> None:
        with self._lock:
            self._stop()

    def _start(self) -> socket.socket:
        """Isolated, without environment, and out of reach of the terminal's Ctrl-C."""
        self._control, theirs = socket.socketpair()
        self._control.settimeout(self._limits.wait)
        with theirs:
            self._program = subprocess.Popen(  # noqa: S603 - our own program
                # What is odd about a picture is told to the person, not to the terminal.
                [sys.executable, "-I", "-W", "ignore", str(_PROGRAM)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env={},
                cwd="/",
                start_new_session=True,
            )
        return self._control

    def _stop(self) -> None:
        if self._control and self._program:
            self._control.close()
            self._program.kill()
            self._program.wait()
        self._control = self._program = None


def _read_reply(reply: int, seconds: float) -> Mapping[str, Any]:
    with selectors.DefaultSelector() as selector:
        selector.register(reply, selectors.EVENT_READ)
        answer = os.read(reply, 2**16) if selector.select(seconds) else b""
    if not answer:
        return {
            "refused": "takes more time or memory to decode than one picture may. Open it in a "
            "picture viewer and save a smaller copy as PNG or JPEG."
        }
    decoded: Mapping[str, Any] = json.loads(answer)
    return decoded


@contextmanager
def _opened(path: Path, name: str, most: int) -> Iterator[BufferedReader]:
    try:
        # Without O_NONBLOCK a pipe that nobody writes to would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise Refused(name, _missing(name)) from None
    except OSError as error:
        raise Refused(
            name, f"{name} cannot be opened: {error.strerror}. Copy it elsewhere and try again."
        ) from None
    try:
        _check_file(os.fstat(descriptor), name, most)
    except Refused:
        os.close(descriptor)
        raise
    with os.fdopen(descriptor, "rb") as file:
        yield file


def _check_file(found: os.stat_result, name: str, most: int) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise Refused(name, f"{name} is a folder. Send the pictures in it one by one.")
    if not stat.S_ISREG(found.st_mode):
        raise Refused(name, f"{name} is a device or a pipe, not a file. Send a picture file.")
    if found.st_size == 0:
        raise Refused(name, f"{name} is empty: 0 bytes. Send the file again.")
    if found.st_size > most:
        raise Refused(
            name,
            f"{name} has {found.st_size / 1e6:,.1f} MB; at most {most / 1e6:,.0f} MB are taken. "
            "Send a smaller copy, for example as JPEG.",
        )


def _png_size(file: BufferedReader) -> tuple[int, int]:
    """Width and height as a PNG file's first chunk gives them."""
    width, height = struct.unpack(">II", file.read(24)[16:])
    return width, height


def _missing(name: str) -> str:
    return f"There is no file {name}. Check its path, or send the picture again."


def _unwritten(home: Path, reason: str) -> str:
    return (
        f"Pictures cannot be kept in {home}: {reason}. Free some space there, or set "
        "FITTING_ROOM_HOME to another folder."
    )


def _folder(parent: Path, owner: str) -> Path:
    if owner != safe_name(owner):
        raise ValueError(f"an owner must be a plain file name: {owner!r}")
    return parent / owner


def safe_name(name: str) -> str:
    """A file name without control, bidirectional and separator characters, of at most 120 bytes."""
    kept = (
        character
        for character in unicodedata.normalize("NFC", name)
        if unicodedata.category(character)[0] != "C" and character not in _UNSAFE
    )
    words = " ".join("".join(kept).split()).strip(". ")
    return words.encode()[:_LONGEST_NAME].decode(errors="ignore") or "picture"
