"""The ledger: exact sums, each request once, and never more than may be spent."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from assistant.store import Store
from tests.postgresql import Server
from tests.threads import at_once
from tools.spending import Budget, Ceiling, OverBudget, Spending, Spent, dollars

PLENTY = Budget(agreed=100.0)


def reserve(
    store: Store, request: str, usd: float, budget: Budget = PLENTY, owner: str = "me"
) -> Spending:
    return store.ledger.reserve(
        owner, request, usd, system="api:flux-2-pro", provider="BFL", job=3, budget=budget
    )


def test_from_reserved_to_charged(store: Store) -> None:
    held = reserve(store, "a", 0.05)
    assert (held.request, held.job, held.system, held.provider) == ("a", 3, "api:flux-2-pro", "BFL")
    assert (held.reserved, held.charged, held.state, held.settled) == (0.05, 0.0, "reserved", "")
    assert store.ledger.spent("me") == Spent(charged=0.0, reserved=0.05, unknown=0.0)
    paid = store.ledger.charge("me", "a", 0.045)
    assert paid == replace(held, state="charged", charged=0.045, settled=paid.settled)
    assert paid.settled >= held.at
    assert store.ledger.spent("me") == Spent(charged=0.045, reserved=0.0, unknown=0.0)
    assert store.ledger.find("me", "a") == paid
    assert store.ledger.find("me", "b") is None


def test_owners_see_nothing_of_each_other(store: Store) -> None:
    reserve(store, "a", 1.0)
    store.ledger.charge("me", "a")
    limit = Budget(agreed=1.0, ceilings=(Ceiling(1.0),))
    assert reserve(store, "a", 0.25, limit, owner="you").reserved == 0.25
    assert store.ledger.spent("you") == Spent(0.0, 0.25, 0.0)
    assert store.ledger.spent("me") == Spent(1.0, 0.0, 0.0)
    assert [row.reserved for row in store.ledger.rows("you")] == [0.25]
    assert store.ledger.find("them", "a") is None
    assert store.ledger.rows("them") == ()
    with pytest.raises(LookupError, match="nothing was set aside for the request 'a'"):
        store.ledger.charge("them", "a")


def test_a_request_counts_once(store: Store) -> None:
    first = reserve(store, "a", 0.05)
    assert reserve(store, "a", 99.0) == first
    charged = store.ledger.charge("me", "a", 0.04)
    for again in (
        store.ledger.charge("me", "a", 0.9),
        store.ledger.release("me", "a"),
        store.ledger.unknown("me", "a"),
        reserve(store, "a", 0.05, Budget(agreed=0.0)),
    ):
        assert again == charged
    assert store.ledger.rows("me") == (charged,)


def test_released_money_is_free_and_can_be_set_aside_anew(store: Store) -> None:
    limit = Budget(agreed=1.0, ceilings=(Ceiling(1.0),))
    reserve(store, "a", 0.75, limit)
    released = store.ledger.release("me", "a")
    assert (released.state, released.charged) == ("released", 0.0)
    assert store.ledger.unknown("me", "a") == released
    assert store.ledger.spent("me") == Spent(0.0, 0.0, 0.0)
    reserve(store, "b", 0.5, limit)
    with pytest.raises(OverBudget):
        reserve(store, "a", 0.75, limit)
    assert store.ledger.find("me", "a") == released
    assert reserve(store, "a", 0.5, limit).state == "reserved"


def test_unknown_money_counts_until_it_is_known(store: Store) -> None:
    limit = Budget(agreed=1.0, ceilings=(Ceiling(1.0),))
    for request in ("a", "b"):
        reserve(store, request, 0.5, limit)
        assert store.ledger.unknown("me", request).state == "unknown"
    assert store.ledger.spent("me") == Spent(0.0, 0.0, 1.0)
    with pytest.raises(OverBudget):
        reserve(store, "c", 0.01, limit)
    assert store.ledger.release("me", "a").state == "released"
    assert store.ledger.charge("me", "b").charged == 0.5
    assert store.ledger.spent("me") == Spent(0.5, 0.0, 0.0)


def test_over_budget_is_worded_for_the_person(store: Store) -> None:
    with pytest.raises(OverBudget) as failure:
        reserve(store, "a", 0.05, Budget(agreed=0.03))
    assert str(failure.value) == (
        "This costs $0.05, and you agreed to $0.03. Agree to $0.05, or ask for something cheaper."
    )
    reserve(store, "a", 9.9855)
    with pytest.raises(OverBudget) as failure:
        reserve(store, "b", 0.05, Budget(agreed=1.0, ceilings=(Ceiling(10.0),)))
    assert str(failure.value) == (
        "This costs $0.05, and $0.0145 is left of the $10.00 that may be spent: $9.9855 "
        "is spent or set aside. Raise that limit, or ask for something cheaper."
    )
    store.ledger.charge("me", "a", 12.5)  # it cost more than it was to: the ledger tells the truth
    with pytest.raises(OverBudget, match=r"\$0\.00 is left of the \$10\.00"):
        reserve(store, "b", 0.05, Budget(agreed=1.0, ceilings=(Ceiling(10.0),)))
    assert len(store.ledger.rows("me")) == 1


@pytest.mark.parametrize("usd", [-0.01, float("nan"), float("inf"), 1e10])
def test_what_is_no_sum(store: Store, usd: float) -> None:
    attempts: list[Callable[[], object]] = [
        lambda: reserve(store, "a", usd),
        lambda: reserve(store, "a", 0.0, Budget(agreed=usd)),
        lambda: store.ledger.charge("me", "a", usd),
    ]
    for attempt in attempts:
        with pytest.raises(ValueError, match="is no sum of dollars"):
            attempt()
    assert store.ledger.rows("me") == ()


def test_sums_are_exact(store: Store) -> None:
    reserve(store, "both", 0.1 + 0.2, Budget(agreed=0.3))
    store.ledger.release("me", "both")
    limit = Budget(agreed=1.0, ceilings=(Ceiling(3.3),))
    for number in range(30):  # as floats they add up to 2.9999999999999996
        reserve(store, f"tenth {number}", 0.1, limit)
        store.ledger.charge("me", f"tenth {number}", 0.1)
    assert store.ledger.spent("me").charged == 3.0
    reserve(store, "rest", 0.1 + 0.2, limit)
    with pytest.raises(OverBudget):
        reserve(store, "too much", 0.000001, limit)
    assert store.ledger.charge("me", "rest", 1e9).charged == 1e9
    assert store.ledger.spent("me").charged == 1e9 + 3.0


def test_what_counts_from_a_time_on(store: Store) -> None:
    reserve(store, "a", 0.5)
    later = datetime.now(UTC) + timedelta(minutes=1)
    earlier = (later - timedelta(hours=1)).astimezone()  # in the zone of this machine
    assert store.ledger.spent("me", earlier).reserved == 0.5
    assert store.ledger.spent("me", later).reserved == 0.0
    with pytest.raises(OverBudget):
        reserve(store, "b", 0.75, Budget(agreed=1.0, ceilings=(Ceiling(1.0, since=earlier),)))
    enough = Budget(agreed=1.0, ceilings=(Ceiling(1.0, since=later),))
    assert reserve(store, "b", 0.75, enough).reserved == 0.75


def test_ceilings_of_requests_that_begin_alike(store: Store) -> None:
    """Each counts its own requests, and all of them must hold."""
    talk = Ceiling(1.0, " in this conversation", "Raise THAT", beginning="one%:")
    limit = Budget(agreed=1.0, ceilings=(Ceiling(2.0), talk))
    reserve(store, "one-:1", 0.75, PLENTY)  # "%" is no wild card
    reserve(store, "one%:1", 0.75, limit)
    with pytest.raises(OverBudget) as failure:
        reserve(store, "one%:2", 0.3, limit)
    assert str(failure.value) == (
        "This costs $0.30, and $0.25 is left of the $1.00 that may be spent in this conversation: "
        "$0.75 is spent or set aside. Raise THAT, or ask for something cheaper."
    )
    with pytest.raises(OverBudget, match=r"\$0\.50 is left of the \$2\.00"):
        reserve(store, "two:1", 0.6, Budget(agreed=1.0, ceilings=(Ceiling(2.0),)))
    assert store.ledger.spent("me", beginning="one%:").reserved == 0.75


def test_rows_newest_first(store: Store) -> None:
    for number in range(5):
        reserve(store, f"{number}", number / 100)
    assert [row.request for row in store.ledger.rows("me", 3)] == ["4", "3", "2"]
    assert len(store.ledger.rows("me")) == 5


def test_a_thousand_requests_at_once_each_twice_or_more(store: Store) -> None:
    """Eight threads reserve and charge 250 requests each; every one is wanted by two of them."""

    def work(place: int) -> None:
        for number in range(250):
            request = f"{number + 250 * (place // 2)}"
            reserve(store, request, 0.001)
            store.ledger.charge("me", request, 0.001 if place % 2 else None)

    at_once(work, 8)
    rows = store.ledger.rows("me", 2_000)
    assert len({row.request for row in rows}) == len(rows) == 1_000
    assert store.ledger.spent("me") == Spent(charged=1.0, reserved=0.0, unknown=0.0)


def fifty_at_once(url: str) -> None:
    """Fifty requests of ten cents for two dollars, through two stores as of two processes."""
    refused, limit = list[str](), Budget(agreed=0.1, ceilings=(Ceiling(2.0),))

    def work(place: int) -> None:
        try:
            reserve(stores[place % 2], f"{place}", 0.1, limit)
        except OverBudget as failure:
            refused.append(str(failure))

    with closing(Store(url)) as one, closing(Store(url)) as other:
        stores = (one, other)
        at_once(work, 50)
        assert one.ledger.spent("me") == Spent(0.0, 2.0, 0.0)
        assert len(other.ledger.rows("me", 100)) == 20
    assert len(refused) == 30
    assert all("$0.00 is left of the $2.00" in said for said in refused)


def test_fifty_at_once_never_overspend(url: str) -> None:
    fifty_at_once(url)


def test_fifty_at_once_never_overspend_whatever_the_server_isolates(postgresql: Server) -> None:
    """Where a transaction sees what was there at its beginning, it would not see the others'."""
    fifty_at_once(
        f"{postgresql.new_database()}?options=-c%20default_transaction_isolation=serializable"
    )


@pytest.mark.parametrize(
    ("usd", "said"),
    [(0.03, "$0.03"), (0.0145, "$0.0145"), (12, "$12.00"), (1234.5, "$1,234.50"), (0, "$0.00")],
)
def test_sums_in_words(usd: float, said: str) -> None:
    assert dollars(usd) == said
