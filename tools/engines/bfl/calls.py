"""One call to Black Forest Labs over HTTP: what comes back, or one of three ways to fail.

The key goes into the header `x-key` of addresses that may see it, and nowhere else. Nothing that
was sent is ever sent again from here.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from tools.engines.bfl.account import Account
from tools.engines.bfl.hosts import read_url
from tools.engines.bfl.keys import without_keys
from tools.engines.bfl.replies import Reply, accepted
from tools.providers import NoAnswer, NotSent, Refused

if TYPE_CHECKING:
    import ssl

    import httpx2

_MOST_JSON = 8 * 2**20  # bytes; a preview may be in it
_HOPS = 3  # redirects that are followed
_REDIRECTS = (301, 302, 303, 307, 308)


class Astray(Exception):
    """An address that a reply told is at a host that is not allowed; it was not asked."""


class TooLarge(NoAnswer):
    """What came is more than was to be taken; the rest was left."""


@dataclass(frozen=True)
class _Call:
    """What is asked.

    Attributes:
        method: of HTTP.
        url: whole.
        most: bytes of the reply.
        seconds: until the reply must be whole.
        keyed: whether the key goes with it.
        body: what is sent, as JSON; none for nothing.
    """

    method: Literal["GET", "POST"]
    url: str
    most: int
    seconds: float
    keyed: bool = True
    body: bytes | None = None

    def headers(self, account: Account) -> dict[str, str]:
        """What goes with it; the reply is not to be packed, so that its size is what is read."""
        found = {
            "accept": "application/json" if self.keyed else "image/*",
            "accept-encoding": "identity",
        }
        if self.body is not None:
            found["content-type"] = "application/json"
        if self.keyed:
            found["x-key"] = account.key.get_secret_value()
        return found


# --- calls
def post(account: Account, path: str, content: Mapping[str, Any]) -> Reply:
    """Sends something, once; redirects are not followed.

    Args:
        account: who asks.
        path: of the endpoint.
        content: what is sent, as JSON.

    Returns:
        A reply of success.

    Raises:
        Denied: it will not, and has done nothing.
        NotSent: nothing has reached it.
        NoAnswer: it may have arrived.
    """
    body = json.dumps(content, allow_nan=False).encode()
    address = f"{account.hosts.api}{path}"
    wanted = _Call("POST", address, _MOST_JSON, account.waits.answer, body=body)
    return accepted(_call(account, wanted), account.key)


def get(account: Account, address: str) -> Reply:
    """Asks an address of the API, with the key.

    Args:
        account: who asks.
        address: whole; where it leads is followed as long as the hosts may see the key.

    Returns:
        A reply of success.

    Raises:
        Denied: it will not tell.
        Refused: the address is none of the vendor's, and was not asked.
        NotSent: nothing has reached it.
        NoAnswer: no reply that can be read.
    """

    def ask(url: str) -> Reply:
        return _call(account, _Call("GET", url, _MOST_JSON, account.waits.answer))

    try:
        return accepted(_followed(address, account.hosts.may_see_key, ask), account.key)
    except Astray as error:
        raise Refused(str(error)) from None


def fetch(account: Account, address: str, most: int) -> Reply:
    """Fetches a result, without the key.

    Args:
        account: who asks; nobody is told.
        address: whole; where it leads is followed as long as the hosts may give results.
        most: bytes.

    Returns:
        A reply of any status.

    Raises:
        Astray: the address is at a host that may not give results; it was not asked.
        TooLarge: it is larger than `most`.
        NotSent: nothing has reached it.
        NoAnswer: it was cut off.
    """

    def ask(url: str) -> Reply:
        return _call(account, _Call("GET", url, most, account.waits.picture, keyed=False))

    return _followed(address, account.hosts.may_give_result, ask)


def _followed(address: str, allowed: Callable[[str], bool], ask: Callable[[str], Reply]) -> Reply:
    for _ in range(1 + _HOPS):
        if not allowed(address):
            raise Astray(f"it leads to {_host(address)}, which is none of its hosts")
        reply = ask(address)
        if reply.status not in _REDIRECTS:
            return reply
        address = _next(address, reply.headers.get("location", ""))
    raise Astray(f"it leads on more than {_HOPS} times")


def _next(address: str, location: str) -> str:
    """Where a redirect leads; empty for nowhere."""
    base, leads = read_url(address), read_url(location)
    return str(base.join(leads)) if base and leads and location else ""


def _host(address: str) -> str:
    url = read_url(address)
    return without_keys(url.host)[:100] if url and url.host else "no host"


def _call(account: Account, wanted: _Call) -> Reply:
    """One call on a connection of its own: an old one may be dead, and nobody could tell."""
    import httpx2

    waits = account.waits
    try:
        with (
            httpx2.Client(
                timeout=httpx2.Timeout(waits.silence, connect=waits.connect),
                verify=_certificates(),
                trust_env=not account.hosts.on_own_machine,
            ) as client,
            client.stream(
                wanted.method, wanted.url, content=wanted.body, headers=wanted.headers(account)
            ) as reply,
        ):
            whole = _body(reply, wanted.most, wanted.seconds)
            return Reply(reply.status_code, dict(reply.headers), whole)
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError) as error:
        raise NotSent(_why(account, error)) from None  # the chain would hold the headers
    except httpx2.TransportError as error:
        raise NoAnswer(_why(account, error)) from None


@cache
def _certificates() -> "ssl.SSLContext":
    """Read once. From here on the library keeps to itself what it asks, as results are signed."""
    import httpx2

    logging.getLogger(httpx2.__name__).setLevel(logging.WARNING)
    return httpx2.create_ssl_context()


def _body(reply: "httpx2.Response", most: int, seconds: float) -> bytes:
    """The body as it was sent; bounded, as is the time that it may drip."""
    end, found = time.monotonic() + seconds, bytearray()
    told = reply.headers.get("content-length", "")
    if told.isdecimal() and len(told) > len(str(most)):
        raise _too_large(most)
    for part in reply.iter_raw():
        found += part
        if len(found) > most:
            raise _too_large(most)
        if time.monotonic() > end:
            raise NoAnswer(f"its reply was not whole after {seconds:.0f} s")
    return bytes(found)


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"it is larger than {most / 2**20:.0f} MiB")


def _why(account: Account, error: Exception) -> str:
    said = without_keys(str(error), account.key)
    return f"{type(error).__name__}, {said}" if said else type(error).__name__
