"""The chat: what happens when a person sends, edits, stops, retries, chooses or judges."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import gradio as gr
from starlette.concurrency import run_in_threadpool

from assistant.answer import Answer
from assistant.conversation import ME, Question, Turn
from assistant.kept import from_kept
from assistant.page.examples import Example
from assistant.page.live import Busy, Going, Live
from assistant.page.memory import FRESH, LATEST, Here, Memory, editing, here, remembered
from assistant.page.render import Message, address, answer_messages, user_message
from assistant.server.files import PageFolder, refusal
from assistant.steps import Assistant
from assistant.store import StoreFailed, Verdict
from assistant.uploads import Refused
from tools.base import Agreement

Box = Mapping[str, Any]  # what stands in the input box: `text` and `files`
Shown = tuple[Any, Any, Any]  # updates of the conversation, the box and the memory

_CUT_OFF = "This question was cut off before it was answered. Retry asks it again."
_GONE = "This conversation was deleted, perhaps in another tab. Here is a new one."
_MOVED = "This conversation went on in another tab. Here is how it stands now; please do it again."
_NOT_THERE = "The question that you edited is no longer there. Send again to ask it as a new one."
_NOTHING = (gr.skip(), gr.skip(), gr.skip())
_PASSING = 0.15  # seconds after which what was being sent has been
FEEDBACK = ("Like", "Dislike", "Wrong tool")
_VERDICTS: Mapping[Any, Verdict] = {True: "like", False: "dislike", FEEDBACK[2]: "wrong tool"}


class _View:
    """One thing that a tab looks at; a stream ends when its tab looks at something else."""


class Chat:
    """The events of the page; what they need lives as long as the server."""

    def __init__(
        self, assistant: Assistant, live: Live, examples: Sequence[Example], folder: PageFolder
    ) -> None:
        self._assistant = assistant
        self._home = assistant.settings.home
        self._live = live
        self._examples = examples
        self._folder = folder
        self._views: WeakValueDictionary[str, _View] = WeakValueDictionary()

    async def send(self, box: Box, memory: Memory, request: gr.Request) -> AsyncIterator[Shown]:
        """Asks what stands in the box, in place of an older question if that is being edited."""
        if any(refusal(Path(file)) for file in box["files"]):
            yield gr.skip(), self.check(box), gr.skip()
            return
        now, replaces = self._here(memory), editing(memory)
        if replaces and now.state != "gone" and replaces not in [turn.number for turn in now.turns]:
            gr.Warning(_NOT_THERE)
            yield self._messages(now.turns), gr.skip(), now.memory
            return
        images = tuple(self._folder.kept(Path(file), self._home) for file in box["files"])
        asked = Question(box["text"], images, None, now.conversation, replaces=replaces)
        async for shown in self._ask(asked, now, request):
            yield shown

    async def example(
        self, memory: Memory, request: gr.Request, picked: gr.SelectData
    ) -> AsyncIterator[Shown]:
        """Asks one of the examples."""
        chosen = self._examples[_index(picked)]
        take = self._assistant.uploads.take
        try:
            taken = [await run_in_threadpool(take, path, ME) for path in chosen.pictures]
        except Refused as refused:
            raise gr.Error(str(refused), print_exception=False) from None
        images, now = tuple(upload.path for upload in taken), self._here(memory)
        asked = Question(chosen.text, images, None, now.conversation)
        async for shown in self._ask(asked, now, request):
            yield shown

    async def choose(
        self, memory: Memory, request: gr.Request, picked: gr.SelectData
    ) -> AsyncIterator[Shown]:
        """Asks a choice that was offered, about the same pictures.

        A yes to what costs money or time asks the same question again, with the agreement.
        """
        now = self._here(memory)
        turn = now.turns[-1] if now.turns else None
        last = from_kept(turn.answers[-1]) if turn and turn.answers else None
        text, images, number = str(picked.value), turn.images if turn else (), 0
        agreement = last.consent if last else None
        if last and agreement and now.state == "same":
            if text != last.choices[0]:
                gr.Info("Nothing was run.")
                yield _NOTHING
                return
            text, number = last.question, last.turn
        agreed = agreement or Agreement()
        asked = Question(text, images, None, now.conversation, number, agreement=agreed)
        async for shown in self._ask(asked, now, request, exact=True):
            yield shown

    async def retry(self, memory: Memory, request: gr.Request) -> AsyncIterator[Shown]:
        """Asks the last question again; its old answer stays."""
        now = self._here(memory)
        last = now.turns[-1] if now.turns else None
        if last or now.state == "gone":
            text, images, number = (
                (last.question, last.images, last.number) if last else ("", (), 0)
            )
            asked = Question(text, images, None, now.conversation, number)
            async for shown in self._ask(asked, now, request, exact=True):
                yield shown

    async def resume(self, memory: Memory, request: gr.Request) -> AsyncIterator[Shown]:
        """Shows the conversation that the browser remembers, also while it is being answered."""
        if self._is_watching(request):  # a question was sent meanwhile
            yield _NOTHING
            return
        async for shown in self._show(self._here(memory), gr.skip(), request):
            yield shown

    async def open(
        self, memory: Memory, request: gr.Request, picked: gr.EventData
    ) -> AsyncIterator[Shown]:
        """Shows another conversation; what stands in the box stays, unless it was being edited."""
        now = self._here({**FRESH, "conversation": str(picked.key)})
        box = _box(value=None) if editing(memory) else _box()
        async for shown in self._show(now, box, request):
            yield shown

    async def refresh(self, memory: Memory, request: gr.Request) -> AsyncIterator[Shown]:
        """Shows what another tab or a job has done to the conversation, if anything."""
        now = self._here(memory)
        going = now.conversation and self._live.find(ME, now.conversation)
        if self._is_watching(request):
            yield _NOTHING
        elif now.state != "same" or going:
            async for shown in self._show(now, _box(), request):
                yield shown
        elif now.grown:  # the person may be typing, or editing a question
            view, kept = await self._look(request), {**now.memory, "editing": editing(memory)}
            shown = self._messages(now.turns), gr.skip(), kept
            yield shown if self._is_seen(view, request) else _NOTHING
        else:
            yield _NOTHING

    def edit(self, memory: Memory, picked: gr.EventData) -> tuple[Any, Any, Any]:
        """Puts a question that was asked back into the box, to ask it anew in its place."""
        now, place = self._here(memory), int(picked.index)
        if now.state != "same":
            gr.Info(_MOVED)
            return self._messages(now.turns), gr.skip(), now.memory
        if not 0 <= place < len(now.turns) or self._live.find(ME, now.conversation):
            return _NOTHING
        turn = now.turns[place]
        value = {"text": turn.question, "files": self._copies(turn.images)}
        return gr.skip(), _box(value=value), {**now.memory, "editing": turn.number}

    def keep(self, memory: Memory) -> tuple[Any, Memory]:
        """Leaves the question that was being edited as it is."""
        return _box(value=None), {**memory, "editing": 0}

    async def leave(self, request: gr.Request) -> Shown:
        """Shows an empty conversation; the one before stays in the store."""
        view = await self._look(request)
        return ([], _box(value=None), FRESH) if self._is_seen(view, request) else _NOTHING

    def stop(self, memory: Memory, request: gr.Request) -> None:
        """Stops the answer that the page waits for; what is there by then stays."""
        conversation = self._here(memory).conversation
        page = "" if conversation else request.session_hash or ""
        if going := self._live.find(ME, conversation, page):
            going.stop.set()

    def judge(self, memory: Memory, liked: gr.LikeData) -> None:
        """Keeps what the person thinks of an answer."""
        verdict, now, seen = _VERDICTS.get(liked.liked), self._here(memory), 0
        if now.state != "same":
            gr.Info(_MOVED)
            return
        for turn in now.turns:
            seen += len(self._turn_messages(turn))
            if verdict and _index(liked) < seen:
                place = (turn.conversation, turn.number, len(turn.answers))
                self._assistant.store.feedback(ME, *place, verdict)
                return

    def check(self, box: Box) -> Any:
        """Takes refused files out of the box and says why; leaves the box alone otherwise."""
        refused = {file: said for file in box["files"] if (said := refusal(Path(file)))}
        for said in refused.values():
            gr.Warning(said)
        if not refused:
            return gr.skip()
        good = [file for file in box["files"] if file not in refused]
        return {"text": box["text"], "files": good}

    def ready(self) -> tuple[Any, Any]:
        """Whether to say "getting ready", and to look again."""
        waiting = not self._assistant.worker.ready
        return gr.Markdown(visible=waiting), gr.Timer(active=waiting)

    # --- the stream
    async def _ask(
        self, question: Question, now: Here, request: gr.Request, *, exact: bool = False
    ) -> AsyncIterator[Shown]:
        """Asks; not in a conversation that is gone, nor (`exact`) about what another tab did."""
        if now.state == "gone" or (exact and now.state == "changed"):
            if now.state == "changed":
                gr.Info(_MOVED)
            async for shown in self._show(now, _box(), request):
                yield shown
            return
        try:
            going = self._live.start(self._keyed(question, request), request.session_hash or "")
        except Busy as busy:
            gr.Warning(str(busy))
            return
        box: Any = gr.MultimodalTextbox(value=None, submit_btn=False, stop_btn=True)
        async for shown in self._watch(going, now, box, request):
            yield shown

    def _keyed(self, question: Question, request: gr.Request) -> Question:
        """The question that begins a conversation, with the key that was typed for it."""
        if question.conversation:
            return question
        return replace(question, key=self._assistant.keys.forget(request.session_hash or ""))

    async def _show(self, now: Here, box: Any, request: gr.Request) -> AsyncIterator[Shown]:
        if now.state == "gone":
            gr.Warning(_GONE)
        going = now.conversation and self._live.find(ME, now.conversation)
        if going:
            busy = gr.MultimodalTextbox(submit_btn=False, stop_btn=True)
            async for shown in self._watch(going, now, busy, request):
                yield shown
        else:
            view = await self._look(request)
            shown = self._messages(now.turns), box, now.memory
            yield shown if self._is_seen(view, request) else _NOTHING

    async def _watch(
        self, going: Going, now: Here, box: Any, request: gr.Request
    ) -> AsyncIterator[Shown]:
        view, replaced = await self._look(request), going.question.replaces
        turns = [turn for turn in now.turns if not replaced or turn.number < replaced]
        past = {turn.number: self._turn_messages(turn) for turn in turns}
        answers = {turn.number: [from_kept(kept) for kept in turn.answers] for turn in turns}
        asked = self._question(going.question.text, going.question.images)
        told: Memory | None = None
        async for answer in going.watch(lambda: self._is_seen(view, request)):
            others = [messages for number, messages in past.items() if number != answer.turn]
            before = [message for turn in others[1 - LATEST :] for message in turn]
            earlier = answers.get(answer.turn, ())
            messages = answer_messages(answer, earlier, self._home)
            if answer.finished:
                box = self._ready_box(going.question, answer)
            memory = _memory(answer, len(earlier), now, replaced)
            yield [*before, asked, *messages], box, gr.skip() if memory == told else memory
            box, told = gr.skip(), memory
        if not self._is_seen(view, request):
            yield _NOTHING  # Gradio sends the last one again at the end

    async def _look(self, request: gr.Request) -> _View:
        """What the tab looks at from here on; its earlier streams end, and have said all."""
        watching, view = self._is_watching(request), _View()
        self._views[request.session_hash or ""] = view
        if watching:
            await asyncio.sleep(_PASSING)
        return view

    def _is_watching(self, request: gr.Request) -> bool:
        """Whether the tab is following an answer."""
        return (request.session_hash or "") in self._views

    def _is_seen(self, view: _View, request: gr.Request) -> bool:
        """Whether the tab still looks at it."""
        return self._views.get(request.session_hash or "") is view

    def _ready_box(self, question: Question, answer: Answer) -> Any:
        """The box ready for the next question; what was not kept stands in it again."""
        if answer.turn:
            return _box()
        return _box(value={"text": question.text, "files": self._copies(question.images)})

    def _copies(self, images: Sequence[Path]) -> list[str]:
        return [str(self._folder.add(path)) for path in images if path.is_file()]

    def _messages(self, turns: Sequence[Turn]) -> list[Message]:
        return [message for turn in turns for message in self._turn_messages(turn)]

    def _turn_messages(self, turn: Turn) -> list[Message]:
        asked = self._question(turn.question, turn.images)
        if not turn.answers:
            return [asked, {"role": "assistant", "content": _CUT_OFF}]
        *earlier, last = (from_kept(kept) for kept in turn.answers)
        return [asked, *answer_messages(last, earlier, self._home)]

    def _question(self, text: str, images: Sequence[Path]) -> Message:
        return user_message(text, [address(path, self._home) for path in images])

    def _here(self, memory: Memory | None) -> Here:
        try:
            return here(self._assistant.store, memory)
        except StoreFailed as failure:
            raise gr.Error(str(failure), print_exception=False) from None


def _box(**changes: Any) -> Any:
    """The box, ready to send."""
    return gr.MultimodalTextbox(submit_btn=True, stop_btn=False, **changes)


def _memory(answer: Answer, attempts: int, now: Here, replaced: int) -> Memory:
    """What the tab remembers while it shows an answer."""
    if not answer.turn:  # not kept, or not yet
        return {**now.memory, "editing": replaced}
    return remembered(answer, attempts + answer.finished, now.jobs)


def _index(event: gr.SelectData | gr.LikeData) -> int:
    return event.index if isinstance(event.index, int) else event.index[0]
