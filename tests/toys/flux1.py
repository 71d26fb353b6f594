"""FLUX.1 in toy size: the real classes and numbers of channels, one block of each sort."""

from typing import Any

import diffusers as library
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    SiglipImageProcessor,
    SiglipVisionConfig,
    SiglipVisionModel,
    T5Config,
    T5EncoderModel,
)

from tests.toys.words import CLIP_LENGTH, clip_tokenizer, t5_tokenizer

diffusers: Any = library  # its classes have no types

LATENT = 64  # a packed latent: 16 channels, patches of 2 by 2
CONTROLLED = 2 * LATENT
FILLED = 2 * LATENT + 4 * 8 * 8  # latent, masked picture, and the mask at full size

_WIDTH = 32


def pipeline(name: str, *, guided: bool = True, channels: int = LATENT) -> Any:
    """A whole model with random weights.

    Args:
        name: the pipeline's class.
        guided: whether guidance is told to the transformer; it then also shifts its time steps.
        channels: what the transformer reads; it always answers with `LATENT`.
    """
    clip, t5 = clip_tokenizer(), t5_tokenizer()
    return getattr(diffusers, name)(
        scheduler=_scheduler(shifted=guided),
        vae=_autoencoder(),
        text_encoder=_clip(clip),
        tokenizer=clip,
        text_encoder_2=_t5(len(t5)),
        tokenizer_2=t5,
        transformer=_transformer(guided, channels),
    )


def redux() -> Any:
    """A prior with random weights; as in the real folder, it has no text encoder of its own."""
    from diffusers.pipelines.flux.modeling_flux import ReduxImageEncoder

    vision = SiglipVisionConfig(
        hidden_size=_WIDTH,
        intermediate_size=_WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=32,
        patch_size=8,
    )
    return diffusers.FluxPriorReduxPipeline(
        image_encoder=SiglipVisionModel(vision),
        feature_extractor=SiglipImageProcessor(size={"height": 32, "width": 32}),
        image_embedder=ReduxImageEncoder(redux_dim=_WIDTH, txt_in_features=_WIDTH),
    )


def _scheduler(*, shifted: bool) -> Any:
    return diffusers.FlowMatchEulerDiscreteScheduler(
        shift=3.0 if shifted else 1.0,
        use_dynamic_shifting=shifted,
        base_image_seq_len=256,
        max_image_seq_len=4096,
        base_shift=0.5,
        max_shift=1.15,
    )


def _autoencoder() -> Any:
    return diffusers.AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 16, 16),
        layers_per_block=1,
        latent_channels=LATENT // 4,
        norm_num_groups=4,
        use_quant_conv=False,
        use_post_quant_conv=False,
        scaling_factor=0.3611,
        shift_factor=0.1159,
    )


def _transformer(guided: bool, channels: int) -> Any:
    return diffusers.FluxTransformer2DModel(
        in_channels=channels,
        out_channels=LATENT,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=_WIDTH,
        pooled_projection_dim=_WIDTH,
        guidance_embeds=guided,
        axes_dims_rope=(4, 6, 6),
    )


def _clip(tokenizer: Any) -> Any:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=_WIDTH,
            intermediate_size=_WIDTH,
            projection_dim=_WIDTH,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=CLIP_LENGTH,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def _t5(pieces: int) -> Any:
    return T5EncoderModel(
        T5Config(
            vocab_size=pieces,
            d_model=_WIDTH,
            d_kv=16,
            d_ff=_WIDTH,
            num_layers=1,
            num_heads=2,
            feed_forward_proj="gated-gelu",
        )
    )
