"""A small model that estimates depth, of the real class, with weights by chance."""

from pathlib import Path

import torch
from transformers import (
    DepthAnythingConfig,
    DepthAnythingForDepthEstimation,
    Dinov2Config,
    DPTImageProcessor,
)


def save_depth(folder: Path) -> Path:
    """Saves one as transformers does."""
    torch.manual_seed(3)
    backbone = Dinov2Config(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=28, patch_size=14,
        reshape_hidden_states=False,
    )  # fmt: skip
    backbone.out_features = ["stage1", "stage2"]
    network = DepthAnythingForDepthEstimation(
        DepthAnythingConfig(
            backbone_config=backbone, reassemble_hidden_size=16, neck_hidden_sizes=[8, 8],
            reassemble_factors=[2, 1], fusion_hidden_size=8, head_hidden_size=4,
        )
    )  # fmt: skip
    network.save_pretrained(folder)
    size = {"height": 56, "width": 56}
    DPTImageProcessor(
        size=size, keep_aspect_ratio=True, ensure_multiple_of=14, image_mean=[0.5] * 3
    ).save_pretrained(folder)
    return folder
