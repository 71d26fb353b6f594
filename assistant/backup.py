"""Keeps everything of a person's in one file: conversations, pictures, models, unfinished jobs.

The database goes in as a SQLite file, by its rows as they were at one moment, whatever kind of
database it is; then the files, so that all that rows name is there by then. A server may run on.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

from sqlalchemy.engine import URL, make_url

from assistant.archive import (
    DATABASE,
    FILES,
    FORMAT,
    BackupFailed,
    Contents,
    Entry,
    Manifest,
    add,
    beside,
    finish,
    flush,
    own_files,
)
from assistant.settings import Settings
from assistant.store.database import open_database
from assistant.store.transfer import copy_rows, counts, json_texts, named_below, schema_of, snapshot
from tools.program import program_version

Tell = Callable[[float, str], None]  # progress from 0 to 1, and what goes on
_PASSES = 3  # over the files: what was replaced while they were copied is there in the next one


@dataclass(frozen=True)
class Backup:
    """What was kept.

    Attributes:
        contents: how much of what.
        missing: files that rows name and that are not there, as paths below the home.
    """

    contents: Contents
    missing: tuple[str, ...]


def back_up(settings: Settings, file: Path, tell: Tell) -> Backup:
    """Makes a backup.

    Args:
        settings: which home, and which database.
        file: where it goes; must not exist yet.
        tell: told the progress.

    Raises:
        BackupFailed: it cannot be made; nothing is left of it.
        StoreFailed: the database did not give its rows.
    """
    file = file.absolute()
    _check(settings, file)
    try:
        with beside(file) as folder:
            made = folder / file.name
            backup = _write(settings, made, folder / DATABASE, tell)
            if file.exists():
                raise BackupFailed(_exists(file))
            made.rename(file)
            flush(file.parent)
    except OSError as error:
        raise BackupFailed(
            f"{file} cannot be written: {error.strerror}. Make room there, or name a file on "
            "another disk."
        ) from None
    return backup


def _check(settings: Settings, file: Path) -> None:
    home = settings.home
    kept = sqlite_file(make_url(settings.database))
    if not home.is_dir() or (kept and not kept.is_file()):
        raise BackupFailed(
            f"There is nothing to back up: {home if not home.is_dir() else kept} does not exist. "
            "Set FITTING_ROOM_HOME to the folder of your conversations."
        )
    if file.is_dir():
        raise BackupFailed(f"{file} is a folder. Name a file in it, such as {file / 'rooms.zip'}.")
    if file.exists():
        raise BackupFailed(_exists(file))
    if not file.parent.is_dir():
        raise BackupFailed(f"There is no folder {file.parent}. Make it, or name another file.")


def _exists(file: Path) -> str:
    return f"{file} exists already, and is not overwritten. Name another file, or move it away."


def sqlite_file(url: URL) -> Path | None:
    """The file of a SQLite database; none if it is another one."""
    named = url.database and url.database != ":memory:" and not url.query
    if url.get_backend_name() != "sqlite" or not named:
        return None
    return Path(str(url.database)).absolute()


@dataclass(frozen=True)
class _Copied:
    schema: str
    rows: dict[str, int]  # of each table
    used: frozenset[str]  # files of the home that rows name


def _write(settings: Settings, made: Path, database: Path, tell: Tell) -> Backup:
    home = settings.home
    tell(0.0, "copying the database")
    copied = _copy_database(settings.database, database, home)
    made.touch(mode=0o600)
    with made.open("r+b") as raw:
        with ZipFile(raw, "w") as archive:
            entries = [entry for entry in [add(archive, database, DATABASE)] if entry]
            entries += _add_files(archive, home, copied.used, tell)
            date = datetime.now(UTC).isoformat(timespec="seconds")
            stated = (FORMAT, program_version(), copied.schema, date, str(home))
            finish(archive, Manifest(*stated, tuple(entries)))
        raw.flush()
        os.fsync(raw.fileno())
    return Backup(contents_of(copied.rows, entries), _missing(copied.used, entries))


def _copy_database(address: str, into: Path, home: Path) -> _Copied:
    with contextlib.ExitStack() as stack:
        source = open_database(address)
        stack.callback(source.dispose)
        target = open_database(URL.create("sqlite", database=str(into)))
        stack.callback(target.dispose)
        with target.execution_options(writes=True).begin() as copy:
            # While they are read, nobody can write into a SQLite database without WAL: files are
            # looked for afterwards, in the copy.
            with snapshot(source) as rows:
                copy_rows(rows, copy, lambda kept: kept)
            used = {name for kept in json_texts(copy) for name in named_below(home, kept)}
            return _Copied(schema_of(copy), counts(copy), frozenset(used))


def _add_files(archive: ZipFile, home: Path, used: frozenset[str], tell: Tell) -> Iterator[Entry]:
    seen: set[str] = set()
    done = 0
    for _ in range(_PASSES):
        new = [name for name in own_files(home, used) if name not in seen]
        whole = done + sum(_size(home / name) for name in new)
        for name in new:
            seen.add(name)
            tell(done / max(whole, 1), "copying the files")
            if entry := add(archive, home / name, FILES + name):
                done += entry.size
                yield entry


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0


def contents_of(rows: dict[str, int], entries: list[Entry]) -> Contents:
    """How much of what an archive holds."""
    files = [entry.size for entry in entries if entry.name != DATABASE]
    sizes = sum(entry.size for entry in entries)
    return Contents(rows["conversation"], rows["answer"], rows["job"], len(files), sizes)


def _missing(used: frozenset[str], entries: list[Entry]) -> tuple[str, ...]:
    there = {entry.name.removeprefix(FILES) for entry in entries}
    there |= {str(parent) for name in there for parent in PurePosixPath(name).parents}
    return tuple(sorted(used - there))
