"""Conversations out: one as a document, Markdown or JSON."""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

from assistant.conversation import ME, Turn
from assistant.page.document import as_json, as_markdown, file_name
from assistant.steps import Assistant
from assistant.store import StoreFailed, UnknownConversation

_KINDS: Mapping[str, tuple[str, Callable[[str, Sequence[Turn]], str]]] = {
    "md": ("text/markdown", as_markdown),
    "json": ("application/json", as_json),
}


def router(assistant: Assistant) -> APIRouter:
    """The routes for whole conversations.

    Args:
        assistant: its store holds them.
    """
    routes = APIRouter()

    @routes.get("/conversations/{key}.{kind}")
    def document(key: str, kind: str) -> Response:
        if kind not in _KINDS:
            raise HTTPException(404, f"There is no export as {kind!r}; there are md and json.")
        media, written = _KINDS[kind]
        try:
            title = assistant.store.conversation(ME, key).title
            content = written(title, assistant.store.turns(ME, key))
        except UnknownConversation as unknown:
            raise HTTPException(404, str(unknown)) from None
        except StoreFailed as failure:
            raise HTTPException(503, str(failure)) from None
        name = f"attachment; filename*=UTF-8''{quote(file_name(title, kind))}"
        headers = {"Content-Disposition": name, "Cache-Control": "private, no-store"}
        # A lone surrogate, as JSON may carry one, cannot be written.
        return Response(content.encode("utf-8", "replace"), media_type=media, headers=headers)

    return routes
