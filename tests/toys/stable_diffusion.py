"""Stable Diffusion 1.5, 2.1 and XL in toy size: the real classes, with random weights."""

from typing import Any

import diffusers as library
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from tests.toys.words import CLIP_LENGTH, clip_tokenizer

diffusers: Any = library  # its classes have no types

_WIDTH = 32


def pipeline(prediction: str = "epsilon") -> Any:
    """A `StableDiffusionPipeline`.

    Args:
        prediction: what the network guesses: `epsilon`, or `v_prediction` as 2.1 does.
    """
    tokenizer = clip_tokenizer()
    return diffusers.StableDiffusionPipeline(
        scheduler=_scheduler(prediction),
        vae=_autoencoder(),
        text_encoder=CLIPTextModel(_clip(tokenizer)),
        tokenizer=tokenizer,
        unet=_unet(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def xl() -> Any:
    """A `StableDiffusionXLPipeline`."""
    first, second = clip_tokenizer(), clip_tokenizer()
    return diffusers.StableDiffusionXLPipeline(
        scheduler=_scheduler("epsilon"),
        vae=_autoencoder(),
        text_encoder=CLIPTextModel(_clip(first)),
        tokenizer=first,
        text_encoder_2=CLIPTextModelWithProjection(_clip(second)),
        tokenizer_2=second,
        unet=_unet(
            cross_attention_dim=2 * _WIDTH,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=_WIDTH + 6 * 8,
        ),
    )


def _scheduler(prediction: str) -> Any:
    return diffusers.DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type=prediction,
    )


def _autoencoder() -> Any:
    return diffusers.AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 16, 16),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
    )


def _unet(**told: Any) -> Any:
    settings = {
        "in_channels": 4,
        "out_channels": 4,
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "block_out_channels": (16, 32),
        "layers_per_block": 1,
        "attention_head_dim": 8,
        "norm_num_groups": 4,
        "cross_attention_dim": _WIDTH,
    }
    return diffusers.UNet2DConditionModel(**settings | told)


def _clip(tokenizer: Any) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=_WIDTH,
        intermediate_size=_WIDTH,
        projection_dim=_WIDTH,
        num_hidden_layers=2,  # XL reads the one before the last
        num_attention_heads=2,
        max_position_embeddings=CLIP_LENGTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
