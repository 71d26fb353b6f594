"""Databases of every released version come up to date whole, however often that is cut off."""

import random
import sqlite3
from collections.abc import Iterator

import pytest
from sqlalchemy import make_url

from assistant.store import Store
from assistant.store.database import knows, open_database
from tests.kills import Forks, forks
from tests.schemas import RELEASED, copy_database, kept, make_old

MOMENTS = 10
# Alembic is imported, and its revisions are read, before the first fork.
UPGRADE = """
from sqlalchemy import event
from sqlalchemy.engine import Engine
from assistant.store.database import knows, open_database
knows("")
def work(url, last):
    def count(*_):
        count.seen += 1
        if count.seen == last:
            os.kill(os.getpid(), signal.SIGKILL)
    count.seen = 0
    event.listen(Engine, "before_cursor_execute", count)
    open_database(url).dispose()
"""
Rows = dict[str, list[dict[str, object]]]


@pytest.fixture(scope="module")
def upgrades() -> Iterator[Forks]:
    """Upgrades in processes of their own."""
    with forks(UPGRADE) as forked:
        yield forked


@pytest.fixture(params=RELEASED)
def old(request: pytest.FixtureRequest, url: str) -> tuple[str, Rows]:
    """A database as a released version left it, and its rows."""
    make_old(url, request.param)
    return url, kept(url)


def check(url: str, before: Rows) -> None:
    """The next start makes it whole: the newest schema, and every row as it was."""
    store = Store(url)
    after = kept(url)
    for name in set(before) - {"alembic_version"}:
        same = [{column: row[column] for column in before[name][0]} for row in after[name]]
        assert same == before[name]
    assert len(store.conversations("me")) == 2
    assert [turn.number for turn in store.turns("me", "key1")] == [1, 2]
    assert store.start_turn("me", "key1", "And now?", ()).number == 3
    store.close()
    [revision] = (row["version_num"] for row in after["alembic_version"])
    assert knows(str(revision))
    assert str(revision) > max(RELEASED)
    if url.startswith("sqlite"):
        file = sqlite3.connect(str(make_url(url).database))
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert file.execute("PRAGMA foreign_key_check").fetchall() == []
        file.close()


def test_nothing_is_lost(old: tuple[str, Rows]) -> None:
    url, before = old
    assert all(rows for rows in before.values())
    assert {"conversation", "turn", "answer", "feedback", "measurement"} <= set(before)
    open_database(url).dispose()
    check(url, before)


def test_killed_at_each_statement(old: tuple[str, Rows], upgrades: Forks) -> None:
    """Each time all is as it was, so that the next start finds nothing that is half done."""
    url, before = old
    [revision] = before["alembic_version"]
    for last in range(1, 1000):
        if upgrades.run(url, last):
            break
        assert kept(url) == before, f"killed at statement {last}"
    assert last > 10
    assert kept(url)["alembic_version"] != [revision]
    check(url, before)


def test_killed_at_any_moment(old: tuple[str, Rows], upgrades: Forks) -> None:
    """And again at the same database, until an upgrade is let through."""
    url, before = old
    chance = random.Random(5)  # noqa: S311 - the same moments each time
    assert upgrades.run(copy_database(url, "whole"), 0)
    whole, killed = upgrades.seconds, 0
    for _ in range(MOMENTS):
        if upgrades.run(url, 0, kill_after=chance.uniform(0, whole)):
            whole = min(whole, upgrades.seconds)  # the machine may have stood still before
        else:
            killed += 1
    assert killed > 0
    check(url, before)
