"""A process that runs jobs of small tools, with all else as it is."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

from assistant.jobs import Jobs
from assistant.keys import Keys
from assistant.parts import Parts
from assistant.settings import Settings
from assistant.store import Store
from assistant.worker import Worker
from index import catalog
from index.names import Names
from tests.worker_tools import tools
from tools.base import Agreement

TOOLS = "tests.worker_tools:tools"


@dataclass(frozen=True)
class Room:
    """What runs jobs, and what it runs them with."""

    settings: Settings
    store: Store
    worker: Worker
    jobs: Jobs


@cache
def _index() -> Any:
    """What jobs need of the index: the names of systems."""
    return SimpleNamespace(names=Names(catalog.load(), lambda word: False))


@contextlib.contextmanager
def room(settings: Settings, lease: float = 2.0, silence: float = 600.0) -> Iterator[Room]:
    """Jobs that can be submitted and, once started, run; all is ended at the end."""
    store, worker = Store(settings.database), Worker(settings, tools=TOOLS, silence=silence)
    parts = Parts(
        settings=settings,
        catalog=catalog.load(),
        index=_index(),
        tools=tools(),
        store=store,
        uploads=None,  # type: ignore[arg-type]
        worker=worker,
        keys=Keys(),
    )
    jobs = Jobs(parts, tools(), lease=lease)
    try:
        yield Room(settings, store, worker, jobs)
    finally:
        jobs.stop()
        worker.close()
        store.close()


def submit(jobs: Jobs, work: str, owner: str = "me", request: str = "", **arguments: Any) -> int:
    """Submits a job."""
    request = request or f"{work}{arguments}{owner}"
    return jobs.submit(owner, work, arguments, Agreement(seconds=1e6), request=request)
