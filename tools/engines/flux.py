"""The engine of FLUX: pictures from words, by the stock pipelines of diffusers.

Everything that tells one model from another is said by its card or by its own configuration, so
nothing here asks for a model's name.
"""

import inspect
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers import DiffusionPipeline
from PIL import Image
from safetensors import SafetensorError

from index.card import Run
from tools.base import Report, ToolFailed
from tools.engines import apart, placing
from tools.engines.forming import Forming
from tools.placement import RESIDENT, Placement

_FEW_WORDS = 5_000  # that a small vocabulary has at most
_MARKS = ",.;:!?\"'()"
# What a damaged folder raises, or a device that has too little memory.
_DAMAGED = (
    SafetensorError, OSError, RuntimeError, KeyError, TypeError, ValueError, AttributeError,
    MemoryError,
)  # fmt: skip


@dataclass(frozen=True)
class Painter:
    """A loaded pipeline.

    Attributes:
        system: id of the system.
        folder: where its weights came from.
        pipeline: the pipeline of diffusers, on its device.
        run: how its card says that it is run.
        device: `cpu`, `cuda` or `mps`.
        placement: how it is held there while it draws.
    """

    system: str
    folder: Path
    pipeline: Any
    run: Run
    device: str
    placement: Placement = RESIDENT


@dataclass(frozen=True)
class Order:
    """What is to be drawn.

    Attributes:
        prompt: in words.
        negative_prompt: what is to be kept away from; empty for nothing.
        width: px.
        height: px.
        steps: of denoising.
        guidance: how closely the words are followed.
        seed: the same one gives the same picture.
        given: what else the pipeline is called with, such as a picture to start from.
    """

    prompt: str
    negative_prompt: str
    width: int
    height: int
    steps: int
    guidance: float
    seed: int
    given: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Drawn:
    """A picture that was drawn.

    Attributes:
        picture: 8-bit RGB.
        order: what it was drawn from.
        seconds: that it took.
        placement: how the model was held while it drew.
        peak_memory_mib: the most that was held meanwhile, MiB: of the device on cuda, else of the
            whole process.
    """

    picture: Image.Image
    order: Order
    seconds: float
    placement: Placement = RESIDENT
    peak_memory_mib: float = 0.0


def load_painter(
    system: str, folder: Path, device: str, run: Run, placement: Placement = RESIDENT
) -> Painter:
    """Loads a pipeline from a folder in the form of diffusers.

    Args:
        system: id of the system.
        folder: of its weights.
        device: `cpu`, `cuda` or `mps`.
        run: how its card says that it is run.
        placement: how it is held on the device.

    Raises:
        ToolFailed: the folder is damaged or not whole, or the device has no memory for it.
    """
    told = {"dtype": placing.precision(device), "use_safetensors": True, "local_files_only": True}
    for library in (diffusers, transformers):  # their bars would fill the server's terminal
        library.utils.logging.disable_progress_bar()
    try:
        pipeline: Any = DiffusionPipeline.from_pretrained(
            folder, **told, **placing.loading(placement.quantised, folder, device)
        )
        placing.put(pipeline, placement, device)
    except _DAMAGED as error:
        if placing.no_memory(error):
            raise ToolFailed(_no_memory(system, device)) from None
        raise ToolFailed(
            f"The weights of {system} in {folder} are damaged or not all there "
            f"({type(error).__name__}). Fetch them again."
        ) from error
    pipeline.set_progress_bar_config(disable=True)
    return Painter(system, folder, pipeline, run, device, placement)


def loaded(
    system: str, folder: Path, device: str, run: Run, placement: Placement = RESIDENT
) -> tuple[Painter, int]:
    """A loaded pipeline, and the bytes that its weights take on the device.

    Raises:
        ToolFailed: as `load_painter` does.
    """
    painter = load_painter(system, folder, device, run, placement)
    return painter, 0 if placement.offload else parameter_bytes(painter)


def parameter_bytes(painter: Painter) -> int:
    """Bytes of all weights of a pipeline."""
    return sum(w.numel() * w.element_size() for w in _weights(painter))


def parameter_count(painter: Painter) -> int:
    """How many weights a pipeline has, its text encoders and autoencoder among them."""
    return sum(weight.numel() for weight in _weights(painter))


def has_few_words(painter: Painter) -> bool:
    """Whether a model knows whole words of a small world, and no others."""
    tokenizer = getattr(painter.pipeline, "tokenizer_2", None)
    return tokenizer is not None and len(tokenizer) <= _FEW_WORDS


