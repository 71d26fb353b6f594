"""Restoring: whole or not at all, whatever the archive holds and whenever it is killed."""

import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from assistant.archive import BackupFailed
from assistant.restore import restore
from assistant.settings import Settings
from assistant.store import Store
from tests.homes import files, fill, kept_rooms, refused, rows, silent, tree, write
from tests.kills import ROOT, Forks, forks
from tests.postgresql import Server
from tests.restoring import RESTORE, restores

CHANCES = [random.Random(11).uniform(0, 1) for _ in range(10)]  # noqa: S311 - the same each time


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of a home with something in it."""
    return kept_rooms(tmp_path_factory.mktemp("kept"))


@pytest.fixture
def file(kept: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copy(kept, tmp_path / "rooms.zip"))


# --- what is there already
def test_a_home_that_is_in_use_stays(settings: Settings, file: Path) -> None:
    key = fill(settings, "Mine")
    refused(file, settings, "holds 1 conversation and 6 jobs. Give --replace", replace=False)
    before = files(settings.home)
    done = restore(settings, file, replace=True, tell=silent)
    assert done.before is not None
    assert done.before.name.startswith("home.before-restore-20")
    assert files(done.before) == before
    assert rows(f"sqlite:///{done.before}/fitting-room.db")["conversation"][0]["key"] == key
    assert rows(settings.database)["conversation"][0]["key"] != key


def test_a_home_without_conversations_gives_way(settings: Settings, file: Path) -> None:
    Store(settings.database).close()
    write(settings.home / "log.txt", b"begun")
    done = restore(settings, file, replace=False, tell=silent)
    assert done.before is not None
    assert (done.before / "log.txt").read_bytes() == b"begun"
    assert len(rows(settings.database)["job"]) == 6


def test_a_damaged_database_gives_way_if_that_is_wanted(settings: Settings, file: Path) -> None:
    write(settings.home / "fitting-room.db", b"no database at all" * 99)
    refused(file, settings, "is no database. .* Give --replace", replace=False)
    restore(settings, file, replace=True, tell=silent)
    assert len(rows(settings.database)["conversation"]) == 1


RUNNING = """
import sys
from pathlib import Path
from assistant.jobs.holder import Holder
holder = Holder(Path(sys.argv[1]))
holder.begin()
print("begun", flush=True)
sys.stdin.read()
"""


@contextmanager
def server(home: Path) -> Iterator[int]:
    """A process that runs jobs on a home, as far as others see; its id."""
    with subprocess.Popen(
        [sys.executable, "-c", RUNNING, home],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
    ) as process:  # fmt: skip
        assert process.stdout
        process.stdout.readline()
        try:
            yield process.pid
        finally:
            process.kill()


def test_a_home_on_which_a_server_runs(settings: Settings, file: Path) -> None:
    write(settings.home / "holders" / "dead", b"")
    with server(settings.home) as process:
        refused(file, settings, rf"Process {process} \(.*python.*\) runs on .*/home\. End it, th")
    restore(settings, file, replace=True, tell=silent)


def test_a_server_that_starts_meanwhile(settings: Settings, file: Path) -> None:
    fill(settings)
    before = rows(settings.database)
    with ExitStack() as stack:

        def start(done: float, note: str) -> None:
            if note == "filling the database":
                stack.enter_context(server(settings.home))

        with pytest.raises(BackupFailed, match=r"runs on .*/home\. End it"):
            restore(settings, file, replace=True, tell=start)
    assert rows(settings.database) == before
    assert {path.name for path in settings.home.parent.iterdir()} == {"rooms.zip", "home"}


@pytest.mark.parametrize(
    ("home", "says"), [("/proc", "/proc is where a disk is mounted"), ("file", "is not a folder")]
)
def test_a_home_that_cannot_be(home: str, says: str, file: Path, tmp_path: Path) -> None:
    write(tmp_path / "file", b"mine")
    with pytest.raises(BackupFailed, match=says):
        restore(Settings(home=tmp_path / home), file, replace=True, tell=silent)


def test_a_database_that_is_not_empty(settings: Settings, file: Path, url: str) -> None:
    there = Settings(home=settings.home, database_url=url)
    store = Store(url)
    store.start_turn("me", "", "Mine", ())
    store.close()
    refused(file, there, "already holds 1 conversation. Name an empty database", replace=True)
    assert len(rows(url)["turn"]) == 1


def test_a_database_that_fails_at_the_end(
    postgresql: Server, settings: Settings, file: Path
) -> None:
    """The home, which was in place a moment before, is given back."""
    there = Settings(home=settings.home, database_url=postgresql.new_database())
    Store(there.database).close()
    engine = create_engine(there.database)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'no more'; END $$"
        )
        connection.exec_driver_sql(
            "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON conversation DEFERRABLE INITIALLY "
            "DEFERRED FOR EACH ROW EXECUTE FUNCTION fail()"
        )
    engine.dispose()
    refused(file, there, "no more")
    write(settings.home / "models" / "mine" / "config.json", b"{}")
    refused(file, there, "no more")
    assert not any(rows(there.database).values())


# --- the disk, and death
FULL = """
import resource, sys
from pathlib import Path
from assistant.archive import BackupFailed
from assistant.restore import restore
from assistant.settings import Settings
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    restore(Settings(home=Path(sys.argv[1])), Path(sys.argv[2]), replace=True, tell=print)
except BackupFailed as failure:
    sys.stderr.write(str(failure))
"""


def test_a_full_disk_changes_nothing(settings: Settings, file: Path) -> None:
    fill(settings)
    before = tree(settings.home.parent)
    done = subprocess.run(
        [sys.executable, "-c", FULL, settings.home, file],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    assert "home cannot be written: File too large. Make room there" in done.stderr
    assert tree(settings.home.parent) == before


@pytest.fixture(scope="module")
def forked() -> Iterator[Forks]:
    with forks(RESTORE) as made:
        yield made


def test_killed_at_any_moment(forked: Forks, settings: Settings, kept: Path) -> None:
    with restores(forked, settings, kept) as killed:
        found = [killed.after(share) for share in CHANCES]
    assert "old" in found
    assert set(found) <= {"old", "new", "done"}


def test_killed_at_each_change_of_the_disk(forked: Forks, settings: Settings, kept: Path) -> None:
    """Wherever a database is opened, a folder renamed, exchanged or removed."""
    with restores(forked, settings, kept) as killed:
        found = list(
            killed.at_each("sqlite3.connect os.rename ctypes.dlsym shutil.rmtree os.rmdir")
        )
    assert found == sorted(found, key=("old", "new", "done").index)
    assert {"old", "new", "done"} == set(found)
