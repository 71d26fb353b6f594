"""A small training with all that can differ: dropout, noise, shuffled batches, two optimizers."""

import os
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
import torch._dynamo  # noqa: F401 - the first optimizer would load it, in each process anew
from torch import Tensor, nn
from torch.nn import functional

from tools.pocket.recipes import loop

STEPS = 120
PACE = loop.Pace(steps=STEPS, batch=16, round=64, passes=2, save_seconds=0.02)


def model() -> nn.Module:
    """The same weights each time."""
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3))


def feed(number: int) -> loop.Batch:
    """The pictures and labels of a round, as it were."""
    chance = torch.Generator().manual_seed(number)
    inputs = torch.randn(PACE.round, 8, generator=chance)
    return inputs, inputs[:, :3].argmax(1)


def loss(network: nn.Module, batch: loop.Batch) -> Tensor:
    """Draws noise from the global generator, as the real recipes do."""
    inputs, labels = batch
    return functional.cross_entropy(network(inputs + 0.1 * torch.randn_like(inputs)), labels)


def train(folder: Path, pace: loop.Pace = PACE) -> list[float]:
    """Trains, going on from what is kept in `folder`; writes the weights; returns the losses."""
    torch.set_num_threads(1)
    losses: dict[float, float] = {}

    def report(
        done: float,
        note: str = "",
        curve: Mapping[str, float] | None = None,
        preview: Path | None = None,
    ) -> None:
        if curve:
            losses[curve["step"]] = curve["loss"]

    mean, _ = loop.fit(
        model(), loss, feed, seed=5, pace=pace, checkpoints=folder / "kept", report=report
    )
    torch.save(mean.state_dict(), folder / "weights.pt")
    return list(losses.values())


def train_and_die(folder: Path, at: int) -> None:
    """Trains until the `at`-th call that changes the disk, and dies there by SIGKILL."""
    left = at
    for name in ("fsync", "rename", "replace", "mkdir", "rmdir", "unlink"):
        real = getattr(os, name)

        def dying(*given: object, _real: object = real, **named: object) -> object:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return _real(*given, **named)  # type: ignore[operator]

        setattr(os, name, dying)
    train(folder, replace(PACE, save_seconds=0.0))  # however fast it is, it saves often enough
