"""What costs nothing at Black Forest Labs: the balance, and the fine-tunes of an account."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from tools.base import Report, ToolFailed
from tools.engines.bfl import calls
from tools.engines.bfl.account import Account
from tools.engines.bfl.checking import check
from tools.engines.bfl.endpoints import endpoints
from tools.engines.bfl.replies import Denied
from tools.engines.bfl.sending import usd_of
from tools.engines.bfl.waiting import pause
from tools.providers import NoAnswer, NotSent, Refused


def balance(account: Account, report: Report) -> float:
    """What is left, US dollars; one credit is a cent.

    Raises:
        ToolFailed: it cannot be asked; the message says why and what to do.
        Stopped: the person asked to stop.
    """
    found = usd_of(_asked(account, "/v1/credits", {}, report).get("credits"))
    if found is None:
        raise _failed("its reply tells no balance")
    return found


def finetunes(account: Account, report: Report) -> tuple[Any, ...]:
    """The fine-tunes of the account, as the vendor tells them: their names, as a rule.

    Raises:
        ToolFailed: they cannot be asked for; the message says why and what to do.
        Stopped: the person asked to stop.
    """
    found = _asked(account, "/v1/my_finetunes", {}, report).get("finetunes")
    if not isinstance(found, list):
        raise _failed("its reply tells no fine-tunes")
    return tuple(found)


def finetune_details(account: Account, finetune: str, report: Report) -> Mapping[str, Any]:
    """How a fine-tune was made.

    Args:
        account: the key, and where Black Forest Labs is asked.
        finetune: its name.
        report: where a stop is noticed.

    Raises:
        ToolFailed: there is none of that name, or it cannot be asked for.
        Stopped: the person asked to stop.
    """
    values = {"finetune_id": finetune}
    found = _asked(account, "/v1/finetune_details", values, report).get("finetune_details")
    if not isinstance(found, dict):
        raise _failed("its reply tells no details")
    return found


def delete_finetune(account: Account, finetune: str, report: Report) -> str:
    """Deletes a fine-tune for good; sent once, whatever comes back.

    Args:
        account: the key, and where Black Forest Labs is asked.
        finetune: its name; whoever calls has asked the person.
        report: where a stop is noticed, before it is sent.

    Returns:
        The name of what was deleted.

    Raises:
        ToolFailed: there is none of that name, or nobody can tell whether it was deleted.
        Stopped: the person asked to stop.
    """
    values = {"finetune_id": finetune}
    deleted = _asked(account, "/v1/delete_finetune", values, report).get("deleted_finetune_id")
    if not isinstance(deleted, str):
        raise _failed("its reply does not tell whether it was deleted")
    return deleted


def _asked(
    account: Account, path: str, values: Mapping[str, Any], report: Report
) -> Mapping[str, Any]:
    endpoint = endpoints()[path]
    checked = check(endpoint, values)
    report(0.0, f"Asking Black Forest Labs for {endpoint.name}")
    try:
        if endpoint.method == "POST":
            return calls.post(account, path, checked).read()
        query = f"?{urlencode(checked)}" if checked else ""
        return _again(
            account, lambda: calls.get(account, f"{account.hosts.api}{path}{query}").read(), report
        )
    except (Refused, NotSent, NoAnswer) as error:
        raise _failed(str(error)) from None


def _again(
    account: Account, ask: Callable[[], Mapping[str, Any]], report: Report
) -> Mapping[str, Any]:
    """Asks as often as there are waits, for reading changes nothing."""
    for wait in account.waits.busy:
        try:
            return ask()
        except Denied as error:
            if not error.is_busy:
                raise
            wait = max(wait, min(error.wait, account.waits.longest))
        except (NotSent, NoAnswer):
            pass
        pause(wait, "Black Forest Labs does not answer; trying again", report)
    return ask()


def _failed(why: str) -> ToolFailed:
    return ToolFailed(
        f"Black Forest Labs does not tell: {why}. Put that right, or ask again later."
    )
