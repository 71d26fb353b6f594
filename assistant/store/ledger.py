"""What was spent: money is set aside before a request is sent, and settled once it is answered.

The database counts millionths of a dollar; only arguments and results are floats, in dollars.
"""

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import Session

from assistant.store.database import Database, lock_owner
from assistant.store.dollars import to_micros, to_usd
from assistant.store.tables import SpendingRow, now
from tools.spending import (
    Budget,
    Ceiling,
    OverBudget,
    Spending,
    SpendingState,
    Spent,
    dollars,
)

_WORTH = case(
    (SpendingRow.state == "charged", SpendingRow.charged),
    (SpendingRow.state == "released", 0),
    else_=SpendingRow.reserved,
)
_STAYS: dict[SpendingState, tuple[SpendingState, ...]] = {  # what a change does not touch
    "charged": ("charged",),
    "released": ("charged", "released"),
    "unknown": ("charged", "released", "unknown"),
}


class Ledger:
    """What all owners spend. Every method raises `StoreFailed` if the database did not do it.

    Args:
        database: the open database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def reserve(
        self,
        owner: str,
        request: str,
        usd: float,
        *,
        system: str,
        provider: str,
        job: int,
        budget: Budget,
    ) -> Spending:
        """Sets money aside for a request; what is set aside or was paid already stays as it is.

        A request whose money was released is set aside anew. Looking at what is left and taking
        of it is one transaction, in which no other request of this owner can do the same.

        Args:
            owner: who pays.
            request: what tells one request from another.
            usd: what it costs, US dollars.
            system: card id of what is asked.
            provider: who is paid.
            job: number of the job that it belongs to; 0 if none.
            budget: what may be spent.

        Raises:
            OverBudget: it would cost more than is left.
            ValueError: a sum is negative, too large, or no number.
        """
        wanted = to_micros(usd)
        with self._database.writing() as session:
            lock_owner(session, owner)
            row = session.scalar(_of(owner, request))
            if row is not None and row.state != "released":
                return _spending(row)
            _check(session, owner, wanted, budget)
            if row is None:
                row = SpendingRow(owner=owner, request=request, charged=0)
                session.add(row)
            row.job, row.system, row.provider = job, system, provider
            row.reserved, row.state, row.at, row.settled = wanted, "reserved", now(), ""
            return _spending(row)

    def charge(self, owner: str, request: str, usd: float | None = None) -> Spending:
        """Keeps that a request was paid; if that was kept before, the first figure stays.

        Args:
            owner: who pays.
            request: which request.
            usd: what it cost, US dollars, even if that is more than was set aside; none if it cost
                what was set aside.

        Raises:
            LookupError: nothing was ever set aside for it.
            ValueError: the sum is negative, too large, or no number.
        """
        return self._settle(owner, request, "charged", None if usd is None else to_micros(usd))

    def release(self, owner: str, request: str) -> Spending:
        """Gives back what was set aside, also where it was unknown; what is charged stays so.

        Raises:
            LookupError: nothing was ever set aside for it.
        """
        return self._settle(owner, request, "released")

    def unknown(self, owner: str, request: str) -> Spending:
        """Keeps that a request may have been paid: its money counts until it is known.

        Raises:
            LookupError: nothing was ever set aside for it.
        """
        return self._settle(owner, request, "unknown")

    def find(self, owner: str, request: str) -> Spending | None:
        """The money of one request; none if there was never any."""
        with self._database.reading() as session:
            row = session.scalar(_of(owner, request))
            return _spending(row) if row else None

    def spent(self, owner: str, since: datetime | None = None, beginning: str = "") -> Spent:
        """What an owner has spent, in US dollars, by what is known of it.

        Args:
            owner: who.
            since: from when on requests count, by the time at which they were made; none for ever.
            beginning: with which the names of the requests that count begin; empty for all.
        """
        sums = select(SpendingRow.state, func.sum(_WORTH)).group_by(SpendingRow.state)
        with self._database.reading() as session:
            found = session.execute(sums.where(*_from(owner, since, beginning))).all()
        by_state = {state: to_usd(int(worth)) for state, worth in found}
        return Spent(*(by_state.get(state, 0.0) for state in ("charged", "reserved", "unknown")))

    def rows(self, owner: str, limit: int = 50) -> tuple[Spending, ...]:
        """An owner's paid requests, the newest first."""
        wanted = select(SpendingRow).where(SpendingRow.owner == owner)
        newest = wanted.order_by(SpendingRow.id.desc()).limit(limit)
        with self._database.reading() as session:
            return tuple(map(_spending, session.scalars(newest)))

    def _settle(
        self, owner: str, request: str, state: SpendingState, cost: int | None = None
    ) -> Spending:
        with self._database.writing() as session:
            row = session.scalar(_of(owner, request).with_for_update())
            if row is None:
                raise LookupError(f"nothing was set aside for the request {request!r}")
            if row.state not in _STAYS[state]:
                row.state, row.settled = state, now()
                if state == "charged":
                    row.charged = row.reserved if cost is None else cost
            return _spending(row)


def _of(owner: str, request: str) -> Select[SpendingRow]:
    return select(SpendingRow).where(SpendingRow.owner == owner, SpendingRow.request == request)


def _from(owner: str, since: datetime | None, beginning: str) -> list[ColumnElement[bool]]:
    mine = [SpendingRow.owner == owner]
    if beginning:
        mine.append(SpendingRow.request.startswith(beginning, autoescape=True))
    if since:
        mine.append(SpendingRow.at >= since.astimezone(UTC).isoformat(timespec="milliseconds"))
    return mine


def _check(session: Session, owner: str, wanted: int, budget: Budget) -> None:
    costs = dollars(to_usd(wanted))
    if wanted > to_micros(budget.agreed):
        raise OverBudget(
            f"This costs {costs}, and you agreed to {dollars(budget.agreed)}. Agree to {costs}, "
            "or ask for something cheaper."
        )
    for ceiling in budget.ceilings:
        _check_ceiling(session, owner, wanted, ceiling)


def _check_ceiling(session: Session, owner: str, wanted: int, ceiling: Ceiling) -> None:
    counts = _from(owner, ceiling.since, ceiling.beginning)
    taken = int(session.scalar(select(func.sum(_WORTH)).where(*counts)) or 0)
    left = to_micros(ceiling.usd) - taken
    if wanted > left:
        raise OverBudget(
            f"This costs {dollars(to_usd(wanted))}, and {dollars(to_usd(max(left, 0)))} is left of "
            f"the {dollars(ceiling.usd)} that may be spent{ceiling.of}: {dollars(to_usd(taken))} "
            f"is spent or set aside. {ceiling.how}, or ask for something cheaper."
        )


def _spending(row: SpendingRow) -> Spending:
    same = {name: getattr(row, name) for name in Spending.__dataclass_fields__}
    return Spending(**same | {"reserved": to_usd(row.reserved), "charged": to_usd(row.charged)})
