"""Adapters (LoRA) on a pipeline: checked, put on for a while, and taken off without a trace."""

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from tools.base import ToolFailed

_TRIGGER = re.compile(r"(\w{1,30}) (\w[\w -]{0,40})")  # what a stranger's file says may be anything


@dataclass(frozen=True)
class Adapter:
    """An adapter and how strongly it counts.

    Attributes:
        path: its safetensors file, or a folder that holds one.
        strength: 1 as it was trained, 0 not at all.
    """

    path: Path
    strength: float = 1.0

    @property
    def name(self) -> str:
        """What people call it: its folder or file, without the ending."""
        return self.path.name.removesuffix(".safetensors")

    @property
    def trigger(self) -> tuple[str, str]:
        """The token and the class noun that stand for what it was taught; empty if not told."""
        try:
            with safe_open(_file(self.path), "pt") as opened:
                told = (opened.metadata() or {}).get("modelspec.trigger_phrase", "")
        except (ToolFailed, SafetensorError, OSError):
            return "", ""  # putting it on will tell what is wrong
        match = _TRIGGER.fullmatch(told)
        return (match[1], match[2]) if match else ("", "")


@contextmanager
def worn(system: str, pipeline: Any, adapters: Sequence[Adapter]) -> Iterator[None]:
    """Puts adapters on a pipeline of diffusers for as long as the block lasts.

    Raises:
        ToolFailed: one is not there, is no safetensors file, or was made for another model.
    """
    try:
        with warnings.catch_warnings():
            # Each one after the first is announced as if it were a mistake.
            warnings.filterwarnings("ignore", "Already found a `peft_config`", UserWarning)
            for number, adapter in enumerate(adapters):
                _put_on(system, pipeline, adapter, f"adapter-{number}")
        if adapters:
            names = [f"adapter-{number}" for number in range(len(adapters))]
            pipeline.set_adapters(names, [adapter.strength for adapter in adapters])
        yield
    finally:
        if adapters:
            pipeline.unload_lora_weights()


def _put_on(system: str, pipeline: Any, adapter: Adapter, name: str) -> None:
    file = _file(adapter.path)
    try:
        state = pipeline.lora_state_dict(file.parent, weight_name=file.name, use_safetensors=True)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise ToolFailed(
            f"The adapter {file.name} cannot be read ({type(error).__name__}). Fetch or save it "
            "again as safetensors."
        ) from error
    _check(system, pipeline, file.name, state)
    pipeline.load_lora_weights(state, adapter_name=name)


def _file(path: Path) -> Path:
    """The safetensors file of an adapter."""
    found = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
    if len(found) != 1:
        raise ToolFailed(
            f"The folder {path.name} holds {len(found)} safetensors files. Name the one to use."
        )
    [file] = found
    if file.suffix != ".safetensors":
        raise ToolFailed(
            f"The adapter {file.name} is no safetensors file; other forms are not loaded, since "
            "they could run code. Convert it to safetensors."
        )
    if not file.is_file():
        raise ToolFailed(f"There is no adapter {file.name} in {file.parent}. Check its name.")
    return file


def _check(system: str, pipeline: Any, name: str, state: Mapping[str, Tensor]) -> None:
    """Refuses an adapter with layers that the model does not have, or has in other sizes."""
    modules = {
        f"{part}.{path}": module
        for part in ("transformer", "text_encoder")
        if isinstance(whole := getattr(pipeline, part, None), nn.Module)
        for path, module in whole.named_modules()
    }
    downs = [key for key in state if key.endswith(".lora_A.weight")]
    strange = [
        key for key in downs if not _fits(modules, key.removesuffix(".lora_A.weight"), state)
    ]
    if strange or not downs:
        what = (
            f"{len(strange)} of its {len(downs)} layers do not fit" if downs else "it has no layers"
        )
        raise ToolFailed(
            f"The adapter {name} was not made for {system}: {what}. Name the model that it was "
            "trained on, or another adapter."
        )


def _fits(modules: Mapping[str, nn.Module], path: str, state: Mapping[str, Tensor]) -> bool:
    down, up = state[f"{path}.lora_A.weight"], state.get(f"{path}.lora_B.weight")
    sizes = _sizes(modules.get(path))
    if sizes is None or up is None:
        return False
    return (up.shape[0], down.shape[1]) == sizes and up.shape[1] == down.shape[0]


def _sizes(module: nn.Module | None) -> tuple[int, ...] | None:
    """What a layer gives and takes; its weight does not tell where it is in fewer bits."""
    if isinstance(module, nn.Linear):
        return module.out_features, module.in_features
    weight = getattr(module, "weight", None)
    return None if weight is None else tuple(weight.shape[:2])
