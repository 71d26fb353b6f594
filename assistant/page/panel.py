"""What happens in the panel of jobs: they are watched, opened, paused, cancelled, retried."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2s
from typing import Any

import gradio as gr

from assistant.conversation import ME
from assistant.kept import STATUS
from assistant.page.jobs import failed_html, job_html, jobs_html, unread_html
from assistant.page.memory import Memory, known, standing
from assistant.page.render import made
from assistant.steps import Assistant
from assistant.store import StoreFailed
from tools.base import ToolFailed
from tools.work import Job

IDLE = 10.0  # seconds between looks while nothing runs or waits
_BUSY = 1.0
_GOING = ("queued", "running")
_PACE = 3  # place of the timer among what is looked at


@dataclass(frozen=True)
class Opened:
    """The job that a tab shows in full.

    Attributes:
        number: of the job; 0 if none is shown.
        said: why what was wanted of it last was not done.
    """

    number: int = 0
    said: str = ""


class Panel:
    """The events of the panel.

    A tab tells with each of them what it shows, as fingerprints, and is sent only what differs:
    answers may overtake one another, so what was sent last is not always what is shown.
    """

    def __init__(self, assistant: Assistant) -> None:
        self._jobs = assistant.jobs.of(ME)
        self._home = assistant.settings.home

    def look(self, memory: Memory, opened: Opened, told: str) -> tuple[Any, ...]:
        """The list, the opened job, how soon to look again, and a knock if the chat is behind.

        Args:
            memory: what the tab remembers.
            opened: the job that it shows in full.
            told: fingerprints of what it shows.

        Returns:
            Updates of the list, the job, what the job has made, the timer, the knock and `told`.
        """
        try:
            jobs = self._jobs.list()
            listed = jobs_html(jobs)
        except StoreFailed as failure:
            jobs, listed = (), failed_html(str(failure))
        pace = _BUSY if any(job.state in _GOING for job in jobs) else IDLE
        now = (listed, *self._in_full(opened), str(pace), _knock(memory, jobs))
        prints = [
            blake2s(part.encode("utf-8", "replace"), digest_size=8).hexdigest() for part in now
        ]
        before = told.split() or [""] * len(now)
        news = [
            part if new != old else gr.skip()
            for part, new, old in zip(now, prints, before, strict=True)
        ]
        if prints[_PACE] != before[_PACE]:
            news[_PACE] = gr.Timer(pace)
        return *news, gr.skip() if prints == before else " ".join(prints)

    def open(self, memory: Memory, told: str, picked: gr.EventData) -> tuple[Any, ...]:
        """Shows a job in full."""
        opened = Opened(int(picked.key))
        return opened, *self.look(memory, opened, told)

    def close(self) -> Opened:
        """Shows no job in full any more."""
        return Opened()

    def act(
        self, memory: Memory, opened: Opened, told: str, asked: gr.EventData
    ) -> tuple[Any, ...]:
        """Cancels, pauses, resumes or retries a job; says so if that cannot be."""
        said, number = "", int(asked.key)
        try:
            self._jobs.act(asked.do, number)
        except (ToolFailed, StoreFailed) as failure:
            said = str(failure)
        if said and not opened.number:
            gr.Warning(said)
        opened = Opened(opened.number, said if opened.number else "")
        return opened, *self.look(memory, opened, told)

    def _in_full(self, opened: Opened) -> tuple[str, str]:
        """The opened job, and what it has made, which is Markdown."""
        if not opened.number:
            return "", ""
        try:
            job = self._jobs.get(opened.number)
            log = self._jobs.log(opened.number)
        except (ToolFailed, StoreFailed) as failure:
            return unread_html(opened.number, str(failure)), ""
        return job_html(job, log, opened.said), made(job.blocks, self._home)


def _knock(memory: Memory, jobs: Sequence[Job]) -> str:
    """Where the jobs of the tab's conversation stand, if the tab shows it otherwise; else empty."""
    tab = known(memory)
    here = [job for job in jobs if job.conversation and job.conversation == tab["conversation"]]
    stands = {str(job.number): standing(STATUS[job.state], job.done) for job in here}
    behind = any(tab["jobs"].get(number, now) != now for number, now in stands.items())
    # With what it has seen: an answer that was watched meanwhile kept the chat from looking.
    return f"{tab['seen']} {stands}" if behind else ""
