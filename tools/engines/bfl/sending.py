"""Sends a paid task to Black Forest Labs, once."""

from collections.abc import Mapping
from typing import Any, TypeGuard
from urllib.parse import quote

from tools.engines.bfl import calls
from tools.engines.bfl.account import Account
from tools.engines.bfl.endpoints import endpoints
from tools.engines.bfl.pictures import filled
from tools.providers import NoAnswer, NotSent, RemoteTask, Taken

_CREDIT = 0.01  # US dollars; source: docs.bfl.ai/quick_start/pricing.md
_MOST_CREDITS = 1e8  # what is above is no sum
_GET_RESULT = "/v1/get_result"
_MOST_TOLD = 2000  # characters of an id or an address


def submit(account: Account, task: RemoteTask) -> Taken:
    """Sends a task.

    Args:
        account: the key, and where Black Forest Labs is asked.
        task: whose arguments are `path` of the endpoint, and `values` by field.

    Raises:
        Denied: it will not, and has charged nothing.
        NotSent: nothing has reached it.
        NoAnswer: it may have arrived.
    """
    path, values = task.arguments["path"], task.arguments["values"]
    try:
        content = filled(endpoints()[path], values)
    except OSError as error:
        raise NotSent(f"a picture is gone, {error.strerror}") from error
    if hook := account.webhook:
        content["webhook_url"] = hook.url
        if hook.secret:
            content["webhook_secret"] = hook.secret.get_secret_value()
    found = calls.post(account, path, content).read()
    number = found.get("id")
    if not number or not _is_safe(number, account):
        raise NoAnswer("its reply names no task")
    return Taken(number, _polling_url(account, number, found), usd_of(found.get("cost")))


def _is_safe(told: Any, account: Account) -> TypeGuard[str]:
    """Whether it is a text that may be kept: of some length, and without the key in it."""
    key = account.key.get_secret_value()
    return isinstance(told, str) and len(told) <= _MOST_TOLD and key not in told


def _polling_url(account: Account, number: str, found: Mapping[str, Any]) -> str:
    """Where to ask after a task: where the reply says, as only that cluster may know of it.

    With a webhook the reply does not say, and what is not one of the vendor's hosts is not asked.
    """
    said = found.get("polling_url")
    if _is_safe(said, account) and account.hosts.may_see_key(said):
        return said
    return f"{account.hosts.api}{_GET_RESULT}?id={quote(number, safe='')}"


def usd_of(cost: Any) -> float | None:
    """Credits as US dollars; none if that is no sum."""
    if isinstance(cost, bool) or not isinstance(cost, int | float):
        return None
    return round(cost * _CREDIT, 6) if 0 <= cost <= _MOST_CREDITS else None
