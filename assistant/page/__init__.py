"""The page: the only part of the assistant that knows Gradio."""

import os
from pathlib import Path

from fastapi import FastAPI

from assistant.page.live import Live
from assistant.server.files import PageFolder
from assistant.steps import Assistant

_HERE = Path(__file__).parent
_MB = 1_000_000
_LARGEST = {"local": 40 * _MB, "public": 15 * _MB}  # as `uploads.py` takes them


def mount(app: FastAPI, assistant: Assistant, live: Live, folder: PageFolder) -> FastAPI:
    """Mounts the page at `/`.

    Args:
        app: the app; routes that it has already go before the page's own.
        assistant: the parts that answer.
        live: the answers in the making.
        folder: from where Gradio serves what it shows.
    """
    os.environ["GRADIO_TEMP_DIR"] = str(folder.path)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    import gradio as gr

    from assistant.page.chat import Chat
    from assistant.page.examples import examples
    from assistant.page.gallery import Gallery
    from assistant.page.key import Key
    from assistant.page.layout import build
    from assistant.page.look import theme
    from assistant.page.panel import Panel
    from assistant.page.side import Side

    tries = examples(folder.path)
    chat = Chat(assistant, live, tries, folder)
    side = Side(assistant, live, chat)
    gallery = Gallery(assistant, folder)
    blocks = build(chat, side, Panel(assistant), Key(assistant), gallery, tries)
    gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=_LARGEST[assistant.settings.audience],
        enable_monitoring=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        theme=theme(),
        css_paths=_HERE / "page.css",
        js=(_HERE / "page.js").read_text(encoding="utf-8"),
        favicon_path=str(_HERE / "favicon.png"),
    )
    # A mounted page counts as not launched, and Gradio then lets a client name any file as its
    # upload; this makes it insist on files that were uploaded.
    blocks.has_launched = True
    blocks.temp_file_sets.append(folder.uploaded)
    return app
