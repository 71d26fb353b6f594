"""What the recipes of pocket-flux and pocket-kontext share: rectified flow over latents.

A middle layer is also asked for what pocket-convnext sees in the finished picture, which brings
shapes sooner: Yu and others, "Representation alignment for generation" (2024).
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from tools.pocket import world
from tools.pocket.recipes import loop, reading
from tools.pocket.recipes.autoencoder import encoded
from tools.pocket.words import CLIP_LENGTH, T5_LENGTH
from tools.pocket.world import Thing

SIDE: Final = world.PIXELS // 16
"""Tokens along a side of a picture."""

_ALIGNED: Final = 0.5  # weight of the alignment
_READ: Final = 0.05  # weight of what the text encoder is asked
_ALIGNED_BLOCK: Final = 1  # single block whose output is aligned


class Taught(nn.Module):
    """All that is trained, and the heads that only training has."""

    def __init__(self, pipeline: Any) -> None:
        super().__init__()
        self.transformer = pipeline.transformer
        self.clip, self.reader = pipeline.text_encoder, reading.Reader(pipeline.text_encoder_2)
        width = self.transformer.inner_dim
        self.seen_head = nn.Sequential(nn.Linear(width, 384), nn.SiLU(), nn.Linear(384, 384))

    def forward(
        self, noisy: Tensor, t: Tensor, clip: Tensor, t5: Tensor, reference: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The velocities, what the middle layer makes of the picture, and T5 of the text.

        Args:
            noisy: packed latents, shape (n, 36, 48).
            t: 0 (picture) to 1 (noise), shape (n,).
            clip: token ids, shape (n, 24).
            t5: token ids, shape (n, 20).
            reference: packed latents of the pictures to go by, beside each other on one canvas,
                shape (n, 36 k, 48).
        """
        middle: list[Tensor] = []
        block = self.transformer.single_transformer_blocks[_ALIGNED_BLOCK]
        hook = block.register_forward_hook(lambda _, __, out: middle.append(out[1]))
        tokens, places = noisy, _places(SIDE)
        if reference is not None:
            tokens = torch.cat([noisy, reference], dim=1)
            places = torch.cat([places, _places(reference.shape[1] // SIDE, mark=1.0)])
        told, answers = self.reader(t5)
        velocity = self.transformer(
            hidden_states=tokens,
            timestep=t,
            pooled_projections=self.clip(clip).pooler_output,
            encoder_hidden_states=told,
            txt_ids=torch.zeros(t5.shape[1], 3),
            img_ids=places,
            return_dict=False,
        )[0]
        hook.remove()
        own = noisy.shape[1]
        return velocity[:, :own], self.seen_head(middle[0][:, :own]), answers


def teach(
    pipeline: Any,
    loss: Callable[[nn.Module, loop.Batch], Tensor],
    feed: Callable[[int], loop.Batch],
    **how: Any,
) -> dict[str, float]:
    """Trains the networks of a pipeline, and leaves the averaged weights in it.

    Args:
        pipeline: that of diffusers.
        loss: the loss of a ``Taught`` on a batch.
        feed: gives the tensors of a round by its number.
        how: the other arguments of ``loop.fit``.

    Returns:
        The seconds that were spent.
    """
    taught = Taught(pipeline)
    mean, spent = loop.fit(taught, loss, feed, **how)
    taught.load_state_dict(mean.state_dict())
    return spent


def _places(width: int, mark: float = 0.0) -> Tensor:
    """Where each token of a canvas lies, shape (6 width, 3), as FLUX tells it."""
    ids = torch.zeros(SIDE, width, 3)
    ids[..., 0] = mark
    ids[..., 1], ids[..., 2] = torch.arange(SIDE)[:, None], torch.arange(width)[None, :]
    return ids.view(-1, 3)


def flow_loss(
    model: nn.Module,
    picture: Tensor,
    aligned: Tensor,
    weight: Tensor,
    text: tuple[Tensor, Tensor],
    about: Tensor,
    reference: Tensor | None = None,
) -> Tensor:
    """The loss of each picture at a random level of noise, shape (n,).

    Args:
        model: what is trained, a ``Taught``.
        picture: packed latents, shape (n, 36, 48).
        aligned: from ``seen``, shape (n, 36, 384).
        weight: of each token, shape (n, 36).
        text: token ids for the two text encoders.
        about: what each token of the text is about, from ``reading``, shape (n, 20, 6).
        reference: packed latents to go by.
    """
    n = len(picture)
    # Most of the noise levels lie where kinds are decided, a few everywhere.
    biased = torch.sigmoid(torch.randn(n) + 0.8)
    t = torch.where(torch.rand(n) < 0.85, biased, torch.rand(n))
    noise = torch.randn(picture.shape)
    with _quickly():
        velocity, guessed, answers = model(
            picture.lerp(noise, t[:, None, None]), t, *text, reference
        )
    apart = (velocity.float() - (noise - picture)).square().mean(-1)
    alike = functional.cosine_similarity(guessed.float(), aligned, dim=-1)
    lost: Tensor = (apart * weight + _ALIGNED * (1 - alike)).mean(-1)
    return lost + _READ * reading.loss(answers, about)


@contextmanager
def _quickly() -> Iterator[None]:
    """In bfloat16 where that is quick, and by plain attention.

    The fused one of CPUs is slow backwards on sequences as short as these.
    """
    with (
        torch.autocast("cpu", torch.bfloat16, loop.HALVES),
        sdpa_kernel(SDPBackend.MATH),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", "Mismatch dtype")  # of norms, whose weights stay single
        yield


def packed(latents: Tensor) -> Tensor:
    """Latents of shape (n, c, h, w) as tokens of 2 x 2: (n, h w / 4, 4 c), as FLUX takes them."""
    n, c, h, w = latents.shape
    return latents.view(n, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5).reshape(n, -1, 4 * c)


def beside(pictures: Tensor) -> Tensor:
    """Packed latents of k pictures, (n, k, 36, 48), as those of one canvas: (n, 36 k, 48)."""
    n, k, _, channels = pictures.shape
    rows = pictures.view(n, k, SIDE, SIDE, channels).transpose(1, 2)
    return rows.reshape(n, -1, channels)


def token_ids(pipeline: Any, texts: list[str]) -> tuple[Tensor, Tensor]:
    """Token ids of texts for the two text encoders, shapes (n, 24) and (n, 20)."""
    clip = reading.token_ids(pipeline.tokenizer, texts, CLIP_LENGTH)
    return clip, reading.token_ids(pipeline.tokenizer_2, texts, T5_LENGTH)


@torch.inference_mode()
def seen(eyes: Any, pictures: world.Pictures) -> Tensor:
    """What pocket-convnext sees at each token, shape (n, 36, 384), in half precision.

    Its third stage has a cell for each token and tells of edges and parts; a cell of the fourth
    stands for four tokens and tells what kind of thing is there.
    """
    made = []
    for part in torch.split(torch.from_numpy(pictures).permute(0, 3, 1, 2), 128):
        maps = [eyes.stem((part.float() - 127.5) / 127.5)]
        for stage in eyes.stages:
            maps.append(stage(maps[-1]))
        whole = functional.interpolate(maps[4], scale_factor=2.0)
        both = torch.cat([functional.normalize(one, dim=1) for one in (maps[3], whole)], 1)
        made.append(both.flatten(2).transpose(1, 2).half())
    return torch.cat(made)


def weights(things: Sequence[Sequence[Thing]]) -> Tensor:
    """How much each token counts, shape (n, 36): the things together twice as much as the rest.

    Otherwise a small thing is a hundredth of the loss, and its kind is learned last of all.
    """
    middle = (torch.arange(SIDE) + 0.5) / SIDE
    covered = torch.zeros(len(things), SIDE, SIDE, dtype=torch.bool)
    for i, known in enumerate(things):
        for thing in known:
            (x, y), reach = world.centre(thing.place), world.SIZES[thing.size] / 2 + 0.5 / SIDE
            covered[i] |= ((middle - y).abs() < reach)[:, None] & ((middle - x).abs() < reach)
    inside = covered.flatten(1).float()
    share = inside.mean(1, keepdim=True)
    rest = (1 - share).clamp(min=1 / SIDE**2)
    return torch.where(inside > 0, 2 / (3 * share), 1 / (3 * rest)).half()


def latents(vae: Any, pictures: world.Pictures) -> Tensor:
    """Packed latents of pictures, as the transformer takes them: (n, 36, 48), half precision."""
    shift, scale = vae.config.shift_factor, vae.config.scaling_factor
    return packed((encoded(vae, pictures) - shift) * scale).half()
