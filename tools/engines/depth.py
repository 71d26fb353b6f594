"""The depth of a picture, as FLUX.1 Depth [dev] was trained to follow it."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForDepthEstimation


@torch.inference_mode()
def depth_map(folder: Path, picture: Image.Image, device: str) -> Image.Image:
    """A map of depth, grey: the nearest is white, the farthest black.

    Args:
        folder: a model of transformers that estimates depth, greater where things are nearer.
        picture: RGB.
        device: where it runs.

    Returns:
        RGB of the same size.
    """
    processor = cast("Any", AutoImageProcessor).from_pretrained(folder)
    model = AutoModelForDepthEstimation.from_pretrained(folder, dtype=torch.float32).to(device)
    seen = processor(images=picture, return_tensors="pt").to(device)
    [told] = processor.post_process_depth_estimation(model(**seen), [picture.size[::-1]])
    near = told["predicted_depth"].cpu().numpy()
    span = float(near.max() - near.min()) or 1.0
    grey = ((near - near.min()) / span * 255).round().astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")
