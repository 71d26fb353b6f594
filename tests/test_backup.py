"""Backups: whole, of one moment, from each kind of database, and never a half-written file."""

import json
import os
import shutil
import stat
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest

from assistant import runs
from assistant.archive import BackupFailed
from assistant.backup import back_up
from assistant.restore import restore
from assistant.settings import Settings
from assistant.store import Store
from tests.homes import STATES, files, fill, rows, silent, submit, write
from tests.postgresql import Server

ROOT = Path(__file__).parents[1]


@pytest.fixture
def filled(tmp_path: Path, url: str) -> Settings:
    """The settings of a home with something in it, on SQLite and on PostgreSQL."""
    made = Settings(home=tmp_path / "filled", database_url=url)
    fill(made)
    return made


@pytest.fixture
def rooms(settings: Settings) -> Settings:
    """The settings of a home with something in it, its database inside."""
    fill(settings)
    return settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "rooms.zip"


@pytest.fixture(autouse=True)
def folder(file: Path) -> None:
    file.parent.mkdir()


# --- there and back
@pytest.mark.parametrize("into", ["home", "sqlite", "postgresql"])
def test_all_comes_back_elsewhere(
    filled: Settings, into: str, file: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    made = back_up(filled, file, silent)
    assert (made.contents.conversations, made.contents.answers, made.contents.jobs) == (1, 1, 6)
    assert made.missing == ()
    address = f"sqlite:///{tmp_path / 'other.db'}" if into == "sqlite" else ""
    if into == "postgresql":
        server: Server = request.getfixturevalue("postgresql")
        address = server.new_database()
    other = Settings(home=tmp_path / "deep" / "öther", database_url=address)
    done = restore(other, file, replace=False, tell=silent)
    assert (done.contents, done.before) == (made.contents, None)
    assert files(other.home) == files(filled.home)
    before, after = rows(filled.database), rows(other.database)
    assert without_jobs(after) == moved(without_jobs(before), filled.home, other.home)
    check_jobs(before["job"], after["job"])
    check_goes_on(other)


def without_jobs(found: dict[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in found if name != "job"}


def moved(found: dict[str, Any], old: Path, new: Path) -> dict[str, Any]:
    """Paths are those of the other home; what only speaks of one stays."""
    [turn], [answer] = found["turn"], found["answer"]
    turn["images"] = [image.replace(str(old), str(new)) for image in turn["images"]]
    block = answer["answer"]["blocks"][0]
    block["path"] = block["path"].replace(str(old), str(new))
    assert block["alt"] == f"at {old}/x"
    return found


def check_jobs(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> None:
    """Those that ran are in the line again, or followed what was wanted of them."""
    expected = ("queued", "queued", "paused", "cancelled", "paused", "done")
    for state, row, old in zip(expected, after, before, strict=True):
        assert (row["state"], row["wanted"], row["holder"]) == (
            state, "", old["holder"] if state == "done" else "",
        )  # fmt: skip
        assert bool(row["ended"]) == (state in ("cancelled", "done"))
        same = ("id", "token", "request", "seconds", "losses", "crashes", "created", "done")
        assert {name: row[name] for name in same} == {name: old[name] for name in same}


def check_goes_on(settings: Settings) -> None:
    """New rows get new ids; a job that had run is taken again, and its old holder is fenced."""
    store = Store(settings.database)
    [shown] = store.conversations("me")
    assert shown.title == "What is it?"
    assert all(path.is_file() for path in store.turns("me", shown.key)[0].images)
    assert store.start_turn("me", shown.key, "And this?", ()).number == 2
    assert store.start_turn("me", "", "Another", ()).conversation != shown.key
    assert submit(store, "new", "queued") == len(STATES) + 1
    again = store.claims.claim("new", "device")
    assert again is not None
    assert (again.number, again.token) == (1, 2)
    assert Path(again.arguments["images"][0]).is_file()
    store.close()


def test_it_comes_back_into_the_same_home(rooms: Settings, file: Path) -> None:
    back_up(rooms, file, silent)
    before, kept = rows(rooms.database), files(rooms.home)
    done = restore(rooms, file, replace=True, tell=silent)
    assert done.before is not None
    assert files(rooms.home) == files(done.before) == kept
    assert without_jobs(rows(rooms.database)) == without_jobs(before)
    assert back_up(rooms, file.with_name("again.zip"), silent).missing == ()


# --- what goes in
def test_an_archive_holds_what_is_the_persons_own(rooms: Settings, file: Path) -> None:
    unused, used, aside = (runs.start(rooms.home, "me").path for _ in range(3))
    write(unused / "half.png", b"half")
    write(used / "so far.png", b"half")
    write(aside / "manifest.json.new", b"{")
    write(rooms.home / "jobs" / "me" / "1" / ".new-1" / "state.pt", b"half")
    write(rooms.home / "uploads" / "me" / ".0123", b"half")
    write(rooms.home / "notes.txt", b"mine")
    (rooms.home / "models" / "gone").symlink_to("nowhere")
    (rooms.home / "models" / "round").symlink_to(rooms.home)
    write(file.parent / "elsewhere" / "config.json", b"{}")
    (rooms.home / "models" / "linked").symlink_to(file.parent / "elsewhere")
    store = Store(rooms.database)
    turn = store.start_turn("me", "", "Stopped", ())
    block = {"type": "image", "path": str(used / "so far.png")}
    store.keep_answer("me", turn.conversation, 1, {"blocks": [block]})
    store.close()
    back_up(rooms, file, silent)
    with zipfile.ZipFile(file) as archive:
        infos = {info.filename: info for info in archive.infolist()}
        told = json.loads(archive.read("manifest.json"))
        assert archive.testzip() is None
    names = {name.removeprefix("home/") for name in infos}
    whole = {name for name in names if name.startswith("runs/") and "manifest" in name}
    assert len(whole) == 1
    assert names - {name for name in names if name.startswith(("runs/", "jobs/"))} == {
        "database.sqlite", "manifest.json", "models/linked/config.json",
        "models/mine/model.safetensors", "notes.txt", "uploads/me/0123/käse 🧀.png",
    }  # fmt: skip
    assert not [name for name in names if "half" in name or "/." in name]
    assert f"{(used / 'so far.png').relative_to(rooms.home)}" in names
    assert infos["home/models/mine/model.safetensors"].compress_type == zipfile.ZIP_STORED
    assert infos["database.sqlite"].compress_type == zipfile.ZIP_DEFLATED
    assert {one["name"]: one["size"] for one in told["files"]} == {
        name: info.file_size for name, info in infos.items() if name != "manifest.json"
    }
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_is_gone_is_named(rooms: Settings, file: Path) -> None:
    picture = next(rooms.home.rglob("käse*"))
    picture.unlink()
    assert back_up(rooms, file, silent).missing == ("uploads/me/0123/käse 🧀.png",)


def test_a_checkpoint_that_is_replaced_meanwhile(rooms: Settings, file: Path) -> None:
    """The one that was there when copying began is gone, the new one is whole."""
    work = rooms.home / "jobs" / "me" / "1"

    def train(done: float, note: str) -> None:
        if note == "copying the files" and (work / "000000001-ab").exists():
            write(work / "000000002-cd" / "state.pt", b"newer")
            write(work / "000000002-cd" / "manifest.json", b"{}")
            shutil.rmtree(work / "000000001-ab")

    back_up(rooms, file, train)
    names = zipfile.ZipFile(file).namelist()
    assert [name for name in names if name.startswith("home/jobs/me/1/")] == [
        "home/jobs/me/1/000000002-cd/manifest.json", "home/jobs/me/1/000000002-cd/state.pt",
    ]  # fmt: skip


WRITER = """
import sys
from assistant.store import Store
store = Store(sys.argv[1])
for number in range(2, 10**9):
    store.start_turn("me", sys.argv[2], "Turn", ())
    store.keep_answer("me", sys.argv[2], number, {"n": number})
    print(number, flush=True)
"""


def test_it_is_of_one_moment(filled: Settings, file: Path, tmp_path: Path) -> None:
    """While another process makes one commit after the other."""
    key = rows(filled.database)["conversation"][0]["key"]
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, filled.database, key],
        stdout=subprocess.PIPE, text=True, cwd=ROOT,
    ) as writer:  # fmt: skip
        assert writer.stdout
        written = [int(writer.stdout.readline()) for _ in range(20)][-1]
        back_up(filled, file, silent)
        going = writer.poll() is None
        writer.kill()
    assert going
    other = Settings(home=tmp_path / "other")
    restore(other, file, replace=False, tell=silent)
    found = rows(other.database)
    numbers = [turn["number"] for turn in found["turn"]]
    assert numbers == list(range(1, found["conversation"][0]["turns"] + 1))
    assert written <= len(numbers)
    answered = [answer["answer"]["n"] for answer in found["answer"]][1:]
    assert answered == list(range(2, len(answered) + 2))
    assert len(numbers) - len(answered) in (1, 2)
    assert [turn["attempts"] for turn in found["turn"]][1 : len(answered) + 1] == [1] * len(
        answered
    )


def test_a_backup_does_not_stop_the_home(rooms: Settings, file: Path) -> None:
    """Somebody asks on while files are copied, and a backup of the same name waits for nobody."""
    store, asked = Store(rooms.database), threading.Event()

    def ask(done: float, note: str) -> None:
        if note == "copying the files" and not asked.is_set():
            store.start_turn("me", "", "Meanwhile", ())
            back_up(rooms, file.with_name("other.zip"), silent)
            asked.set()

    assert back_up(rooms, file, ask).contents.conversations == 1
    store.close()
    assert asked.is_set()
    assert sorted(path.name for path in file.parent.iterdir()) == ["other.zip", "rooms.zip"]


# --- what goes wrong
def test_an_existing_file_is_not_overwritten(rooms: Settings, file: Path) -> None:
    file.write_bytes(b"mine")
    with pytest.raises(BackupFailed, match=r"rooms\.zip exists already, and is not overwritten"):
        back_up(rooms, file, silent)
    file.unlink()

    def interfere(done: float, note: str) -> None:
        file.write_bytes(b"mine")

    with pytest.raises(BackupFailed, match="exists already"):
        back_up(rooms, file, interfere)
    assert file.read_bytes() == b"mine"
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("", "is a folder. Name a file in it, such as "),
        ("no/rooms.zip", "There is no folder .*/kept/no. Make it"),
        ("/proc/rooms.zip", "/proc/rooms.zip cannot be written: .*name a file on another disk"),
    ],
)
def test_a_place_that_cannot_be(rooms: Settings, file: Path, place: str, says: str) -> None:
    with pytest.raises(BackupFailed, match=says):
        back_up(rooms, file.parent / place, silent)
    assert list(file.parent.iterdir()) == []


