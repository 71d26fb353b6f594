"""Paid tasks of Black Forest Labs: sent once, polled to their end, their results kept as files."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.base import Report, ToolFailed
from tools.engines.bfl import places
from tools.engines.bfl.account import Account
from tools.engines.bfl.asking import Asked
from tools.engines.bfl.keys import DASHBOARD
from tools.engines.bfl.polling import poll
from tools.engines.bfl.replies import Denied
from tools.engines.bfl.sending import submit
from tools.engines.bfl.waiting import pause, uneven
from tools.providers import Provider, RemoteTask
from tools.remote import Books, Order, follow, run_once
from tools.spending import Budget

NAME = "Black Forest Labs"


@dataclass(frozen=True)
class Payer:
    """Who pays for a task.

    Attributes:
        owner: who.
        request: what tells one wish from another; the same request is the same task, paid once.
        budget: what may be spent.
        job: number of the job that it belongs to; 0 if none.
    """

    owner: str
    request: str
    budget: Budget
    job: int = 0


@dataclass(frozen=True)
class Made:
    """What a task made.

    Attributes:
        file: the picture, as the vendor sent it.
        format: `jpeg`, `png` or `webp`.
        width: pixels.
        height: pixels.
        seed: with which it was made; none if the vendor does not say.
        prompt: from which it was made, in the vendor's words if it changed it; empty if it does
            not say.
        usd: US dollars that were paid by the vendor's word; none if it does not say.
        task: the vendor's id.
    """

    file: Path
    format: str
    width: int
    height: int
    seed: int | None
    prompt: str
    usd: float | None
    task: str


def run(
    asked: Asked, payer: Payer, account: Account, books: Books, folder: Path, report: Report
) -> Made:
    """Runs a task, or goes on with it where a crash or a stop has left it; paid once.

    While too many tasks are in flight it waits and tries again: nothing was taken then, and a stop
    is free. Nothing else is ever sent twice.

    Args:
        asked: what is wanted; `agree` has let it pass.
        payer: who pays, and how much at most.
        account: the key, and where Black Forest Labs is asked.
        books: where tasks and their money are kept.
        folder: where the picture goes; it must last.
        report: progress, and where a stop is noticed.

    Raises:
        OverBudget: it may cost more than is left; nothing was sent.
        ToolFailed: it came to nothing, or nobody can tell; the message says what was paid.
        Stopped: the person asked to stop; a task that was sent is kept.
    """
    arguments = {"path": asked.endpoint.path, "values": dict(asked.values)}
    order = Order(
        payer.owner, payer.request, asked.system, arguments, asked.price.most, payer.budget,
        payer.job,
    )  # fmt: skip
    spoken = provider(account, folder)
    waits = iter(account.waits.busy)
    while True:
        try:
            with _place(asked, payer, account, books, report):
                return _made(run_once(order, spoken, books, report, uneven(account.waits.polling)))
        except ToolFailed as failure:
            why, wait = failure.__cause__, next(waits, None)
            if wait is None or not isinstance(why, Denied) or not why.is_busy:
                raise
            wait = max(wait, min(why.wait, account.waits.longest))
        pause(wait, f"Too many tasks of this key are in flight at {NAME}", report)


def resume(task: RemoteTask, account: Account, books: Books, folder: Path, report: Report) -> Made:
    """Goes on with a task that was found after a start; never sends it.

    Args:
        task: as it was kept.
        account: the key, and where Black Forest Labs is asked.
        books: where tasks and their money are kept.
        folder: where the picture goes; it must last.
        report: progress, and where a stop is noticed.

    Raises:
        ToolFailed: it came to nothing, or nobody can tell; the message says what was paid.
        Stopped: the person asked to stop.
    """
    return _made(
        follow(task, provider(account, folder), books, report, uneven(account.waits.polling))
    )


def provider(account: Account, folder: Path) -> Provider:
    """Black Forest Labs, as `tools.remote` speaks to it.

    Args:
        account: the key, and where it is asked.
        folder: where pictures go.
    """
    return Provider(
        NAME,
        DASHBOARD,
        lambda task: submit(account, task),
        lambda task: poll(account, task, folder),
    )


def _made(kept: Mapping[str, Any]) -> Made:
    made = Made(**{**kept, "file": Path(kept["file"])})
    if not made.file.is_file():
        raise ToolFailed(
            f"The picture was made and paid, but its file {made.file} is gone. Ask for it anew; "
            "that is paid again."
        )
    return made


def _place(
    asked: Asked, payer: Payer, account: Account, books: Books, report: Report
) -> AbstractContextManager[None]:
    """A place among the tasks in flight; a task that is in flight already has one."""
    task = books.tasks.find(payer.owner, payer.request)
    if task is not None and not task.may_begin:
        return nullcontext()
    note = f"Waiting for one of your tasks at {NAME} to end"
    return places.place(account.key, asked.system, asked.in_flight, lambda: report(0.0, note))
