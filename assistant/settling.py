"""Goes on with paid tasks that a crash or a stop has left: their pictures last for minutes only.

Whoever asks the same again gets what was fetched here, at no further cost.
"""

import logging
import threading

from pydantic import SecretStr

from assistant import runs
from assistant.settings import Settings
from assistant.store import Store, StoreFailed
from tools.base import ToolFailed
from tools.providers import RemoteTask
from tools.remote import Books

_log = logging.getLogger(__name__)


def settle(
    settings: Settings, store: Store, key: SecretStr | None, beginning: str = ""
) -> threading.Thread | None:
    """Polls the tasks that were sent and never came to their end, in the background.

    Nothing is sent, so nothing is paid; what is polled by its own step at the same time ends once.

    Args:
        settings: where the lab is, and where its pictures go.
        store: knows the tasks, and what they cost.
        key: of Black Forest Labs; none settles nothing.
        beginning: with which the requests begin that this key has paid; empty for all.

    Returns:
        The thread that does it; none if there is nothing to do.
    """
    if key is None or settings.offline:
        return None
    try:
        found = store.remote.unfinished(None)
    except StoreFailed as failure:  # asking again finds them, too
        _log.warning("paid tasks could not be looked up: %s", failure)
        return None
    sent = [t for t in found if t.state == "submitted" and t.request.startswith(beginning)]
    if not sent:
        return None
    told = settings, store, key, sent
    work = threading.Thread(target=_follow, args=told, name="settling", daemon=True)
    work.start()
    return work


def _follow(settings: Settings, store: Store, key: SecretStr, sent: list[RemoteTask]) -> None:
    from tools.engines import bfl

    books = Books(store.remote, store.ledger)
    for task in sent:
        try:
            account = bfl.Account(
                bfl.read_key(key.get_secret_value()), bfl.hosts_of(settings.bfl_region)
            )
            run = runs.start(settings.home, task.owner)
            bfl.resume(task, account, books, run.path, _silent)
            runs.complete(run, {"tool": "settling", "request": task.request})
        except (ToolFailed, StoreFailed, OSError) as failure:
            _log.warning("a paid task came to nothing: %s", failure)


def _silent(done: float, note: str = "") -> None:
    """Nobody waits for it, and nobody stops it."""
