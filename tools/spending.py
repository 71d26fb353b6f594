"""Money as tools see it: what may be spent, what is set aside for a request, what it did cost.

Sums are US dollars as floats here, exact to a millionth; they are added up by the ledger, which
counts whole millionths.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from tools.base import ToolFailed

SpendingState = Literal["reserved", "charged", "released", "unknown"]


class OverBudget(ToolFailed):
    """It costs more than is left; nothing was set aside, and nothing must be sent."""


@dataclass(frozen=True)
class Ceiling:
    """What several requests together may cost.

    Attributes:
        usd: US dollars.
        of: which requests, in words that go on after "may be spent"; empty for all.
        how: how to raise it, as the beginning of a sentence.
        since: from when on requests count; none for ever.
        beginning: with which the names of the requests that count begin; empty for all.
    """

    usd: float
    of: str = ""
    how: str = "Raise that limit"
    since: datetime | None = None
    beginning: str = ""


@dataclass(frozen=True)
class Budget:
    """What an owner may spend.

    Attributes:
        agreed: US dollars that the person has agreed to for this one request.
        ceilings: what it may cost together with others.
    """

    agreed: float
    ceilings: tuple[Ceiling, ...] = ()


@dataclass(frozen=True)
class Spending:
    """The money of one paid request.

    Attributes:
        request: what tells one request from another.
        job: number of the job that it belongs to; 0 if none.
        system: card id of what was asked.
        provider: who is paid.
        reserved: US dollars that it was to cost.
        charged: US dollars that it did cost; 0 before that is known.
        state: `reserved` until it is known, then `charged` or `released`; `unknown` if it may have
            been charged and nobody here can tell.
        at: ISO time at which the money was set aside, UTC.
        settled: ISO time at which the state changed after that; empty before.
    """

    request: str
    job: int
    system: str
    provider: str
    reserved: float
    charged: float
    state: SpendingState
    at: str
    settled: str


@dataclass(frozen=True)
class Spent:
    """What an owner has spent, in US dollars.

    Attributes:
        charged: what was paid.
        reserved: what is set aside for requests that go on.
        unknown: what may have been paid.
    """

    charged: float
    reserved: float
    unknown: float


class Ledger(Protocol):
    """What was spent; each owner's apart from all others'."""

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
        """Sets money aside, once however often it is called.

        Raises:
            OverBudget: it would cost more than is left.
        """
        ...

    def charge(self, owner: str, request: str, usd: float | None = None) -> Spending:
        """Keeps that a request was paid, once; the first figure stays.

        Args:
            owner: who pays.
            request: which request.
            usd: what it cost, US dollars; none if it cost what was set aside.
        """
        ...

    def release(self, owner: str, request: str) -> Spending:
        """Gives back what was set aside; what is charged stays so."""
        ...

    def unknown(self, owner: str, request: str) -> Spending:
        """Keeps that a request may have been paid; its money stays set aside."""
        ...

    def find(self, owner: str, request: str) -> Spending | None:
        """The money of one request; none if there was never any."""
        ...

    def spent(self, owner: str, since: datetime | None = None, beginning: str = "") -> Spent:
        """What an owner has spent on requests whose names begin so."""
        ...


def dollars(usd: float) -> str:
    """A sum in words: `$0.03`, `$0.0145`, `$12.00`."""
    whole, _, cents = f"{usd:,.6f}".partition(".")
    return f"${whole}.{cents.rstrip('0').ljust(2, '0')}"
