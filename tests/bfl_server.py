"""Black Forest Labs on 127.0.0.1: real HTTP by the endpoints' own table, and faults by script.

It is asynchronous as the real one is: a request is answered with an id and an address to poll, and
the result is fetched from an address that must not see the key. It counts what arrived and what it
charged. Wherever it refuses something it repeats the key, as a careless server might.
"""

import contextlib
import io
import json
import math
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from PIL import Image

from tools.engines.bfl.endpoints import Endpoint, endpoints

# Credits of the first and of a further megapixel, as docs.bfl.ai and the vendor's guide list them.
CREDITS: Mapping[str, tuple[float, float]] = {
    "flux-2-pro": (3, 1.5), "flux-2-pro-preview": (3, 1.5), "flux-2-max": (7, 3),
    "flux-2-flex": (5, 5), "flux-2-klein-4b": (1.4, 0.1), "flux-2-klein-9b": (1.5, 0.2),
    "flux-2-klein-9b-preview": (1.5, 0.2), "flux-pro-1.1": (4, 0), "flux-pro-1.1-ultra": (6, 0),
    "flux-dev": (2.5, 0), "flux-kontext-pro": (4, 0), "flux-kontext-max": (8, 0),
    "flux-pro-1.0-fill": (5, 0), "flux-pro-1.0-expand": (5, 0),
    "flux-pro-1.1-ultra-finetuned": (7, 0), "flux-pro-1.0-fill-finetuned": (6, 0),
}  # fmt: skip
FINETUNES = ["our-dog", "our-cat"]


