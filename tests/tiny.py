"""Tiny real classifiers, saved in timm's local form by timm itself."""

from pathlib import Path
from typing import Any

import timm
import torch
from timm.models import save_for_hf

KINDS = ("star", "heart", "house", "fish", "cup")


def save_tiny(
    folder: Path, architecture: str = "convnext_atto", seed: int = 0, **settings: Any
) -> Path:
    """Saves a network with random weights; the default is a ConvNeXt of five classes, 32 px."""
    torch.manual_seed(seed)
    if architecture == "convnext_atto":
        settings = {"depths": (1, 1, 1, 1), "dims": (8, 16, 24, 32), "num_classes": 5} | settings
    network = timm.create_model(architecture, **settings)
    named = len(KINDS) == settings.get("num_classes")
    size = {"data_config": {"input_size": (3, 32, 32)}} if named else {}
    save_for_hf(
        network,
        str(folder),
        model_config={"label_names": list(KINDS)} if named else None,
        safe_serialization=True,
        **size,
    )
    return folder
