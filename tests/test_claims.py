"""Jobs in real databases: kept once, held by one, refused to whoever held them before."""

import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import insert

from assistant.kept import blocks_kept
from assistant.store import Store
from assistant.store.claims import Claim, End, Fenced
from assistant.store.jobs import NewJob, NotNow, UnknownJob
from assistant.store.tables import JobEntryRow, JobRow
from index.evidence import Measurement
from tools.base import Text
from tools.work import Action, Entry

ROOT = Path(__file__).parent.parent
DONE = End("done")


def new(request: str, lane: str = "device", conversation: str = "") -> NewJob:
    return NewJob(request, "count", "Count", {"upto": 3}, {}, lane, conversation)


def submit(store: Store, owner: str = "me", request: str = "", lane: str = "device") -> int:
    return store.jobs.submit(owner, new(request or str(random.random()), lane))  # noqa: S311


def claim(store: Store, holder: str = "one", lane: str = "device") -> Claim:
    found = store.claims.claim(holder, lane)
    assert found
    return found


def entry(done: float, note: str = "on") -> Entry:
    return Entry("2026-01-01T00:00:00", done, note, {"step": done, "loss": 1 - done})


# --- submitted once
def test_the_same_request_is_one_job(store: Store) -> None:
    first = submit(store, request="a")
    assert submit(store, request="a") == first
    assert submit(store, "you", request="a") != first
    assert submit(store, request="b") != first
    taken = claim(store)
    store.claims.end(taken, DONE)
    assert submit(store, request="a") == first  # also when it is done
    assert len(store.jobs.list("me")) == 2


def test_duplicates_at_the_same_time_are_one_job_each(store: Store) -> None:
    """R4: every request twice, from many threads at once."""
    requests = [str(number) for number in range(150)] * 2
    random.Random(4).shuffle(requests)  # noqa: S311
    with ThreadPoolExecutor(8) as threads:
        numbers = list(threads.map(lambda request: submit(store, request=request), requests))
    by_request: dict[str, set[int]] = {}
    for request, number in zip(requests, numbers, strict=True):
        by_request.setdefault(request, set()).add(number)
    assert len(by_request) == 150
    assert all(len(found) == 1 for found in by_request.values())
    assert len(store.jobs.list("me", limit=1000)) == 150


_DIES = """
import os, signal, sys
from assistant.store import Store
from tests.test_claims import new
store = Store(sys.argv[1])
store.jobs.submit("me", new("once"))
os.kill(os.getpid(), signal.SIGKILL)  # the commit is made, nobody has heard of it
"""


def test_a_crash_between_commit_and_reply(url: str) -> None:
    died = subprocess.run([sys.executable, "-c", _DIES, url], cwd=ROOT, check=False)
    assert died.returncode == -signal.SIGKILL
    store = Store(url)
    number = submit(store, request="once")
    assert [job.number for job in store.jobs.list("me")] == [number]
    store.close()


# --- whose they are
def test_jobs_of_others_are_unknown(store: Store) -> None:
    number = submit(store)
    attempts: list[Callable[[int], object]] = [
        lambda n: store.jobs.get("you", n),
        lambda n: store.jobs.log("you", n),
        lambda n: store.jobs.act("you", n, "cancel"),
        lambda n: store.jobs.get("me", n + 1),
        lambda _: store.jobs.get("me", -1),
        lambda _: store.jobs.get("me", 2**70),
    ]
    for attempt in attempts:
        with pytest.raises(UnknownJob, match=r"^There is no job -?\d+ here\."):
            attempt(number)
    assert store.jobs.list("you") == ()
    assert store.jobs.get("me", number).state == "queued"


