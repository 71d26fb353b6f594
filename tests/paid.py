"""A provider of paid pictures on 127.0.0.1, and processes that order from it and are killed.

The studio is asynchronous as real ones are: a request is answered with an id and an address to
poll. It counts what it was asked for and what it charged, by request.
"""

import json
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import Any

from assistant.store import Store
from tests.processes import fresh
from tools.base import ToolFailed
from tools.providers import (
    Failed,
    NoAnswer,
    NotSent,
    Pending,
    Provider,
    Ready,
    Refused,
    RemoteTask,
    Taken,
)
from tools.remote import Books, Order, Pace, run_once
from tools.spending import Budget, Spent

PRICE = 0.0145  # US dollars that the studio takes for a picture
RESERVED = 0.02  # US dollars that it is expected to take
ACCOUNT = "https://studio.example/account"
QUICK = Pace(first=0.01, factor=1.2, longest=0.05, patience=20.0)


class Studio:
    """The provider.

    Attributes:
        asked: how often each request arrived.
        charged: US dollars that each request cost.
        status: what the next requests are answered with.
        polled: what the next polls are answered with before any other answer, as (status, body).
        pending: polls of a task before it is ready.
        pause: seconds before each answer.
        arrived: set once a request has arrived.
        answering: requests wait for this before they are answered.
    """

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.charged: Counter[str] = Counter()
        self.status = 200
        self.polled: list[tuple[int, dict[str, Any]]] = []
        self.pending = 2
        self.pause = 0.0
        self.arrived = threading.Event()
        self.answering = threading.Event()
        self.answering.set()
        self._polls: Counter[str] = Counter()
        studio = self

        class Handler(_Handler):
            asked_of = studio

        self._server = _Server(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def submit(self, request: str) -> tuple[int, dict[str, Any]]:
        """Takes a task, or refuses it."""
        self.asked[request] += 1
        status = self.status
        if status == 200:
            self.charged[request] += 1
        self.arrived.set()
        self.answering.wait(60.0)
        time.sleep(self.pause)
        if status != 200:
            return status, {"detail": "insufficient\ncredits."}
        polling_url = f"{self.address}/result/{request}"
        return 200, {"id": f"id-{request}", "polling_url": polling_url, "cost": PRICE * 100}

    def poll(self, request: str) -> tuple[int, dict[str, Any]]:
        """Tells how a task stands."""
        time.sleep(self.pause)
        if self.polled:
            return self.polled.pop(0)
        self._polls[request] += 1
        if self._polls[request] <= self.pending:
            return 200, {"status": "Pending", "progress": 0.5}
        return 200, {"status": "Ready", "result": {"picture": request}}

    def start(self) -> None:
        """Begins to answer."""
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Answers no more; the address refuses connections."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Those who ask are killed before they are answered: that is no news."""


class _Handler(BaseHTTPRequestHandler):
    asked_of: Studio

    def do_POST(self) -> None:
        """Somebody orders a picture."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(*self.asked_of.submit(body["request"]))

    def do_GET(self) -> None:
        """Somebody asks after a picture."""
        self._answer(*self.asked_of.poll(self.path.rpartition("/")[2]))

    def log_message(self, format: str, *args: Any) -> None:
        """Stays silent."""

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


# --- how it is spoken to
def speaks(address: str, timeout: float = 20.0) -> Provider:
    """The studio as a provider."""

    def submit(task: RemoteTask) -> Taken:
        body = json.dumps({**task.arguments, "request": task.request}).encode()
        found = _fetch(f"{address}/orders", body, timeout)
        return Taken(found["id"], found["polling_url"], found["cost"] / 100)

    def poll(task: RemoteTask) -> Pending | Ready | Failed:
        found = _fetch(task.polling_url, None, timeout)
        if found["status"] == "Ready":
            return Ready(found["result"])
        if found["status"] == "Pending":
            return Pending(found["progress"], "painting")
        return Failed(found["status"], found["paid"])

    return Provider("The studio", ACCOUNT, submit, poll)


def _fetch(url: str, body: bytes | None, timeout: float) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(url, body, timeout) as answer:  # noqa: S310 - our own address
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        with error:
            said = error.read().decode()
        raise (Refused if error.code < 500 else NoAnswer)(said) from None
    except (OSError, ValueError) as error:
        refused = isinstance(getattr(error, "reason", None), ConnectionRefusedError)
        raise (NotSent if refused else NoAnswer)(str(error)) from None


def order(request: str, owner: str = "me", budget: Budget | None = None) -> Order:
    """A picture that is wanted."""
    budget = budget or Budget(agreed=RESERVED)
    return Order(owner, request, "api:flux-2-pro", {"prompt": "a käse"}, RESERVED, budget, job=7)


def books(store: Store) -> Books:
    """Where the store keeps tasks and money."""
    return Books(store.remote, store.ledger)


def silent(done: float, note: str = "") -> None:
    """A report that nobody reads."""


# --- processes that are killed
class _Marked:
    """Tells the name of each method before it is called."""

    def __init__(self, kept: object, mark: Callable[[str], None]) -> None:
        self._kept, self._mark = kept, mark

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._kept, name)

        def marked(*values: Any, **named: Any) -> Any:
            self._mark(name)
            return call(*values, **named)

        return marked


def _orders(url: str, address: str, request: str, marks: Connection, last: str) -> None:
    def mark(name: str) -> None:
        marks.send(name)
        if name == last:
            time.sleep(600.0)

    store = Store(url)
    mark("ready")
    spoken = _Marked(speaks(address), mark)
    provider = Provider("The studio", ACCOUNT, spoken.submit, spoken.poll)
    kept: Any = Books(_Marked(store.remote, mark), _Marked(store.ledger, mark))
    run_once(order(request), provider, kept, silent, QUICK)
    mark("returned")


@contextmanager
def process(url: str, studio: Studio, request: str, last: str = "") -> Iterator[Connection]:
    """A process that orders a picture and stands still at a mark; killed at the end.

    Yields:
        Where the marks come from that it has reached.
    """
    marks, theirs = fresh().Pipe(duplex=False)
    values = (url, studio.address, request, theirs, last)
    child = fresh().Process(target=_orders, args=values)
    child.start()
    theirs.close()
    try:
        yield marks
    finally:
        child.kill()
        child.join()
        marks.close()


def reach(marks: Connection, last: str) -> None:
    """Waits until a process has reached a mark."""
    while True:
        assert marks.poll(240.0), f"{last} was not reached"
        if marks.recv() == last:
            return


def standing(store: Store, studio: Studio, request: str) -> str:
    """How far a process had come: by its books, and by what the studio got."""
    task, money = store.remote.find("me", request), store.ledger.find("me", request)
    if task is None:
        return "money set aside" if money else "nothing kept"
    arrived = "arrived" if studio.asked[request] else "not arrived"
    paid = ", charged" if money and money.state == "charged" else ""
    return f"{task.state}, {arrived}{paid}"


def settled(store: Store, studio: Studio, request: str) -> str:
    """Runs a task again after a kill, twice; checks that all figures agree.

    Returns:
        `result`, or `unknown` if nobody can tell.
    """
    ends = {_run(store, studio, request) for _ in range(2)}
    [end] = ends
    money = store.ledger.find("me", request)
    assert money
    if end == "result":
        assert (studio.asked[request], studio.charged[request]) == (1, 1)
        assert (money.state, money.charged) == ("charged", PRICE)
    else:
        assert studio.asked[request] <= 1
        assert (money.state, money.charged, money.reserved) == ("unknown", 0.0, RESERVED)
    return end


def _run(store: Store, studio: Studio, request: str) -> str:
    try:
        result = run_once(order(request), speaks(studio.address), books(store), silent, QUICK)
    except ToolFailed as failure:
        said = str(failure)
        assert "It may have been charged, $0.02." in said
        assert f"Look at {ACCOUNT}." in said
        assert said.endswith("It will not be sent again; asking again starts a new paid task.")
        return "unknown"
    assert result == {"picture": request}
    return "result"


def totals(studio: Studio, spent: Spent) -> None:
    """Checks that what was paid is what the studio charged, but for what nobody can tell."""
    paid = round(spent.charged / PRICE)
    unknown = round(spent.unknown / RESERVED)
    assert spent.charged == round(paid * PRICE, 6)
    assert paid <= studio.charged.total() <= paid + unknown
    assert max(studio.asked.values(), default=0) <= 1
