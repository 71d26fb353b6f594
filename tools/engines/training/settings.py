"""A training as a file describes it: TOML that a person can edit, keep and run again.

A list in place of a number or a word is a sweep: one training for each.
"""

import itertools
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, TypeAdapter, ValidationError

from tools.base import ToolFailed

Method = Literal["lora", "full", "embedding"]
_LISTS = ("images", "captions")  # which are lists by nature, and so no sweeps
_MOST = 24  # trainings of a sweep


@dataclass(frozen=True)
class Settings:
    """Everything that a training of a subject depends on.

    Attributes:
        model: the system that learns.
        images: the photos.
        class_noun: what the subject is, such as "cup".
        token: the word that stands for it.
        captions: what each photo shows beside it; none if nothing is told.
        method: an adapter, the whole network, or one word alone.
        steps: of the optimiser.
        batch: photos in a step.
        accumulated: batches that a step adds up.
        learning_rate: the highest.
        rank: of the adapter.
        resolution: px of the sides that the model sees.
        prior_images: pictures of the class that it is to go on drawing.
        prior_weight: how much they count.
        class_images: a folder of such pictures; the model draws them if it is empty.
        train_text_encoder: whether the first text encoder learns, too.
        flip: whether mirrored photos are as good as the photos.
        seed: of all that is chosen by chance.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}
    model: str = ""
    images: tuple[str, ...] = ()
    class_noun: str = ""
    token: str = ""
    captions: tuple[str, ...] = ()
    method: Method = "lora"
    steps: Annotated[int, Field(ge=1, le=20_000)] = 400
    batch: Annotated[int, Field(ge=1, le=64)] = 4
    accumulated: Annotated[int, Field(ge=1, le=64)] = 1
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-4
    rank: Annotated[int, Field(ge=1, le=128)] = 16
    resolution: Annotated[int, Field(ge=64, le=2_048)] = 512
    prior_images: Annotated[int, Field(ge=0, le=1_000)] = 100
    prior_weight: Annotated[float, Field(ge=0, le=100)] = 1.0
    class_images: str = ""
    train_text_encoder: bool = False
    flip: bool = False
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1


def read(path: Path) -> tuple[Mapping[str, Any], ...]:
    """What a file says of one training, or of each training of a sweep.

    Raises:
        ToolFailed: it cannot be read, names what is no setting, or sweeps over too much.
    """
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ToolFailed(
            f"{path.name} cannot be read as TOML: {error}. Correct it, or leave it out."
        ) from None
    known = [field.name for field in fields(Settings)]
    if unknown := [name for name in told if name not in known]:
        raise ToolFailed(
            f"{path.name} sets {', '.join(unknown)}, which is unknown. Known are: "
            f"{', '.join(known)}."
        )
    swept = {n: v for n, v in told.items() if isinstance(v, list) and n not in _LISTS}
    several = [
        dict(zip(swept, chosen, strict=True)) for chosen in itertools.product(*swept.values())
    ]
    if not 1 <= len(several) <= _MOST:
        raise ToolFailed(
            f"{path.name} describes {len(several)} trainings; 1 to {_MOST} can be run at once."
        )
    return tuple({**told, **one} for one in several)


def settled(*layers: Mapping[str, Any]) -> Settings:
    """The settings that layers of them come to, the last one counting most.

    Raises:
        ToolFailed: one is of the wrong kind or out of bounds.
    """
    told = {name: value for layer in layers for name, value in layer.items() if value is not None}
    try:
        return TypeAdapter(Settings).validate_python(told)
    except ValidationError as error:
        first = error.errors()[0]
        name, reason = first["loc"][0], str(first["msg"]).removeprefix("Input should be ")
        raise ToolFailed(
            f"{name} is {first['input']!r}, but should be {reason}. Give another value."
        ) from None


def written(settings: Settings) -> str:
    """The settings as TOML, to be edited and run again."""
    lines = [f"{name} = {_value(value)}" for name, value in asdict(settings).items()]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value, ensure_ascii=False)
