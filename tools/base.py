"""What every tool is made of: its card, its context, the blocks it yields, the ways it can fail."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from pydantic import ConfigDict, TypeAdapter, ValidationError, create_model

from index.catalog import Catalog
from index.evidence import Evidence
from index.lookup import Index
from tools.blocks import Block, File, Image, Plot, Table, Text
from tools.forms import Form
from tools.placement import Wanted
from tools.purse import Purse
from tools.reports import LiveReport, Report
from tools.work import Jobs

__all__ = [
    "Agreement", "Block", "Context", "File", "Image", "LiveReport", "Models", "NeedsConsent",
    "NeedsInput", "NeedsKey", "NotBuiltYet", "Plot", "Report", "Stopped", "Table", "TakesLong",
    "Text", "Tool", "ToolCard", "ToolFailed", "load_tools", "load_works",
]  # fmt: skip
TURN_SECONDS = 60.0  # that a turn may take; what takes longer is a job


# --- the ways it can fail (anything else that is raised is a bug)
class NeedsInput(Exception):
    """Something is missing that only the person can give: asked back, with choices to click.

    Attributes:
        question: one short question.
        choices: answers to offer.
    """

    def __init__(self, question: str, choices: Sequence[str] = ()) -> None:
        super().__init__(question)
        self.question = question
        self.choices = tuple(choices)


class NeedsKey(NeedsInput):
    """A provider's key is missing; a job waits for it."""


class NeedsConsent(NeedsInput):
    """A paid, large or long step that the person has not agreed to yet.

    Attributes:
        agreement: what to ask again with, if they say yes; the first choice says it.
    """

    def __init__(self, question: str, yes: str, agreement: "Agreement") -> None:
        super().__init__(question, (yes, "No"))
        self.agreement = agreement


class ToolFailed(Exception):
    """The tool cannot do it: what is wrong, with the value; then what to do."""


class NotBuiltYet(ToolFailed):
    """The tool has a card but no body yet."""

    def __init__(self, tool: str) -> None:
        super().__init__(
            f"The tool {tool} is not built yet. I can tell which model does it; ask 'what can you "
            "do' for the tools that are."
        )


class TakesLong(Exception):
    """It was agreed to, but is too long for a turn: it is to be run again, as a job."""


class Stopped(Exception):
    """The person stopped the step."""


# --- the only door of a tool
@dataclass(frozen=True)
class Agreement:
    """What the person has agreed to in advance.

    Attributes:
        usd: US dollars that may be spent.
        download: whether large downloads are fine.
        seconds: how long a step may take.
        lasting: whether the step runs as a job already, which may last.
    """

    usd: float = 0.0
    download: bool = False
    seconds: float = TURN_SECONDS
    lasting: bool = False

    def take(self, seconds: float, question: str, yes: str, spare: float = 1.5) -> None:
        """To be called before what takes long: asks if it was not agreed to, else hands it over.

        Args:
            seconds: how long it takes.
            question: what to ask.
            yes: the answer that agrees.
            spare: for how many times as long a yes holds.

        Raises:
            NeedsConsent: it takes longer than was agreed to.
            TakesLong: that is too long for a turn, and the step is no job yet.
        """
        if seconds > self.seconds:
            raise NeedsConsent(question, yes, replace(self, seconds=spare * seconds))
        self.hand_over(seconds)

    def hand_over(self, seconds: float) -> None:
        """To be called before what takes long and was agreed to.

        Args:
            seconds: how long it takes.

        Raises:
            TakesLong: that is too long for a turn, and the step is no job yet.
        """
        if seconds > TURN_SECONDS and not self.lasting:
            raise TakesLong


class Models(Protocol):
    """Loads models once and keeps what fits; lives in the worker."""

    def load(
        self,
        system: str,
        report: Report,
        agreement: Agreement | None = None,
        form: Form | None = None,
        wanted: Wanted | None = None,
    ) -> Any:
        """The loaded model of a system, by card id, timm name, or local folder.

        Args:
            system: which.
            report: told the progress of a download.
            agreement: whether a large download is agreed to.
            form: the only form that will do; any will if left out.
            wanted: what a pipeline is to draw, which decides how it is held in memory.

        Raises:
            ToolFailed: it cannot be had here; the message says why and what to do.
            NeedsConsent: it must be downloaded first, and that is large.
            NeedsInput: what is wanted of it does not fit, but something smaller does.
        """

    @property
    def own(self) -> Path:
        """The folder that holds the models of one's own, each in a folder by its name."""

    @property
    def own_adapters(self) -> Path:
        """The folder that holds the adapters of one's own, each in a folder by its name."""

    def fetch(self, system: str, report: Report) -> Path:
        """Downloads the weights of a system, if they are not here; returns their folder.

        Raises:
            ToolFailed: it cannot be had here; the message says why and what to do.
        """
        ...

    def weights(self, system: str) -> Path | None:
        """The folder that holds the weights of a system, if they are on this machine."""
        ...

    def depth(self, report: Report, agreement: Agreement) -> Path | None:
        """The folder of the model that estimates depth, fetched if need be, or none."""
        ...

    def default_classifier(self) -> str:
        """The classifier to use when the person names none."""
        ...

    def default_generator(self) -> str:
        """What draws pictures when the person names no model."""
        ...

    def default_editor(self, mode: str) -> str:
        """What changes pictures in a mode when none is named; empty if nothing here does."""
        ...

    def adapters(self, told: str) -> tuple[Any, ...]:
        """The adapters that a person names, with their strengths; `ToolFailed` if one is none."""
        ...


