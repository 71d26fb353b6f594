"""The types of a capability card, and the reader of `cards/*.toml`."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, TypeAdapter, ValidationError

from index.evidence import Claim, Value, Verdict
from index.properties import properties
from index.toml_lines import line_of

Task = Literal[
    "classify", "embed", "finetune", "export", "generate", "edit", "personalize", "control"
]
Engine = Literal["convnet", "flux", "stable_diffusion", "bfl", "training", "none"]
Kind = Literal["pocket", "weights", "hosted", "repository", "service"]
Status = Literal["available", "withdrawn", "facts only"]
Commercial = Literal["yes", "no", "conditions"]
Positive = Annotated[float, Field(ge=0)]


class CardError(ValueError):
    """A card that cannot be read. The message names file, line and field."""


@dataclass(frozen=True)
class Run:
    """How a system is run: everything an engine needs to know, said once.

    Attributes:
        engine: which engine loads it; `none` if it cannot be run here.
        repository: Hub repository, endpoint path, or source repository.
        weights: folder of shipped weights, relative to the package `tools`.
        download_mb: size of the weights to fetch, megabytes (10^6 bytes).
        gated: whether the Hub asks to accept a licence first; none if unknown.
        memory_gib: device memory needed to run it at its defaults, GiB.
        steps: default number of denoising steps.
        guidance: default guidance scale.
        max_text_tokens: longest prompt that the text encoder takes.
        width: default width, px.
        height: default height, px.
        min_side: smallest side allowed, px.
        max_side: largest side allowed, px.
        multiple_of: sides must divide by this.
        max_megapixels: largest area allowed, 10^6 px.
        max_references: most reference pictures it takes.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}
    engine: Engine = "none"
    repository: str = ""
    weights: str = ""
    download_mb: Positive | None = None
    gated: bool | None = None
    memory_gib: Positive | None = None
    steps: int | None = None
    guidance: float | None = None
    max_text_tokens: int | None = None
    width: int | None = None
    height: int | None = None
    min_side: int | None = None
    max_side: int | None = None
    multiple_of: int | None = None
    max_megapixels: Positive | None = None
    max_references: int | None = None


@dataclass(frozen=True)
class Training:
    """How a system is best taught a subject from a few photos.

    Attributes:
        steps: of the optimiser.
        batch: photos in a step.
        learning_rate: the highest.
        rank: of the adapter.
        prior_images: pictures of the class that it goes on drawing meanwhile.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}
    steps: int
    batch: int
    learning_rate: Positive
    rank: int
    prior_images: int


@dataclass(frozen=True)
class Capability:
    """One thing a system can be used for.

    Attributes:
        id: short name, unique on the card.
        title: a few words, as a person would ask for it.
        summary: one or two sentences in our own words.
        best_for: situations in which it is a good choice.
        limits: what it does not do, or does badly.
        needs: what must be there to use it.
        tool: name of the tool that runs it here; empty if none does.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}
    id: str
    title: str
    summary: str
    best_for: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    tool: str = ""


@dataclass(frozen=True)
class Card:
    """One system: identity, licence, how it is run, capabilities and claims.

    Attributes:
        id: as its publisher spells it (see the design's rule of ids).
        name: how people write it.
        kind: pocket, weights, hosted, repository or service.
        tasks: what it does, main task first.
        family: models that belong together ("FLUX.2").
        publisher: who made it.
        summary: one or two sentences in our own words.
        licence: SPDX name or the licence's own title; empty if unknown.
        commercial_use: whether the licence allows commercial use.
        aliases: other names people use.
        status: available, withdrawn, or facts only (not run here).
        successor: id of the card that replaces a withdrawn system.
        page: address to read more.
        source: where the fields above and `run` were read.
        date: when that source was written or copied, ISO.
        run: how it is run.
        training: how it is best taught; none if nobody has said.
        capabilities: what it can be used for.
        claims: sourced statements, those of the fields above included.
    """

    id: str
    name: str
    kind: Kind
    tasks: tuple[Task, ...]
    family: str
    publisher: str
    summary: str
    licence: str
    commercial_use: Commercial | None
    aliases: tuple[str, ...]
    status: Status
    successor: str
    page: str
    source: str
    date: str
    run: Run
    training: Training | None
    capabilities: tuple[Capability, ...]
    claims: tuple[Claim, ...] = field(repr=False)

    @property
    def scores(self) -> tuple[Claim, ...]:
        """The claims that state a published score."""
        table = properties()
        return tuple(claim for claim in self.claims if table[claim.property].score)


@dataclass(frozen=True)
class _ClaimRow:
    """A `[[claims]]` table of a card file, before it knows its system and unit."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}
    property: str
    value: Value
    source: str
    date: date
    says: str
    at: str = ""
    verdict: Verdict = "claimed"
    right: Value | None = None
    note: str = ""


@dataclass(frozen=True)
class _Source:
    """Who states a field of the card, where the card's own source does not."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}
    says: str
    source: str
    date: date
    verdict: Literal["verified", "claimed"] = "verified"


