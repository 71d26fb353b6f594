"""A folder takes the place of another in one step."""

from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.swap import exchange, exchange_by_renames, put_back, put_in_place
from tests.homes import tree, write

Way = Callable[[Path, Path], None]


@pytest.fixture
def both(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders: `one` and `two`."""
    for name in ("one", "two"):
        write(tmp_path / name / "file", name.encode())
    return tmp_path / "one", tmp_path / "two"


@pytest.mark.parametrize("way", [exchange, exchange_by_renames])
def test_two_folders_are_exchanged(both: tuple[Path, Path], way: Way) -> None:
    way(*both)
    assert [(path / "file").read_text() for path in both] == ["two", "one"]
    assert len(list(both[0].parent.iterdir())) == 2


@pytest.mark.parametrize("way", [exchange, exchange_by_renames])
def test_what_cannot_be_exchanged_stays(both: tuple[Path, Path], way: Way) -> None:
    before = tree(both[0].parent)
    with pytest.raises(FileNotFoundError):
        way(both[0].with_name("none"), both[1])
    assert tree(both[0].parent) == before


def test_the_old_home_lies_beside(both: tuple[Path, Path]) -> None:
    new, home = both
    write(home.with_name("two.before-restore-now") / "file", b"older")
    before = put_in_place(new, home, "now")
    assert before == home.with_name("two.before-restore-now-1")
    assert (before / "file").read_text() == "two"
    assert (home / "file").read_text() == "one"
    put_back(home, before, new)
    assert (home / "file").read_text() == "two"
    assert (new / "file").read_text() == "one"
    assert not before.exists()


def test_there_was_no_home(both: tuple[Path, Path]) -> None:
    new, home = both[0], both[0].with_name("home")
    assert put_in_place(new, home, "now") is None
    assert (home / "file").read_text() == "one"
    put_back(home, None, new)
    assert (new / "file").read_text() == "one"
