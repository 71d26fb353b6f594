"""The endpoints of Black Forest Labs, and what each field of them takes: `endpoints.toml`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from pydantic import TypeAdapter

from index.card import Card
from tools.base import ToolFailed


@dataclass(frozen=True)
class Field:
    """What one field takes.

    Attributes:
        type: of its value, as JSON names it.
        required: whether it must be given.
        null: whether null may be given.
        default: what the vendor takes if it is left out; none if nothing.
        minimum: least number.
        maximum: largest number.
        multiple_of: by which the number must divide.
        min_length: fewest characters.
        max_length: most characters.
        choices: the only texts; none for any.
        form: what a text must be: an address of http or https, or a ratio such as `16:9`.
        picture: what a picture may be; empty if the field takes none.
        secret: whether its value must be neither kept nor shown.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}
    type: Literal["string", "integer", "number", "boolean"]
    required: bool = False
    null: bool = False
    default: str | bool | int | float | None = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    multiple_of: int | None = None
    min_length: int = 0
    max_length: int | None = None
    choices: tuple[str, ...] = ()
    form: Literal["", "address", "ratio"] = ""
    picture: Literal["", "file", "file or address", "path at the vendor's"] = ""
    secret: bool = False


@dataclass(frozen=True)
class Endpoint:
    """Where something is asked for.

    Attributes:
        path: below the host, such as `/v1/flux-2-pro`.
        method: of HTTP.
        paid: whether it starts a paid task.
        fields: what it takes, by name, in the vendor's order.
    """

    path: str
    method: Literal["GET", "POST"]
    paid: bool
    fields: Mapping[str, Field]

    @property
    def name(self) -> str:
        """As people write it: `flux-2-pro`."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class _Row:
    """An `[endpoints]` table of the file."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}
    method: Literal["GET", "POST"]
    paid: bool = False
    takes: str = ""


@dataclass(frozen=True)
class _File:
    """The whole file, as written."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}
    endpoints: Mapping[str, _Row]
    fields: Mapping[str, Mapping[str, Field]]


@cache
def endpoints() -> Mapping[str, Endpoint]:
    """All endpoints by path, read once."""
    text = Path(__file__).with_name("endpoints.toml").read_text(encoding="utf-8")
    file = TypeAdapter(_File).validate_python(tomllib.loads(text))
    nothing: Mapping[str, Any] = {}
    return MappingProxyType(
        {
            path: Endpoint(
                path, row.method, row.paid, file.fields[row.takes] if row.takes else nothing
            )
            for path, row in file.endpoints.items()
        }
    )


def endpoint_of(card: Card) -> Endpoint:
    """The endpoint that makes pictures with a system.

    Raises:
        ToolFailed: the system is not run by Black Forest Labs.
    """
    found = endpoints().get(card.run.repository) if card.run.engine == "bfl" else None
    if found is None or not found.paid:
        raise ToolFailed(
            f"{card.id} is not a hosted model of Black Forest Labs that can be asked here. "
            "Name one that is, such as api:flux-2-pro."
        )
    return found
