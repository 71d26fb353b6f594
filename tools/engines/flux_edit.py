"""The engine of FLUX, for pictures that come from other pictures, by the stock pipelines.

What a model does is told by the class of its pipeline. Another class often does it with the same
loaded weights.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

import diffusers
import torch
from PIL import Image

from tools.base import Report
from tools.engines import flux
from tools.engines.flux import Drawn, Order, Painter

Mode = Literal[
    "img2img", "inpaint", "outpaint", "instruct", "reference", "canny", "depth", "variation"
]
MODES: Final[tuple[Mode, ...]] = get_args(Mode)
_MOST_REFERENCES = 10  # where neither card nor class says
_PASTED = ("inpaint", "outpaint")  # modes that change nothing outside the mask


@dataclass(frozen=True)
class _Kind:
    """What a class of pipelines does.

    Attributes:
        modes: the class that does each, with the same weights.
        one: whether several pictures must stand side by side in one.
    """

    modes: Mapping[Mode, str]
    one: bool = False


def _kind(*rows: tuple[str, tuple[Mode, ...]], one: bool = False) -> _Kind:
    return _Kind(MappingProxyType({mode: does for does, modes in rows for mode in modes}), one)


_MASKED: Final[tuple[Mode, ...]] = ("inpaint", "outpaint")
_TOLD: Final[tuple[Mode, ...]] = ("instruct", "reference")
_STARTED: Final[tuple[Mode, ...]] = ("img2img", "variation")
# By the class of the loaded pipeline; the first mode of each is what it does if none is told.
_KINDS: Final[Mapping[str, _Kind]] = {
    "FluxPipeline": _kind(("FluxImg2ImgPipeline", _STARTED), ("FluxInpaintPipeline", _MASKED)),
    "FluxKontextPipeline": _kind(
        ("FluxKontextPipeline", _TOLD), ("FluxKontextInpaintPipeline", _MASKED), one=True
    ),
    "FluxFillPipeline": _kind(("FluxFillPipeline", _MASKED)),
    "FluxControlPipeline": _kind(("FluxControlPipeline", ("canny", "depth"))),
    "FluxPriorReduxPipeline": _kind(("FluxPriorReduxPipeline", ("variation",))),
    "Flux2Pipeline": _kind(("Flux2Pipeline", _TOLD)),
    # All of a picture under the mask is a picture to start from.
    "Flux2KleinPipeline": _kind(
        ("Flux2KleinPipeline", _TOLD), ("Flux2KleinInpaintPipeline", (*_STARTED, *_MASKED))
    ),
    "Flux2KleinKVPipeline": _kind(("Flux2KleinKVPipeline", _TOLD)),
}


@dataclass(frozen=True)
class Change:
    """What is changed, and how.

    Attributes:
        mode: the kind of change.
        pictures: RGB; those that are drawn over have the size of the orders.
        mask: 8 bits, of the same size: white where the picture may change; none for everywhere.
        strength: how much may be new, over 0 to 1; none where the mode has no such thing.
        said: what the words and pictures say to the model, if that is known already (Redux).
    """

    mode: Mode
    pictures: tuple[Image.Image, ...]
    mask: Image.Image | None = None
    strength: float | None = None
    said: Mapping[str, Any] = field(default_factory=dict, hash=False)


def modes(painter: Painter) -> tuple[Mode, ...]:
    """What a loaded model does with pictures; empty if it only draws from words."""
    kind = _KINDS.get(type(painter.pipeline).__name__)
    return tuple(kind.modes) if kind else ()


def takes_strength(painter: Painter, mode: Mode) -> bool:
    """Whether it can be said how much of a picture stays."""
    return "strength" in flux.taken(_turned(painter, mode))


def most_references(painter: Painter) -> int:
    """How many pictures a model takes at once."""
    kind = _KINDS[type(painter.pipeline).__name__]
    return painter.run.max_references or (1 if kind.one else _MOST_REFERENCES)


def is_prior(painter: Painter) -> bool:
    """Whether a model only puts a picture into words that another one draws from (Redux)."""
    return "transformer" not in painter.pipeline.components


@torch.inference_mode()
def joined(
    prior: Painter, base: Painter, pictures: Sequence[Image.Image], prompt: str
) -> tuple[Painter, Change]:
    """A prior with the model that draws, and what the pictures say to it, weighted alike.

    A base that has no input for guidance draws in its own way, at its own steps.
    """
    told = {name: base.pipeline.components[name] for name in _ENCODERS}
    whole = type(prior.pipeline)(**{**prior.pipeline.components, **told})
    share = [1.0 / len(pictures)] * len(pictures)
    said = whole(
        image=list(pictures),
        prompt=prompt,
        prompt_embeds_scale=share,
        pooled_prompt_embeds_scale=share,
    )
    listens = base.pipeline.transformer.config.guidance_embeds
    painter = replace(base, system=prior.system, run=prior.run if listens else base.run)
    return painter, Change("variation", tuple(pictures), said={**said, "prompt": None})


_ENCODERS = ("text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2")


def draw(
    painter: Painter,
    change: Change,
    orders: tuple[Order, ...],
    report: Report,
    show: Callable[[Image.Image], None] | None = None,
) -> Iterator[Drawn]:
    """Draws changed pictures one by one, each as the stock pipeline draws it.

    What lies outside the mask of an inpainting is the given picture again, to the last bit.

    Args:
        painter: the loaded pipeline.
        change: what is changed.
        orders: what to draw, one for each picture.
        report: told after every step; may raise to stop.
        show: is given each picture as it forms, small, every now and then.

    Raises:
        ToolFailed: the device has no memory left; the next order may be smaller.
    """
    turned = painter if change.said else _turned(painter, change.mode)
    given = change.said or _given(painter, change, orders[0])
    told = tuple(replace(order, given=given) for order in orders)
    for order, drawn in zip(orders, flux.draw(turned, told, report, show), strict=True):
        painter.pipeline.maybe_free_model_hooks()  # which the other pipeline has none of
        yield replace(drawn, picture=_finished(drawn.picture, change), order=order)


def _turned(painter: Painter, mode: Mode) -> Painter:
    """The painter with the pipeline that does a mode, of the same loaded parts."""
    name = _KINDS[type(painter.pipeline).__name__].modes[mode]
    if name == type(painter.pipeline).__name__:
        return painter
    pipeline = getattr(diffusers, name)(**_parts(painter.pipeline))
    pipeline.set_progress_bar_config(disable=True)
    return replace(painter, pipeline=pipeline)


def _parts(pipeline: Any) -> Mapping[str, Any]:
    """What a pipeline is made of, and what its folder says about it (klein's distillation)."""
    distilled = pipeline.config.get("is_distilled")
    return {**pipeline.components, **({} if distilled is None else {"is_distilled": distilled})}


def _given(painter: Painter, change: Change, order: Order) -> Mapping[str, Any]:
    """The pictures as the pipeline takes them; it leaves what it has no argument for."""
    if change.mode in _TOLD:
        one = _KINDS[type(painter.pipeline).__name__].one
        return {"image": _stitched(change.pictures) if one else list(change.pictures)}
    size = order.width, order.height
    first = change.pictures[0].resize(size, Image.Resampling.LANCZOS)
    mask = change.mask.resize(size, Image.Resampling.NEAREST) if change.mask else None
    given: dict[str, Any] = {"image": first, "control_image": first}
    given["mask_image"] = mask or Image.new("L", size, 255)
    return given if change.strength is None else {**given, "strength": change.strength}


def _stitched(pictures: Sequence[Image.Image]) -> Image.Image:
    """Pictures side by side on one canvas, all as high as the first."""
    height = pictures[0].height
    scaled = [
        one if one.height == height else one.resize((one.width * height // one.height, height))
        for one in pictures
    ]
    canvas = Image.new("RGB", (sum(one.width for one in scaled), height))
    left = 0
    for one in scaled:
        canvas.paste(one, (left, 0))
        left += one.width
    return canvas


def _finished(picture: Image.Image, change: Change) -> Image.Image:
    """What was drawn, with all that lies outside the mask as it was."""
    if change.mask is None or change.mode not in _PASTED:
        return picture
    whole = change.pictures[0].copy()
    inside = change.mask.point(lambda value: 255 * (value >= 128))
    whole.paste(picture.resize(whole.size, Image.Resampling.LANCZOS), mask=inside)
    return whole
