"""What stands before every route: size limits, a deny list, same-origin writes, safe headers."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MB = 1_000_000
_BODY = 1 * _MB
_UPLOAD = "/gradio_api/upload"
_LIMITS = {"/gradio_api/queue/join": 10 * _MB}  # whatever the box holds is answered in the chat
_DRAIN = 8  # times the limit that is read and dropped, so that a browser sees the reply
# Gradio fetches these addresses for whoever asks.
_FETCHES = re.compile(r"^/+gradio_api/(proxy=|file[=/].{0,8}?(https?:|//))", re.IGNORECASE)
_CONTENT = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "frame-ancestors 'self' https://huggingface.co",
    )
)
_HEADERS = {
    "Content-Security-Policy": _CONTENT,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class _TooLarge(Exception):
    """A body went over its limit."""


class Guard:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, upload_bytes: int) -> None:
        self._app = app
        self._limits = {**_LIMITS, _UPLOAD: upload_bytes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or answers it with what is wrong and what to do."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(receive, self._limits.get(scope["path"], _BODY))
        try:
            refusal = _refusal(scope) or await body.check(scope)
            if not refusal:
                await self._app(scope, body.receive, _with_headers(send))
                return
        except _TooLarge:
            await body.drain()
            refusal = 413, f"That is too large: at most {body.limit / _MB:g} MB. Send less at once."
        await _reply(scope, *refusal)(scope, receive, _with_headers(send))


class _Body:
    """A request's body: counted as it comes, and read ahead where it is looked into."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._ahead: list[Message] = []
        self._ended = False
        self._read = 0
        self.limit = limit

    async def receive(self) -> Message:
        """The next message, what was read ahead first."""
        return self._ahead.pop(0) if self._ahead else await self._next()

    async def check(self, scope: Scope) -> tuple[int, str] | None:
        """Why a JSON body is refused; none if it is not or there is none."""
        if scope["method"] != "POST" or not _is_json(scope):
            return None
        while not self._ended:
            self._ahead.append(await self._next())
        try:
            found = json.loads(b"".join(part.get("body", b"") for part in self._ahead))
            fetched = any(_is_fetched(value, scope) for value in _dicts(found))
        except (ValueError, RecursionError):
            return 400, "The request is not valid JSON."
        return (403, "Files come from this server only. Upload the file.") if fetched else None

    async def drain(self) -> None:
        """Reads and drops what is left, within reason."""
        self.limit, limit = self.limit * _DRAIN, self.limit
        try:
            while not self._ended:
                await self._next()
        except _TooLarge:
            pass
        self.limit = limit

    async def _next(self) -> Message:
        message = await self._receive()
        self._ended = not message.get("more_body", False)
        self._read += len(message.get("body", b""))
        if self._read > self.limit:
            raise _TooLarge
        return message


def _is_json(scope: Scope) -> bool:
    # FastAPI reads a body without a content type as JSON.
    kind = Headers(scope=scope).get("content-type", "")
    return not kind or "json" in kind


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a JSON value, without recursion: the nesting is the sender's choice."""
    left = [value]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            yield value
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)


def _is_fetched(value: dict[str, Any], scope: Scope) -> bool:
    """Whether Gradio would fetch a file from elsewhere for this object."""
    path, url = value.get("path"), value.get("url")
    if isinstance(path, str) and "://" in path:
        return True
    is_file = isinstance(path, str) or "meta" in value
    return is_file and isinstance(url, str) and "://" in url and not _is_own(url, scope)


def _is_own(url: str, scope: Scope) -> bool:
    headers = Headers(scope=scope)
    own = (headers.get("host"), headers.get("x-forwarded-host"))
    return urlsplit(url).netloc in filter(None, own)


def _refusal(scope: Scope) -> tuple[int, str] | None:
    if _FETCHES.match(scope["path"]):
        return 403, "Files come from this server only."
    origin = Headers(scope=scope).get("origin")
    if origin and scope["method"] not in ("GET", "HEAD", "OPTIONS") and not _is_own(origin, scope):
        return 403, f"This server takes nothing from pages of {origin}. Open its own page."
    return None


def _reply(scope: Scope, status: int, said: str) -> Response:
    """The refusal in the form that the page shows as a sentence."""
    if scope["path"] == _UPLOAD:
        return PlainTextResponse(said, status)
    return JSONResponse({"detail": said}, status)


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
