"""Answers in the making: each goes on to its end, whether or not a page still watches it."""

import asyncio
import contextvars
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from assistant.answer import Answer
from assistant.ask import ask
from assistant.conversation import Question
from assistant.steps import Assistant

_LOOK = 0.05  # seconds between two looks at an answer
_TICK = 0.5  # seconds after which a silent step is shown with its time all the same


class Busy(Exception):
    """The conversation is still answering another question."""

    def __init__(self) -> None:
        super().__init__(
            "This conversation is still answering another question. "
            "Wait for it or stop it, then send again."
        )


class Going:
    """One answer in the making.

    Attributes:
        question: what was asked.
        page: the page load that asked it.
        answer: the answer so far.
        stop: set it to stop; what is there by then is kept.
    """

    def __init__(self, question: Question, page: str) -> None:
        self.question = question
        self.page = page
        self.stop = threading.Event()
        self.grow(Answer(question.text, question.conversation, question.turn, "run"))

    def grow(self, answer: Answer) -> None:
        """Takes the answer as it is now."""
        self.answer, self._since = answer, time.monotonic()

    async def watch(self, wanted: Callable[[], bool] = lambda: True) -> AsyncIterator[Answer]:
        """The answer each time it has grown or time has passed, the last one finished.

        Args:
            wanted: whether to go on; looked at often.
        """
        seen, shown = None, 0.0
        while wanted():
            answer = self.answer
            if answer is not seen or time.monotonic() - shown >= _TICK:
                seen, shown = answer, time.monotonic()
                yield _aged(answer, shown - self._since)
                if answer.finished:
                    return
            await asyncio.sleep(_LOOK)


class Live:
    """The answers that are being made in this process."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._going: dict[threading.Thread, Going] = {}

    def start(self, question: Question, page: str) -> Going:
        """Begins to answer a question that came from a page load.

        Raises:
            Busy: the conversation is still answering another question.
        """
        if self.find(question.owner, question.conversation):
            raise Busy
        going = Going(question, page)
        # The request's context goes along: a hosted GPU is lent to the request, not to the thread.
        run = contextvars.copy_context().run
        thread = threading.Thread(target=run, args=(self._make, going), daemon=True)
        self._going[thread] = going
        thread.start()
        return going

    def find(self, owner: str, conversation: str, page: str = "") -> Going | None:
        """The answer that a conversation or a page load is waiting for, the latest if several."""
        for going in reversed(list(self._going.values())):
            ids = {going.question.conversation, going.answer.conversation, going.page} - {""}
            if going.question.owner == owner and ids & {conversation, page}:
                return going
        return None

    def stop(self, seconds: float) -> None:
        """Stops every answer, and waits for them to be kept."""
        ending = dict(self._going)
        for going in ending.values():
            going.stop.set()
        by = time.monotonic() + seconds
        for thread in ending:
            thread.join(max(0.0, by - time.monotonic()))

    def _make(self, going: Going) -> None:
        try:
            for answer in ask(self._assistant, going.question, going.stop):
                going.grow(answer)
        finally:
            del self._going[threading.current_thread()]


def _aged(answer: Answer, seconds: float) -> Answer:
    """The answer with its running step's time going on."""
    steps = tuple(
        replace(step, seconds=step.seconds + seconds) if step.status == "running" else step
        for step in answer.steps
    )
    return replace(answer, steps=steps)
