"""The file that holds a backup: a zip with the database, the files of the home, and a manifest.

The manifest comes last and names every other entry with its size and hash. What an archive says
is believed only as far as it was checked: names, sizes, hashes.
"""

import contextlib
import errno
import fcntl
import glob
import hashlib
import os
import shutil
import stat
import struct
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from pydantic import TypeAdapter

from assistant import runs

DATABASE = "database.sqlite"
FILES = "home/"
FORMAT = 1
_MANIFEST = "manifest.json"
_LONGEST_MANIFEST = 2**28  # bytes; a million files take 150 MB
_PIECE = 2**20  # bytes copied at once
_ASIDE = ".aside"
_UNKNOWN = (errno.EINVAL, errno.ENOTSUP, errno.EBADF)  # a disk in the network cannot flush folders
# What is no use elsewhere or can be made again; the database goes in by its rows. Names that
# begin with a dot are those of files that are being written.
_NOT_KEPT = ("index", "holders", "log.txt*", "*.db", "*.db-*", "*.zip", ".*")
_PICTURES = frozenset({".gif", ".jpeg", ".jpg", ".png", ".webp"})
_PACKED = _PICTURES | {".safetensors", ".pt", ".pth", ".bin", ".onnx", ".npz", ".gz", ".zip"}
_DAMAGE = (BadZipFile, zlib.error, struct.error, EOFError, ValueError, KeyError, RuntimeError)


class BackupFailed(Exception):
    """A backup was not made or not restored; worded for the person."""


@dataclass(frozen=True)
class Entry:
    """One file of an archive; `size` in bytes."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What an archive holds.

    Attributes:
        format: how it is laid out.
        version: of the program that made it.
        schema: the revision of its database.
        made: ISO time, UTC.
        home: the home that it was made of; rows name files by it.
        files: every other entry.
    """

    format: int
    version: str
    schema: str
    made: str
    home: str
    files: tuple[Entry, ...]


_READER = TypeAdapter(Manifest)


@dataclass(frozen=True)
class Contents:
    """How much there is of what."""

    conversations: int
    answers: int
    jobs: int
    files: int
    bytes: int

    def words(self) -> str:
        """All of it in one line."""
        named = {"conversation": self.conversations, "answer": self.answers, "job": self.jobs}
        named["file"] = self.files
        told = [counted(count, name) for name, count in named.items()]
        return f"{', '.join(told)}, {sized(self.bytes)}"


def counted(count: int, name: str) -> str:
    """A number of things for a person."""
    return f"{count:,} {name}{'' if count == 1 else 's'}"


def sized(count: float) -> str:
    """A number of bytes for a person."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"


# --- beside the place where something is to stand
@contextlib.contextmanager
def beside(place: Path) -> Iterator[Path]:
    """A folder next to a place, to make what is then renamed into it; gone afterwards.

    Those that killed processes have left are removed: nobody holds their locks.

    Raises:
        OSError: the folder above cannot be written.
    """
    for left in place.parent.glob(f".{glob.escape(place.name)}.*{_ASIDE}"):
        with contextlib.suppress(FileNotFoundError), _locked(left) as nobody:
            if nobody:
                shutil.rmtree(left, ignore_errors=True)
    folder = place.parent / f".{place.name}.{uuid.uuid4().hex[:12]}{_ASIDE}"
    folder.mkdir(mode=0o700)
    try:
        with _locked(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Takes the lock of a folder; false if another has it, or its disk knows no locks."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = True
        except OSError:
            held = False
        yield held
    finally:
        os.close(descriptor)


def flush(folder: Path) -> None:
    """Makes names in a folder last, not only the content of its files, where the disk can."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _UNKNOWN:
            raise
    finally:
        os.close(descriptor)


# --- which files of a home are the person's own
def is_kept(name: str) -> bool:
    """Whether a file of the home, by its path below it, belongs into a backup."""
    first, *others = PurePosixPath(name).parts
    hidden = any(part.startswith(".") for part in others)
    return not hidden and not any(fnmatch(first, pattern) for pattern in _NOT_KEPT)


def own_files(home: Path, used: frozenset[str]) -> Iterator[str]:
    """The files of a home that belong into a backup, as paths below it.

    Args:
        home: the home.
        used: what rows name. A run that was not finished stays only if it is among that.
    """
    kept_runs = {PurePosixPath(name).parts[:3] for name in used if name.startswith("runs/")}
    seen: set[Path] = set()
    for folder, folders, files in os.walk(home, onerror=_unlisted, followlinks=True):
        below, place = Path(folder).relative_to(home), Path(folder).resolve()
        if place in seen or not _is_whole(home, below.parts, kept_runs):
            folders.clear()
            continue
        seen.add(place)
        names = ((below / name).as_posix() for name in sorted(files))
        yield from (name for name in names if is_kept(name) and (home / name).is_file())
        folders[:] = sorted(name for name in folders if is_kept((below / name).as_posix()))


def _unlisted(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):  # else it was removed meanwhile
        raise _unread(error.filename, error)


def _unread(path: str | Path, error: OSError) -> BackupFailed:
    return BackupFailed(
        f"{path} cannot be read: {error.strerror}. Change its rights, or move it away."
    )


