"""What happens beside the chat: conversations are listed, searched, renamed and deleted."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import gradio as gr
from starlette.concurrency import run_in_threadpool

from assistant.conversation import ME
from assistant.page.chat import Chat, Shown
from assistant.page.history import history_html
from assistant.page.live import Live
from assistant.page.memory import FRESH, Memory, editing, here
from assistant.steps import Assistant
from assistant.store import StoreFailed, UnknownConversation

PAGE = 30  # conversations shown at first, and more at a time


class Side:
    """The events of the list of conversations."""

    def __init__(self, assistant: Assistant, live: Live, chat: Chat) -> None:
        self._assistant = assistant
        self._live = live
        self._chat = chat
        self._turn = asyncio.Lock()

    async def listed(self, memory: Memory, search: str | None, shown: int) -> tuple[str, Any, Any]:
        """The list as it is now, and the bar that says which question is being edited.

        Args:
            memory: what the tab remembers.
            search: words that a conversation must hold.
            shown: how many conversations at most.
        """
        async with self._turn:  # so that the last change is the last to be shown
            found = await run_in_threadpool(self._list, memory, search or "", shown)
            return found, *await run_in_threadpool(self._told, memory)

    def more(self, shown: int) -> int:
        """How many are shown when older ones are asked for."""
        return shown + PAGE

    async def change(self, memory: Memory, request: gr.Request, asked: gr.EventData) -> Shown:
        """Renames or deletes a conversation; deleting the one that is shown leaves it."""
        key = str(asked.key)
        try:
            if asked.do == "rename":
                await run_in_threadpool(self._assistant.store.rename, ME, key, str(asked.title))
            else:
                await run_in_threadpool(self._delete, key)
        except UnknownConversation:
            gr.Info("This conversation was deleted already.")
        except StoreFailed as failure:
            raise gr.Error(str(failure), print_exception=False) from None
        if asked.do == "rename" or key != (memory or FRESH)["conversation"]:
            return gr.skip(), gr.skip(), gr.skip()
        return await self._chat.leave(request)

    def _list(self, memory: Memory, search: str, shown: int) -> str:
        try:
            found = self._assistant.store.conversations(ME, search, shown + 1)
        except StoreFailed as failure:
            raise gr.Error(str(failure), print_exception=False) from None
        current = str((memory or FRESH)["conversation"])
        more = len(found) > shown
        return history_html(found[:shown], current, search, more, datetime.now(UTC))

    def _told(self, memory: Memory) -> tuple[Any, Any]:
        """The bar that says which question is being edited, and its sentence."""
        number = editing(memory)
        if not number:
            return gr.Row(visible=False), gr.skip()
        shown = [turn.number for turn in here(self._assistant.store, memory).turns]
        after = len(shown) - shown.index(number) - 1 if number in shown else 0
        said = "Editing your question. "
        said += "What followed it will be replaced." if after else "Its answer will be replaced."
        return gr.Row(visible=True), said

    def _delete(self, key: str) -> None:
        if going := self._live.find(ME, key):
            going.stop.set()
        self._assistant.keys.forget(key)
        self._assistant.uploads.remove(self._assistant.store.delete(ME, key), ME)
