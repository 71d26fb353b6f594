"""The loop that teaches the network of a pipeline, on accelerate."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from tools.base import LiveReport
from tools.engines.training.families import Conditions, Family
from tools.engines.training.steps import Training

_WARM_UP = 0.05  # share of the steps
_LAST = 0.1  # of the learning rate, at the end
_CLIP = 1.0  # of the norm of all gradients
_DECAY = 1e-4


@dataclass(frozen=True)
class Lesson:
    """Pictures of one size that are learned from, with what the network is told of each.

    Attributes:
        latents: shape (n, c, h, w).
        conditions: each of shape (n, ...).
    """

    latents: Tensor
    conditions: Conditions

    def rows(self, chosen: Tensor) -> tuple[Tensor, Conditions]:
        """Some of them, by their numbers."""
        return self.latents[chosen], {name: part[chosen] for name, part in self.conditions.items()}


@dataclass(frozen=True)
class Pace:
    """How long, how fast and on how much a network is taught.

    Attributes:
        steps: of the optimiser.
        batch: photos in a step on each device.
        rate: the highest learning rate.
        accumulated: batches that one step adds up.
        prior_weight: how much pictures of the class count beside the photos.
        save_seconds: after which a checkpoint is written.
    """

    steps: int
    batch: int
    rate: float
    accumulated: int = 1
    prior_weight: float = 1.0
    save_seconds: float = 30.0

    def rate_at(self, step: int) -> float:
        """The learning rate as a share of the highest: a short rise, then half a cosine."""
        rise = max(1, round(_WARM_UP * self.steps))
        if step < rise:
            return (step + 1) / rise
        left = 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, self.steps - rise)))
        return _LAST + (1 - _LAST) * left


def fit(
    pipeline: Any,
    family: Family,
    own: Sequence[Lesson],
    prior: Lesson | None,
    pace: Pace,
    *,
    seed: int,
    checkpoints: Path,
    report: LiveReport,
    show: Callable[[int], Path | None] = lambda step: None,
) -> list[float]:
    """Teaches the weights of a pipeline's network that want gradients.

    Args:
        pipeline: of diffusers, on its device.
        family: how it is taught.
        own: what is to be learned, a lesson for each size.
        prior: pictures of the class, which are to stay as they are.
        pace: how long, how fast and on how much.
        seed: of all that is chosen by chance.
        checkpoints: the folder in which they are kept.
        report: told after every step; if it raises, to stop, the step is kept first.
        show: gives the file of a sample to show with a step, or none.

    Returns:
        The loss of every step.
    """
    accelerator = Accelerator(gradient_accumulation_steps=pace.accumulated)
    network = getattr(pipeline, family.network)
    weights = nn.ParameterList(w for w in network.parameters() if w.requires_grad)
    optimizer = torch.optim.AdamW(weights, lr=pace.rate, weight_decay=_DECAY)
    training = Training(checkpoints, {"weights": weights, "optimizer": optimizer})
    taught, stepped = accelerator.prepare(network, optimizer)

    def advance(step: int) -> float:
        for group in optimizer.param_groups:
            group["lr"] = pace.rate * pace.rate_at(step)
        losses = []
        for part in range(pace.accumulated):
            torch.manual_seed(
                (seed * 1_000_003 + step) * 4_096 + 64 * part + accelerator.process_index
            )
            with accelerator.accumulate(taught):
                loss = _loss(pipeline, taught, family, own, prior, pace)
                accelerator.backward(loss)
                if accelerator.sync_gradients:
                    accelerator.clip_grad_norm_(weights, _CLIP)
                stepped.step()
                stepped.zero_grad()
            losses.append(loss.detach())
        return torch.stack(losses).mean().item()

    taught.train()
    how: dict[str, Any] = {"save_seconds": pace.save_seconds, "speed": _speed, "show": show}
    training.run(pace.steps, advance, report, **how)
    network.eval()
    return training.losses


def _speed(steps: float) -> str:
    return f"{1000 / steps:.0f} ms a step"


def _loss(
    pipeline: Any,
    network: nn.Module,
    family: Family,
    own: Sequence[Lesson],
    prior: Lesson | None,
    pace: Pace,
) -> Tensor:
    """The loss of some photos of one size, and of as many pictures of the class."""
    counts = torch.tensor([float(len(lesson.latents)) for lesson in own])
    lesson = own[int(torch.multinomial(counts, 1))]
    latents, conditions = lesson.rows(torch.randint(len(lesson.latents), (pace.batch,)))
    if prior is None:
        return family.loss(pipeline, network, latents, conditions).mean()
    others, told = prior.rows(torch.randint(len(prior.latents), (pace.batch,)))
    if others.shape[1:] == latents.shape[1:]:  # in one go
        both = {name: torch.cat([conditions[name], told[name]]) for name in conditions}
        losses = family.loss(pipeline, network, torch.cat([latents, others]), both)
        first, second = losses[: pace.batch], losses[pace.batch :]
    else:
        first = family.loss(pipeline, network, latents, conditions)
        second = family.loss(pipeline, network, others, told)
    return first.mean() + pace.prior_weight * second.mean()
