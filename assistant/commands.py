"""The command-line form of a tool: options read from its signature."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import typer

from tools.base import Tool

_POSITIONAL = "_positional"


def command(tool: Tool, run: Callable[[Tool, Mapping[str, Any], Mapping[str, Any]], None]) -> Any:
    """A function that typer can turn into the command of a tool.

    A required argument may stand by itself (`verify "CLAIM"`) or behind its name
    (`verify --claim "CLAIM"`).

    Args:
        tool: the tool.
        run: called with the tool, its arguments, and the shared options.
    """
    first = next((p for p in tool.parameters.values() if p.default is p.empty), None)

    def call(**given: Any) -> None:
        shared = {name: given.pop(name) for name in _SHARED}
        alone = given.pop(_POSITIONAL, None)
        arguments = {name: _value(value) for name, value in given.items() if _was_said(value)}
        if first and _was_said(alone):
            arguments[first.name] = _value(alone)
        run(tool, arguments, shared)

    parameters = [_option(parameter) for parameter in tool.parameters.values()]
    if first:
        parameters.insert(0, _argument(first))
    parameters += [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)
        for name, (kind, default) in _SHARED.items()
    ]
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    call.__doc__ = tool.card.summary
    return call


_SHARED: dict[str, tuple[Any, Any]] = {
    "as_json": (Annotated[bool, typer.Option("--json", help="One JSON object.")], False),
    "agree_usd": (Annotated[float, typer.Option(help="US dollars that may be spent.")], 0.0),
    "agree_download": (Annotated[bool, typer.Option(help="Large downloads are fine.")], False),
    "agree_seconds": (Annotated[float, typer.Option(help="How long it may take.")], 60.0),
    "batch_in": (Annotated[Path | None, typer.Option("--in", help="Questions, JSON lines.")], None),
    "batch_out": (Annotated[Path | None, typer.Option("--out", help="Answers, JSON lines.")], None),
}


def _option(parameter: inspect.Parameter) -> inspect.Parameter:
    flag = f"--{parameter.name.replace('_', '-')}"
    return _parameter(parameter.name, parameter, typer.Option(flag))


def _argument(parameter: inspect.Parameter) -> inspect.Parameter:
    return _parameter(_POSITIONAL, parameter, typer.Argument(metavar=parameter.name.upper()))


def _parameter(name: str, parameter: inspect.Parameter, told: Any) -> inspect.Parameter:
    """A parameter of the command: as its tool types it, and none if it is left out."""
    kind: Any = _plain(parameter.annotation)
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind | None, told], default=None
    )


def _plain(annotation: Any) -> Any:
    """The type of one option: bounds and None stripped, a tuple as a list."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _plain(inner[0])
    if origin in (Union, UnionType):
        return _plain(next(kind for kind in inner if kind is not NoneType))
    if origin is tuple:
        return list[inner[0]]  # type: ignore[valid-type]
    return annotation


def _was_said(value: Any) -> bool:
    return value is not None and value != []


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
