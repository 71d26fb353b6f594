"""The pipeline that the recipes of pocket-flux train: its parts before any training.

All classes are those of diffusers and transformers; the sizes are those of a FLUX of 5 million
parameters with two text encoders of half a million each.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from diffusers import (
    AutoencoderKL,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
)
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

from tools.pocket.words import CLIP_LENGTH, clip_tokenizer, t5_tokenizer, words

_WIDTH: Final = 128  # of the text encoders


def _transformer() -> Any:
    return FluxTransformer2DModel(
        patch_size=1,
        in_channels=48,
        num_layers=2,
        num_single_layers=4,
        attention_head_dim=32,
        num_attention_heads=6,
        joint_attention_dim=_WIDTH,
        pooled_projection_dim=_WIDTH,
        guidance_embeds=False,
        axes_dims_rope=(8, 12, 12),
    )


def _clip(vocabulary: int, end: int) -> Any:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=vocabulary,
            hidden_size=_WIDTH,
            intermediate_size=3 * _WIDTH,
            projection_dim=_WIDTH,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=CLIP_LENGTH,
            bos_token_id=0,
            eos_token_id=end,
            pad_token_id=end,
        )
    )


def _t5(vocabulary: int) -> Any:
    return T5EncoderModel(
        T5Config(
            vocab_size=vocabulary,
            d_model=_WIDTH,
            d_kv=32,
            d_ff=3 * _WIDTH,
            num_layers=4,  # with two, a word does not find the thing it is said of
            num_heads=4,
            dropout_rate=0.0,
            feed_forward_proj="gated-gelu",
        )
    )


def begun(folder: Path) -> Any:
    """The pipeline of a folder, or a new one on its autoencoder; it knows all the words."""
    said = words()
    clip, t5 = clip_tokenizer(said), t5_tokenizer(said)
    fresh = {
        "text_encoder": _clip(len(clip), clip.eos_token_id),
        "tokenizer": clip,
        "text_encoder_2": _t5(len(t5)),
        "tokenizer_2": t5,
    }
    if (folder / "model_index.json").exists():
        pipeline = FluxPipeline.from_pretrained(folder, dtype=torch.float32)
        for number in ("", "_2"):
            new, old = fresh[f"text_encoder{number}"], getattr(pipeline, f"text_encoder{number}")
            known = getattr(pipeline, f"tokenizer{number}").get_vocab()
            _take_over(new, old, fresh[f"tokenizer{number}"].get_vocab(), known)
        pipeline.register_modules(**fresh)
        return pipeline
    transformer = _transformer()
    for name, weight in transformer.named_parameters():
        # As in the paper on DiT: every block begins as the identity.
        if ("norm" in name and "linear" in name) or name.startswith("proj_out"):
            nn.init.zeros_(weight)
    return FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=False),
        vae=AutoencoderKL.from_pretrained(folder / "vae", dtype=torch.float32),
        transformer=transformer,
        **fresh,
    )


def keep(pipeline: Any, folder: Path, start: Path) -> None:
    """Writes a pipeline in half precision, for all to read, with what is known of its autoencoder.

    Args:
        pipeline: that of diffusers.
        folder: where it goes.
        start: the folder that it came from, which its files do not tell of.
    """
    pipeline.to(torch.float16).save_pretrained(folder)
    known = start / "vae" / "metrics.json"
    if known.exists() and start != folder:
        shutil.copy(known, folder / "vae")
    for path in folder.rglob("*.json"):
        told = json.loads(path.read_text(encoding="utf-8"))
        if told.pop("_name_or_path", None) is not None:
            path.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    for path in folder.rglob("*.safetensors"):
        path.chmod(0o644)


def _take_over(new: Any, old: Any, words: Mapping[str, int], known: Mapping[str, int]) -> None:
    """Gives an encoder the weights of one whose tokenizer knew other words, or them elsewhere."""
    before, state = old.get_input_embeddings().weight, old.state_dict()
    rows = new.get_input_embeddings().weight.detach().clone()
    for word in words.keys() & known.keys():
        rows[words[word]] = before[known[word]].detach()
    table = before.data_ptr()
    new.load_state_dict({n: rows if w.data_ptr() == table else w for n, w in state.items()})
