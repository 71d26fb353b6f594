"""Puts a pipeline where it fits: the choice for a picture, how it is loaded, and a step down.

What fits is predicted before anything is loaded; `tools/placement.py` makes the choice.
"""

import gc
import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

from index.card import Run
from tools import forms, sizes
from tools.base import NeedsInput, ToolFailed
from tools.engines.footprint import Drawing, parts, weights
from tools.forms import PIPELINE
from tools.placement import Part, Placement, Wanted, choose, placed

_TOKENS = 512  # of a prompt, where a card says nothing
_SMALLER = (0.75, 0.5, 0.25)  # of the sides asked for
_FP8_SINCE = (8, 9)  # the first compute capability that multiplies 8-bit floats
_QUANTISED = ("transformer", "text_encoder", "text_encoder_2")
# What building or counting a network from a damaged folder raises; its loader says what is wrong.
_UNCOUNTABLE = (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError)


def place(system: str, folder: Path, device: str, run: Run, wanted: Wanted, free: int) -> Placement:
    """Where a pipeline is held to draw what is wanted, before it is loaded.

    Args:
        system: id of the system.
        folder: of its weights.
        device: `cpu`, `cuda` or `mps`.
        run: how its card says that it is run.
        wanted: what it is to draw.
        free: bytes that the device has for it.

    Raises:
        NeedsInput: the model does not take that size, or only a smaller one fits.
        ToolFailed: nothing fits.
    """
    case = _Case(folder, device, run, wanted)
    size = sizes.size(system, run, wanted.width, wanted.height)
    try:
        if chosen := case.chosen(size, free):
            return chosen
        needed = placed(case.parts(size, tiled=True), "", "", tiled=True).room
        near = case.nearest(size, free)
    except _UNCOUNTABLE:
        weights = forms.memory(PIPELINE, forms.parameters(PIPELINE, folder), device)
        return Placement(weights=weights, needed=weights)
    there = (
        f"{system} needs {_mebibytes(needed)} of memory to draw {_shown(size)} px, but "
        f"{_mebibytes(free)} are free on {device}."
    )
    if near is None:
        raise ToolFailed(f"{there} No smaller picture fits either. Choose a smaller model.")
    raise NeedsInput(
        f"{there} {_shown(near)} px fits; shall I draw that? Or choose a smaller model.",
        (f"Use {near[0]}x{near[1]}",),
    )


def foretold(
    system: str, folder: Path, device: str, run: Run, wanted: Wanted, free: int
) -> tuple[int, Placement | None]:
    """The bytes of a pipeline's weights, and where it would be held; none if it does not fit.

    Args:
        system: id of the system.
        folder: of its configurations; its weights need not be there.
        device: `cpu`, `cuda` or `mps`.
        run: how its card says that it is run.
        wanted: what it is to draw.
        free: bytes that the device has for it.

    Raises:
        NeedsInput: the model does not take that size.
        OSError: a configuration cannot be read.
        ValueError: a configuration does not describe a network.
    """
    case = _Case(folder, device, run, wanted)
    size = sizes.size(system, run, wanted.width, wanted.height)
    needed = weights(folder, device, precision(device))
    hopeless = device != "cuda" and needed > free  # all of them stay there, whatever is done
    return needed, None if hopeless else case.chosen(size, free)


@dataclass(frozen=True)
class _Case:
    folder: Path
    device: str
    run: Run
    wanted: Wanted

    def chosen(self, size: tuple[int, int], free: int) -> Placement | None:
        """The placement for a size, px."""
        is_whole = self.device == "cuda" and not forms.packed(self.folder)
        kinds = quantisers() if is_whole else ()
        whole, tiled = self.parts(size, tiled=False), partial(self.parts, size, tiled=True)
        return choose(whole, tiled, free, self.device, kinds, self.wanted.fit)

    def parts(self, size: tuple[int, int], *, tiled: bool) -> Mapping[str, Part]:
        """What each part takes for a size, px."""
        tokens = self.run.max_text_tokens or _TOKENS
        drawing = Drawing(*size, tokens, self.wanted.references, tiled=tiled)
        return parts(self.folder, self.device, precision(self.device), drawing)

    def nearest(self, size: tuple[int, int], free: int) -> tuple[int, int] | None:
        """The largest smaller size that the model takes and that fits; none if there is none."""
        for share in _SMALLER:
            near = sizes.legal(self.run, *(round(side * share) for side in size))
            if near != size and self.chosen(near, free):
                return near
        return None


def precision(device: str) -> torch.dtype:
    """What is computed in. A CPU is many times faster in single precision than in half."""
    return torch.bfloat16 if device == "cuda" else torch.float32