def unknown_words(painter: Painter, prompt: str) -> tuple[str, ...]:
    """The words of a prompt that a model with a small vocabulary of whole words does not know.

    A large vocabulary is made of parts of words, so such a model knows any word in some way.
    """
    if not has_few_words(painter):
        return ()
    words = dict.fromkeys(word.strip(_MARKS) for word in prompt.split())
    known = painter.pipeline.tokenizer_2.get_vocab()
    return tuple(word for word in words if word and f"▁{word.lower()}" not in known)


def pieces(painter: Painter, word: str) -> int:
    """How many tokens a model reads a word as."""
    found = painter.pipeline.tokenizer(word, add_special_tokens=False)["input_ids"]
    return len(found)


@torch.inference_mode()
def draw(
    painter: Painter,
    orders: tuple[Order, ...],
    report: Report,
    show: Callable[[Image.Image], None] | None = None,
) -> Iterator[Drawn]:
    """Draws pictures one by one, each as the stock pipeline draws it.

    Args:
        painter: the loaded pipeline.
        orders: what to draw.
        report: told after every step; may raise to stop.
        show: is given each picture as it forms, small, every now and then.

    Raises:
        ToolFailed: the device has no memory left; the next order may be smaller.
    """
    for number, order in enumerate(orders):
        forming = Forming(show, order.width, order.height) if show else None

        def step(pipeline: Any, done: int, _: Any, kept: dict[str, Any], /) -> dict[str, Any]:
            if forming:  # noqa: B023
                forming.look(pipeline, kept["latents"])  # noqa: B023
            # A picture that some of another one stays in takes fewer steps than were asked for.
            share = (number + (done + 1) / pipeline.num_timesteps) / len(orders)  # noqa: B023
            report(share, f"picture {number + 1} of {len(orders)}, step {done + 1}")  # noqa: B023
            return kept

        apart.forget_peak(painter.device)
        began = time.perf_counter()
        picture, placement = _picture(painter, order, step)
        seconds, peak = time.perf_counter() - began, apart.peak_memory(painter.device)
        yield Drawn(picture, order, seconds, placement, peak)


def _picture(
    painter: Painter, order: Order, step: Callable[..., dict[str, Any]]
) -> tuple[Image.Image, Placement]:
    """A picture and how it was drawn: where memory ran out, once more with less."""
    old = painter.placement
    kernels: AbstractContextManager[None] = nullcontext()
    for new in dict.fromkeys((old, placing.step_down(old, painter.device))):
        try:
            with kernels, placing.moved(painter.pipeline, old, new, painter.device):
                [picture] = painter.pipeline(
                    **arguments(painter, order), callback_on_step_end=step
                ).images
            return picture, new
        except (RuntimeError, MemoryError) as error:
            if not placing.no_memory(error):
                raise
            kernels = placing.kernels_after(error)
        placing.tidy(painter.device)  # here, where no traceback keeps tensors any more
    raise ToolFailed(_no_memory(painter.system, painter.device))


def takes_negative_prompt(painter: Painter, guidance: float) -> bool:
    """Whether what is to be kept away from makes a difference."""
    return guidance > 1 and _draws_twice(painter)


def arguments(painter: Painter, order: Order) -> Mapping[str, Any]:
    """What a pipeline is called with: of all that an order says, what its class takes."""
    names = taken(painter)
    told: dict[str, Any] = {
        "prompt": order.prompt,
        "width": order.width,
        "height": order.height,
        "num_inference_steps": order.steps,
        "generator": torch.Generator("cpu").manual_seed(order.seed),
        # Some would enlarge the picture to a size of their own.
        "max_area": order.width * order.height,
        "_auto_resize": False,
    }
    if painter.run.max_text_tokens:
        told["max_sequence_length"] = painter.run.max_text_tokens
    if _draws_twice(painter):
        told |= {"true_cfg_scale": order.guidance, "negative_prompt": order.negative_prompt}
    else:
        told["guidance_scale"] = order.guidance
    told |= order.given
    return {name: value for name, value in told.items() if name in names}


def taken(painter: Painter) -> frozenset[str]:
    """The names of the arguments that a pipeline is called with."""
    return frozenset(inspect.signature(painter.pipeline.__call__).parameters)


def _draws_twice(painter: Painter) -> bool:
    """Whether guidance, for which the model has no input, is two drawings, one without words."""
    if "true_cfg_scale" not in taken(painter):
        return False
    return not painter.pipeline.transformer.config.guidance_embeds


def _weights(painter: Painter) -> Iterator[torch.Tensor]:
    for part in painter.pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            yield from part.parameters()


def _no_memory(system: str, device: str) -> str:
    return (
        f"The memory of {device} is too small for {system} at this size. Ask for a smaller picture,"
        " or for a smaller model."
    )
