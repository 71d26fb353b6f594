"""Processes that submit and run jobs, and are killed, stopped or misled while they do."""

import itertools
import logging
import os
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event, text

from assistant.settings import Settings
from assistant.store import Store, StoreFailed
from tests.jobs import Room, room, submit
from tests.processes import fresh, wait_for
from tools.base import Agreement
from tools.work import ENDED

LEASE = 3.0  # seconds
_COUNT = {
    "sqlite": (
        "CREATE TABLE finished (job INTEGER)",
        "CREATE TRIGGER finishing AFTER UPDATE OF state ON job "
        "WHEN NEW.state IN ('done', 'failed') AND OLD.state <> NEW.state "
        "BEGIN INSERT INTO finished VALUES (NEW.id); END",
    ),
    "postgresql": (
        "CREATE TABLE finished (job INTEGER)",
        "CREATE FUNCTION finish() RETURNS trigger AS "
        "'BEGIN INSERT INTO finished VALUES (NEW.id); RETURN NEW; END' LANGUAGE plpgsql",
        "CREATE TRIGGER finishing AFTER UPDATE OF state ON job FOR EACH ROW "
        "WHEN (NEW.state IN ('done', 'failed') AND OLD.state <> NEW.state) "
        "EXECUTE FUNCTION finish()",
    ),
}


@dataclass(frozen=True)
class Figures:
    """What came of it.

    Attributes:
        kills: processes that were killed.
        acknowledged: jobs of which somebody was told a number.
        lost: those that are not there.
        doubled: requests that have more than one job.
        unfinished: jobs that never ended.
        twice: jobs that ended more than once.
        failed: jobs that did not end well.
        whole: whether the database finds no fault with itself.
    """

    kills: int
    acknowledged: int
    lost: int
    doubled: int
    unfinished: int
    twice: int
    failed: int
    whole: bool


def settings_for(url: str, home: Path) -> Settings:
    """Settings of a process that runs jobs of a database."""
    return Settings(home=home, database_url=url, device="cpu")


@contextmanager
def counted(url: str) -> Iterator[None]:
    """Lets the database itself count how often each job ends."""
    Store(url).close()
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in _COUNT[engine.dialect.name]:
            connection.execute(text(statement))
    engine.dispose()
    yield


def kill_again_and_again(
    url: str, home: Path, kills: int, seed: int, works: Sequence[Any]
) -> Figures:
    """Kills a process that submits and runs jobs, at random moments; then lets all end.

    Args:
        url: address of an empty database.
        home: the home of all processes.
        kills: how often.
        seed: of the moments.
        works: name and arguments of the jobs that are submitted in turn.
    """
    chance = random.Random(seed)  # noqa: S311
    acknowledged: dict[str, int] = {}
    with counted(url):
        for kill in range(kills):
            ours, theirs = fresh().Pipe()
            process = fresh().Process(target=_submit_and_run, args=(url, home, kill, works, theirs))
            process.start()
            theirs.close()
            assert ours.poll(240)
            time.sleep(chance.uniform(0.0, 0.4))
            process.kill()
            process.join()
            acknowledged |= dict(_received(ours))
        with room(settings_for(url, home), lease=LEASE) as last:
            last.jobs.start()
            wait_for(lambda: not unfinished(last.store), 300)
            return _figures(last.store, url, kills, acknowledged)


def _received(pipe: "Connection[Any, Any]") -> Iterator[tuple[str, int]]:
    """What was sent before the end; a message that was cut off counts as not sent."""
    try:
        while pipe.poll():
            yield pipe.recv()
    except (EOFError, OSError):
        return


def _submit_and_run(
    url: str, home: Path, kill: int, works: Sequence[Any], pipe: "Connection[Any, Any]"
) -> None:
    chance = random.Random(kill)  # noqa: S311
    with room(settings_for(url, home), lease=LEASE) as made:
        made.jobs.start()
        for number in itertools.count():
            work, arguments = works[number % len(works)]
            request, owner = f"{kill}-{number}", chance.choice("abc")
            found = made.jobs.submit(
                owner, work, arguments, Agreement(seconds=1e6), request=request
            )
            pipe.send((f"{owner}:{request}", found))
            time.sleep(chance.uniform(0.0, 0.08))


def unfinished(store: Store) -> list[int]:
    """Numbers of the jobs that have not ended."""
    jobs = [job for owner in "abc" for job in store.jobs.list(owner, limit=100_000)]
    return [job.number for job in jobs if job.state not in ENDED]


def _figures(store: Store, url: str, kills: int, acknowledged: dict[str, int]) -> Figures:
    jobs = {job.number: job for owner in "abc" for job in store.jobs.list(owner, limit=100_000)}
    engine = create_engine(url)
    with engine.connect() as connection:
        ended = Counter(connection.scalars(text("SELECT job FROM finished")))
        requests = connection.execute(
            text("SELECT count(*) FROM job GROUP BY owner, request HAVING count(*) > 1")
        ).all()
        checked = "PRAGMA integrity_check" if engine.dialect.name == "sqlite" else "SELECT 'ok'"
        whole = connection.scalar(text(checked)) == "ok"
    engine.dispose()
    return Figures(
        kills,
        len(acknowledged),
        len(set(acknowledged.values()) - set(jobs)),
        len(requests),
        len(unfinished(store)),
        sum(count > 1 for count in ended.values()),
        sum(job.state == "failed" for job in jobs.values()),
        whole,
    )


# --- several at once
def run_jobs(url: str, home: Path, log: Path, shift: float = 0.0) -> None:
    """Runs jobs until it is killed, with a clock of the wall that is wrong by `shift` seconds."""
    logging.basicConfig(filename=log)
    real = time.time
    time.time = lambda: real() + shift
    with room(settings_for(url, home), lease=LEASE) as made:
        made.jobs.start()
        signal.pause()


