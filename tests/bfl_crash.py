"""A process that asks Black Forest Labs for a picture, and is killed beside a step."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assistant.store import Store
from index import catalog
from tests.processes import fresh
from tools.engines import bfl
from tools.remote import Books, Pace
from tools.spending import Budget

# The request is sent between `begin` and `submitted`, polled between `submitted` and `charge`.
MARKS = (
    "before reserve", "before begin", "after begin", "before submitted", "after submitted",
    "before charge", "after charge", "before finished", "after finished",
)  # fmt: skip
_KNOWN = catalog.load()


class _Marked:
    """Kills this process just before or after the method of a name is called."""

    def __init__(self, kept: object, mark: str) -> None:
        self._kept, self._mark = kept, mark

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._kept, name)

        def marked(*values: Any, **named: Any) -> Any:
            _die(self._mark == f"before {name}")
            found = call(*values, **named)
            _die(self._mark == f"after {name}")
            return found

        return marked


def _die(now: bool) -> None:
    if now:
        os.kill(os.getpid(), signal.SIGKILL)


def _ask(mark: str, home: Path, address: str, key: str) -> None:
    store = Store(f"sqlite:///{home / 'rooms.db'}")
    books: Any = Books(_marked(store.remote, mark), _marked(store.ledger, mark))
    card = _KNOWN.get("api:flux-2-pro")
    assert card
    asked = bfl.ask(card, {"prompt": "a käse", "width": 1024, "height": 1024}, _KNOWN)
    waits = bfl.Waits(polling=Pace(0.01, 1.2, 0.03))
    account = bfl.Account(bfl.read_key(key), bfl.Hosts(address), waits=waits)
    bfl.run(asked, bfl.Payer("me", "a", Budget(0.045), 7), account, books, home / "run", _silent)


def _marked(kept: object, mark: str) -> Any:
    return _Marked(kept, mark)


def _silent(done: float, note: str = "") -> None:
    """A report that nobody reads."""


def killed_at(mark: str, home: Path, address: str, key: str) -> None:
    """Lets a process ask for a picture, and waits until it is killed at a mark."""
    child = fresh().Process(target=_ask, args=(mark, home, address, key))
    child.start()
    child.join(120)
    assert child.exitcode == -signal.SIGKILL
