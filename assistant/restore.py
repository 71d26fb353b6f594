"""Brings a backup back: whole, or not at all.

All of it is unpacked next to the home and checked before anything is changed. Then the new home
takes the place of the old one in one step, so that a process that is killed leaves one of them.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from textwrap import shorten
from zipfile import ZipFile

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm import Session

from assistant.archive import (
    DATABASE,
    FILES,
    FORMAT,
    BackupFailed,
    Contents,
    Manifest,
    beside,
    counted,
    extract,
    flush,
    opened_archive,
    sized,
)
from assistant.backup import Tell, contents_of, sqlite_file
from assistant.settings import Settings
from assistant.store.claims import put_all_back
from assistant.store.database import StoreFailed, knows, open_database, worded
from assistant.store.transfer import Passing, copy_rows, counts, moved, snapshot
from assistant.swap import put_back, put_in_place


@dataclass(frozen=True)
class Restored:
    """What was brought back.

    Attributes:
        contents: how much of what.
        before: where that lies now which was there before; none if there was nothing.
    """

    contents: Contents
    before: Path | None


def restore(settings: Settings, file: Path, *, replace: bool, tell: Tell) -> Restored:
    """Brings a backup back into the home.

    Args:
        settings: which home, and which database.
        file: what `back_up` has made.
        replace: whether what is there may be moved aside.
        tell: told the progress.

    Raises:
        BackupFailed: it was not brought back; nothing was changed.
        StoreFailed: the database did not take it; nothing was changed.
    """
    place = _Place(settings, replace)
    with opened_archive(file) as (archive, manifest):
        _check_version(file, manifest)
        place.check()
        try:
            place.home.parent.mkdir(parents=True, exist_ok=True)
            _check_room(place.home.parent, sum(entry.size for entry in manifest.files))
            with beside(place.home) as folder:
                return _bring_back(place, archive, manifest, folder, tell)
        except OSError as error:
            raise BackupFailed(
                f"{place.home} cannot be written: {error.strerror}. Make room there or change its "
                "rights, or set FITTING_ROOM_HOME to another folder."
            ) from None


def _check_version(file: Path, manifest: Manifest) -> None:
    if manifest.format > FORMAT or not knows(manifest.schema):
        raise BackupFailed(
            f"{file} was made by a newer version of Fitting Room ({manifest.version}, schema "
            f"{manifest.schema}). Install that version, then restore it."
        )


def _check_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise BackupFailed(
            f"There is no room for it: it takes {sized(size)}, and {folder} has {sized(free)}. "
            "Free some space there."
        )


class _Place:
    """Where a backup is brought back to.

    Attributes:
        home: the home.
        address: of the database.
        database: its file, as a path below the home; none if it is elsewhere.
        before: where the old home lies, once the new one is in place; none if there was none.
    """

    def __init__(self, settings: Settings, replace: bool) -> None:
        self.home = settings.home
        self.address = make_url(settings.database)
        self.before: Path | None = None
        self._replace, self._taken = replace, False
        kept = sqlite_file(self.address)
        inside = kept is not None and kept.is_relative_to(self.home)
        self.database = kept.relative_to(self.home) if kept and inside else None

    def check(self) -> None:
        """Looks whether it can be done.

        Raises:
            BackupFailed: something is in the way; it says what.
        """
        if self.home.exists() and not self.home.is_dir():
            raise BackupFailed(f"{self.home} is not a folder. Set FITTING_ROOM_HOME to a folder.")
        if os.path.ismount(self.home):
            raise BackupFailed(
                f"{self.home} is where a disk is mounted, so nothing can take its place in one "
                f"step. Set FITTING_ROOM_HOME to a folder on it, such as {self.home / 'rooms'}."
            )
        if self.database is None:
            _check_empty(self.address, str(self.address), "Name an empty database")
        self._check_free()

    def _check_free(self) -> None:
        """Looks whether nobody works there, and whether what is there may be moved aside."""
        for name in sorted(running_on(self.home)):
            raise BackupFailed(f"{name} runs on {self.home}. End it, then restore.")
        if self.database and not self._replace:
            _check_empty(
                _address(self.home / self.database),
                str(self.home),
                "Give --replace to move it aside",
            )

    def take(self, new_home: Path) -> None:
        """Puts a new home in place, if nobody has begun to work there meanwhile."""
        self._check_free()
        self.before = put_in_place(new_home, self.home, f"{datetime.now():%Y-%m-%d-%H%M%S}")
        self._taken = True

    def give_back(self, new_home: Path) -> None:
        """Puts the old home back, if a new one has taken its place."""
        if self._taken:
            put_back(self.home, self.before, new_home)


def _address(file: Path) -> URL:
    return URL.create("sqlite", database=str(file))


def _check_empty(address: URL, name: str, remedy: str) -> None:
    file = sqlite_file(address)
    if file and not file.exists():
        return
    engine = create_engine(address)
    try:
        with worded(address), engine.connect() as connection:
            rows = counts(connection)
    except StoreFailed as failure:
        raise BackupFailed(f"{failure} {remedy}.") from None
    finally:
        engine.dispose()
    if any(rows.values()):
        names = ("conversation", "job")
        held = [counted(rows[name], name) for name in names if rows.get(name)]
        raise BackupFailed(f"{name} already holds {' and '.join(held) or 'kept rows'}. {remedy}.")


def running_on(home: Path) -> list[str]:
    """The processes that run jobs on a home: each holds the lock of its file there."""
    return [_holder_of(file) for file in (home / "holders").glob("*") if _is_locked(file)]


def _is_locked(file: Path) -> bool:
    with contextlib.suppress(FileNotFoundError), file.open("rb") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _holder_of(file: Path) -> str:
    import psutil

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(file) in (opened.path for opened in process.open_files()):
                return f"Process {process.pid} ({shorten(' '.join(process.cmdline()), 80)})"
    return "A process of another user"


# --- what was unpacked
def _bring_back(
    place: _Place, archive: ZipFile, manifest: Manifest, folder: Path, tell: Tell
) -> Restored:
    new_home, unpacked = folder / "home", folder / DATABASE
    new_home.mkdir()
    if place.home.exists():
        shutil.copymode(place.home, new_home)
    _unpack(archive, manifest, unpacked, new_home, tell)
    tell(1.0, "filling the database")

    def passing(kept: str) -> str:
        return moved(kept, manifest.home, place.home)

    def take() -> None:
        for below, _, _ in os.walk(new_home):
            flush(Path(below))
        place.take(new_home)

    try:
        if place.database:
            rows = _fill(_address(new_home / place.database), unpacked, passing, lambda: None)
            take()
        else:  # two places change: the home a moment before the database, which is undone alone
            rows = _fill(place.address, unpacked, passing, take)
    except BaseException:
        place.give_back(new_home)
        raise
    return Restored(contents_of(rows, list(manifest.files)), place.before)


def _unpack(
    archive: ZipFile, manifest: Manifest, database: Path, new_home: Path, tell: Tell
) -> None:
    done, whole = 0, sum(entry.size for entry in manifest.files)
    for entry in manifest.files:
        tell(done / max(whole, 1), "unpacking")
        below = entry.name.removeprefix(FILES)
        extract(archive, entry, database if entry.name == DATABASE else new_home / below)
        done += entry.size


def _fill(
    address: URL, unpacked: Path, passing: Passing, last: Callable[[], None]
) -> dict[str, int]:
    """Copies all rows into an empty database, in one transaction, and counts them.

    Args:
        address: the database; its tables are made.
        unpacked: that of the archive; an older one is brought up to date.
        passing: what becomes of each JSON text on its way.
        last: called before the transaction ends.
    """
    with contextlib.ExitStack() as stack:
        source = open_database(_address(unpacked))
        stack.callback(source.dispose)
        target = open_database(address)
        stack.callback(target.dispose)
        rows = stack.enter_context(snapshot(source))
        stack.enter_context(worded(address))
        filled = stack.enter_context(target.execution_options(writes=True).begin())
        if any(counts(filled).values()):
            raise BackupFailed(f"{address} is not empty any more. Name an empty database.")
        copy_rows(rows, filled, passing)
        with Session(filled) as session:
            put_all_back(session)
            session.flush()
        last()
        return counts(filled)
