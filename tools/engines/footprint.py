"""How much memory drawing takes, counted before anything is loaded or computed.

The networks are built from their configurations with fake tensors, which have shapes and no
content, and run once at the shapes that are asked for, while the bytes that are alive are counted.
So every class, size and kernel is counted as it is; no figure here belongs to one model.
"""

import importlib
import json
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from math import ceil
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter
from transformers.initialization import no_init_weights

from tools import forms
from tools.forms import CONFIG, MODEL_INDEX
from tools.placement import Part

_LIBRARIES = ("diffusers", "transformers")  # whose classes are networks that can be built
_BLOCK = 16  # channels


@dataclass(frozen=True)
class Drawing:
    """The shapes of a picture to be drawn.

    Attributes:
        width: px.
        height: px.
        text_tokens: to which the prompt is padded.
        references: width and height, px, of each picture that is looked at.
        batch: drawings that the transformer makes at once; 2 where guidance is batched.
        tiled: whether the picture is decoded in tiles.
    """

    width: int
    height: int
    text_tokens: int
    references: tuple[tuple[int, int], ...] = ()
    batch: int = 1
    tiled: bool = False


class Live(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of the tensors that are alive, real or fake, beyond those it is told of.

    Attributes:
        peak: the most bytes that were alive at once.
    """

    def __init__(self, *known: torch.nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = self._alive = 0
        self._seen = {id(one.untyped_storage()) for part in known for one in _tensors(part)}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        before = self._alive
        made = func(*args, **(kwargs or {}))
        if func is torch.ops.aten.convolution.default:
            self.peak = max(self.peak, before + _convolving(args[0], args[1], made))
        for one in tree_iter(made):
            if isinstance(one, torch.Tensor):
                self._add(one.untyped_storage())
        return made

    def _add(self, storage: torch.UntypedStorage) -> None:
        if id(storage) not in self._seen:
            self._seen.add(id(storage))
            self._alive += storage.nbytes()
            self.peak = max(self.peak, self._alive)
            weakref.finalize(storage, self._remove, id(storage), storage.nbytes())

    def _remove(self, storage: int, size: int) -> None:
        self._seen.discard(storage)
        self._alive -= size


def parts(
    folder: Path, device: str, precision: torch.dtype, drawing: Drawing
) -> Mapping[str, Part]:
    """What each network of a pipeline takes while it draws; its weights are not read.

    Args:
        folder: of the pipeline, in the form of diffusers.
        device: `cpu`, `cuda` or `mps`.
        precision: in which it is loaded.
        drawing: what is to be drawn.

    Raises:
        OSError: a configuration cannot be read.
        ValueError: a configuration does not describe a network.
    """
    return _parts(folder, device, precision, drawing, forms.written(forms.PIPELINE, folder))


@lru_cache(maxsize=64)
def _parts(
    folder: Path, device: str, precision: torch.dtype, drawing: Drawing, _written: tuple[int, ...]
) -> Mapping[str, Part]:
    """What `parts` tells, kept until the weights of the folder are written anew."""
    with FakeTensorMode(), torch.device(device), _default(precision), torch.no_grad():
        networks = dict(_built(folder))
        calls = _calls(networks, drawing)
        found = {name: _part(one, calls.get(name)) for name, one in networks.items()}
    if file := forms.packed(folder):
        found[file.parent.name] = _packed(found[file.parent.name], file)
    return MappingProxyType(found)


def weights(folder: Path, device: str, precision: torch.dtype) -> int:
    """Bytes of all weights of a pipeline, which are not read.

    Args:
        folder: of the pipeline, in the form of diffusers.
        device: `cpu`, `cuda` or `mps`.
        precision: in which it would be loaded.

    Raises:
        OSError: a configuration cannot be read.
        ValueError: a configuration does not describe a network.
    """
    with FakeTensorMode(), torch.device(device), _default(precision):
        return sum(_part(one, None).weights for _, one in _built(folder))


def _calls(networks: Mapping[str, Any], drawing: Drawing) -> Mapping[str, Callable[[], object]]:
    """How each network is run once."""
    calls: dict[str, Callable[[], object]] = {
        name: partial(_read, one, drawing)
        for name, one in networks.items()
        if name.startswith("text_encoder")
    }
    if {"transformer", "vae"} <= networks.keys():
        both = networks["transformer"], networks["vae"]
        both[1].use_tiling = drawing.tiled
        calls["transformer"] = partial(_denoise, *both, drawing)
        calls["vae"] = partial(_decode, *both, drawing)
    return calls


def _part(network: Any, call: Callable[[], object] | None) -> Part:
    linear = [layer for layer in network.modules() if isinstance(layer, torch.nn.Linear)]
    layers = (sum(map(_size, layer.parameters(recurse=False))) for layer in network.modules())
    live = Live(network)
    if call:
        with live:
            call()
    return Part(
        weights=sum(map(_size, set(_tensors(network)))),
        linear=sum(_size(layer.weight) for layer in linear),
        layer=max(layers),
        work=live.peak,
    )


def _packed(part: Part, file: Path) -> Part:
    """What a network takes whose weights stay as they are in a file of GGUF.

    A layer is unpacked while it works.
    """
    return Part(file.stat().st_size, layer=part.layer, work=part.work + part.layer)


def _built(folder: Path) -> Iterator[tuple[str, Any]]:
    """The networks of a pipeline, without content."""
    told = json.loads((folder / MODEL_INDEX).read_text(encoding="utf-8"))
    for name, kind in told.items():
        if isinstance(kind, list) and kind[0] in _LIBRARIES and (folder / name / CONFIG).is_file():
            made = getattr(importlib.import_module(kind[0]), kind[1])
            if kind[0] == "diffusers":
                network = made.from_config(made.load_config(folder / name))
            else:
                with no_init_weights():
                    network = made(made.config_class.from_pretrained(folder / name))
                network.tie_weights()  # as loading does
            yield name, network.eval()


def _read(encoder: Any, drawing: Drawing) -> object:
    """The prompt, as the pipelines have it read: of a chat model all layers are kept."""
    length = getattr(encoder.config, "max_position_embeddings", drawing.text_tokens)
    ids = torch.zeros(1, min(length, drawing.text_tokens), dtype=torch.long)
    if encoder.can_generate():
        kept = {"output_hidden_states": True, "use_cache": False}
        return encoder(input_ids=ids, attention_mask=torch.ones_like(ids), **kept)
    return encoder(ids)[0]


def _inputs(body: Any, vae: Any, drawing: Drawing) -> dict[str, Any]:
    """What the transformer is told in each step."""
    told, batch = body.config, drawing.batch
    pictures = ((drawing.width, drawing.height), *drawing.references)
    tokens = sum(rows * columns for rows, columns in (_latent(vae, *one) for one in pictures)) // 4
    axes = len(told.axes_dims_rope)
    inputs = {
        "hidden_states": torch.zeros(batch, tokens, told.in_channels),
        "encoder_hidden_states": torch.zeros(batch, drawing.text_tokens, told.joint_attention_dim),
        "timestep": torch.zeros(batch),
        "guidance": torch.zeros(batch) if told.guidance_embeds else None,
        "img_ids": torch.zeros(tokens, axes),
        "txt_ids": torch.zeros(drawing.text_tokens, axes),
    }
    if pooled := told.get("pooled_projection_dim"):
        inputs["pooled_projections"] = torch.zeros(batch, pooled)
    return inputs


def _denoise(body: Any, vae: Any, drawing: Drawing) -> object:
    inputs = _inputs(body, vae, drawing)
    return body(**inputs, return_dict=False)


def _decode(body: Any, vae: Any, drawing: Drawing) -> object:
    kept = _inputs(body, vae, drawing)
    for width, height in drawing.references:
        vae.encode(torch.zeros(1, 3, height, width))
    rows, columns = _latent(vae, drawing.width, drawing.height)
    return kept, vae.decode(torch.zeros(1, vae.config.latent_channels, rows, columns))


def _latent(vae: Any, width: int, height: int) -> tuple[int, int]:
    """Rows and columns of a latent, even as patches of 2 by 2 need it."""
    shrunk = 2 ** len(vae.config.block_out_channels)
    return 2 * ceil(height / shrunk), 2 * ceil(width / shrunk)


def _convolving(given: torch.Tensor, kernel: torch.Tensor, made: torch.Tensor) -> int:
    """Bytes that a convolution takes beyond what it is given, what it makes among them.

    On a CPU oneDNN works on copies of both in blocks of 16 channels, where a kernel is wider than
    a pixel; the first copy is freed before what is made is written out.
    """
    if given.device.type != "cpu" or max(kernel.shape[2:]) == 1:
        return _size(made)
    copied, result = (
        _size(one) * _in_blocks(one.shape[1]) // one.shape[1] for one in (given, made)
    )
    return result + max(copied, _size(made))


def _in_blocks(channels: int) -> int:
    return ceil(channels / _BLOCK) * _BLOCK


def _tensors(network: torch.nn.Module) -> Iterator[torch.Tensor]:
    yield from network.parameters()
    yield from network.buffers()


def _size(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()


@contextmanager
def _default(precision: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(precision)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
