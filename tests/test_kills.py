"""The plug is pulled at any moment, on real databases: nothing that was acknowledged is lost."""

import sqlite3
import threading
import time
from pathlib import Path

import pytest

from tests.jobs import room
from tests.killing import (
    away,
    fill_up,
    kill_again_and_again,
    settings_for,
    stop_one_past_its_lease,
)
from tests.postgresql import Server

WORKS = (("beside", {"seconds": 0.02}), ("beside", {"seconds": 0.2}))
KILLS = {"sqlite": 10, "postgresql": 5}


def test_killed_at_random_moments(url: str, home: Path) -> None:
    """R1: every acknowledged job is there and has ended once."""
    figures = kill_again_and_again(
        url, home, KILLS[url.partition("+")[0].partition(":")[0]], 1, WORKS
    )
    assert figures.acknowledged >= figures.kills  # one at least before each kill
    assert (figures.lost, figures.doubled, figures.unfinished, figures.twice, figures.failed) == (
        0, 0, 0, 0, 0,
    )  # fmt: skip
    assert figures.whole


def test_one_of_four_stopped_past_its_lease(url: str, home: Path) -> None:
    """R6: each job ends once, and what the stale one writes is refused."""
    figures, refused = stop_one_past_its_lease(url, home, 60)
    assert (figures.lost, figures.unfinished, figures.twice, figures.failed) == (0, 0, 0, 0)
    assert refused >= 1


@pytest.mark.parametrize(("pages", "refused"), [(0, True), (5, False), (6, False)])
def test_a_full_disk(home: Path, pages: int, refused: bool) -> None:
    """R7: a submit is refused or kept, and a job that is kept ends well once there is room."""
    assert fill_up(home, pages) == refused


def test_a_locked_database(tmp_path: Path, home: Path) -> None:
    """R8: what cannot be kept is said, nothing is called done, and all goes on by itself."""
    file = tmp_path / "rooms.db"
    with room(settings_for(f"sqlite:///{file}", home)) as made:
        made.jobs.start()
        held: list[sqlite3.Connection] = []

        def lock() -> None:
            held.append(sqlite3.connect(file, isolation_level=None, timeout=10))
            held[0].execute("BEGIN EXCLUSIVE")

        began = time.monotonic()
        said = away(made, lock, lambda: held[0].close(), 11.0)
        assert "another program has kept it locked for 10 s" in said
        assert time.monotonic() - began < 90
        assert "meanwhile" not in str(made.store.jobs.list("me"))


def test_a_database_server_that_is_stopped(postgresql: Server, home: Path) -> None:
    """R8: the same where the server is gone for a while."""
    with (
        postgresql.another() as server,
        room(settings_for(server.new_database(), home)) as made,
    ):
        made.jobs.start()
        said = away(made, server.stop, server.start, 3.0)
        assert "Check that it runs" in said
        assert len(made.store.jobs.list("me")) == 5


def test_threads_end_with_the_room(home: Path) -> None:
    before = {thread.name for thread in threading.enumerate()}
    with room(settings_for("", home)) as made:
        made.jobs.start()
        assert "jobs" in {thread.name for thread in threading.enumerate()}
    assert {thread.name for thread in threading.enumerate()} <= before


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("ERROR")