def _is_whole(home: Path, parts: tuple[str, ...], kept_runs: set[tuple[str, ...]]) -> bool:
    is_run = len(parts) == 3 and parts[0] == "runs"
    return not is_run or parts in kept_runs or runs.is_complete(home.joinpath(*parts))


# --- writing
def add(archive: ZipFile, source: Path, name: str) -> Entry | None:
    """Copies a file into an archive; none if it is gone by now.

    Raises:
        BackupFailed: it cannot be read.
        OSError: the archive cannot be written.
    """
    try:
        name.encode()
        opened = source.open("rb")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unread(source, error) from None
    except UnicodeEncodeError:
        raise BackupFailed(f"The name of {str(source)!a} is not UTF-8. Rename it.") from None
    entry = ZipInfo(name)
    packed = source.suffix.lower() in _PACKED
    entry.compress_type = ZIP_STORED if packed else ZIP_DEFLATED
    entry.external_attr = (stat.S_IFREG | 0o600) << 16
    with opened, archive.open(entry, "w", force_zip64=True) as target:
        return Entry(name, *_copied(_pieces(opened, source), target))


def finish(archive: ZipFile, manifest: Manifest) -> None:
    """Writes the manifest, after all else."""
    archive.writestr(_MANIFEST, _READER.dump_json(manifest, indent=1), ZIP_DEFLATED)


def _pieces(opened: IO[bytes], path: Path) -> Iterator[bytes]:
    while True:
        try:
            piece = opened.read(_PIECE)
        except OSError as error:
            raise _unread(path, error) from None
        if not piece:
            return
        yield piece


def _copied(pieces: Iterator[bytes], target: IO[bytes]) -> tuple[int, str]:
    """How many bytes were copied, and their hash."""
    size, digest = 0, hashlib.sha256()
    for piece in pieces:
        size += len(piece)
        digest.update(piece)
        target.write(piece)
    return size, digest.hexdigest()


# --- reading
@contextlib.contextmanager
def opened_archive(file: Path) -> Iterator[tuple[ZipFile, Manifest]]:
    """An archive to be read, and its manifest; names and sizes are checked.

    Raises:
        BackupFailed: there is none, or it is damaged.
    """
    with contextlib.ExitStack() as stack:
        try:
            with _told_of(file):
                archive = stack.enter_context(ZipFile(file))
                manifest = _manifest(archive)
                _check(archive, manifest)
        except OSError as error:
            raise BackupFailed(
                f"{file} cannot be read: {error.strerror}. Name a file that `backup` has made."
            ) from None
        yield archive, manifest


def extract(archive: ZipFile, entry: Entry, target: Path) -> None:
    """Writes one file of an archive, checked and flushed.

    Raises:
        BackupFailed: it is not what the manifest says.
        OSError: the file cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with _told_of(archive.filename), target.open("xb") as file:
        with archive.open(entry.name) as source:
            found = _copied(iter(lambda: source.read(_PIECE), b""), file)
        if found != (entry.size, entry.sha256):
            raise BadZipFile(f"{entry.name!a} is not as it was")
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def _told_of(file: Path | str | None) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        said = str(error).partition("\n")[0].strip("'. ") or type(error).__name__
        raise BackupFailed(
            f"{file} is damaged, or no backup: {said}. Nothing was changed; use another one."
        ) from None


def _manifest(archive: ZipFile) -> Manifest:
    if archive.getinfo(_MANIFEST).file_size > _LONGEST_MANIFEST:
        raise BadZipFile("its manifest is too long")
    return _READER.validate_json(archive.read(_MANIFEST))


def _check(archive: ZipFile, manifest: Manifest) -> None:
    """Checks all that can be checked without unpacking."""
    entries = {entry.name: entry for entry in manifest.files}
    told = [*entries, _MANIFEST]
    infos = archive.infolist()
    if sorted(info.filename for info in infos) != sorted(told) or len(told) != len(infos):
        raise BadZipFile("it does not hold what its manifest says")
    if DATABASE not in entries or len(entries) != len(manifest.files):
        raise BadZipFile("it has no database, or a file twice")
    folders = {parent for name in entries for parent in map(str, PurePosixPath(name).parents)}
    for info in infos:
        _check_entry(info, folders)
        if info.filename != _MANIFEST and info.file_size != entries[info.filename].size:
            raise BadZipFile(f"{info.filename!a} has another size than its manifest says")


def _check_entry(info: ZipInfo, folders: set[str]) -> None:
    name = info.filename
    kind = stat.S_IFMT(info.external_attr >> 16)
    readable = info.compress_type in (ZIP_STORED, ZIP_DEFLATED) and info.header_offset >= 0
    if kind not in (0, stat.S_IFREG) or not readable:
        raise BadZipFile(f"{name!a} is not a plain file")
    if name in (_MANIFEST, DATABASE):
        return
    below = name.removeprefix(FILES)
    safe = not {"", ".", ".."} & set(below.split("/")) and name.startswith(FILES)
    if not safe or name in folders or not is_kept(below):
        raise BadZipFile(f"{name!a} is no place in a home")
