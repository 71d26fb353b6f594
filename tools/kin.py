"""How a pipeline of one's own is run: as the system of its kind is, by what its files tell."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from index.card import Card, Run
from tools.forms import CONFIG, MODEL_INDEX

_KINDS = {
    "FluxPipeline": "FLUX.1-dev", "FluxKontextPipeline": "FLUX.1-Kontext-dev",
    "FluxFillPipeline": "FLUX.1-Fill-dev", "FluxControlPipeline": "FLUX.1-Canny-dev",
    "FluxPriorReduxPipeline": "FLUX.1-Redux-dev", "Flux2Pipeline": "FLUX.2-dev",
    "Flux2KleinPipeline": "FLUX.2-klein-4B", "Flux2KleinKVPipeline": "FLUX.2-klein-9b-kv",
}  # fmt: skip
_POCKET = {"FluxPipeline": "pocket-flux", "FluxKontextPipeline": "pocket-kontext"}
_SHAPE = ("attention_head_dim", "num_attention_heads", "joint_attention_dim")
_POCKET_SHAPE = (32, 6, 128)


def run_of(card: Card | None, folder: Path | None, cards: Mapping[str, Card]) -> Run:
    """How a pipeline is run: as its card says, else as the system of which it is a kind.

    Args:
        card: its card, if it has one.
        folder: of the pipeline, in the form of diffusers, if it is here.
        cards: all cards, by id.

    Returns:
        Steps, guidance and sizes; nothing if its kind is unknown.
    """
    if card or folder is None:
        return card.run if card else Run()
    index, shape = (_told(folder / name) for name in (MODEL_INDEX, f"transformer/{CONFIG}"))
    kin = cards.get(_kind(index, shape))
    if kin is None:
        return Run()
    return replace(
        kin.run, repository="", weights="", download_mb=None, gated=None, memory_gib=None
    )


def _kind(index: Mapping[str, Any], shape: Mapping[str, Any]) -> str:
    name = index.get("_class_name", "")
    if name in _POCKET and tuple(map(shape.get, _SHAPE)) == _POCKET_SHAPE:
        return _POCKET[name]
    if name == "FluxPipeline" and not shape.get("guidance_embeds"):
        return "FLUX.1-schnell"  # distilled to do without
    if name == "Flux2KleinPipeline" and not index.get("is_distilled"):
        return "FLUX.2-klein-base-4B"
    return _KINDS.get(name, "")


def _told(path: Path) -> Mapping[str, Any]:
    """What stands in a file of JSON; nothing if it cannot be read, which its loader tells."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
