"""Archives that are not what they were, or that mean ill: noticed before anything is changed."""

import hashlib
import json
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assistant.archive import BackupFailed
from assistant.restore import restore
from assistant.settings import Settings
from assistant.store import Store, StoreFailed
from tests.homes import files, fill, kept_rooms, refused, silent, tree, write
from tests.schemas import RELEASED, make_old

PAYLOAD = "home/models/mine/model.safetensors"
Change = Callable[[dict[str, bytes], dict[str, Any]], None]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of a home with something in it."""
    return kept_rooms(tmp_path_factory.mktemp("kept"))


@pytest.fixture
def file(kept: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copy(kept, tmp_path / "rooms.zip"))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_archive(settings: Settings, file: Path, share: float) -> None:
    fill(settings)
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * share)])
    refused(file, settings, "rooms.zip is damaged, or no backup: .* Nothing was changed")


def test_bits_that_fell_over(settings: Settings, kept: Path, file: Path) -> None:
    """Wherever it is: it is noticed, or it is of no account."""
    write(settings.home / "mine", b"mine")
    before, whole, chance = tree(settings.home.parent), kept.read_bytes(), random.Random(7)  # noqa: S311
    noticed = harmless = 0
    for _ in range(60):
        damaged = bytearray(whole)
        place = chance.choice([chance.randrange(len(whole)), -chance.randrange(1, 3000)])
        damaged[place] ^= 1 << chance.randrange(8)
        file.write_bytes(damaged)
        try:
            done = restore(settings, file, replace=True, tell=silent)
        except (BackupFailed, StoreFailed) as failure:
            noticed += "\n" not in str(failure)
        else:
            assert files(settings.home) == files(kept.parent / "home")
            harmless += 1
            assert done.before is not None
            shutil.rmtree(settings.home)
            done.before.rename(settings.home)
        file.write_bytes(whole)
        assert tree(settings.home.parent) == before
    assert (noticed > 40, noticed + harmless) == (True, 60)


def rewritten(file: Path, change: Change, mode: int = 0o100600) -> None:
    """Writes an archive anew, as somebody might who means ill."""
    with zipfile.ZipFile(file) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    told = json.loads(contents.pop("manifest.json"))
    change(contents, told)
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in contents.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content)
        archive.writestr("manifest.json", json.dumps(told))


def add(name: str, size: int = 3) -> Change:
    def change(contents: dict[str, bytes], told: dict[str, Any]) -> None:
        contents[name] = b"bad"
        digest = hashlib.sha256(b"bad").hexdigest()
        told["files"].append({"name": name, "size": size, "sha256": digest})

    return change


def state(**values: Any) -> Change:
    return lambda contents, told: told.update(values)


def drop(name: str) -> Change:
    def change(contents: dict[str, bytes], told: dict[str, Any]) -> None:
        del contents[name]

    return change


def swap_content(contents: dict[str, bytes], told: dict[str, Any]) -> None:
    contents[PAYLOAD] = bytes(reversed(contents[PAYLOAD]))


def forget_database(contents: dict[str, bytes], told: dict[str, Any]) -> None:
    del contents["database.sqlite"]
    told["files"] = [one for one in told["files"] if one["name"] != "database.sqlite"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (add("home/../../outside"), "is no place in a home"),
        (add("/tmp/outside"), "is no place in a home"),  # noqa: S108
        (add("outside"), "is no place in a home"),
        (add("home//outside"), "is no place in a home"),
        (add("home/fitting-room.db"), "is no place in a home"),
        (add("home/holders/0123"), "is no place in a home"),
        (add("home/models/mine"), "is no place in a home"),
        (add("home/large", 10**12), "another size than its manifest says"),
        (lambda contents, told: contents.update({"home/more": b"x"}), "not hold what its manif"),
        (drop(PAYLOAD), "does not hold what its manifest says"),
        (swap_content, "is not as it was"),
        (forget_database, "has no database"),
        (state(files="none"), "damaged, or no backup"),
        (state(schema="9999"), r"made by a newer version of Fitting Room \(.*9999\). Install th"),
        (state(format=2), "made by a newer version of Fitting Room"),
    ],
)
def test_what_no_backup_holds(change: Change, says: str, settings: Settings, file: Path) -> None:
    fill(settings)
    rewritten(file, change)
    refused(file, settings, says)


@pytest.mark.parametrize("mode", [0o120777, 0o040755, 0o010600])
def test_what_is_no_plain_file(mode: int, settings: Settings, file: Path) -> None:
    rewritten(file, lambda contents, told: None, mode)
    refused(file, settings, "is not a plain file")


def test_a_database_that_is_newer_than_its_manifest_says(settings: Settings, file: Path) -> None:
    def change(contents: dict[str, bytes], told: dict[str, Any]) -> None:
        old = contents["database.sqlite"]
        contents["database.sqlite"] = old.replace(told["schema"].encode(), b"9999")
        restate(contents, told)

    rewritten(file, change)
    refused(file, settings, "was made by a newer version of Fitting Room")


def restate(contents: dict[str, bytes], told: dict[str, Any]) -> None:
    [entry] = [one for one in told["files"] if one["name"] == "database.sqlite"]
    content = contents["database.sqlite"]
    entry |= {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


@pytest.mark.parametrize("revision", RELEASED)
def test_an_archive_of_an_older_version(
    revision: str, url: str, settings: Settings, file: Path, tmp_path: Path
) -> None:
    make_old(f"sqlite:///{tmp_path / 'old.db'}", revision)

    def change(contents: dict[str, bytes], told: dict[str, Any]) -> None:
        contents["database.sqlite"] = (tmp_path / "old.db").read_bytes()
        told["schema"] = revision
        restate(contents, told)

    rewritten(file, change)
    there = Settings(home=settings.home, database_url=url)
    done = restore(there, file, replace=False, tell=silent)
    assert (done.contents.conversations, done.contents.answers) == (2, 2)
    store = Store(url)
    assert [turn.number for turn in store.turns("me", "key1")] == [1, 2]
    assert store.start_turn("me", "key1", "And now?", ()).number == 3
    store.close()
