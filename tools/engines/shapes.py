"""The shapes of the open FLUX models, written as a pipeline without weights.

So what a model takes can be counted, by the same code as before it is loaded, where nothing of it
is on this machine.
"""

import json
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tools.forms import CONFIG, MODEL_INDEX

_FILE = Path(__file__).with_name("shapes.toml")
_ENCODERS = ("text_encoder", "text_encoder_2")


def known() -> tuple[tuple[str, ...], ...]:
    """The ids of the models whose shapes are known; those of one kind have the same."""
    return tuple(tuple(kind["cards"]) for kind in _told()["kinds"])


def write(system: str, folder: Path) -> Path:
    """Writes the configurations of a model, in the form of diffusers; returns the folder.

    Args:
        system: one of `known`.
        folder: which is made.

    Raises:
        OSError: it cannot be written.
    """
    told = _told()
    kind = next(kind for kind in told["kinds"] if system in kind["cards"])
    parts = dict(zip(_ENCODERS, (told["text"][name] for name in kind["text"]), strict=False))
    parts["vae"] = told["vae"][kind["vae"]]
    parts["transformer"] = {"library": "diffusers", **kind["transformer"]}
    for name, part in parts.items():
        (folder / name).mkdir(parents=True)
        config = {key: value for key, value in part.items() if key not in ("library", "class")}
        (folder / name / CONFIG).write_text(json.dumps(config), encoding="utf-8")
    index = {name: [part["library"], part["class"]] for name, part in parts.items()}
    (folder / MODEL_INDEX).write_text(json.dumps(index), encoding="utf-8")
    return folder


@cache
def _told() -> Mapping[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))
