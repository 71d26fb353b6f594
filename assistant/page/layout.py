"""The parts of the page, and which event of the chat each one calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from assistant.page import history, jobs, pictures
from assistant.page.chat import FEEDBACK, Chat
from assistant.page.examples import Example
from assistant.page.gallery import Gallery
from assistant.page.key import Key
from assistant.page.panel import IDLE, Opened, Panel
from assistant.page.side import PAGE, Side
from assistant.server.files import REFUSAL

_TITLE = "Fitting Room"
_INTRO = """# Fitting Room
Find, run and compare image models on your own pictures. Every number is measured here or cited."""
_PLACEHOLDER = """## Which model fits?
Ask a question or drop in a picture. Or try one of these:"""
_GETTING_READY = "Getting ready: the models are starting."
_AT_ONCE = 32  # answers streamed at once; what needs a model queues for the worker
_WAITING = 64
_HOUR = 3600  # seconds
_PASTE = 2_000_000  # characters; a longer text is uploaded as a file, and refused as one
# Gradio sends this secret to every visitor, so it hides nothing; it must only stay the same.
_REMEMBERED = "fitting-room-conversation"
_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
# What the page asks by itself goes past Gradio's queue: its stream closes when the last answer is
# out, and an answer to what is asked in that moment is shown only with the next one. Only what is
# queued can warn, and tell of a changed gr.State.
_BRIEF: dict[str, Any] = {**_QUIET, "queue": False}

# --- what runs in the browser
# The box has no event for uploads; this looks at its files.
_FIND_REFUSED = f"box => box.files.map(f => f.path).filter(p => p.endsWith('{REFUSAL}')).join()"
# A tab comes back to its own conversation; a new tab to the one that was used last.
_OWN = """memory => {
  const own = sessionStorage.getItem("fitting-room");
  window.isOwn = true;
  return own === null ? memory : {conversation: own, seen: "", editing: 0};
}"""
_TELL = """
  window.others ??= new BroadcastChannel("fitting-room");
  window.others.postMessage("");
