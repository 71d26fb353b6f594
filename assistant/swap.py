"""Puts a folder in the place of another in one step, so that at every moment one is there."""

import ctypes
import sys
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from assistant.archive import flush

_HERE = -100  # AT_FDCWD: paths are taken as they are
_EXCHANGE = 2  # RENAME_EXCHANGE of Linux, RENAME_SWAP of macOS


def put_in_place(new: Path, home: Path, date: str) -> Path | None:
    """Makes a folder the home.

    What was there before lies next to it afterwards, as `<home>.before-restore-<date>`.

    Args:
        new: the folder; on the disk of the home.
        home: where it goes.
        date: as it is to stand in the name.

    Returns:
        Where the old home lies; none if there was none.

    Raises:
        OSError: it could not be done; all is as it was.
    """
    if not home.exists():
        new.rename(home)
        flush(home.parent)
        return None
    names = (f"{home.name}.before-restore-{date}{f'-{n}' if n else ''}" for n in count())
    before = next(path for path in map(home.with_name, names) if not path.exists())
    # Under its later name it is swapped: what lies in the folder that is cleared afterwards, or
    # was left by a process that was killed, is never an old home.
    new.rename(before)
    try:
        exchange(home, before)
    except OSError:
        before.rename(new)
        raise
    flush(home.parent)
    return before


def exchange(one: Path, other: Path) -> None:
    """Swaps two folders; where the system or the disk cannot, by three renames.

    Raises:
        OSError: it could not be done; both are as they were.
    """
    if not _exchanged(bytes(one), bytes(other)):
        exchange_by_renames(one, other)


def exchange_by_renames(one: Path, other: Path) -> None:
    """Swaps two folders by renames; a process that is killed in between leaves `one` missing.

    Raises:
        OSError: it could not be done; both are as they were.
    """
    aside = other.with_name(f"{other.name}.aside")
    with ExitStack() as undo:
        other.rename(aside)
        undo.callback(aside.rename, other)
        one.rename(other)
        undo.callback(other.rename, one)
        aside.rename(one)
        undo.pop_all()


def _exchanged(one: bytes, other: bytes) -> bool:
    """Whether the system has swapped them itself."""
    system = ctypes.CDLL(None, use_errno=True)
    try:
        if sys.platform == "darwin":
            failed = system.renamex_np(one, other, _EXCHANGE)
        else:
            failed = system.renameat2(_HERE, one, _HERE, other, _EXCHANGE)
    except AttributeError:
        return False
    return not failed


def put_back(home: Path, before: Path | None, new: Path) -> None:
    """Undoes `put_in_place`; the new folder is what it was again.

    Raises:
        OSError: it could not be done.
    """
    if before is None:
        home.rename(new)
        return
    exchange(home, before)
    before.rename(new)