@dataclass(frozen=True)
class Reply:
    """What the server does with one call, instead of the usual.

    Attributes:
        status: of HTTP.
        body: bytes as they are, or JSON; none for the usual answer. `{here}` and `{elsewhere}` in
            texts become the addresses of this server and of one that must never be asked, `{key}`
            the key that came.
        headers: more of them.
        taken: whether a paid request is taken and charged before that.
        end: `whole`; `cut` short; `reset` with nothing sent; `unread`: reset before the request was
            read; `drip`: so slowly that it never ends; `huge`: more is announced than comes.
        delay: seconds before it, unless the server is stopped.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    taken: bool = False
    end: Literal["whole", "cut", "reset", "unread", "drip", "huge"] = "whole"
    delay: float = 0.0


class Lab:
    """The server.

    Attributes:
        key: the only one that it takes.
        submits: what the next paid requests get, before the usual.
        polls: what the next questions after a task get.
        results: what the next who fetch a result get.
        frees: what the next other calls get.
        elsewhere: address of a server that must never be asked.
        pending: polls of a task before it is ready.
        limits: tasks in flight at once, by endpoint; beyond, status 429.
        arrived: paid requests that were read, by endpoint.
        unread: paid requests that were not.
        charged: credits, by task.
        bodies: what paid requests held.
        calls: (method, path, key) of each call.
        most_in_flight: tasks in flight at once, by endpoint.
        busy: how often it has answered 429 of itself.
        stopped: set once it answers no more.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        self.submits: list[Reply] = []
        self.polls: list[Reply] = []
        self.results: list[Reply] = []
        self.frees: list[Reply] = []
        self.pending = 1
        self.limits: Mapping[str, int] = {}
        self.elsewhere = ""
        self.arrived: Counter[str] = Counter()
        self.unread = 0
        self.charged: dict[str, float] = {}
        self.bodies: list[dict[str, Any]] = []
        self.calls: list[tuple[str, str, str]] = []
        self.most_in_flight: Counter[str] = Counter()
        self.busy = 0
        self.stopped = threading.Event()
        self._polled: Counter[str] = Counter()
        self._in_flight: dict[str, str] = {}
        self._lock = threading.Lock()
        lab = self

        class Handler(_Handler):
            asked_of = lab

        self._server = _Server(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def posts(self) -> int:
        """Paid requests that came, read or not."""
        return self.arrived.total() + self.unread

    def start(self) -> None:
        """Begins to answer."""
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Answers no more."""
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def next(self, path: str, paid: bool) -> Reply:
        """What is scripted for a call; the usual if nothing is."""
        if paid:
            queue = self.submits
        elif path.startswith("/delivery/"):
            queue = self.results
        else:
            queue = self.polls if path == "/v1/get_result" else self.frees
        with self._lock:
            return queue.pop(0) if queue else Reply()

    # --- the usual answers
    def submit(self, endpoint: Endpoint, body: dict[str, Any]) -> tuple[int, Any]:
        """Takes a task and charges it, or refuses it."""
        missing = [n for n, f in endpoint.fields.items() if f.required and n not in body]
        unknown = [name for name in body if name not in endpoint.fields]
        if missing or unknown:
            wrong = (missing or unknown)[0]
            return 422, {"detail": [{"loc": ["body", wrong], "msg": "Field required", "type": ""}]}
        with self._lock:
            flying = Counter(self._in_flight.values())[endpoint.name] + 1
            if flying > self.limits.get(endpoint.name, 24):
                self.busy += 1
                return 429, {"detail": f"Too many tasks of {self.key}"}
            self.most_in_flight[endpoint.name] = max(self.most_in_flight[endpoint.name], flying)
            number = f"task-{len(self.charged)}"
            self._in_flight[number] = endpoint.name
            self.charged[number] = cost(endpoint.name, body)
            self.bodies.append(body)
        told = {"id": number, "cost": self.charged[number], "input_mp": None, "output_mp": 1.05}
        if body.get("webhook_url"):
            return 200, {**told, "status": "Pending", "webhook_url": body["webhook_url"]}
        return 200, {**told, "polling_url": f"{self.address}/v1/get_result?id={number}"}

    def poll(self, number: str) -> tuple[int, Any]:
        """Tells how a task stands."""
        if number not in self.charged:
            return 200, {"id": number, "status": "Task not found"}
        with self._lock:
            self._polled[number] += 1
            if self._polled[number] <= self.pending:
                return 200, {"id": number, "status": "Pending", "progress": 0.5}
            self._in_flight.pop(number, None)
        sample = f"{self.address}/delivery/{number}.png?se=2026&sig=s%3D"
        result = {"sample": sample, "seed": 42, "prompt": "a käse", "duration": 1.5}
        return 200, {"id": number, "status": "Ready", "result": result}

    def free(self, endpoint: Endpoint, values: Mapping[str, Any]) -> tuple[int, Any]:
        """What costs nothing."""
        if endpoint.name == "credits":
            return 200, {"credits": 123.5}
        if endpoint.name == "my_finetunes":
            return 200, {"finetunes": FINETUNES}
        if values["finetune_id"] not in FINETUNES:
            return 404, {"detail": f"Finetune not found for {self.key}"}
        if endpoint.name == "finetune_details":
            return 200, {"finetune_details": {"finetune_comment": "a dog", "steps": 300}}
        told = {"status": "deleted", "message": "", "timestamp": "2026-05-01T00:00:00"}
        return 200, {**told, "deleted_finetune_id": values["finetune_id"]}

    def not_charged(self, status: str) -> None:
        """What was moderated costs nothing."""
        if status.endswith("Moderated"):
            self.charged = dict.fromkeys(self.charged, 0.0)


def cost(name: str, body: Mapping[str, Any]) -> float:
    """Credits of a request, with megapixels of 1024 x 1024 rounded up."""
    first, further = CREDITS[name]
    made = math.ceil(int(body.get("width", 1024)) * int(body.get("height", 1024)) / 2**20)
    sent = sum(name.startswith("input_image") for name in body)
    return round(first + further * (made - 1 + sent), 6)


@cache
def picture(width: int = 16, height: int = 16, kind: str = "PNG") -> bytes:
    """A small picture."""
    held = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(held, kind)
    return held.getvalue()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Those who ask go away before they are answered: that is no news."""


class _Handler(BaseHTTPRequestHandler):
    asked_of: Lab

    def do_POST(self) -> None:
        """Something is sent."""
        self._call()

    def do_GET(self) -> None:
        """Something is asked."""
        self._call()

    def log_message(self, format: str, *args: Any) -> None:
        """Stays silent."""

    def _call(self) -> None:
        lab, parts = self.asked_of, urlsplit(self.path)
        endpoint = endpoints().get(parts.path)
        lab.calls.append((self.command, parts.path, self.headers.get("x-key", "")))
        paid = bool(endpoint and endpoint.paid and self.command == "POST")
        reply = lab.next(parts.path, paid)
        if reply.end == "unread":
            lab.unread += paid
            self._reset()
            return
        read = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if paid and endpoint:
            lab.arrived[endpoint.name] += 1
        values = {name: value[0] for name, value in parse_qs(parts.query).items()}
        if self.command == "POST":
            values = json.loads(read)
        if (reply.body is None and reply.status == 200) or reply.taken:
            usual = self._usual(parts.path, endpoint, values)
        else:
            usual = (reply.status, b"")
        lab.stopped.wait(reply.delay)
        self._answer(reply, *usual)

    def _usual(
        self, path: str, endpoint: Endpoint | None, values: dict[str, Any]
    ) -> tuple[int, Any]:
        lab = self.asked_of
        if path.startswith("/delivery/"):
            return 200, picture()
        if endpoint is None or endpoint.method != self.command:
            return 404, {"detail": "Not Found"}
        if self.headers.get("x-key") != lab.key:
            return 403, {"detail": f"Not authenticated - {self.headers.get('x-key')}"}
        if endpoint.paid:
            return lab.submit(endpoint, values)
        return lab.poll(values["id"]) if "id" in values else lab.free(endpoint, values)

    def _answer(self, reply: Reply, status: int, usual: Any) -> None:
        content = usual if reply.body is None else self._filled(reply.body)
        if isinstance(content, dict):
            self.asked_of.not_charged(str(content.get("status")))
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        if reply.end == "reset":
            self._reset()
            return
        self.send_response(reply.status if reply.body is not None else status)
        kind = "image/png" if body.startswith(b"\x89PNG") else "application/json"
        more = {name: self._filled(value) for name, value in reply.headers.items()}
        length = 10**9 if reply.end == "huge" else len(body) + (reply.end == "cut")
        for name, value in {"Content-Type": kind, "Content-Length": str(length), **more}.items():
            self.send_header(name, value)
        self.end_headers()
        if reply.end == "drip":
            for place in range(len(body)):
                self.wfile.write(body[place : place + 1])
                time.sleep(0.1)
        else:
            self.wfile.write(body)
        self.close_connection = True

    def _filled(self, content: Any) -> Any:
        """The addresses and the key in the places that a script has left for them."""
        if isinstance(content, bytes):
            return content
        lab, text = self.asked_of, json.dumps(content)
        for name, value in (("here", lab.address), ("elsewhere", lab.elsewhere), ("key", lab.key)):
            text = text.replace(f"{{{name}}}", value)
        return json.loads(text)

    def _reset(self) -> None:
        """Ends the connection as a machine does that has just crashed."""
        linger = struct.pack("ii", 1, 0)
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
        self.close_connection = True