"""
_REMEMBER = f"""memory => {{
  if (!window.isOwn || !memory) return;
  sessionStorage.setItem("fitting-room", memory.conversation);
  {_TELL}
}}"""
# Gradio mounts the parts of a page in any order.
_WHEN_THERE = """
const wait = () => ["#side", "#new", "#asks dialog", "#toggle", "#box textarea", "#job"].every(
  part => document.querySelector(part)
) ? (BEGIN)(element, trigger, watch) : requestAnimationFrame(wait);
wait();
"""
_WRITE = """() => {
  const box = document.querySelector("#box textarea");
  box.focus();
  box.setSelectionRange(box.value.length, box.value.length);
}"""


@dataclass(frozen=True)
class _Parts:
    memory: gr.BrowserState
    shown: gr.State
    new: gr.Button
    search: gr.Textbox
    history: gr.HTML
    ready: gr.Markdown
    chatbot: gr.Chatbot
    bar: gr.Row
    said: gr.Markdown
    keep: gr.Button
    box: gr.MultimodalTextbox
    refused: gr.Textbox
    timer: gr.Timer
    work: "_Work"
    key: "_Key"
    pictures: gr.HTML


@dataclass(frozen=True)
class _Work:
    """The panel of jobs."""

    listed: gr.HTML
    job: gr.HTML
    made: gr.Markdown
    opened: gr.State
    told: gr.Textbox
    knock: gr.Textbox
    timer: gr.Timer


@dataclass(frozen=True)
class _Key:
    """The field for the key of hosted models."""

    words: gr.Textbox
    told: gr.Markdown
    use: gr.Button
    forget: gr.Button


def build(
    chat: Chat, side: Side, panel: Panel, key: Key, gallery: Gallery, examples: Sequence[Example]
) -> gr.Blocks:
    """The page.

    Args:
        chat: what happens on each event of the conversation.
        side: what happens on each event of the list beside it.
        panel: what happens on each event of the panel of jobs.
        key: what happens on each event of the field for a key.
        gallery: what happens in the gallery of pictures and needs the chat.
        examples: what to try first.
    """
    blocks = gr.Blocks(
        title=_TITLE, analytics_enabled=False, fill_height=True, delete_cache=(_HOUR, 24 * _HOUR)
    )
    with blocks:
        parts = _parts(examples, key.shown)
        _wire_side(blocks, parts, side)
        _wire_chat(blocks, parts, chat)
        _wire_jobs(blocks, parts, panel, chat)
        _wire_key(blocks, parts, key)
        _wire_pictures(parts, gallery, chat)
    blocks.queue(api_open=False, max_size=_WAITING, default_concurrency_limit=_AT_ONCE)
    return blocks


def _wire_chat(blocks: gr.Blocks, parts: _Parts, chat: Chat) -> None:
    shown: list[Any] = [parts.chatbot, parts.box, parts.memory]
    asks = {"inputs": parts.memory, "outputs": shown, **_QUIET}
    parts.box.submit(chat.send, [parts.box, parts.memory], shown, **_QUIET)
    parts.chatbot.example_select(chat.example, **asks)
    parts.chatbot.option_select(chat.choose, **asks)
    parts.chatbot.retry(chat.retry, **asks)
    blocks.load(chat.resume, **asks, js=_OWN)
    parts.history.focus(chat.refresh, **asks)
    # "multiple": one that is still being answered may be left for another.
    parts.history.click(chat.open, **asks, trigger_mode="multiple")
    parts.new.click(chat.leave, None, shown, **_BRIEF).then(None, js=_WRITE)
    parts.history.edit(chat.edit, **asks).then(None, js=_WRITE)
    parts.keep.click(chat.keep, parts.memory, [parts.box, parts.memory], **_BRIEF).then(
        None, js=_WRITE
    )
    parts.box.stop(chat.stop, parts.memory, None, **_BRIEF)
    parts.box.change(None, parts.box, parts.refused, js=_FIND_REFUSED, **_QUIET)
    parts.refused.change(chat.check, parts.box, parts.box, **_QUIET)
    parts.chatbot.like(chat.judge, parts.memory, None, **_QUIET)
    waiting = [parts.ready, parts.timer]
    gr.on([blocks.load, parts.timer.tick], chat.ready, None, waiting, **_BRIEF)


def _wire_side(blocks: gr.Blocks, parts: _Parts, side: Side) -> None:
    shown: list[Any] = [parts.chatbot, parts.box, parts.memory]
    listed: dict[str, Any] = {
        "fn": side.listed,
        "inputs": [parts.memory, parts.search, parts.shown],
        "outputs": [parts.history, parts.bar, parts.said],
        **_BRIEF,
    }
    changes = [parts.memory.change, parts.search.change, parts.shown.change, parts.history.focus]
    # Not "always_last": two of those on one event (panel.look is the other) set each other off
    # without end, since Gradio repeats the whole event for the one that waited.
    gr.on([blocks.load, *changes], **listed, trigger_mode="multiple")
    parts.memory.change(None, parts.memory, None, js=_REMEMBER, **_QUIET)
    parts.history.input(side.more, parts.shown, parts.shown, **_QUIET)
    changed = parts.history.submit(side.change, parts.memory, shown, **_QUIET)
    changed.then(**listed).then(None, js=f"() => {{{_TELL}}}")


def _wire_jobs(blocks: gr.Blocks, parts: _Parts, panel: Panel, chat: Chat) -> None:
    work, shown = parts.work, [parts.chatbot, parts.box, parts.memory]
    looked = [work.listed, work.job, work.made, work.timer, work.knock, work.told]
    known = [parts.memory, work.opened, work.told]
    looks = [blocks.load, work.timer.tick, parts.memory.change, parts.history.focus]
    gr.on(looks, panel.look, known, looked, trigger_mode="always_last", **_BRIEF)
    # Not one at a time: a second button may be pressed while the first is at work.
    acts: dict[str, Any] = {"trigger_mode": "multiple", **_QUIET}
    work.job.click(panel.open, [parts.memory, work.told], [work.opened, *looked], **acts)
    work.job.submit(panel.act, known, [work.opened, *looked], **acts)
    work.job.clear(panel.close, None, work.opened, **acts)
    work.job.input(chat.open, parts.memory, shown, **acts)
    work.knock.change(chat.refresh, parts.memory, shown, **_QUIET)


def _wire_key(blocks: gr.Blocks, parts: _Parts, key: Key) -> None:
    field, told = parts.key, [parts.key.told, parts.key.forget]
    typed = [field.words.submit, field.use.click]
    gr.on(typed, key.use, [field.words, parts.memory], [field.words, *told], **_QUIET)
    field.forget.click(key.forget, parts.memory, told, **_BRIEF)
    tells = [blocks.load, parts.memory.change]
    gr.on(tells, key.told, parts.memory, told, trigger_mode="multiple", **_BRIEF)


def _wire_pictures(parts: _Parts, gallery: Gallery, chat: Chat) -> None:
    shown = [parts.chatbot, parts.box, parts.memory]
    used = parts.pictures.submit(gallery.use, parts.box, parts.box, **_QUIET)
    used.then(None, js=_WRITE)
    parts.pictures.focus(chat.refresh, parts.memory, shown, **_QUIET)


# --- the parts
def _parts(examples: Sequence[Example], keyless: bool) -> _Parts:
    memory = gr.BrowserState(None, storage_key=_REMEMBERED, secret=_REMEMBERED)
    shown, timer = gr.State(PAGE), gr.Timer(1.0)
    refused = gr.Textbox(visible="hidden", label="Refused files")
    with gr.Row(elem_id="room"):
        with gr.Column(elem_id="side", scale=0, min_width=0):
            new = gr.Button("New conversation", elem_id="new", size="sm")
            search = gr.Textbox(
                label="Search conversations",
                show_label=False,
                elem_id="search",
                placeholder="Search conversations",
                container=False,
                max_lines=1,
            )
            history_list = _scripted("history")
            my_pictures = _scripted("pictures", value=pictures.BUTTON)
            listed = gr.HTML("", elem_id="jobs", js_on_load=None, apply_default_css=False)
            key = _key(keyless)
        with gr.Column(elem_id="main", min_width=0):
            with gr.Row(elem_id="head"):
                gr.Button("Conversations", elem_id="toggle", size="sm", scale=0, min_width=0)
                gr.Markdown(_INTRO, elem_id="intro")
            ready = gr.Markdown(_GETTING_READY, elem_id="ready", visible=False)
            chatbot = _chatbot(examples)
            with gr.Row(elem_id="bar", visible=False) as bar:
                said = gr.Markdown("", elem_id="said")
                keep = gr.Button("Cancel", elem_id="keep", size="sm", scale=0, min_width=0)
            box = _box()
    asks = history.DIALOGS + jobs.DIALOGS + pictures.DIALOGS
    gr.HTML(asks, elem_id="asks", apply_default_css=False)
    return _Parts(
        memory, shown, new, search, history_list, ready, chatbot, bar, said, keep, box, refused,
        timer, _work(listed), key, my_pictures,
    )  # fmt: skip


def _work(listed: gr.HTML) -> _Work:
    with gr.Column(elem_id="job"):
        job, made = _scripted("jobs", "job-told"), gr.Markdown("", elem_id="job-made")
    told = gr.Textbox("", visible="hidden", label="Jobs shown")
    knock = gr.Textbox("", visible="hidden", label="Jobs that went on")
    return _Work(listed, job, made, gr.State(Opened()), told, knock, gr.Timer(IDLE))


def _key(shown: bool) -> _Key:
    with gr.Accordion("Key for hosted models", open=False, elem_id="key", visible=shown):
        told = gr.Markdown("", elem_id="key-told")
        words = gr.Textbox(
            type="password",
            label="Key of Black Forest Labs",
            show_label=False,
            elem_id="key-words",
            placeholder="Paste the key here",
            container=False,
            max_lines=1,
            html_attributes=gr.InputHTMLAttributes(autocomplete="off", spellcheck=False),
        )
        with gr.Row(elem_id="key-acts"):
            use = gr.Button("Use it here", size="sm", min_width=0)
            forget = gr.Button("Forget it", size="sm", min_width=0, visible=False)
    return _Key(words, told, use, forget)


def _scripted(script: str, name: str = "", value: str = "") -> gr.HTML:
    """HTML whose clicks a script of this folder passes on."""
    source = Path(__file__).with_name(f"{script}.js").read_text(encoding="utf-8")
    return gr.HTML(
        value,
        elem_id=name or script,
        js_on_load=_WHEN_THERE.replace("BEGIN", source),
        apply_default_css=False,
    )


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
        editable="user",
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