def quantisers() -> tuple[str, ...]:
    """The kinds of fewer bits that can be had on the GPU of this machine, the best first."""
    found = []
    if find_spec("torchao") and torch.cuda.get_device_capability() >= _FP8_SINCE:
        found.append("fp8")
    if find_spec("bitsandbytes"):
        found.append("nf4")
    return tuple(found)


def loading(quantised: str, folder: Path, device: str) -> dict[str, Any]:
    """What `from_pretrained` is told to hold linear layers in fewer bits; empty for as they are.

    Args:
        quantised: `fp8`, `nf4` or empty.
        folder: of the pipeline; its transformer may be in fewer bits already.
        device: `cpu`, `cuda` or `mps`.

    Raises:
        ToolFailed: what reads such a transformer is not installed.
    """
    if file := forms.packed(folder):
        return {"transformer": _unpacked(file, device)}
    if not quantised:
        return {}
    pipelines: Any = diffusers  # its classes have no types
    libraries: dict[str, Any] = {
        name: pipelines if name == "transformer" else transformers
        for name in _QUANTISED
        if (folder / name).is_dir()
    }
    how = _fp8 if quantised == "fp8" else _nf4
    mapping = {name: how(library) for name, library in libraries.items()}
    return {"quantization_config": pipelines.PipelineQuantizationConfig(quant_mapping=mapping)}


def _unpacked(file: Path, device: str) -> Any:
    """A transformer of GGUF, whose layers are unpacked one by one while they work."""
    if not find_spec("gguf"):
        raise ToolFailed(
            f"{file.name} is a file of GGUF, and what reads it is not installed. Install the extra "
            "`quantised`, or give the weights as safetensors."
        )
    config = json.loads((file.parent / "config.json").read_text(encoding="utf-8"))
    computed = precision(device)
    return getattr(diffusers, config["_class_name"]).from_single_file(
        str(file),
        config=str(file.parent),
        quantization_config=diffusers.GGUFQuantizationConfig(compute_dtype=computed),
        dtype=computed,
        local_files_only=True,
    )


def _fp8(library: Any) -> Any:
    from torchao.quantization import Float8DynamicActivationFloat8WeightConfig, PerRow

    return library.TorchAoConfig(Float8DynamicActivationFloat8WeightConfig(granularity=PerRow()))


def _nf4(library: Any) -> Any:
    return library.BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16
    )


def put(pipeline: Any, placement: Placement, device: str) -> None:
    """Puts a loaded pipeline on its device, whole or one part or layer at a time."""
    if placement.offload == "model":
        pipeline.enable_model_cpu_offload()
    elif placement.offload == "sequential":
        pipeline.enable_sequential_cpu_offload()
    else:
        pipeline.to(device)


_NO_KERNEL = "could not create a primitive"  # says oneDNN where it has no memory to compile one
_FULL = ("can't allocate memory", _NO_KERNEL)


def no_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out; a CPU has no class of its own for it."""
    named = isinstance(error, torch.OutOfMemoryError | MemoryError)
    return named or any(said in str(error) for said in _FULL)


def kernels_after(error: BaseException) -> AbstractContextManager[None]:
    """The kernels to draw with once more: torch's own where oneDNN could not compile one.

    It never again makes one that it once had no memory for, however much there is later.
    """
    spoilt = _NO_KERNEL in str(error)
    return torch.backends.mkldnn.flags(enabled=False) if spoilt else nullcontext()


def tidy(device: str) -> None:
    """Frees what a drawing that failed has left."""
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()


def step_down(placement: Placement, device: str) -> Placement:
    """What takes less memory than a placement; the same if there is nothing."""
    offload = "model" if device == "cuda" and not placement.offload else placement.offload
    return replace(placement, offload=offload, tiled=True)


@contextmanager
def moved(pipeline: Any, old: Placement, new: Placement, device: str) -> Iterator[None]:
    """Holds a loaded pipeline in another way for as long as the block lasts."""
    moving = old.offload != new.offload
    if moving:
        pipeline.to("cpu")
        torch.cuda.empty_cache()
        put(pipeline, new, device)
    try:
        with tiling(pipeline, new.tiled):
            yield
    finally:
        if moving:
            pipeline.remove_all_hooks()
            put(pipeline, old, device)


@contextmanager
def tiling(pipeline: Any, tiled: bool) -> Iterator[None]:
    """Decodes in tiles or whole for as long as the block lasts."""
    before = pipeline.vae.use_tiling
    pipeline.vae.use_tiling = tiled
    try:
        yield
    finally:
        pipeline.vae.use_tiling = before


def _shown(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB"
