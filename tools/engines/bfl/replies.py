"""What Black Forest Labs replies: read, or worded where it is a refusal."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from tools.engines.bfl.keys import DASHBOARD, without_keys
from tools.providers import NoAnswer, Refused

_MOST_WORDS = 200  # characters of the vendor's own words
# Source: docs.bfl.ml/api_integration/errors.md; a wrong key is told by 401 or 403.
_REFUSALS = {
    400: "it cannot read the request",
    401: f"it does not know this key; check it at {DASHBOARD}",
    402: f"too few credits are left; add some at {DASHBOARD}",
    403: f"this key gives no access; check it at {DASHBOARD}",
    404: "it does not know what was asked for",
    422: "it does not take a value",
    429: "too many tasks are in flight",
}


class Denied(Refused):
    """It will not, and has done nothing.

    Attributes:
        status: of HTTP.
        wait: seconds after which to try again, if the vendor says so; else 0.
    """

    def __init__(self, said: str, status: int, wait: float = 0.0) -> None:
        super().__init__(said)
        self.status = status
        self.wait = wait

    @property
    def is_busy(self) -> bool:
        """Whether it is only that too many tasks are in flight."""
        return self.status == 429


@dataclass(frozen=True)
class Reply:
    """What came back.

    Attributes:
        status: of HTTP.
        headers: names in small letters.
        body: whole.
    """

    status: int
    headers: Mapping[str, str] = field(hash=False)
    body: bytes = field(repr=False)

    def read(self) -> dict[str, Any]:
        """The JSON object that it holds, whatever the reply calls it.

        Raises:
            NoAnswer: it holds none.
        """
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            kind = self.headers.get("content-type", "unknown").partition(";")[0][:40]
            raise NoAnswer(f"its reply cannot be read ({len(self.body)} bytes of {kind})")
        return found


def accepted(reply: Reply, key: SecretStr) -> Reply:
    """The reply, if it is one of success.

    A status from 500 on says nothing of whether a task was started and charged before it failed;
    nor does a redirect.

    Args:
        reply: what came back.
        key: which its words must not repeat.

    Raises:
        Denied: the vendor will not, and has done nothing.
        NoAnswer: it cannot be told what was done.
    """
    status, said = reply.status, _said(reply, key)
    if 200 <= status < 300:
        return reply
    if 400 <= status < 500:
        why = _REFUSALS.get(status, f"it answers with status {status}")
        raise Denied(f"{why}{said}", status, _asked_wait(reply))
    raise NoAnswer(f"it answers with status {status}{said}")


def _said(reply: Reply, key: SecretStr) -> str:
    """The vendor's own words, in brackets; empty if there are none that can be read."""
    try:
        detail = reply.read().get("detail")
    except NoAnswer:
        return ""
    words = "; ".join(map(_problem, detail)) if isinstance(detail, list) else detail
    if not isinstance(words, str) or not words:
        return ""
    return f" ({plain(words, key)[:_MOST_WORDS]})"


def plain(words: str, key: SecretStr) -> str:
    """Words of somebody else's: on one line, and without keys."""
    return without_keys(" ".join(words.split()), key)


def _problem(problem: Any) -> str:
    """One wrong field: FastAPI's `{loc, msg, type}`."""
    if not isinstance(problem, dict):
        return ""
    place = problem.get("loc")
    names = [f"{part}" for part in place if part != "body"] if isinstance(place, list) else []
    return f"{'.'.join(names)}: {problem.get('msg', 'wrong')}"


def _asked_wait(reply: Reply) -> float:
    """Seconds of `Retry-After`; 0 without one, or if it is a date."""
    said = reply.headers.get("retry-after", "")
    return float(said) if said.isdecimal() and len(said) < 6 else 0.0
