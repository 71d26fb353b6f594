"""The parts of the page, and which event of the chat each one calls."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from assistant.page.chat import FEEDBACK, Chat
from assistant.page.examples import Example
from assistant.server.files import REFUSAL

_TITLE = "Fitting Room"
_INTRO = """# Fitting Room
Find, run and compare image models on your own pictures. Every number is measured here or cited."""
_PLACEHOLDER = """### Which model fits?
Ask a question or drop in a picture. Or try one of these:"""
_GETTING_READY = "Getting ready: the models are starting."
_AT_ONCE = 32  # answers streamed at once; what needs a model queues for the worker
_WAITING = 64
_HOUR = 3600  # seconds
_PASTE = 2_000_000  # characters; a longer text is uploaded as a file, and refused as one
# Gradio sends this secret to every visitor, so it hides nothing; it must only stay the same.
_REMEMBERED = "fitting-room-conversation"
# The box has no event for uploads; this looks at its files in the browser.
_FIND_REFUSED = f"box => box.files.map(f => f.path).filter(p => p.endsWith('{REFUSAL}')).join()"
_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def build(chat: Chat, examples: Sequence[Example]) -> gr.Blocks:
    """The page.

    Args:
        chat: what happens on each event.
        examples: what to try first.
    """
    blocks = gr.Blocks(
        title=_TITLE, analytics_enabled=False, fill_height=True, delete_cache=(_HOUR, 24 * _HOUR)
    )
    with blocks:
        memory = gr.BrowserState(None, storage_key=_REMEMBERED, secret=_REMEMBERED)
        with gr.Row(elem_id="head"):
            gr.Markdown(_INTRO, elem_id="intro")
            new = gr.Button("New chat", elem_id="new", size="sm", scale=0, min_width=90)
        ready = gr.Markdown(_GETTING_READY, elem_id="ready", visible=False)
        chatbot, box, timer = _chatbot(examples), _box(), gr.Timer(1.0)
        refused = gr.Textbox(visible="hidden", label="Refused files")
        asks = {"inputs": memory, "outputs": [chatbot, box, memory], **_QUIET}
        streams: list[Any] = [
            box.submit(chat.send, [box, memory], [chatbot, box, memory], **_QUIET),
            chatbot.example_select(chat.example, **asks),
            chatbot.option_select(chat.choose, **asks),
            chatbot.retry(chat.retry, **asks),
            blocks.load(chat.resume, **asks),
        ]
        new.click(chat.leave, None, [chatbot, box, memory], cancels=streams, **_QUIET)
        box.stop(chat.stop, memory, None, queue=False, **_QUIET)
        box.change(None, box, refused, js=_FIND_REFUSED, **_QUIET)
        refused.change(chat.check, box, box, **_QUIET)
        chatbot.like(chat.judge, memory, None, **_QUIET)
        gr.on([blocks.load, timer.tick], chat.ready, None, [ready, timer], queue=False, **_QUIET)
    blocks.queue(api_open=False, max_size=_WAITING, default_concurrency_limit=_AT_ONCE)
    return blocks


def _chatbot(examples: Sequence[Example]) -> gr.Chatbot:
    shown: list[Any] = [
        {"text": example.text, "files": [str(path) for path in example.pictures]}
        for example in examples
    ]
    chatbot = gr.Chatbot(
        label="Conversation",
        show_label=False,
        elem_id="chat",
        scale=1,
        height="100%",
        placeholder=_PLACEHOLDER,
        examples=shown,
        buttons=["copy"],
        feedback_options=FEEDBACK,
        latex_delimiters=[],
        allow_tags=False,
    )
    chatbot.keep_in_cache.update(str(path) for example in examples for path in example.pictures)
    return chatbot


def _box() -> gr.MultimodalTextbox:
    return gr.MultimodalTextbox(
        label="Your question",
        show_label=False,
        elem_id="box",
        placeholder="Ask a question, or drop or paste pictures",
        file_count="multiple",
        max_plain_text_length=_PASTE,
        autofocus=True,
        submit_btn=True,
        stop_btn=False,
    )