def test_a_home_without_conversations_is_not_made(settings: Settings, file: Path) -> None:
    with pytest.raises(BackupFailed, match=r"nothing to back up: .*/home does not exist"):
        back_up(settings, file, silent)
    assert not settings.home.exists()
    settings.home.mkdir()
    with pytest.raises(BackupFailed, match=r"fitting-room\.db does not exist. Set FITTING"):
        back_up(settings, file, silent)
    assert list(settings.home.iterdir()) == list(file.parent.iterdir()) == []


def test_a_name_that_is_no_text(rooms: Settings, file: Path) -> None:
    write(Path(os.fsdecode(os.fsencode(rooms.home) + b"/models/\xff")), b"odd")
    with pytest.raises(BackupFailed, match=r"udcff' is not UTF-8. Rename it"):
        back_up(rooms, file, silent)
    assert list(file.parent.iterdir()) == []


FULL = """
import resource, sys
from pathlib import Path
from assistant.archive import BackupFailed
from assistant.backup import back_up
from assistant.settings import Settings
from assistant.store import StoreFailed
for size in (20_000, 300_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, 10_000_000))
    try:
        back_up(Settings(home=Path(sys.argv[1])), Path(sys.argv[2]), lambda done, note: None)
    except (BackupFailed, StoreFailed) as failure:
        print(failure)
"""


def test_a_full_disk_leaves_nothing(rooms: Settings, file: Path) -> None:
    """A file size limit makes the same failing write, in the database and then in the archive."""
    write(rooms.home / "models" / "mine" / "large.safetensors", os.urandom(400_000))
    done = subprocess.run(
        [sys.executable, "-c", FULL, rooms.home, file],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    first, second = done.stdout.splitlines()
    assert "Check that the disk has room" in first
    assert "rooms.zip cannot be written: File too large. Make room there" in second
    assert done.stderr == ""
    assert list(file.parent.iterdir()) == []
