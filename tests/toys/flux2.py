"""FLUX.2 in toy size: the real classes and numbers of channels, one block of each sort.

The text encoders are thin but deep: the pipelines read them at layers 9, 18 and 27 (Qwen) and 10,
20 and 30 (Mistral).
"""

from typing import Any

import diffusers as library
from transformers import (
    Mistral3Config,
    Mistral3ForConditionalGeneration,
    MistralConfig,
    PixtralImageProcessor,
    PixtralProcessor,
    PixtralVisionConfig,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from tests.toys.words import mistral_tokenizer, qwen_tokenizer

diffusers: Any = library  # its classes have no types

_CHANNELS = 32  # of a latent; patches of 2 by 2 are 128
_SIZE = 8  # of a head of the text encoder
_DEV_HEADS = 4  # as much wider than klein 4B as the real one
_PATCH = 14  # of the pictures that Mistral reads


def klein(name: str, *, heads: int = 2, **settings: bool) -> Any:
    """A whole klein with random weights.

    Args:
        name: the pipeline's class.
        heads: how wide text encoder and transformer are; adapters fit only one width.
        **settings: whether it `is_distilled`.
    """
    tokenizer = qwen_tokenizer()
    return getattr(diffusers, name)(
        scheduler=_scheduler(),
        vae=_autoencoder(),
        text_encoder=_qwen(len(tokenizer), heads),
        tokenizer=tokenizer,
        transformer=_transformer(heads, guided=False),
        **settings,
    )


def dev() -> Any:
    """A whole FLUX.2 [dev] with random weights."""
    tokenizer = mistral_tokenizer()
    pictures = PixtralImageProcessor(patch_size=_PATCH, size={"longest_edge": 4 * _PATCH})
    processor = PixtralProcessor(
        image_processor=pictures,
        tokenizer=tokenizer,
        patch_size=_PATCH,
        spatial_merge_size=2,
        chat_template=tokenizer.chat_template,
    )
    return diffusers.Flux2Pipeline(
        scheduler=_scheduler(),
        vae=_autoencoder(),
        text_encoder=_mistral(tokenizer),
        tokenizer=processor,
        transformer=_transformer(_DEV_HEADS, guided=True),
    )


def _scheduler() -> Any:
    return diffusers.FlowMatchEulerDiscreteScheduler(
        shift=3.0,
        use_dynamic_shifting=True,
        base_image_seq_len=256,
        max_image_seq_len=4096,
        base_shift=0.5,
        max_shift=1.15,
    )


def _autoencoder() -> Any:
    built: Any = diffusers.AutoencoderKLFlux2(
        block_out_channels=(8, 8, 16, 16),
        layers_per_block=1,
        latent_channels=_CHANNELS,
        norm_num_groups=4,
    )
    built.bn.running_mean.normal_(0.0, 0.1)
    built.bn.running_var.uniform_(0.5, 1.5)
    return built


def _transformer(heads: int, *, guided: bool) -> Any:
    return diffusers.Flux2Transformer2DModel(
        in_channels=4 * _CHANNELS,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=heads,
        joint_attention_dim=3 * heads * _SIZE,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=guided,
    )


def _qwen(pieces: int, heads: int) -> Any:
    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=pieces,
            hidden_size=heads * _SIZE,
            intermediate_size=heads * _SIZE,
            num_hidden_layers=28,
            num_attention_heads=heads,
            num_key_value_heads=1,
            head_dim=_SIZE,
        )
    )


def _mistral(tokenizer: Any) -> Any:
    text = MistralConfig(
        vocab_size=len(tokenizer),
        hidden_size=_DEV_HEADS * _SIZE,
        intermediate_size=_DEV_HEADS * _SIZE,
        num_hidden_layers=31,
        num_attention_heads=_DEV_HEADS,
        num_key_value_heads=1,
        head_dim=_SIZE,
        sliding_window=None,
    )
    vision = PixtralVisionConfig(
        hidden_size=_DEV_HEADS * _SIZE,
        intermediate_size=_DEV_HEADS * _SIZE,
        num_hidden_layers=1,
        num_attention_heads=_DEV_HEADS,
        image_size=4 * _PATCH,
        patch_size=_PATCH,
    )
    return Mistral3ForConditionalGeneration(
        Mistral3Config(
            text_config=text,
            vision_config=vision,
            image_token_index=tokenizer.convert_tokens_to_ids("[IMG]"),
        )
    )
