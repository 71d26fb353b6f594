"""Everything that can go wrong between us and Black Forest Labs, as scripts for `bfl_server`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.bfl_server import Reply
from tools.remote import Pace

ELSE = "{elsewhere}/v1/get_result?id=task-0"
PENDING = Reply(body={"id": "task-0", "status": "Pending", "progress": 0.5})
_BRIEF = Pace(0.01, 1.2, 0.03, patience=0.3)
_SILENT = Reply(delay=60.0, taken=True)
_HASTY = {"silence": 2.5}  # and no less: a machine may stand still while it answers
_ODD: tuple[Any, ...] = ([], {}, 7, None)
_ECHO = {"detail": "not with {key}\nas it is"}
_FIELD = {"detail": [{"loc": ["body", "seed"], "msg": "Input {key} is wrong", "type": "int"}]}


@dataclass(frozen=True)
class Script:
    """One course of things, and how it must end.

    Attributes:
        name: what goes wrong.
        submits: what paid requests get, before the usual answer.
        polls: what questions after the task get.
        results: what those who fetch the result get.
        says: what the person is told, as a pattern; empty if the picture is made nevertheless.
        money: how the ledger stands then.
        posts: how often the request was sent.
        usd: US dollars that the ledger has as paid or set aside; none for what the server takes.
        waits: what is set otherwise in `Waits`.
    """

    name: str
    submits: tuple[Reply, ...] = ()
    polls: tuple[Reply, ...] = ()
    results: tuple[Reply, ...] = ()
    says: str = ""
    money: Literal["charged", "released", "unknown", "reserved"] = "charged"
    posts: int = 1
    usd: float | None = None
    waits: Mapping[str, Any] = field(default_factory=dict)


def _refused(status: int, says: str, body: Any = _ECHO) -> Script:
    said = rf"Black Forest Labs refused it: {says}.*\. Nothing was charged\. Ask again"
    return Script(f"submit {status}", (Reply(status, body),), says=said, money="released")


def _doubtful(name: str, reply: Reply, says: str, **waits: float) -> Script:
    said = rf"^Nobody can tell whether .*: {says}.* It may have been charged, \$0\.045"
    return Script(f"submit {name}", (reply,), says=said, money="unknown", usd=0.045, waits=waits)


def _taken(name: str, **told: Any) -> Script:
    """A task that is taken with something odd in the reply."""
    usual = {"id": "task-0", "polling_url": "{here}/v1/get_result?id=task-0", "cost": 3.0}
    reply = Reply(body={**usual, **told}, taken=True)
    odd = "cost" in told
    return Script(f"taken {name}", (reply,), usd=0.045 if odd else None)


def _polled(name: str, *polls: Reply, **more: Any) -> Script:
    return Script(f"poll {name}", polls=polls, **more)


def _later(name: str, *polls: Reply, says: str, **waits: Any) -> Script:
    said = rf"{says}.*It was sent and is kept: retry it to look again, at no further cost\.$"
    return _polled(name, *polls, says=said, money="reserved", usd=0.045, waits=waits)


def _ended(status: str, says: str, paid: str, money: Any, details: Any = None) -> Script:
    body = {"id": "task-0", "status": status, "result": None, "details": details}
    said = rf"Black Forest Labs did not do it: {says}.*\. {paid}"
    usd = 0.045 if money == "unknown" else None
    return _polled(status, Reply(body=body), says=said, money=money, usd=usd)


def _fetched(name: str, *results: Reply, says: str = "", **waits: float) -> Script:
    said = rf"did not do it: {says}.*\. \$0\.03 were charged" if says else ""
    return Script(f"result {name}", results=results, says=said, waits=waits)


_SUBMITS = (
    Script("nothing"),
    _refused(400, "it cannot read the request"),
    _refused(401, r"it does not know this key; check it at https://dashboard\.bfl\.ai"),
    _refused(402, "too few credits are left; add some at https"),
    _refused(403, "this key gives no access"),
    _refused(404, "it does not know what was asked for"),
    _refused(409, "it answers with status 409"),
    _refused(422, r"it does not take a value \(seed: Input \(key hidden\) is wrong\)", _FIELD),
    Script("submit 429, then taken", (Reply(429, _ECHO),) * 2, posts=3),
    Script("submit 429 with a wait", (Reply(429, _ECHO, {"Retry-After": "1"}),), posts=2),
    Script("submit 429 with a date", (Reply(429, _ECHO, {"Retry-After": "Mon, 2 Nov"}),), posts=2),
    Script(
        "submit 429 for ever",
        (Reply(429, _ECHO),) * 3,
        posts=3,
        money="released",
        says=r"refused it: too many tasks are in flight \(not with \(key hidden\) as it is\)",
    ),
    _doubtful(
        "500 after it was taken", Reply(500, _ECHO, taken=True), "it answers with status 500"
    ),
    _doubtful("500 before", Reply(500, b"<html>"), "it answers with status 500"),
    _doubtful("502", Reply(502, b""), "it answers with status 502"),
    _doubtful(
        "503 after it was taken", Reply(503, _ECHO, taken=True), "it answers with status 503"
    ),
    _doubtful("307 elsewhere", Reply(307, {}, {"Location": ELSE}), "it answers with status 307"),
    _doubtful("garbage", Reply(body=b'{"id": "ta', taken=True), r"its reply cannot be read \(10 b"),
    _doubtful("deep", Reply(body=b"[" * 10**5, taken=True), "its reply cannot be read"),
    _doubtful("empty", Reply(body=b"", taken=True), r"its reply cannot be read \(0 bytes"),
    _doubtful(
        "HTML",
        Reply(body=b"<p>{key}", headers={"Content-Type": "text/html; x"}, taken=True),
        r"its reply cannot be read \(8 bytes of text/html\)",
    ),
    _doubtful("list", Reply(body=[1], taken=True), "its reply cannot be read"),
    _doubtful("no id", Reply(body={"polling_url": ELSE}, taken=True), "its reply names no task"),
    _doubtful("key as id", Reply(body={"id": "{key}"}, taken=True), "its reply names no task"),
    _doubtful("huge", Reply(body=b" " * (8 * 2**20 + 1), taken=True), "it is larger than 8 MiB"),
    _doubtful("truncated", Reply(end="cut", taken=True), "RemoteProtocolError"),
    _doubtful("reset before it was read", Reply(end="unread"), "ReadError|RemoteProtocolError"),
    _doubtful("reset after it was read", Reply(end="reset", taken=True), "ReadError|RemoteProt"),
    _doubtful("too late", _SILENT, "ReadTimeout", **_HASTY),
    _doubtful(
        "dripping", Reply(end="drip", taken=True), "its reply was not whole after 0 s", answer=0.5
    ),
)
_TAKEN = (
    _taken("as plain text", note="an unknown field"),
    _taken("without a cost", cost=None),
    _taken("with a cost below nothing", cost=-3),
    _taken("with a cost in words", cost="3 credits"),
    _taken("with no number as cost", cost=float("nan")),
    _taken("with endless cost", cost=float("inf")),
    _taken("with a poll elsewhere", polling_url=ELSE),
    _taken("with a poll at no address", polling_url="ftp://\n"),
    _taken("with a poll that tells the key", polling_url="{here}/v1/get_result?id=task-0&k={key}"),
    _taken("without a poll", polling_url=None),
)
_POLLS = (
    _ended(
        "Request Moderated", r"its filter stopped the request \(Request M", "Nothing", "released"
    ),
    _ended(
        "Content Moderated",
        r"its filter stopped what was made \(Content Moderated: Moderation Reasons: Derivative "
        r"Works, \(key hidden\)\), so change the words or the pictures",
        r"Nothing was charged\. Ask for it anew\.$",
        "released",
        {"Moderation Reasons": ["Derivative Works", "{key}"]},
    ),
    _ended(
        "Error",
        r"it failed at it \(Error: why: out of \(key hidden\)\)",
        r"\$0\.045 may have been",
        "unknown",
        {"why": "out of {key}"},
    ),
    _polled("not found at first", Reply(body={"id": "task-0", "status": "Task not found"})),
    _polled("404 at first", Reply(404, {"detail": "Task not found"})),
    _polled(
        "not found at last",
        Reply(body={"id": "task-0", "status": "Task not found"}),
        says=r"it does not know the task any more.*\$0\.045 may have been charged",
        money="unknown",
        usd=0.045,
        waits={"unseen": 0.0},
    ),
    _polled("500, 503, 429", Reply(500, _ECHO), Reply(503, b""), Reply(429, _ECHO)),
    _polled("garbage", Reply(body=b"\xff\xfe"), Reply(body=b"nul"), Reply(body={})),
    _polled("truncated", Reply(end="cut"), Reply(end="reset"), Reply(end="unread")),
    _polled("huge", Reply(body=b" " * (8 * 2**20 + 1)), Reply(end="huge")),
    _polled("too late", _SILENT, waits=_HASTY),
    _polled("of no status", *(Reply(body={"status": odd}) for odd in _ODD)),
    _polled("of an unknown status", Reply(body={"status": "Queued", "progress": "half"})),
    _polled(
        "with odd progress",
        *(
            Reply(body={"status": "Pending", "progress": p})
            for p in (-1, 10**400, None, True, float("nan"))
        ),
    ),
    _polled(
        "without a result",
        Reply(body={"status": "Ready", "result": None}),
        Reply(body={"status": "Ready", "result": {"sample": 7}}),
    ),
    _polled("moved at the same host", Reply(302, {}, {"Location": "/v1/get_result?id=task-0"})),
    _later("403", Reply(403, _ECHO), says="does not tell how it stands: this key gives no access"),
    _later("422", Reply(422, _FIELD), says=r"how it stands: it does not take a"),
    _later("elsewhere", Reply(302, {}, {"Location": ELSE}), says="leads to 127.0.0.1, which"),
    _later(
        "in circles",
        *(Reply(302, {}, {"Location": "{here}/v1/get_result?id=task-0"}),) * 4,
        says="it leads on more than 3 times",
    ),
    _later("to nowhere", Reply(302, {}), says="leads to no host"),
    _later(
        "for ever",
        *(PENDING,) * 99,
        says="Black Forest Labs is not done after 0 s",
        polling=_BRIEF,
    ),
)
_SAMPLE = {"sample": "{elsewhere}/delivery/task-0.png?sig={key}"}
_RESULTS = (
    _fetched("500, then there", Reply(500, b""), Reply(503, b"")),
    _fetched("404 at first", Reply(404, b"")),
    _fetched("truncated at first", Reply(end="cut"), Reply(end="reset"), Reply(end="unread")),
    _fetched("no picture at first", Reply(body=b"<Error>"), Reply(body=b"")),
    _fetched("of another type", Reply(headers={"Content-Type": "text/html"})),
    _fetched(
        "expired",
        Reply(403, b"<Error>"),
        lifetime=0.0,
        says="its result is refused with status 403, and results are given for 0 minutes",
    ),
    _fetched("never a picture", Reply(body=b"GIF89a"), says="its result is no picture", lifetime=0),
    Script(
        "result cut for ever",
        results=(Reply(end="reset"),) * 99,
        money="reserved",
        usd=0.045,
        says=r"is not done after 0 s\. It was sent and is kept",
        waits={"polling": _BRIEF},
    ),
    _fetched("huge", Reply(end="huge"), says="its result cannot be taken: it is larger than 64"),
    _fetched("moved at the same host", Reply(307, b"", {"Location": "{here}/delivery/x.png"})),
    _fetched(
        "moved elsewhere",
        Reply(302, b"", {"Location": ELSE}),
        says="its result cannot be taken: it leads to 127.0.0.1, which is none of its hosts",
    ),
    _polled(
        "with a result elsewhere",
        Reply(body={"status": "Ready", "result": _SAMPLE}),
        says=r"it leads to 127\.0\.0\.1, which is none of its hosts\. \$0\.03 were charged",
    ),
)
SCRIPTS = (*_SUBMITS, *_TAKEN, *_POLLS, *_RESULTS)
