"""A picture as it forms: what the model takes the finished one to be, seen every now and then.

A step of Euler's method goes straight on, so from two of its points follows where it leads without
noise. That is decoded small, which costs a fraction of a step.
"""

import time
from collections.abc import Callable
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

_EVERY = 0.7  # seconds between two looks
_SIDE = 32  # latents along the longer side at most


class Forming:
    """Looks at a picture while a pipeline draws it.

    Args:
        show: is given the picture as it looks so far, RGB.
        width: of the finished picture, px.
        height: of the finished picture, px.
    """

    def __init__(self, show: Callable[[Image.Image], None], width: int, height: int) -> None:
        self._show, self._size = show, (width, height)
        self._looked, self._before = time.monotonic(), torch.empty(0)

    def look(self, pipeline: Any, latents: Tensor) -> None:
        """Shows the picture after a step, if it is time to.

        Args:
            pipeline: that of diffusers, within its callback.
            latents: packed as FLUX has them, shape (1, tokens, 4 x channels).
        """
        before, self._before = self._before, latents
        if time.monotonic() - self._looked < _EVERY or before.shape != latents.shape:
            return
        clean = _finished(pipeline.scheduler, before, latents)
        if (picture := _decoded(pipeline, clean, self._size)) is not None:
            self._show(picture)
        self._looked = time.monotonic()


def _finished(scheduler: Any, before: Tensor, latents: Tensor) -> Tensor:
    """Where the last step leads if it goes on to no noise at all."""
    last, now = scheduler.sigmas[scheduler.step_index - 1 : scheduler.step_index + 1].tolist()
    clean: Tensor = latents - now * (latents - before) / (now - last)
    return clean


@torch.inference_mode()
def _decoded(pipeline: Any, latents: Tensor, size: tuple[int, int]) -> Image.Image | None:
    """A small picture of packed latents; none if their places are not those of the picture."""
    vae = pipeline.vae
    columns, rows = (side // (2 * pipeline.vae_scale_factor) for side in size)
    if latents.shape[1] != rows * columns:
        return None
    if norm := getattr(vae, "bn", None):  # FLUX.2 evens its latents out by channel
        spread = torch.sqrt(norm.running_var + vae.config.batch_norm_eps).to(latents)
        latents = latents * spread + norm.running_mean.to(latents)
    else:
        latents = latents / vae.config.scaling_factor + vae.config.shift_factor
    grid = latents.view(1, rows, columns, -1, 2, 2).permute(0, 3, 1, 4, 2, 5)
    grid = grid.reshape(1, -1, 2 * rows, 2 * columns)
    if (longer := max(grid.shape[2:])) > _SIDE:
        small = tuple(max(1, round(side * _SIDE / longer)) for side in grid.shape[2:])
        grid = functional.interpolate(grid, size=small, mode="area")
    made = vae.decode(grid.to(vae.dtype))[0]
    picture: Image.Image = pipeline.image_processor.postprocess(made, "pil")[0]
    return picture
