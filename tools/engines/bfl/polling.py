"""Asks after a task of Black Forest Labs, and fetches what it made."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tools.base import ToolFailed
from tools.engines.bfl import calls
from tools.engines.bfl.account import Account
from tools.engines.bfl.keys import without_keys
from tools.engines.bfl.pictures import MOST_RESULT, NoPicture, keep_result
from tools.engines.bfl.replies import Denied, plain
from tools.providers import Failed, NoAnswer, NotSent, Pending, Ready, RemoteTask

_MOST_PROMPT = 4000  # characters of the prompt that the vendor says it used
_MOST_DETAILS = 120  # characters
# Source: help.bfl.ai/articles/2916279050; both kinds are final, and are not charged.
_MODERATED = {
    "Request Moderated": "its filter stopped the request",
    "Content Moderated": "its filter stopped what was made",
}


def poll(account: Account, task: RemoteTask, folder: Path) -> Pending | Ready | Failed:
    """How a task stands; its result is fetched at once, as its address lives for minutes only.

    Args:
        account: the key, and where Black Forest Labs is asked.
        task: as it was kept.
        folder: where the picture goes.

    Raises:
        Refused: it will not tell.
        NotSent: nothing has reached it.
        NoAnswer: no reply that can be read, or no result yet.
        ToolFailed: the picture cannot be written.
    """
    try:
        found = calls.get(account, task.polling_url).read()
    except Denied as error:
        if error.status == 404:
            return _unseen(account, task)
        raise (NoAnswer(str(error)) if error.is_busy else error) from None
    return _read(account, task, found, folder)


def _read(
    account: Account, task: RemoteTask, found: Mapping[str, Any], folder: Path
) -> Pending | Ready | Failed:
    status = found.get("status")
    if not isinstance(status, str):
        raise NoAnswer("its reply tells no status")
    if status == "Ready":
        return _ready(account, task, found.get("result"), folder)
    if status == "Task not found":
        return _unseen(account, task)
    why = f"{status}{_details(account, found.get('details'))}"
    if status in _MODERATED:
        return Failed(f"{_MODERATED[status]} ({why}), so change the words or the pictures", "no")
    if status == "Error":
        return Failed(f"it failed at it ({why})", "unknown")
    return Pending(_share(found.get("progress")), "Black Forest Labs works on it")


def _share(progress: Any) -> float:
    if isinstance(progress, bool) or not isinstance(progress, int | float):
        return 0.0
    return float(progress) if 0 <= progress <= 1 else float(progress > 1)


def _details(account: Account, details: Any) -> str:
    """The vendor's reasons, without the brackets in which they come."""
    if not details:
        return ""
    bare = json.dumps(details, ensure_ascii=False).translate(dict.fromkeys(map(ord, '{}[]"')))
    return f": {plain(bare, account.key)[:_MOST_DETAILS]}"


def _unseen(account: Account, task: RemoteTask) -> Pending | Failed:
    """A cluster may not know of a task that has just begun; of an old one it does no more."""
    if _age(task) <= account.waits.unseen:
        return Pending(0.0, "Black Forest Labs does not show it yet")
    return Failed("it does not know the task any more (Task not found)", "unknown")


def _age(task: RemoteTask) -> float:
    """Seconds since a task was taken."""
    return (datetime.now(UTC) - datetime.fromisoformat(task.changed)).total_seconds()


# --- the result
def _ready(account: Account, task: RemoteTask, result: Any, folder: Path) -> Ready | Failed:
    told = result if isinstance(result, dict) else {}
    sample = told.get("sample")
    if not isinstance(sample, str):
        return _lost(account, task, "its reply names no result")
    try:
        reply = calls.fetch(account, sample, MOST_RESULT)
    except (calls.Astray, calls.TooLarge) as error:
        return Failed(f"its result cannot be taken: {error}", "yes")
    except NotSent as error:
        raise NoAnswer(f"its result cannot be reached, {error}") from None
    if reply.status >= 500:
        raise NoAnswer(f"its result is not given, status {reply.status}")
    if reply.status != 200:
        return _lost(account, task, f"its result is refused with status {reply.status}")
    return _kept(account, task, told, reply.body, folder)


def _kept(
    account: Account, task: RemoteTask, told: Mapping[str, Any], content: bytes, folder: Path
) -> Ready | Failed:
    try:
        path, shape = keep_result(content, task.task, folder)
    except NoPicture as error:
        return _lost(account, task, str(error))
    except OSError as error:
        raise ToolFailed(
            f"The picture is made, but cannot be written into {folder}: {error.strerror}. Make "
            "room there, then retry it within ten minutes, at no further cost."
        ) from error
    seed, prompt = told.get("seed"), told.get("prompt")
    return Ready(
        {
            "file": str(path),
            "format": shape.format,
            "width": shape.width,
            "height": shape.height,
            "seed": seed if isinstance(seed, int) and not isinstance(seed, bool) else None,
            "prompt": without_keys(prompt, account.key)[:_MOST_PROMPT]
            if isinstance(prompt, str)
            else "",
            "usd": task.usd,
            "task": task.task,
        }
    )


def _lost(account: Account, task: RemoteTask, why: str) -> Failed:
    """What is no result now may be one the next time, as long as its address lives."""
    if _age(task) <= account.waits.lifetime:
        raise NoAnswer(why)
    minutes = account.waits.lifetime / 60
    return Failed(f"{why}, and results are given for {minutes:.0f} minutes only", "yes")