@dataclass(frozen=True)
class Context:
    """Everything a tool may touch.

    Attributes:
        device: `cpu`, `cuda` or `mps`.
        catalog: all systems.
        index: search by meaning.
        tools: all tools, by name.
        models: loads models; none outside the worker.
        evidence: where facts are found and measurements kept.
        owner: whose step it is.
        run: id of this run.
        run_folder: where its files go.
        kept: folder of a job, which outlives a crash and a pause: for checkpoints. That of a turn
            is new.
        agreement: what the person agreed to.
        report: progress, and where a stop is noticed.
        jobs: the owner's long work; none outside the server.
        purse: pays a provider; none where no hosted model is asked.
        before: the tool and the words that the question came after; empty if there are none.
    """

    device: str
    catalog: Catalog
    index: Index
    tools: Mapping[str, "Tool"]
    models: Models | None
    evidence: Evidence
    owner: str
    run: str
    run_folder: Path
    kept: Path
    agreement: Agreement
    report: LiveReport
    jobs: Jobs | None = None
    purse: Purse | None = None
    before: str = ""


# --- the tool itself
@dataclass(frozen=True)
class ToolCard:
    """What a tool says of itself.

    Attributes:
        title: a few words.
        summary: one sentence: what the person gets.
        examples: questions that it answers.
        runs_model: whether it needs the worker.
        hosted: whether it can ask a hosted model instead, which needs no worker.
        built: whether it has a body; without one it raises `NotBuiltYet`.
        loads: libraries that the worker loads at its start, so that nobody waits for them.
    """

    title: str
    summary: str
    examples: tuple[str, ...]
    runs_model: bool = False
    hosted: bool = False
    built: bool = True
    loads: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tool:
    """A typed function with its card; its parameters are read from the signature.

    Attributes:
        name: name of the file and of the function.
        card: what it says of itself.
        call: `call(ctx, **arguments)` yields blocks.
    """

    name: str
    card: ToolCard
    call: Callable[..., Iterator[Block]]

    @property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """The parameters after the context, by name."""
        rest = list(inspect.signature(self.call, eval_str=True).parameters.values())[1:]
        return {parameter.name: parameter for parameter in rest}

    def check(self, arguments: Mapping[str, object]) -> dict[str, Any]:
        """The arguments as the types of the signature.

        Raises:
            ToolFailed: one is unknown, of the wrong kind, or out of bounds.
        """
        try:
            return dict(_adapter(self).validate_python(arguments).__dict__)
        except ValidationError as error:
            raise ToolFailed(_wording(self, error)) from None


@cache
def _adapter(tool: Tool) -> TypeAdapter[Any]:
    fields: dict[str, Any] = {
        name: (
            parameter.annotation,
            ... if parameter.default is inspect.Parameter.empty else parameter.default,
        )
        for name, parameter in tool.parameters.items()
    }
    config = ConfigDict(extra="forbid", protected_namespaces=())
    return TypeAdapter(create_model(tool.name, __config__=config, **fields))


def _wording(tool: Tool, error: ValidationError) -> str:
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else "arguments"
    if first["type"] == "extra_forbidden":
        known = ", ".join(tool.parameters)
        return f"{tool.name} has no argument {name!r}. It takes: {known}."
    if first["type"] == "missing":
        return f"{tool.name} needs {name}. Give it a value."
    reason = str(first["msg"]).removeprefix("Input should be ")
    return f"{name} is {first['input']!r}, but should be {reason}. Give another value."


@cache
def load_tools() -> Mapping[str, Tool]:
    """All tools of this package, by name: every module that has a `CARD`."""
    return _found("tools")


@cache
def load_works() -> Mapping[str, Tool]:
    """All that can be a job, by name: the tools, and what only jobs do, in `tools/works/`."""
    return MappingProxyType({**load_tools(), **_found("tools.works")})


def _found(package: str) -> Mapping[str, Tool]:
    found = {}
    for module_info in pkgutil.iter_modules(importlib.import_module(package).__path__):
        module = importlib.import_module(f"{package}.{module_info.name}")
        if card := getattr(module, "CARD", None):
            name = module_info.name
            found[name] = Tool(name, card, getattr(module, name))
    return MappingProxyType(found)