# --- the line
def test_owners_take_turns_and_each_keeps_its_order(store: Store) -> None:
    for owner in ("greedy", "greedy", "greedy", "late", "later", "late"):
        submit(store, owner)
    places = {
        job.number: job.ahead
        for owner in ("greedy", "late", "later")
        for job in store.jobs.list(owner)
    }
    order = [claim(store) for _ in range(6)]
    assert [taken.owner for taken in order] == [
        "greedy", "late", "later", "greedy", "late", "greedy",
    ]  # fmt: skip
    assert [places[taken.number] for taken in order] == [0, 1, 2, 3, 4, 5]
    assert store.claims.claim("one", "device") is None


def test_lanes_are_apart(store: Store) -> None:
    light = submit(store, lane="beside")
    assert store.claims.claim("one", "device") is None
    assert claim(store, lane="beside").number == light


def test_one_job_alone_can_be_wanted(store: Store) -> None:
    numbers = [submit(store) for _ in range(3)]
    found = store.claims.claim("one", "device", only=(numbers[2],))
    assert found
    assert found.number == numbers[2]
    assert store.claims.claim("one", "device", only=(numbers[2],)) is None


def test_many_take_jobs_at_the_same_time(store: Store) -> None:
    numbers = [submit(store, f"owner{n % 3}") for n in range(40)]
    taken: list[int] = []

    def work(holder: str) -> None:
        while found := store.claims.claim(holder, "device"):
            taken.append(found.number)
            store.claims.end(found, DONE)

    threads = [threading.Thread(target=work, args=(str(n),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while found := store.claims.claim("last", "device"):  # what others held locked meanwhile
        taken.append(found.number)
    assert sorted(taken) == numbers


def test_ten_thousand_jobs(store: Store) -> None:
    row = {
        "tool": "count", "title": "Count", "arguments": {}, "agreement": {}, "lane": "device",
        "conversation": "", "turn": 0, "step": 0, "state": "queued", "wanted": "", "holder": "",
        "token": 0, "beat": 0, "served": 0, "crashes": 0, "losses": 0, "done": 0.0, "note": "",
        "error": "", "seconds": 0.0, "left": None, "made": blocks_kept(()), "created": "",
        "ended": "",
    }  # fmt: skip
    rows = [{**row, "owner": f"o{n % 7}", "request": str(n)} for n in range(10_000)]
    with store._database.writing() as session:
        session.execute(insert(JobRow), rows)
    shown = store.jobs.list("o1", limit=20)
    assert len(shown) == 20
    assert [job.number for job in shown] == sorted((j.number for j in shown), reverse=True)
    assert 9_900 < shown[0].ahead < 10_000
    assert store.jobs.list("o1", limit=5, skip=5)[0] == shown[5]
    assert claim(store).owner == "o0"


# --- running
def test_signs_of_life_tell_how_far_it_is(store: Store) -> None:
    number = submit(store)
    taken = claim(store)
    assert store.claims.beat(taken, entry(0.5, "half"), 2.0, 2.5) == ""
    assert store.claims.beat(taken, None, 1.0, 1.5) == ""
    job = store.jobs.get("me", number)
    assert (job.state, job.done, job.note, job.seconds, job.left) == (
        "running", 0.5, "half", 3.0, 1.5,
    )  # fmt: skip
    assert store.jobs.log("me", number) == (entry(0.5, "half"),)
    store.claims.keep(taken, (Text("so far"),))
    assert store.jobs.get("me", number).blocks == (Text("so far"),)
    store.claims.end(taken, DONE)
    ended = store.jobs.get("me", number)
    assert (ended.state, ended.done, ended.left, ended.blocks) == (
        "done",
        1.0,
        None,
        job.blocks or (Text("so far"),),
    )
    assert ended.ended


def test_a_long_log_is_thinned(store: Store) -> None:
    number = submit(store)
    rows = [{"owner": "me", "job_id": number, **vars(entry(step / 700))} for step in range(700)]
    with store._database.writing() as session:
        session.execute(insert(JobEntryRow), rows)
    log = store.jobs.log("me", number)
    assert 300 < len(log) <= 601
    assert (log[0].done, log[-1].done) == (0.0, 699 / 700)


def writes(store: Store, held: Claim) -> Iterator[Callable[[], object]]:
    measured = Measurement("m", "latency_ms", 1.0, "ms", "", "cpu", "here", "t", "r", "2026-01-01")
    yield lambda: store.claims.beat(held, entry(0.9), 1.0)
    yield lambda: store.claims.keep(held, (Text("stale"),))
    yield lambda: store.claims.measure(held, measured)
    yield lambda: store.claims.end(held, End(None))
    yield lambda: store.claims.end(held, End("failed", "stale"))
    yield lambda: store.claims.end(held, DONE)


def test_whoever_has_lost_a_job_writes_nothing(store: Store) -> None:
    number = submit(store)
    stale = claim(store, "stale")
    [pulse] = store.claims.running()
    assert (pulse.number, pulse.holder) == (number, "stale")
    assert store.claims.take_away(pulse)
    for write in writes(store, stale):  # nobody holds it
        with pytest.raises(Fenced):
            write()
    fresh = claim(store, "fresh")
    for write in writes(store, stale):  # somebody else holds it
        with pytest.raises(Fenced):
            write()
    job = store.jobs.get("me", number)
    assert (job.state, job.done, job.blocks, job.error) == ("running", 0.0, (), "")
    assert store.measurements("me", "m") == ()
    store.claims.end(fresh, DONE)
    for held in (stale, fresh):
        for write in writes(store, held):  # it has ended
            with pytest.raises(Fenced):
                write()
    assert store.jobs.get("me", number).state == "done"


def test_a_job_that_has_shown_life_is_not_taken_away(store: Store) -> None:
    submit(store)
    taken = claim(store)
    [pulse] = store.claims.running()
    store.claims.beat(taken, None, 1.0)
    assert not store.claims.take_away(pulse)
    store.claims.end(taken, DONE)
    assert not store.claims.take_away(pulse)


def test_what_its_owner_wants_holds_when_its_holder_is_gone(store: Store) -> None:
    for action, state in (("cancel", "cancelled"), ("pause", "paused")):
        number = submit(store)
        claim(store)
        store.jobs.act("me", number, action)  # type: ignore[arg-type]
        [pulse] = store.claims.running()
        assert store.claims.take_away(pulse)
        assert store.jobs.get("me", number).state == state


def test_a_job_that_loses_every_holder_is_given_up(store: Store) -> None:
    number = submit(store)
    for lost in range(1, 12):
        claim(store)
        [pulse] = store.claims.running()
        assert store.claims.take_away(pulse)
        assert store.jobs.get("me", number).state == ("failed" if lost > 10 else "queued")
    assert "ended 11 times while this ran" in store.jobs.get("me", number).error
    store.jobs.act("me", number, "retry")
    taken = claim(store)
    store.claims.beat(taken, entry(0.1), 1.0)
    [pulse] = store.claims.running()
    assert store.claims.take_away(pulse)
    assert store.jobs.get("me", number).state == "queued"


# --- what owners do
STATES = ("queued", "running", "paused", "done", "failed", "cancelled")


def bring_to(store: Store, state: str) -> int:
    number = submit(store)
    if state in ("paused", "cancelled"):
        store.jobs.act("me", number, "pause" if state == "paused" else "cancel")
    elif state != "queued":
        taken = claim(store)
        if state != "running":
            store.claims.end(taken, End(state))  # type: ignore[arg-type]
    assert store.jobs.get("me", number).state == state
    return number


@pytest.mark.parametrize(
    ("action", "allowed"),
    [
        ("cancel", {"queued": "cancelled", "running": "running", "paused": "cancelled"}),
        ("pause", {"queued": "paused", "running": "running"}),
        ("resume", {"paused": "queued"}),
        ("retry", {"failed": "queued", "cancelled": "queued"}),
    ],
)
def test_what_each_state_allows(store: Store, action: Action, allowed: dict[str, str]) -> None:
    for state in STATES:
        number = bring_to(store, state)
        if state in allowed:
            store.jobs.act("me", number, action)
            job = store.jobs.get("me", number)
            assert job.state == allowed[state]
            assert job.wanted == (action if state == "running" else "")
        else:
            with pytest.raises(NotNow, match=rf"^Job {number} \w.*\.$"):
                store.jobs.act("me", number, action)
            assert store.jobs.get("me", number).state == state
        while store.claims.claim("clear", "device"):
            pass


def test_an_action_that_nobody_knows(store: Store) -> None:
    number = submit(store)
    store.jobs.act("me", number, "cancel")
    with pytest.raises(NotNow, match=r"'explode' cannot be done\. Choose: cancel, pause"):
        store.jobs.act("me", number, "explode")  # type: ignore[arg-type]
    assert store.jobs.get("me", number).state == "cancelled"


def test_a_retry_begins_to_count_anew(store: Store) -> None:
    number = submit(store)
    store.claims.end(claim(store), End("failed", "It crashed.", crashed=True))
    assert store.jobs.get("me", number).crashes == 1
    store.jobs.act("me", number, "retry")
    job = store.jobs.get("me", number)
    assert (job.crashes, job.error, job.ended) == (0, "", "")


# --- any order of events
@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_events(store: Store, seed: int) -> None:
    """R6: holders vanish, stall and come back; every job ends once, and no stale write counts."""
    _Schedule(store, seed).run(150)


class _Schedule:
    """Random events against the database, and what must hold after each."""

    def __init__(self, store: Store, seed: int) -> None:
        self.store = store
        self.chance = random.Random(seed)  # noqa: S311
        self.owners: dict[int, str] = {}
        self.held: list[Claim] = []
        self.ended: Counter[int] = Counter()
        self.current: dict[int, int] = {}
        self.refused = 0

    def run(self, events: int) -> None:
        for _ in range(events):
            self.chance.choice(
                (self.submit, self.take, self.take, self.beat, self.end, self.lose, self.act)
            )()
        while (found := self.store.claims.claim("last", "device")) or self.store.claims.running():
            if found:
                self.held.append(found)
                self.current[found.number] = found.token
            for held in list(self.held):
                self.write(held, DONE)
            for pulse in self.store.claims.running():
                self.store.claims.take_away(pulse)
        for number, owner in self.owners.items():
            job = self.store.jobs.get(owner, number)
            assert job.state in ("done", "failed", "cancelled", "paused")
            assert self.ended[number] == (job.state in ("done", "failed"))
        assert self.refused

    def submit(self) -> None:
        owner = self.chance.choice("abc")
        self.owners[submit(self.store, owner)] = owner

    def take(self) -> None:
        if found := self.store.claims.claim(self.chance.choice("xyz"), "device"):
            self.held.append(found)
            self.current[found.number] = found.token

    def beat(self) -> None:
        if self.held:
            held = self.chance.choice(self.held)
            try:
                self.store.claims.beat(held, entry(self.chance.random()), 1.0)
                assert self.current[held.number] == held.token
            except Fenced:
                self.refused += 1

    def end(self) -> None:
        if self.held:
            self.write(self.chance.choice(self.held), self.chance.choice((DONE, End("failed"))))

    def write(self, held: Claim, end: End) -> None:
        """Whoever ends a job is the last who took it; the others are refused."""
        try:
            self.store.claims.end(held, end)
        except Fenced:
            self.refused += 1
            return
        assert self.current[held.number] == held.token
        self.ended[held.number] += 1

    def lose(self) -> None:
        if pulses := self.store.claims.running():
            self.store.claims.take_away(self.chance.choice(pulses))

    def act(self) -> None:
        if self.owners:
            number = self.chance.choice(list(self.owners))
            action: Action = self.chance.choice(("cancel", "pause", "resume"))
            try:
                self.store.jobs.act(self.owners[number], number, action)
            except NotNow:
                return
