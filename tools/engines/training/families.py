"""How each family of pipelines is taught: what it reads, what it compares, which layers learn.

Sources: "DreamBooth" (Ruiz and others, 2023) for the losses; the layers are those that diffusers'
own scripts of 0.42 train, and for FLUX also the output projections of its single blocks, without
which subjects stay generic (unsloth, pull request 8267, 2026-08-09).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import torch
from diffusers import Flux2KleinPipeline, FluxPipeline
from torch import Tensor

Conditions = Mapping[str, Tensor]
"""What the network is told beside the noisy picture, each of shape (n, ...)."""


@dataclass(frozen=True)
class Family:
    """How the pipelines of one class are taught.

    Attributes:
        network: the part that draws: `transformer` or `unet`.
        targets: the layers of it that an adapter changes, as a regular expression.
        conditions: what the network is told of prompts; takes the pipeline, the prompts and the
            longest text in tokens.
        latents: pictures as the network takes them, (n, c, h, w); takes the pipeline and pixels
            from -1 to 1, (n, 3, height, width).
        loss: the loss of each picture at a random level of noise, (n,); takes the pipeline, its
            network (which may be wrapped for several devices), latents and conditions.
        architecture: what the model specification calls it.
    """

    network: str
    targets: str
    conditions: Callable[[Any, Sequence[str], int | None], Conditions]
    latents: Callable[[Any, Tensor], Tensor]
    loss: Callable[[Any, Any, Tensor, Conditions], Tensor]
    architecture: str


# --- FLUX.1
def _flux_conditions(pipeline: Any, prompts: Sequence[str], length: int | None) -> Conditions:
    told = {} if length is None else {"max_sequence_length": length}
    words, pooled, _ = pipeline.encode_prompt(list(prompts), None, **told)
    return {"encoder_hidden_states": words, "pooled_projections": pooled}


def _flux_latents(pipeline: Any, pixels: Tensor) -> Tensor:
    vae = pipeline.vae
    latents = vae.encode(pixels).latent_dist.mode()
    scaled: Tensor = (latents - vae.config.shift_factor) * vae.config.scaling_factor
    return scaled


def _flux_loss(pipeline: Any, network: Any, latents: Tensor, conditions: Conditions) -> Tensor:
    n, channels, height, width = latents.shape
    level, noise = _levels(pipeline, latents), torch.randn_like(latents)
    noisy = latents.lerp(noise, level.view(-1, 1, 1, 1))

    def packed(tensor: Tensor) -> Tensor:
        shape = (n, channels, height, width)
        tokens: Tensor = FluxPipeline._pack_latents(tensor, *shape)
        return tokens

    guided = pipeline.transformer.config.guidance_embeds
    where: dict[str, Any] = {"device": latents.device, "dtype": latents.dtype}
    velocity: Tensor = network(
        hidden_states=packed(noisy),
        timestep=level,
        # What distillation built in is left as it is: sd-scripts and ai-toolkit train so, too.
        guidance=torch.ones(n, **where) if guided else None,
        img_ids=FluxPipeline._prepare_latent_image_ids(n, height // 2, width // 2, **where),
        txt_ids=torch.zeros(conditions["encoder_hidden_states"].shape[1], 3, **where),
        return_dict=False,
        **conditions,
    )[0]
    return (velocity.float() - packed(noise - latents).float()).square().mean((1, 2))


def _levels(pipeline: Any, latents: Tensor) -> Tensor:
    """Levels of noise, (n,): logit-normal, moved as far as the scheduler moves its own."""
    drawn = torch.sigmoid(torch.randn(len(latents), device=latents.device))
    config = pipeline.scheduler.config
    shift = 1.0 if config.use_dynamic_shifting else config.shift
    moved: Tensor = shift * drawn / (1 + (shift - 1) * drawn)
    return moved.to(latents.dtype)


# --- FLUX.2 klein
def _klein_conditions(pipeline: Any, prompts: Sequence[str], length: int | None) -> Conditions:
    told = {} if length is None else {"max_sequence_length": length}
    # By the pipeline itself, whose text layers (9, 18, 27) the public script of diffusers misses.
    words, ids = pipeline.encode_prompt(list(prompts), **told)
    return {"encoder_hidden_states": words, "txt_ids": ids}


def _klein_latents(pipeline: Any, pixels: Tensor) -> Tensor:
    latents: Tensor = pipeline._encode_vae_image(pixels, generator=None)
    return latents


def _klein_loss(pipeline: Any, network: Any, latents: Tensor, conditions: Conditions) -> Tensor:
    level, noise = _levels(pipeline, latents), torch.randn_like(latents)
    noisy = latents.lerp(noise, level.view(-1, 1, 1, 1))
    velocity: Tensor = network(
        hidden_states=Flux2KleinPipeline._pack_latents(noisy),
        timestep=level,
        guidance=None,
        img_ids=Flux2KleinPipeline._prepare_latent_ids(latents).to(latents.device),
        return_dict=False,
        **conditions,
    )[0]
    wanted: Tensor = Flux2KleinPipeline._pack_latents(noise - latents)
    return (velocity.float() - wanted.float()).square().mean((1, 2))


# --- Stable Diffusion
def _sd_conditions(pipeline: Any, prompts: Sequence[str], _: int | None) -> Conditions:
    words, _ = pipeline.encode_prompt(list(prompts), pipeline._execution_device, 1, False)
    return {"encoder_hidden_states": words}


def _xl_conditions(pipeline: Any, prompts: Sequence[str], _: int | None) -> Conditions:
    words, _, pooled, _ = pipeline.encode_prompt(
        list(prompts), device=pipeline._execution_device, do_classifier_free_guidance=False
    )
    return {"encoder_hidden_states": words, "text_embeds": pooled}


def _sd_latents(pipeline: Any, pixels: Tensor) -> Tensor:
    latents = pipeline.vae.encode(pixels).latent_dist.mode()
    scaled: Tensor = latents * pipeline.vae.config.scaling_factor
    return scaled


def _sd_loss(pipeline: Any, network: Any, latents: Tensor, conditions: Conditions) -> Tensor:
    return _noise_loss(pipeline, network, latents, conditions["encoder_hidden_states"], None)


def _xl_loss(pipeline: Any, network: Any, latents: Tensor, conditions: Conditions) -> Tensor:
    side = [length * pipeline.vae_scale_factor for length in latents.shape[-2:]]
    sizes = torch.tensor([*side, 0, 0, *side], device=latents.device, dtype=latents.dtype)
    added = {"text_embeds": conditions["text_embeds"], "time_ids": sizes.repeat(len(latents), 1)}
    return _noise_loss(pipeline, network, latents, conditions["encoder_hidden_states"], added)


def _noise_loss(pipeline: Any, network: Any, latents: Tensor, words: Tensor, added: Any) -> Tensor:
    scheduler = pipeline.scheduler
    known = torch.as_tensor(scheduler.alphas_cumprod, device=latents.device)
    steps = torch.randint(len(known), (len(latents),), device=latents.device)
    noise = torch.randn_like(latents)
    kept = known[steps].to(latents.dtype).view(-1, 1, 1, 1)
    noisy = kept.sqrt() * latents + (1 - kept).sqrt() * noise
    guess: Tensor = network(noisy, steps, words, added_cond_kwargs=added, return_dict=False)[0]
    wanted = noise
    if scheduler.config.prediction_type == "v_prediction":
        wanted = kept.sqrt() * noise - (1 - kept).sqrt() * latents
    return (guess.float() - wanted.float()).square().mean((1, 2, 3))


_ATTENTION: Final = r"attn\d?\.(to_q|to_k|to_v|to_out\.0)"
_FLUX_TARGETS: Final = (
    r".*(attn\.(to_q|to_k|to_v|to_out\.0|add_q_proj|add_k_proj|add_v_proj|to_add_out)"
    r"|ff(_context)?\.net\.(0\.proj|2)|proj_mlp|single_transformer_blocks\.\d+\.proj_out)"
)
_KLEIN_TARGETS: Final = (
    r".*(attn\.(to_q|to_k|to_v|to_out\.0|add_q_proj|add_k_proj|add_v_proj|to_add_out)"
    r"|ff(_context)?\.(linear_in|linear_out)"
    r"|single_transformer_blocks\.\d+\.attn\.(to_qkv_mlp_proj|to_out))"
)
_UNET_TARGETS: Final = rf".*{_ATTENTION}|.*ff\.net\.(0\.proj|2)"

FAMILIES: Final[Mapping[str, Family]] = MappingProxyType(
    {
        "FluxPipeline": Family(
            "transformer", _FLUX_TARGETS, _flux_conditions, _flux_latents, _flux_loss, "flux-1-dev"
        ),
        "Flux2KleinPipeline": Family(
            "transformer",
            _KLEIN_TARGETS,
            _klein_conditions,
            _klein_latents,
            _klein_loss,
            "flux-2-klein",
        ),
        "StableDiffusionPipeline": Family(
            "unet", _UNET_TARGETS, _sd_conditions, _sd_latents, _sd_loss, "stable-diffusion-v1"
        ),
        "StableDiffusionXLPipeline": Family(
            "unet",
            _UNET_TARGETS,
            _xl_conditions,
            _sd_latents,
            _xl_loss,
            "stable-diffusion-xl-v1-base",
        ),
    }
)
"""The families that can be taught, by the class of their pipeline."""
