"""Writes a trained adapter as others read it: keys of diffusers, metadata of the model's world.

The metadata are those of ModelSpec 1.0.1 (Stability AI, 2023) and the `ss_` keys of kohya's
sd-scripts, by which other programs know an adapter. Alpha is the rank, since some programs do not
read it.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from diffusers.loaders.lora_base import LORA_ADAPTER_METADATA_KEY
from peft import get_peft_model_state_dict
from safetensors.torch import save
from torch import Tensor

from tools.engines.training.families import Family

_SPEC: Final = "1.0.1"


def save_adapter(pipeline: Any, family: Family, file: Path, told: Mapping[str, str]) -> Path:
    """Writes the adapter that a pipeline's networks wear, and returns its file.

    Args:
        pipeline: of diffusers, with one adapter.
        family: how it was taught.
        file: where it goes; its folder is made if it is not there.
        told: metadata of this training: `modelspec.` and `ss_` keys.

    Raises:
        OSError: it cannot be written.
    """
    layers: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    for part in (family.network, "text_encoder", "text_encoder_2"):
        network = getattr(pipeline, part, None)
        if config := getattr(network, "peft_config", {}).get("default"):
            layers[f"{part}_lora_layers"] = get_peft_model_state_dict(network)
            metadata |= {f"{part}.{name}": value for name, value in config.to_dict().items()}
    heading = {
        "format": "pt",
        LORA_ADAPTER_METADATA_KEY: json.dumps(metadata, default=_plain, sort_keys=True),
        "modelspec.sai_model_spec": _SPEC,
        "modelspec.architecture": f"{family.architecture}/lora",
        "modelspec.implementation": "diffusers",
        "ss_network_module": "networks.lora",
        **told,
    }

    def write(weights: dict[str, Tensor], path: str) -> None:
        plain = {name: weight.contiguous().cpu() for name, weight in weights.items()}
        hashed = {"modelspec.hash_sha256": f"0x{_hash(save(plain))}"}
        Path(path).write_bytes(save(plain, heading | hashed))

    told_where = {"weight_name": file.name, "save_function": write}
    type(pipeline).save_lora_weights(file.parent, **told_where, **layers)
    return file


def _hash(data: bytes) -> str:
    """SHA-256 of the tensors alone, behind the header, in hexadecimal."""
    start = 8 + int.from_bytes(data[:8], "little")
    return hashlib.sha256(data[start:]).hexdigest()


def _plain(value: object) -> object:
    """Sets and enumerations, of which the configurations of peft hold some, as JSON knows them."""
    return sorted(value) if isinstance(value, set | frozenset) else str(value)
