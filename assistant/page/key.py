"""The field for the key of hosted models: typed for one conversation, and shown to nobody."""

from typing import Any

import gradio as gr

from assistant.page.memory import Memory, known
from assistant.paying import shows_field
from assistant.settling import settle
from assistant.steps import Assistant
from tools.base import ToolFailed

_WHAT = (
    "For models that run at Black Forest Labs, in this conversation only. It is held in the "
    "server's memory, is sent to Black Forest Labs alone, and is stored nowhere."
)
_THERE = "**A key is in use** in this conversation, until you forget it or the server ends."


class Key:
    """The events of the field."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._keys = assistant.keys
        self.shown = shows_field(assistant.settings)

    def use(self, words: str, memory: Memory, request: gr.Request) -> tuple[str, Any, Any]:
        """Takes a key; the field is empty from then on."""
        from tools.engines import bfl

        place = _place(memory, request)
        try:
            self._keys.keep(place, key := bfl.read_key(words))
            settle(self._assistant.settings, self._assistant.store, key, f"{place}:")
        except ToolFailed as failure:
            gr.Warning(str(failure))
        return "", *self.told(memory, request)

    def forget(self, memory: Memory, request: gr.Request) -> tuple[Any, Any]:
        """Forgets the key of the conversation."""
        self._keys.forget(_place(memory, request))
        return self.told(memory, request)

    def told(self, memory: Memory, request: gr.Request) -> tuple[Any, Any]:
        """What the field is for, or that there is a key; and whether it can be forgotten."""
        there = self._keys.find(_place(memory, request)) is not None
        return _THERE if there else _WHAT, gr.Button(visible=there)


def _place(memory: Memory, request: gr.Request) -> str:
    """The conversation, or the page load as long as it has none."""
    return str(known(memory)["conversation"]) or request.session_hash or ""