@contextmanager
def runners(url: str, home: Path, shifts: Sequence[float]) -> Iterator[dict[str, Any]]:
    """Processes that run jobs of one database, each with its own error of the clock.

    Yields:
        The processes by the names under which they hold jobs, in order.
    """
    started, names = list[Any](), list[str]()
    try:
        for number, shift in enumerate(shifts):
            log = home / f"runner-{number}.txt"
            started.append(fresh().Process(target=run_jobs, args=(url, home, log, shift)))
            started[-1].start()
            names.append(_holder(home, names))
        yield dict(zip(names, started, strict=True))
    finally:
        for process in started:
            os.kill(process.pid or 0, signal.SIGCONT)
            process.kill()
            process.join()


def _holder(home: Path, known: Sequence[str]) -> str:
    """The name under which the process that was started last holds jobs."""

    def new() -> set[str]:
        return {path.name for path in (home / "holders").glob("*")} - {*known}

    wait_for(new)
    return new().pop()


def stop_one_past_its_lease(url: str, home: Path, jobs: int) -> tuple[Figures, int]:
    """Four processes run jobs; one is stopped for longer than its lease, clocks are wrong.

    Returns:
        The figures, and how many stale writes were refused.
    """
    home.mkdir(parents=True, exist_ok=True)
    numbers: dict[str, int] = {}
    with counted(url), room(settings_for(url, home)) as made:

        def more(count: int) -> None:
            for n in range(len(numbers), len(numbers) + count):
                numbers[f"a:{n}"] = submit(made.jobs, "beside", "a", str(n), seconds=0.25)

        with runners(url, home, (0.0, 86_400.0, -86_400.0, 0.0)) as processes:
            holder, process = next(iter(processes.items()))
            more(jobs)
            while not _frozen(process.pid, url, made.store, holder):
                more(3)  # the others may have done all by then
            wait_for(lambda: not unfinished(made.store), 120)
            os.kill(process.pid, signal.SIGCONT)
            log = home / "runner-0.txt"
            wait_for(lambda: "held by somebody else" in log.read_text(encoding="utf-8"), 120)
            time.sleep(1.0)
        refused = log.read_text(encoding="utf-8").count("held by somebody else")
        return _figures(made.store, url, 0, numbers), refused


def _frozen(process: int, url: str, store: Store, holder: str) -> bool:
    """Stops a process that holds a job, or lets it go on."""
    os.kill(process, signal.SIGSTOP)
    if _is_free(url) and any(pulse.holder == holder for pulse in store.claims.running()):
        return True
    os.kill(process, signal.SIGCONT)
    time.sleep(0.1)
    return False


def _is_free(url: str) -> bool:
    """Whether nobody is in the middle of a transaction: SQLite lets nobody else write then."""
    file = url.removeprefix("sqlite:///")
    if file == url:
        return True
    with closing(sqlite3.connect(file, isolation_level=None, timeout=0.5)) as probe:
        try:
            probe.execute("BEGIN IMMEDIATE")
            probe.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return False
    return True


# --- a database that is away
def away(made: Room, out: Callable[[], None], back: Callable[[], None], seconds: float) -> str:
    """Takes the database away while jobs run; returns what a submit said meanwhile.

    The jobs that were submitted before end well afterwards, by themselves.
    """
    numbers = [submit(made.jobs, "beside", request=f"before{n}", seconds=2.0) for n in range(4)]
    wait_for(made.store.claims.running)
    out()
    began = time.monotonic()
    said = ""
    try:
        numbers.append(submit(made.jobs, "beside", request="meanwhile", seconds=0.0))
    except StoreFailed as failure:
        said = str(failure)
    time.sleep(max(0.0, began + seconds - time.monotonic()))
    back()
    jobs = made.jobs.of("me")

    def all_done() -> bool:
        try:
            return all(jobs.get(number).state == "done" for number in numbers)
        except StoreFailed:
            return False

    wait_for(all_done, 120)
    assert submit(made.jobs, "beside", request="after", seconds=0.0) > max(numbers)
    return said


def fill_up(home: Path, pages: int) -> bool:
    """Runs a job while its database has room for so many pages more, then for all.

    Returns:
        Whether the submit was refused at first.
    """
    settings = settings_for("", home)
    with room(settings) as made:
        most = _limit(made.store)
        most[0] += pages
        made.jobs.start()
        large = {"name": "n" * 9_000, "request": "once"}  # two pages of the file and more
        refused = ""
        try:
            number = submit(made.jobs, "beside", seconds=0.6, **large)
        except StoreFailed as failure:
            refused = str(failure)
        assert "there is no room left" in refused or not refused
        time.sleep(1.5)
        most[0] += 2**30
        if refused:
            number = submit(made.jobs, "beside", seconds=0.1, **large)
        wait_for(lambda: made.jobs.of("me").get(number).state in ENDED)
        assert made.jobs.of("me").get(number).state == "done"
        assert len(made.store.jobs.list("me")) == 1
        with made.store._database.reading() as session:
            assert session.scalar(text("PRAGMA integrity_check")) == "ok"
    return bool(refused)


def _limit(store: Store) -> list[int]:
    """The pages that the file of a database may have, its length for now; change it in place.

    The engine is told once, before threads use it: its listeners may not change under them.
    """
    engine = store._database._engine
    with engine.connect() as connection:
        most = [int(connection.scalar(text("PRAGMA page_count")) or 0)]

    def limited(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {most[0]}").close()

    event.listen(engine, "checkout", limited)
    return most
