"""A SQLite file is opened safely, and whatever goes wrong with a database is one sentence."""

import importlib.util
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from assistant.store import Store, StoreFailed
from assistant.store.database import WAL_IS_SAFE

ROOT = Path(__file__).parent.parent


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rooms.db"


@pytest.fixture
def kept(file: Path) -> Iterator[tuple[Store, str]]:
    """A store with one conversation, and the conversation's id."""
    store = Store(f"sqlite:///{file}")
    yield store, store.start_turn("me", "", "First", ()).conversation
    store.close()


def test_opening_is_silent(
    file: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        Store(f"sqlite:///{file}").close()
    assert capfd.readouterr() == ("", "")
    assert caplog.text == ""


def test_journal_fits_the_library(file: Path) -> None:
    store = Store(f"sqlite:///{file}")
    with sqlite3.connect(file) as connection:
        [journal] = connection.execute("PRAGMA journal_mode").fetchone()
    connection.close()
    assert journal == ("wal" if sqlite3.sqlite_version_info >= WAL_IS_SAFE else "delete")
    with store._database.reading() as session:
        pragmas = {
            name: session.connection().exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("foreign_keys", "busy_timeout", "synchronous", "journal_mode")
        }
    assert pragmas == {
        "foreign_keys": 1, "busy_timeout": 10_000, "synchronous": 2, "journal_mode": journal,
    }  # fmt: skip
    store.close()


def test_waits_for_another_writer(kept: tuple[Store, str], file: Path) -> None:
    store, conversation = kept
    other = sqlite3.connect(file, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    threading.Timer(1.0, other.rollback).start()
    assert store.start_turn("me", conversation, "Later", ()).number == 2
    other.close()


def test_locked_database(kept: tuple[Store, str], file: Path) -> None:
    store, conversation = kept
    other = sqlite3.connect(file)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreFailed, match=r"rooms\.db failed: another program has kept it locked"):
        store.keep_answer("me", conversation, 1, {})
    other.rollback()
    other.close()
    assert store.keep_answer("me", conversation, 1, {}) == 1


def test_database_that_may_only_be_read(kept: tuple[Store, str], file: Path) -> None:
    _, conversation = kept
    with pytest.raises(StoreFailed, match="may not be written"):
        Store(f"sqlite:///file:{file}?mode=ro&uri=true").start_turn("me", conversation, "No", ())


def test_home_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file", encoding="utf-8")
    with pytest.raises(StoreFailed, match=r"The folder .*home/deep cannot be made: Not a dir"):
        Store(f"sqlite:///{tmp_path / 'home' / 'deep' / 'rooms.db'}")


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"no database at all" * 100, "is no database"), (None, "cannot be opened")],
)
def test_file_that_is_no_database(file: Path, content: bytes | None, says: str) -> None:
    if content:
        file.write_bytes(content)
    else:
        file.mkdir()
    with pytest.raises(StoreFailed, match=says):
        Store(f"sqlite:///{file}")


FULL = """
import resource, sys
from pathlib import Path
from assistant.store import Store, StoreFailed
store = Store(sys.argv[1])
turn = store.start_turn("me", "", "First", ())
size = Path(sys.argv[2]).stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50_000, size + 50_000))
kept = 0
try:
    while True:
        kept = store.keep_answer("me", turn.conversation, 1, {"text": "x" * 20_000})
except StoreFailed as failure:
    print(kept, failure)
"""


def test_full_disk_is_no_false_success(file: Path) -> None:
    """A file size limit makes the same failing write as a disk without room."""
    url = f"sqlite:///{file}"
    done = subprocess.run(
        [sys.executable, "-c", FULL, url, file],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    attempts, _, said = done.stdout.partition(" ")
    assert "Check that the disk has room" in said
    assert "\n" not in said.strip()
    store = Store(url)
    store.close()
    with sqlite3.connect(file) as connection:
        kept = connection.execute("SELECT count(*), max(attempt) FROM answer").fetchone()
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert kept == (int(attempts), int(attempts) or None)


@pytest.mark.parametrize(
    "url", ["nonsense", "mysterysql://host/db", "sqlite+nodriver:///x.db", "mysql://host/db"]
)
def test_address_that_cannot_be_used(url: str) -> None:
    with pytest.raises(StoreFailed, match="FITTING_ROOM_DATABASE_URL"):
        Store(url)


def test_server_that_is_not_there(missing: Callable[[str], NoReturn]) -> None:
    if importlib.util.find_spec("psycopg") is None:
        missing("psycopg is not installed: install fitting-room[postgresql]")
    with pytest.raises(StoreFailed, match=r"me:[*]{3}@127") as failure:
        Store("postgresql+psycopg://me:secret@127.0.0.1:9/db")
    assert "secret" not in str(failure.value)
