"""Paid tasks: sent once, whatever is killed, and never paid twice."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from assistant.store import Store
from tests.paid import (
    ACCOUNT,
    PRICE,
    QUICK,
    RESERVED,
    Studio,
    books,
    order,
    process,
    reach,
    settled,
    silent,
    speaks,
    standing,
    totals,
)
from tests.served import free_port
from tests.threads import at_once
from tools.base import Stopped, ToolFailed
from tools.remote import follow, run_once
from tools.spending import Budget, OverBudget, Spent


@pytest.fixture
def studio() -> Iterator[Studio]:
    opened = Studio()
    opened.start()
    yield opened
    opened.stop()


def run(store: Store, studio: Studio, request: str = "a", timeout: float = 20.0) -> object:
    spoken = speaks(studio.address, timeout)
    return run_once(order(request), spoken, books(store), silent, QUICK)


# --- one task
def test_a_task_is_sent_once_and_charged_once(store: Store, studio: Studio) -> None:
    told: list[tuple[float, str]] = []

    def report(done: float, note: str = "") -> None:
        told.append((done, note))

    for _ in range(3):
        result = run_once(order("a"), speaks(studio.address), books(store), report, QUICK)
        assert result == {"picture": "a"}
    assert told == [
        (0.0, "Sending it to The studio"),
        (0.0, "The studio works on it"),
        (0.5, "painting"),
        (0.5, "painting"),
    ]
    assert studio.asked == {"a": 1}
    [row] = store.ledger.rows("me")
    assert (row.state, row.reserved, row.charged, row.job) == ("charged", RESERVED, PRICE, 7)
    assert run_once(order("a", owner="you"), speaks(studio.address), books(store), silent, QUICK)
    assert studio.asked == {"a": 2}
    assert store.ledger.spent("me").charged == store.ledger.spent("you").charged == PRICE


def test_over_budget_sends_nothing(store: Store, studio: Studio) -> None:
    costly = order("a", budget=Budget(agreed=0.01))
    with pytest.raises(OverBudget, match=r"costs \$0\.02, and you agreed to \$0\.01"):
        run_once(costly, speaks(studio.address), books(store), silent, QUICK)
    assert store.remote.find("me", "a") is None
    assert studio.asked == {}
    assert run(store, studio) == {"picture": "a"}


def test_refused_costs_nothing_and_may_be_sent_again(store: Store, studio: Studio) -> None:
    studio.status = 402
    with pytest.raises(ToolFailed) as failure:
        run(store, studio)
    assert str(failure.value) == (
        'The studio refused it: {"detail": "insufficient\\ncredits."}. Nothing was charged. Ask '
        "again once that is put right."
    )
    kept = store.remote.find("me", "a")
    assert kept
    assert (kept.state, kept.error) == ("failed", str(failure.value))
    assert store.ledger.spent("me") == Spent(0.0, 0.0, 0.0)
    studio.status = 200
    assert run(store, studio) == {"picture": "a"}
    assert (studio.asked["a"], studio.charged["a"]) == (2, 1)
    assert store.ledger.spent("me").charged == PRICE


def test_nobody_listens(store: Store, studio: Studio) -> None:
    nowhere = speaks(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ToolFailed, match=r"could not be reached: .*refused.*Nothing was charged"):
        run_once(order("a"), nowhere, books(store), silent, QUICK)
    assert store.ledger.spent("me") == Spent(0.0, 0.0, 0.0)
    assert run(store, studio) == {"picture": "a"}
    assert studio.charged == {"a": 1}


@pytest.mark.parametrize("how", ["too late", "error of its own"])
def test_no_answer_is_told_and_never_sent_again(store: Store, studio: Studio, how: str) -> None:
    if how == "too late":
        studio.answering.clear()
    else:
        studio.status = 500
    with pytest.raises(ToolFailed, match=r"^Nobody can tell whether The studio got the request to"):
        run(store, studio, timeout=0.3)
    assert studio.arrived.wait(60.0)
    studio.answering.set()
    studio.status = 200
    assert settled(store, studio, "a") == "unknown"
    assert studio.asked == {"a": 1}
    assert store.ledger.spent("me") == Spent(0.0, 0.0, RESERVED)


def test_a_bug_while_sending_is_as_a_crash(store: Store, studio: Studio) -> None:
    def submit(task: object) -> None:
        raise ZeroDivisionError

    broken = replace(speaks(studio.address), submit=submit)  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        run_once(order("a"), broken, books(store), silent, QUICK)
    assert settled(store, studio, "a") == "unknown"
    assert studio.asked == {}


@pytest.mark.parametrize(
    ("paid", "said", "spent"),
    [
        ("no", "Nothing was charged", Spent(0.0, 0.0, 0.0)),
        ("yes", r"\$0\.0145 were charged", Spent(PRICE, 0.0, 0.0)),
        ("unknown", rf"\$0\.02 may have been charged: look at {ACCOUNT}", Spent(0, 0, RESERVED)),
    ],
)
def test_task_that_comes_to_nothing(
    store: Store, studio: Studio, paid: str, said: str, spent: Spent
) -> None:
    studio.polled = [(200, {"status": f"Content Moderated{'!' * 500}", "paid": paid})]
    for _ in range(2):
        with pytest.raises(ToolFailed, match=rf"did not do it: .*!\. {said}\. Ask for it anew\.$"):
            run(store, studio)
        assert store.ledger.spent("me") == spent
    assert studio.asked == {"a": 1}


def test_polling_outlasts_errors(store: Store, studio: Studio) -> None:
    studio.polled = [(503, {}), (500, {}), (200, {"status": "Pending", "progress": 0.1})]
    assert run(store, studio) == {"picture": "a"}
    assert studio.polled == []


def test_polling_that_is_refused_or_lasts_can_go_on_later(store: Store, studio: Studio) -> None:
    studio.polled = [(403, {"detail": "key withdrawn"})]
    with pytest.raises(ToolFailed, match=r"how it stands: .*key withdrawn.* at no further cost"):
        run(store, studio)
    studio.pending = 10**6
    hasty = replace(QUICK, patience=0.1)
    with pytest.raises(ToolFailed, match=r"The studio is not done after 0 s\. It was sent and is"):
        run_once(order("a"), speaks(studio.address), books(store), silent, hasty)
    assert store.ledger.spent("me") == Spent(0.0, RESERVED, 0.0)
    studio.pending = 0
    assert run(store, studio) == {"picture": "a"}
    assert studio.asked == {"a": 1}


def test_a_stop_before_it_is_sent_is_free_and_later_keeps_the_task(
    store: Store, studio: Studio
) -> None:
    def stop(done: float, note: str = "") -> None:
        if note.startswith(stop_at):
            raise Stopped

    stop_at = "Sending"
    with pytest.raises(Stopped):
        run_once(order("a"), speaks(studio.address), books(store), stop, QUICK)
    assert store.ledger.rows("me") == ()
    stop_at = "painting"
    with pytest.raises(Stopped):
        run_once(order("a"), speaks(studio.address), books(store), stop, QUICK)
    [task] = store.remote.unfinished("me")
    assert follow(task, speaks(studio.address), books(store), silent, QUICK) == {"picture": "a"}
    assert studio.asked == {"a": 1}
    assert store.ledger.spent("me") == Spent(PRICE, 0.0, 0.0)


def test_money_of_a_second_run_is_given_back(store: Store, studio: Studio) -> None:
    """Two run at once: one sees that there is no task, and sets money aside after it failed."""
    studio.polled = [(200, {"status": "Error", "paid": "no"})]
    with pytest.raises(ToolFailed):
        run(store, studio)
    wanted = order("a")
    store.ledger.reserve("me", "a", RESERVED, system="s", provider="p", job=0, budget=wanted.budget)
    with pytest.raises(ToolFailed, match=r"did not do it: Error\. Nothing was charged"):
        run(store, studio)
    assert store.ledger.spent("me") == Spent(0.0, 0.0, 0.0)


def test_clicked_eight_times_at_once(store: Store, studio: Studio) -> None:
    ends: Counter[str] = Counter()

    def work(place: int) -> None:
        try:
            assert run(store, studio) == {"picture": "a"}
            ends["result"] += 1
        except ToolFailed as failure:
            assert "may have been charged" in str(failure)  # noqa: PT017 - or the result
            ends["unknown"] += 1

    at_once(work, 8)
    assert ends["result"] >= 1
    assert ends.total() == 8
    assert studio.asked == {"a": 1}
    assert store.ledger.spent("me") == Spent(PRICE, 0.0, 0.0)
    assert run(store, studio) == {"picture": "a"}


# --- death
@pytest.mark.parametrize(
    ("mark", "stood", "asked", "end"),
    [
        ("reserve", "nothing kept", 0, "result"),
        ("begin", "money set aside", 0, "result"),
        ("submit", "submitting, not arrived", 0, "unknown"),
        ("arrived", "submitting, arrived", 1, "unknown"),
        ("submitted", "submitting, arrived", 1, "unknown"),
        ("poll", "submitted, arrived", 1, "result"),
        ("charge", "submitted, arrived", 1, "result"),
        ("finished", "submitted, arrived, charged", 1, "result"),
        ("returned", "done, arrived, charged", 1, "result"),
    ],
)
def test_killed_at_a_mark(
    url: str, studio: Studio, mark: str, stood: str, asked: int, end: str
) -> None:
    """A mark is reached just before the call of that name; `arrived` is told by the studio."""
    if mark == "arrived":
        studio.answering.clear()
    with process(url, studio, "a", mark) as marks:
        if mark == "arrived":
            assert studio.arrived.wait(240.0)
        else:
            reach(marks, mark)
    studio.answering.set()
    with closing(Store(url)) as store:
        assert standing(store, studio, "a") == stood
        assert studio.asked["a"] == asked
        assert settled(store, studio, "a") == end
        totals(studio, store.ledger.spent("me"))


@pytest.mark.parametrize(
    ("mark", "said", "spent"),
    [
        ("release", "It may have been charged", Spent(0.0, 0.0, RESERVED)),
        ("failed", "did not take the request to .* Nothing was charged", Spent(0.0, 0.0, 0.0)),
    ],
)
def test_killed_after_it_was_refused(
    url: str, studio: Studio, mark: str, said: str, spent: Spent
) -> None:
    studio.status = 402
    with closing(Store(url)) as store:
        with process(url, studio, "a", mark) as marks:
            reach(marks, mark)
        studio.status = 200
        for _ in range(2):
            with pytest.raises(ToolFailed, match=said):
                run(store, studio)
        assert store.ledger.spent("me") == spent
    assert studio.asked == {"a": 1}


def test_killed_at_any_moment(url: str, studio: Studio) -> None:
    chance = random.Random(5)  # noqa: S311 - the same moments each time
    studio.pause = 0.03
    with closing(Store(url)) as store:
        for number in range(5):
            with process(url, studio, f"{number}") as marks:
                reach(marks, "ready")
                time.sleep(chance.uniform(0.0, 0.25))
            assert settled(store, studio, f"{number}") in ("result", "unknown")
        totals(studio, store.ledger.spent("me"))
