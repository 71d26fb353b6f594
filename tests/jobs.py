"""A process that runs jobs of small tools, with all else as it is."""

import contextlib
from collections.abc import Iterator
from functools import cache
from types import SimpleNamespace
from typing import Any

from assistant.jobs import Jobs
from assistant.parts import Parts
from assistant.settings import Settings
from assistant.store import Store
from assistant.worker import Worker
from index import catalog
from index.names import Names
from tests.worker_tools import tools
from tools.base import Agreement

TOOLS = "tests.worker_tools:tools"


@cache
def small_index() -> Any:
    """What jobs need of the index: the names of systems."""
    return SimpleNamespace(names=Names(catalog.load(), lambda word: False))


@contextlib.contextmanager
def room(
    settings: Settings, store: Store, lease: float = 2.0, silence: float = 600.0
) -> Iterator[Jobs]:
    """Jobs that can be submitted and, once started, run; all is ended at the end."""
    worker = Worker(settings, tools=TOOLS, silence=silence)
    parts = Parts(
        settings=settings,
        catalog=catalog.load(),
        index=small_index(),
        tools=tools(),
        store=store,
        uploads=None,  # type: ignore[arg-type]
        worker=worker,
    )
    jobs = Jobs(parts, tools(), lease=lease)
    try:
        yield jobs
    finally:
        jobs.stop()
        worker.close()


def submit(jobs: Jobs, tool: str, owner: str = "me", request: str = "", **arguments: Any) -> int:
    """Submits a job."""
    request = request or f"{tool}{arguments}{owner}"
    return jobs.submit(owner, tool, arguments, Agreement(seconds=1e6), request=request)
