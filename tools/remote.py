"""One paid task at a provider: sent at most once, whatever crashes; then polled to its end.

Everything is kept before it is relied on: the money is set aside and the task is `submitting`
before anything is sent, its id is kept before it is polled, and it is charged before its result is
handed on. What is found `submitting` later may have arrived, so it is never sent again.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from tools.base import Report, ToolFailed
from tools.providers import (
    Failed,
    NoAnswer,
    NotSent,
    Pending,
    Provider,
    Ready,
    Refused,
    RemoteTask,
)
from tools.spending import Budget, Ledger, dollars

_MOST_WORDS = 300  # characters of a provider's own words that are passed on


class RemoteTasks(Protocol):
    """The tasks of all owners."""

    def find(self, owner: str, request: str) -> RemoteTask | None:
        """A task; none if it was never begun."""
        ...

    def begin(
        self, owner: str, request: str, *, provider: str, arguments: Mapping[str, Any], job: int
    ) -> RemoteTask:
        """Keeps that a task is about to be sent; tells one caller, and no other, that it may."""
        ...

    def submitted(
        self, owner: str, request: str, task: str, polling_url: str, usd: float | None = None
    ) -> RemoteTask:
        """Keeps that the provider has taken it."""
        ...

    def finished(self, owner: str, request: str, result: Mapping[str, Any]) -> RemoteTask:
        """Keeps what it made."""
        ...

    def failed(self, owner: str, request: str, error: str) -> RemoteTask:
        """Keeps why it came to nothing."""
        ...

    def unknown(self, owner: str, request: str, error: str) -> RemoteTask:
        """Keeps that nobody can tell whether it arrived."""
        ...


@dataclass(frozen=True)
class Order:
    """A task that is wanted.

    Attributes:
        owner: who pays.
        request: what tells one wish from another.
        system: card id of what is asked.
        arguments: what is asked, as JSON; no keys, and pictures by their files.
        usd: what it costs, US dollars.
        budget: what may be spent.
        job: number of the job that it belongs to; 0 if none.
    """

    owner: str
    request: str
    system: str
    arguments: Mapping[str, Any] = field(hash=False)
    usd: float
    budget: Budget
    job: int = 0


@dataclass(frozen=True)
class Books:
    """Where tasks and their money are kept."""

    tasks: RemoteTasks
    ledger: Ledger


@dataclass(frozen=True)
class Pace:
    """How often a task is asked after, in seconds.

    Attributes:
        first: between the first two times.
        factor: by which that grows.
        longest: between two times; a stop is noticed as late as this.
        patience: after which it is left for later.
    """

    first: float = 0.5
    factor: float = 1.5
    longest: float = 3.0
    patience: float = 600.0


_PACE = Pace()


def run_once(
    order: Order, provider: Provider, books: Books, report: Report, pace: Pace = _PACE
) -> Mapping[str, Any]:
    """Runs a paid task, or goes on with it where a crash or a stop has left it.

    Whatever `submit` raises that is none of its three ways to fail is a bug; the task is left as
    by a crash then.

    Args:
        order: what is wanted; with the same request, it is the same task.
        provider: who does it.
        books: where it is kept.
        report: progress, and where a stop is noticed; a task that was sent goes on nevertheless.
        pace: how often it is asked after.

    Returns:
        What it made, as JSON.

    Raises:
        OverBudget: it costs more than is left; nothing was sent.
        ToolFailed: it came to nothing, or nobody can tell; the message says what was paid.
        Stopped: the person asked to stop.
    """
    task = books.tasks.find(order.owner, order.request)
    if task is None or task.may_begin:
        report(0.0, f"Sending it to {provider.name}")  # the last moment at which a stop is free
        books.ledger.reserve(
            order.owner, order.request, order.usd,
            system=order.system, provider=provider.name, job=order.job, budget=order.budget,
        )  # fmt: skip
        task = books.tasks.begin(
            order.owner, order.request,
            provider=provider.name, arguments=order.arguments, job=order.job,
        )  # fmt: skip
    if task.ours:
        task = _send(task, provider, books)
    return follow(task, provider, books, report, pace)


def follow(
    task: RemoteTask, provider: Provider, books: Books, report: Report, pace: Pace = _PACE
) -> Mapping[str, Any]:
    """Goes on with a task that was begun before; never sends it.

    Args:
        task: as it was kept.
        provider: who does it.
        books: where it is kept.
        report: progress, and where a stop is noticed.
        pace: how often it is asked after.

    Returns:
        What it made, as JSON.

    Raises:
        ToolFailed: it came to nothing, or nobody can tell; the message says what was paid.
        Stopped: the person asked to stop.
    """
    if task.state == "done":
        return task.result
    if task.state == "failed":
        held = books.ledger.find(task.owner, task.request)
        if task.task and held and held.state == "reserved":  # by a second run, as the first failed
            books.ledger.release(task.owner, task.request)
        raise ToolFailed(task.error)
    if task.state == "submitted":
        return _poll(task, provider, books, report, pace)
    raise _in_doubt(task, provider, books, "no answer was kept")


def _send(task: RemoteTask, provider: Provider, books: Books) -> RemoteTask:
    try:
        taken = provider.submit(task)
    except Refused as error:
        raise _not_taken(task, books, f"{provider.name} refused it: {_clean(error)}") from error
    except NotSent as error:
        said = f"{provider.name} could not be reached: {_clean(error)}"
        raise _not_taken(task, books, said) from error
    except NoAnswer as error:
        raise _in_doubt(task, provider, books, _clean(error)) from error
    return books.tasks.submitted(task.owner, task.request, taken.task, taken.polling_url, taken.usd)


def _not_taken(task: RemoteTask, books: Books, why: str) -> ToolFailed:
    """Gives the money back before anybody may send it again, and set money aside for that."""
    said = f"{why}. Nothing was charged. Ask again once that is put right."
    books.ledger.release(task.owner, task.request)
    books.tasks.failed(task.owner, task.request, said)
    return ToolFailed(said)


def _in_doubt(task: RemoteTask, provider: Provider, books: Books, why: str) -> ToolFailed:
    held = books.ledger.unknown(task.owner, task.request)
    asked = f"the request to {held.system}"
    if held.state == "released":  # a crash came before it was kept that it was not taken
        said = f"{provider.name} did not take {asked}. Nothing was charged. Ask for it anew."
    else:
        said = (
            f"Nobody can tell whether {provider.name} got {asked}: {why}. It may have been "
            f"charged, {dollars(held.reserved)}. Look at {provider.account}. It will not be sent "
            "again; asking again starts a new paid task."
        )
    books.tasks.unknown(task.owner, task.request, said)
    return ToolFailed(said)


def _poll(
    task: RemoteTask, provider: Provider, books: Books, report: Report, pace: Pace
) -> Mapping[str, Any]:
    end, wait = time.monotonic() + pace.patience, pace.first
    seen = Pending(note=f"{provider.name} works on it")
    while True:
        report(seen.done, seen.note)
        answer = _look(task, provider, seen)
        if not isinstance(answer, Pending):
            return _ended(task, provider, books, answer)
        if time.monotonic() + wait > end:
            raise _later(f"{provider.name} is not done after {pace.patience:.0f} s")
        time.sleep(wait)
        seen, wait = answer, min(wait * pace.factor, pace.longest)


def _look(task: RemoteTask, provider: Provider, before: Pending) -> Pending | Ready | Failed:
    """How a task stands; as before if the provider cannot be asked just now."""
    try:
        return provider.poll(task)
    except (NotSent, NoAnswer) as error:
        return replace(before, note=f"{provider.name} does not answer: {_clean(error)}")
    except Refused as error:
        raise _later(f"{provider.name} does not tell how it stands: {_clean(error)}") from error


def _later(why: str) -> ToolFailed:
    return ToolFailed(
        f"{why}. It was sent and is kept: retry it to look again, at no further cost."
    )


def _ended(
    task: RemoteTask, provider: Provider, books: Books, answer: Ready | Failed
) -> Mapping[str, Any]:
    """Settles the money, then the task: after a crash between the two, it is polled again."""
    owner, request = task.owner, task.request
    if isinstance(answer, Ready):
        books.ledger.charge(owner, request, task.usd)
        return books.tasks.finished(owner, request, answer.result).result
    if answer.paid == "yes":
        paid = f"{dollars(books.ledger.charge(owner, request, task.usd).charged)} were charged"
    elif answer.paid == "unknown":
        held = books.ledger.unknown(owner, request)
        paid = f"{dollars(held.reserved)} may have been charged: look at {provider.account}"
    else:
        books.ledger.release(owner, request)
        paid = "Nothing was charged"
    said = f"{provider.name} did not do it: {_clean(answer.words)}. {paid}. Ask for it anew."
    raise ToolFailed(books.tasks.failed(owner, request, said).error)


def _clean(words: object) -> str:
    """Somebody else's words: one line of bounded length, without its full stop."""
    return " ".join(str(words).split())[:_MOST_WORDS].rstrip(". ") or "it did not say why"
