"""The chat: what happens when a person sends, stops, retries, chooses or judges."""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.concurrency import run_in_threadpool

from assistant.answer import Answer
from assistant.ask import Assistant
from assistant.conversation import ME, Question, Turn
from assistant.kept import from_kept
from assistant.page.examples import Example
from assistant.page.live import Busy, Going, Live
from assistant.page.render import Message, address, answer_messages, user_message
from assistant.server.files import PageFolder, refusal
from assistant.store import StoreFailed, UnknownConversation, Verdict
from assistant.uploads import Refused
from tools.base import Agreement

Box = Mapping[str, Any]  # what stands in the input box: `text` and `files`
Memory = Mapping[str, str]  # what the browser remembers: the id of its conversation
Shown = tuple[Any, Any, Any]  # updates of the conversation, the box and the memory

_FRESH = {"conversation": ""}  # an empty value would not be remembered
_LATEST = 50  # turns shown; older ones stay in the store
_CUT_OFF = "This question was cut off before it was answered. Retry asks it again."
FEEDBACK = ("Like", "Dislike", "Wrong tool")
_VERDICTS: Mapping[Any, Verdict] = {True: "like", False: "dislike", FEEDBACK[2]: "wrong tool"}


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

    async def send(self, box: Box, memory: Memory, request: gr.Request) -> AsyncIterator[Shown]:
        """Asks what stands in the box."""
        if any(refusal(Path(file)) for file in box["files"]):
            yield gr.skip(), self.check(box), gr.skip()
            return
        images = tuple(self._folder.kept(Path(file), self._home) for file in box["files"])
        async for shown in self._ask(box["text"], images, memory, request):
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
        images = tuple(upload.path for upload in taken)
        async for shown in self._ask(chosen.text, images, memory, request):
            yield shown

    async def choose(
        self, memory: Memory, request: gr.Request, picked: gr.SelectData
    ) -> AsyncIterator[Shown]:
        """Asks a choice that was offered, about the same pictures.

        A yes to what costs money or time asks the same question again, with the agreement.
        """
        turns = self._turns(memory)
        last = from_kept(turns[-1].answers[-1]) if turns and turns[-1].answers else None
        text, images, number = str(picked.value), turns[-1].images if turns else (), 0
        agreement = last.consent if last else None
        if last and agreement:
            if text != last.choices[0]:
                gr.Info("Nothing was run.")
                yield gr.skip(), gr.skip(), gr.skip()
                return
            text, number = last.question, last.turn
        async for shown in self._ask(text, images, memory, request, number, agreement):
            yield shown

    async def retry(self, memory: Memory, request: gr.Request) -> AsyncIterator[Shown]:
        """Asks the last question again; its old answer stays."""
        if turns := self._turns(memory):
            last = turns[-1]
            async for shown in self._ask(last.question, last.images, memory, request, last.number):
                yield shown

    async def resume(self, memory: Memory) -> AsyncIterator[Shown]:
        """Shows the conversation that the browser remembers, also while it is being answered."""
        turns = self._turns(memory)
        if going := self._live.find(ME, _conversation(turns)):
            async for shown in self._watch(going, turns):
                yield shown
        else:
            messages = [message for turn in turns for message in self._turn_messages(turn)]
            yield messages, gr.skip(), memory if turns else _FRESH

    def leave(self) -> Shown:
        """Shows an empty conversation; the one before stays in the store."""
        return [], gr.MultimodalTextbox(value=None, submit_btn=True, stop_btn=False), _FRESH

    def stop(self, memory: Memory, request: gr.Request) -> None:
        """Stops the answer that the page waits for; what is there by then stays."""
        conversation = _conversation(self._turns(memory))
        going = self._live.find(ME, conversation, request.session_hash or "")
        if going:
            going.stop.set()

    def judge(self, memory: Memory, liked: gr.LikeData) -> None:
        """Keeps what the person thinks of an answer."""
        verdict = _VERDICTS.get(liked.liked)
        seen = 0
        for turn in self._turns(memory):
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
        self,
        text: str,
        images: tuple[Path, ...],
        memory: Memory,
        request: gr.Request,
        number: int = 0,
        agreement: Agreement | None = None,
    ) -> AsyncIterator[Shown]:
        turns = self._turns(memory)
        agreed = agreement or Agreement()
        question = Question(text, images, None, _conversation(turns), number, agreement=agreed)
        try:
            going = self._live.start(question, request.session_hash or "")
        except Busy as busy:
            gr.Warning(str(busy))
            return
        async for shown in self._watch(going, turns):
            yield shown

    async def _watch(self, going: Going, turns: Sequence[Turn]) -> AsyncIterator[Shown]:
        past = {turn.number: self._turn_messages(turn) for turn in turns}
        answers = {turn.number: [from_kept(kept) for kept in turn.answers] for turn in turns}
        asked = self._question(going.question.text, going.question.images)
        box: Any = gr.MultimodalTextbox(value=None, submit_btn=False, stop_btn=True)
        async for answer in going.watch():
            others = [messages for number, messages in past.items() if number != answer.turn]
            before = [message for turn in others[1 - _LATEST :] for message in turn]
            now = answer_messages(answer, answers.get(answer.turn, ()), self._home)
            if answer.finished:
                box = self._ready_box(going.question, answer)
            yield [*before, asked, *now], box, {"conversation": answer.conversation}
            box = gr.skip()

    def _ready_box(self, question: Question, answer: Answer) -> Any:
        """The box ready for the next question; what was not kept stands in it again."""
        if answer.turn:
            return gr.MultimodalTextbox(submit_btn=True, stop_btn=False)
        files = [str(self._folder.add(path)) for path in question.images]
        value: dict[str, str | list[Any]] = {"text": question.text, "files": files}
        return gr.MultimodalTextbox(value=value, submit_btn=True, stop_btn=False)

    def _turn_messages(self, turn: Turn) -> list[Message]:
        asked = self._question(turn.question, turn.images)
        if not turn.answers:
            return [asked, {"role": "assistant", "content": _CUT_OFF}]
        *earlier, last = (from_kept(kept) for kept in turn.answers)
        return [asked, *answer_messages(last, earlier, self._home)]

    def _question(self, text: str, images: Sequence[Path]) -> Message:
        return user_message(text, [address(path, self._home) for path in images])

    def _turns(self, memory: Memory | None) -> Sequence[Turn]:
        """The latest turns of the conversation that the browser remembers; none if it is gone."""
        conversation = (memory or _FRESH)["conversation"]
        if not conversation:
            return ()
        try:
            return self._assistant.store.turns(ME, conversation)[-_LATEST:]
        except UnknownConversation:
            return ()
        except StoreFailed as failure:
            raise gr.Error(str(failure), print_exception=False) from None


def _conversation(turns: Sequence[Turn]) -> str:
    return turns[-1].conversation if turns else ""


def _index(event: gr.SelectData | gr.LikeData) -> int:
    return event.index if isinstance(event.index, int) else event.index[0]
