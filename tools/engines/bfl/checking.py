"""Checks a request against the vendor's description before it is sent, and words what is wrong."""

import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tools.base import ToolFailed
from tools.engines.bfl.endpoints import Endpoint, Field
from tools.engines.bfl.keys import without_keys

_RATIO = re.compile(r"([1-9][0-9]{0,4}):([1-9][0-9]{0,4})")
_WIDEST = (21, 9)  # the description: "between 21:9 and 9:21"
_MOST_SHOWN = 60  # characters of a wrong value that are repeated
_TYPES = {"string": "a text", "boolean": "true or false"}


def check(endpoint: Endpoint, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they are sent, if the description allows each of them.

    A field that the endpoint does not have is refused too: the vendor would take the request and
    pass over the field, and the person would pay for what they did not ask for.

    Args:
        endpoint: who takes them.
        values: what is asked, by field; what is left out stays out.

    Raises:
        ToolFailed: one is missing, unknown or not allowed; the message names the first.
    """
    for name in values:
        if name not in endpoint.fields:
            known = ", ".join(endpoint.fields) or "none"
            raise ToolFailed(
                f"{endpoint.name} has no field {name!r}. Leave it out; its fields are: {known}."
            )
    for name, field in endpoint.fields.items():
        if field.required and name not in values:
            raise ToolFailed(f"{endpoint.name} needs {name}. Give {allowed(field)}.")
    return {name: _checked(endpoint, name, value) for name, value in values.items()}


def _checked(endpoint: Endpoint, name: str, value: Any) -> Any:
    field = endpoint.fields[name]
    if value is None and field.null:
        return None
    if not (_has_type(field, value) and _fits(field, value)):
        raise ToolFailed(
            f"{name} is {_shown(field, value)}, but {endpoint.name} takes {allowed(field)}. Give "
            f"such a value{'' if field.required else ', or leave it out'}."
        )
    return int(value) if field.type == "integer" else value


def _has_type(field: Field, value: Any) -> bool:
    if field.type == "string":
        return isinstance(value, str)
    if field.type == "boolean":
        return isinstance(value, bool)
    if isinstance(value, float) and math.isfinite(value):
        return field.type == "number" or value.is_integer()  # JSON has one kind of number
    return isinstance(value, int) and not isinstance(value, bool)


def _fits(field: Field, value: Any) -> bool:
    return _fits_text(field, value) if isinstance(value, str) else _fits_bounds(field, value)


def _fits_bounds(field: Field, value: float) -> bool:
    return (
        (field.minimum is None or value >= field.minimum)
        and (field.maximum is None or value <= field.maximum)
        and (field.multiple_of is None or value % field.multiple_of == 0)
    )


def _fits_text(field: Field, value: str) -> bool:
    if field.choices:
        return value in field.choices
    if not field.min_length <= len(value) <= (field.max_length or math.inf):
        return False
    if field.form == "address":
        return is_address(value)
    return field.form != "ratio" or _is_ratio(value)


def is_address(value: str) -> bool:
    """Whether a text is a whole address of http or https."""
    if not value.isprintable() or " " in value:
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _is_ratio(value: str) -> bool:
    found = _RATIO.fullmatch(value)
    if not found:
        return False
    long, short = sorted(map(int, found.groups()), reverse=True)
    return long * _WIDEST[1] <= short * _WIDEST[0]


def _shown(field: Field, value: Any) -> str:
    if field.secret:
        return "not shown here"
    whole = without_keys(repr(value))
    return whole if len(whole) <= _MOST_SHOWN else f"{whole[: _MOST_SHOWN - 1]}…"


def allowed(field: Field) -> str:
    """What a field takes, in words: `a whole number from 1 to 50`."""
    null = " or null" if field.null else ""
    if field.choices:
        return f"one of {', '.join(field.choices)}{null}"
    if field.picture:
        return f"a picture by its {field.picture}{null}"
    if field.form == "address":
        return f"an address of http or https of at most {field.max_length} characters{null}"
    if field.form == "ratio":
        return f"a ratio between 21:9 and 9:21, such as 16:9{null}"
    if field.type in _TYPES:
        return f"{_TYPES[field.type]}{null}"
    kind = "a whole number" if field.type == "integer" else "a number"
    return f"{kind}{_range(field)}{null}"


def _range(field: Field) -> str:
    several = f" that divides by {field.multiple_of}" if field.multiple_of else ""
    if field.minimum is None:
        return several
    if field.maximum is None:
        return f" of at least {field.minimum:g}{several}"
    return f" from {field.minimum:g} to {field.maximum:g}{several}"