@dataclass(frozen=True)
class _CardFile:
    """A whole card file, as written."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}
    id: str
    name: str
    kind: Kind
    tasks: tuple[Task, ...]
    publisher: str
    summary: str
    source: str
    date: date
    family: str = ""
    licence: str = ""
    commercial_use: Commercial | None = None
    aliases: tuple[str, ...] = ()
    status: Status = "available"
    successor: str = ""
    page: str = ""
    run: Run = field(default_factory=Run)
    training: Training | None = None
    capabilities: tuple[Capability, ...] = ()
    claims: tuple[_ClaimRow, ...] = ()
    sources: Mapping[str, _Source] = field(default_factory=dict)


@cache
def _card_file() -> TypeAdapter[_CardFile]:
    return TypeAdapter(_CardFile)


def read_card(path: Path) -> Card:
    """Reads one card file.

    Raises:
        CardError: the file is not TOML, or a field is missing, unknown, or of the wrong kind;
            the message names file, line and field.
    """
    text = path.read_text(encoding="utf-8")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CardError(f"{path.name}: not valid TOML: {error}. Mend the file.") from None
    try:
        raw = _card_file().validate_python(data)
    except ValidationError as error:
        raise CardError(_first_error(path.name, text, error)) from None
    card = _assemble(raw, path.name, text)
    if path.stem != file_stem(card.id):
        raise CardError(
            f"{path.name}, line {line_of(text, ('id',))}, field id: {card.id!r} belongs in a file "
            f"named {file_stem(card.id)}.toml. Rename the file."
        )
    return card


def file_stem(card_id: str) -> str:
    """The file name, without ending, of the card with this id."""
    return re.sub(r"[^A-Za-z0-9._-]+", "--", card_id)


def _first_error(name: str, text: str, error: ValidationError) -> str:
    first = error.errors()[0]
    where = tuple(first["loc"])
    named = ".".join(str(part) for part in where)
    what = {
        "unexpected_keyword_argument": "is not a field of a card",
        "missing": "is missing",
        "missing_argument": "is missing",
    }.get(first["type"], f"has the value {first['input']!r}: {first['msg']}")
    return f"{name}, line {line_of(text, where)}, field {named}: {what}. Mend the file."


def _assemble(raw: _CardFile, name: str, text: str) -> Card:
    """The card of a file, every claim with its system, unit and place."""
    if unknown := set(raw.sources) - set(_FIELD_PROPERTIES):
        field_name = min(unknown)
        where = f"{name}, line {line_of(text, (f'sources.{field_name}', 0))}"
        raise CardError(f"{where}, field sources.{field_name}: is no field of a card. Mend it.")
    values = {item.name: getattr(raw, item.name) for item in fields(Card)}
    values["date"] = raw.date.isoformat()
    values["claims"] = _field_claims(raw, name) + tuple(
        _claim(raw, row, number, name, text) for number, row in enumerate(raw.claims)
    )
    return Card(**values)


def _claim(raw: _CardFile, row: _ClaimRow, number: int, name: str, text: str) -> Claim:
    table = properties()
    where = f"{name}, line {line_of(text, ('claims', number, 'property'))}, field claims.{number}"
    if row.property not in table:
        raise CardError(f"{where}.property: {row.property!r} is not in properties.toml. Add it.")
    if row.property in _FIELD_PROPERTIES and row.verdict != "refuted" and not row.at:
        raise CardError(f"{where}.property: {row.property!r} is a field of the card. Say it there.")
    if (row.verdict == "refuted") != (row.right is not None):
        raise CardError(f"{where}.right: only a refuted claim has a right value, and must have it.")
    return Claim(
        raw.id,
        row.property,
        row.value,
        table[row.property].unit,
        row.at,
        row.says,
        row.source,
        row.date.isoformat(),
        row.verdict,
        row.right,
        row.note,
        f"{name}:claims[{number}]",
    )


_FIELD_PROPERTIES = (
    "licence", "commercial_use", "publisher", "status", "successor", "repository",
    "download_mb", "gated", "memory_gib", "steps", "guidance", "max_text_tokens", "width",
    "height", "min_side", "max_side", "multiple_of", "max_megapixels", "max_references",
)  # fmt: skip


def _field_claims(raw: _CardFile, name: str) -> tuple[Claim, ...]:
    """The card's own fields as claims, so that they too can stand behind a figure."""
    claims = []
    for key in _FIELD_PROPERTIES:
        inside: Any = raw if hasattr(raw, key) else raw.run
        value = getattr(inside, key)
        if value is not None and value != "":
            where = key if inside is raw else f"run.{key}"
            claims.append(_field_claim(raw, key, value, f"{name}:{where}"))
    return tuple(claims)


def _field_claim(raw: _CardFile, key: str, value: Value, where: str) -> Claim:
    stated = raw.sources.get(key) or _Source(raw.publisher, raw.source, raw.date)
    return Claim(
        system=raw.id,
        property=key,
        value=value,
        unit=properties()[key].unit,
        at="",
        says=stated.says,
        source=stated.source,
        date=stated.date.isoformat(),
        verdict=stated.verdict,
        right=None,
        note="",
        field=where,
    )
