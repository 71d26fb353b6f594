"""pocket-convnext: a ConvNeXt that knows the drawn kinds of the pocket world, and little else.

Its last class stands for pictures that are not drawings of that world, such as photographs.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import timm
from torch import Tensor, nn

WEIGHTS: Final = Path(__file__).parent / "weights" / "pocket-convnext"


@dataclass(frozen=True)
class Reading:
    """What pocket-convnext makes of a picture.

    ``kinds`` holds every kind with its probability, given that the picture is a drawing, most
    likely first. ``outside`` says that it is more likely none, and then the kinds mean nothing.
    """

    kinds: tuple[tuple[str, float], ...]
    outside: bool
    outside_probability: float


@cache
def _config(folder: Path) -> tuple[tuple[str, ...], float]:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return tuple(config["label_names"][:-1]), config["outside_threshold"]


def load(folder: Path = WEIGHTS) -> nn.Module:
    """The model as timm loads it, in evaluation mode.

    Raises:
        FileNotFoundError: If the folder holds no config.json.
    """
    model: nn.Module = timm.create_model(f"local-dir:{folder}", pretrained=True)
    return model.eval()


def read(logits: Tensor, folder: Path = WEIGHTS) -> list[Reading]:
    """Read the model's logits, of shape (n, kinds + 1), one reading for each picture."""
    names, threshold = _config(folder)
    outside = logits.float().softmax(1)[:, -1].tolist()
    readings = []
    for kinds, share in zip(logits[:, :-1].float().softmax(1), outside, strict=True):
        order = kinds.argsort(descending=True).tolist()
        ranked = tuple((names[i], float(kinds[i])) for i in order)
        readings.append(Reading(ranked, share > threshold, share))
    return readings
