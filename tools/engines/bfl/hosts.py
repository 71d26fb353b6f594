"""Which hosts are Black Forest Labs: who may see the key, and where results may come from.

Addresses to poll and to fetch from are told by replies, so they are checked as any input. They are
read by the library that follows them: two readers could take one address for two hosts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TYPE_CHECKING

from tools.base import ToolFailed

if TYPE_CHECKING:
    import httpx2

# Sources: docs.bfl.ml/api_integration/integration_guidelines.md; eu1 and us1 are older single
# clusters, from docs.bfl.ai/integration_guidelines.
REGIONS: Mapping[str, str] = MappingProxyType(
    {
        "global": "https://api.bfl.ai",
        "eu": "https://api.eu.bfl.ai",
        "us": "https://api.us.bfl.ai",
        "eu1": "https://api.eu1.bfl.ai",
        "us1": "https://api.us1.bfl.ai",
    }
)
_POLLING = ("*.bfl.ai",)
_DELIVERY = ("delivery-*.bfl.ai", "bfldeliveryprod.blob.core.windows.net")
_PLAIN = re.compile(r"[a-z0-9.-]+")  # others could be cut elsewhere by a proxy or a resolver
_OWN_MACHINE = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Hosts:
    """Where Black Forest Labs is asked.

    Attributes:
        api: base address; one of `REGIONS`, or http on this machine, for tests.
        polling: patterns of https hosts that may be polled, with the key.
        delivery: patterns of https hosts that results are fetched from, without the key.
    """

    api: str = REGIONS["global"]
    polling: tuple[str, ...] = _POLLING
    delivery: tuple[str, ...] = _DELIVERY

    def __post_init__(self) -> None:
        if self.api not in REGIONS.values() and not self.on_own_machine:
            raise ToolFailed(
                f"The address {self.api!r} is none of Black Forest Labs. Choose a region: "
                f"{', '.join(REGIONS)}."
            )

    @property
    def on_own_machine(self) -> bool:
        """Whether it is this machine, which no proxy leads to."""
        url = read_url(self.api)
        return url is not None and url.scheme == "http" and url.host in _OWN_MACHINE

    def may_see_key(self, address: str) -> bool:
        """Whether an address may be asked with the key."""
        return self._is_known(address, self.polling)

    def may_give_result(self, address: str) -> bool:
        """Whether a result may be fetched from an address."""
        return self._is_known(address, self.delivery)

    def _is_known(self, address: str, patterns: tuple[str, ...]) -> bool:
        url = read_url(address)
        if url is None or url.userinfo:
            return False
        if self.on_own_machine:
            own = read_url(self.api)
            return own is not None and _origin(url) == _origin(own)
        plain = _PLAIN.fullmatch(url.host) and url.scheme == "https" and url.port in (None, 443)
        return bool(plain) and any(fnmatchcase(url.host, pattern) for pattern in patterns)


def hosts_of(region: str) -> Hosts:
    """The hosts of a region.

    Args:
        region: its name; or an address of this machine, for tests.

    Raises:
        ToolFailed: there is no such region.
    """
    if region not in REGIONS and not region.startswith("http://"):
        raise ToolFailed(
            f"Black Forest Labs has no region {region!r}. Choose one of: {', '.join(REGIONS)}."
        )
    return Hosts(REGIONS.get(region, region))


def read_url(address: str) -> "httpx2.URL | None":
    """An address as the library will follow it; none if it cannot be read."""
    import httpx2

    try:
        return httpx2.URL(address)
    except (httpx2.InvalidURL, TypeError, ValueError):
        return None


def _origin(url: "httpx2.URL") -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
