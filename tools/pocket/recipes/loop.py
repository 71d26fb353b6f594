"""The training loop of the pocket recipes: drawn rounds, Muon, averaged weights, checkpoints.

Every step seeds its own randomness and every round its own pictures, so a run that was killed
goes on from its checkpoint to the very weights of a run that was not.
"""

import argparse
import copy
import json
import math
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

import torch
from safetensors.torch import save
from torch import Tensor, nn

from tools.base import LiveReport
from tools.engines.training.steps import Training
from tools.pocket import world

Batch = tuple[Tensor, ...]

HALVES: Final = torch.cpu._is_avx512_bf16_supported()
"""Whether this processor multiplies bfloat16 itself: four times faster; the others, far slower."""

_MOMENTUM: Final = 0.95
_TOLD_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Pace:
    """How long, how fast and on how much a recipe trains."""

    steps: int
    batch: int = 128
    round: int = 16_384
    passes: int = 2
    rate: float = 3e-3
    decay: float = 0.02
    average: float = 0.998
    warm_up: float = 0.04
    save_seconds: float = 60.0

    @property
    def round_steps(self) -> int:
        """Steps that one round of pictures lasts."""
        return self.passes * (self.round // self.batch)

    def rate_at(self, step: int) -> float:
        """Learning rate as a share of the highest: a linear rise, then half a cosine to zero."""
        rise = max(1, round(self.warm_up * self.steps))
        if step < rise:
            return (step + 1) / rise
        return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, self.steps - rise)))


class Muon(torch.optim.Optimizer):
    """Momentum whose step is made orthogonal, for weights that are matrices.

    Source: Keller Jordan and others, "Muon: an optimizer for hidden layers in neural networks"
    (2024); the scale by shape is that of "Muon is scalable for LLM training" (2025). torch's own
    runs its iterations in bfloat16 on every processor.
    """

    def __init__(self, weights: list[nn.Parameter], rate: float, decay: float) -> None:
        super().__init__(weights, {"lr": rate, "decay": decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move every weight that has a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                state = self.state[weight]
                mean = state.setdefault("mean", torch.zeros_like(weight))
                mean.mul_(_MOMENTUM).add_(weight.grad)
                ahead = (weight.grad + _MOMENTUM * mean).flatten(1)
                move = _orthogonal(ahead).view(weight.shape)
                weight.mul_(1 - group["lr"] * group["decay"])
                weight.add_(move, alpha=-0.2 * group["lr"] * math.sqrt(max(ahead.shape)))


def _orthogonal(matrix: Tensor) -> Tensor:
    """Bring all singular values near one, by a quintic Newton-Schulz iteration."""
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = (x / (x.norm() + 1e-7)).to(torch.bfloat16 if HALVES else x.dtype)
    a, b, c = 3.4445, -4.775, 2.0315
    for _ in range(5):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return cast("Tensor", x.T if tall else x).to(matrix.dtype)


def optimizers(model: nn.Module, pace: Pace) -> list[torch.optim.Optimizer]:
    """Muon for dense and convolution matrices, AdamW for all else (depthwise, norms, heads)."""
    matrices: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, weight in model.named_parameters():
        dense = weight.ndim >= 2 and weight.shape[1] > 3 and "head" not in name
        (matrices if dense else others).append(weight)
    adam = torch.optim.AdamW(others, lr=pace.rate, betas=(0.9, 0.98), weight_decay=0.0)
    return [Muon(matrices, pace.rate, pace.decay), adam]


def _batches(feed: Callable[[int], Batch], seed: int, pace: Pace, start: int) -> Iterator[Batch]:
    """The batches from step ``start`` on: each round is drawn once and passed over."""
    number, pool = -1, cast("Batch", ())
    per_pass = pace.round // pace.batch
    for step in range(start, pace.steps):
        if step // pace.round_steps != number:
            number = step // pace.round_steps
            pool = feed(number)
        turn, place = divmod(step, per_pass)
        shuffle = torch.Generator().manual_seed(seed * 1_000_003 + turn)
        order = torch.randperm(pace.round, generator=shuffle)
        chosen = order[place * pace.batch : (place + 1) * pace.batch]
        yield tuple(part[chosen] for part in pool)


@torch.no_grad()
def _average(mean: nn.Module, model: nn.Module, decay: float) -> None:
    own, new = mean.state_dict(), model.state_dict()
    for name, value in own.items():
        if value.is_floating_point():
            value.lerp_(new[name], 1 - decay)
        else:
            value.copy_(new[name])


def fit(
    model: nn.Module,
    loss: Callable[[nn.Module, Batch], Tensor],
    feed: Callable[[int], Batch],
    *,
    seed: int,
    pace: Pace,
    checkpoints: Path,
    report: LiveReport,
) -> tuple[nn.Module, dict[str, float]]:
    """Train a model, going on from the last checkpoint if there is one.

    Args:
        model: The model, trained in place.
        loss: The loss of a model on a batch; it may use torch's global randomness.
        feed: Gives the tensors of a round by its number, each of length ``pace.round``.
        seed: Seed of order and augmentation.
        pace: Length, batch size and rates.
        checkpoints: The folder in which one is kept every ``pace.save_seconds``.
        report: Called after every step; if it raises, to stop, the step is kept first.

    Returns:
        The averaged model, and the wall and processor seconds of all runs that led to it
        (the drawing processes' own not counted).
    """
    mean, tuned = copy.deepcopy(model).eval(), optimizers(model, pace)
    named = {"muon": tuned[0], "adam": tuned[1]}
    training = Training(checkpoints, {"model": model, "mean": mean, **named})
    batches = _batches(feed, seed, pace, len(training.losses))

    def advance(step: int) -> float:
        batch = next(batches)
        torch.manual_seed(seed * 1_000_003 + step)
        for optimizer in tuned:
            optimizer.zero_grad()
            for group in optimizer.param_groups:
                group["lr"] = pace.rate * pace.rate_at(step)
        value = loss(model, batch)
        value.backward()  # type: ignore[no-untyped-call]
        for optimizer in tuned:
            optimizer.step()
        _average(mean, model, min(pace.average, (1 + step) / (10 + step)))
        return value.item()

    def speed(steps: float) -> str:
        return f"{steps * pace.batch:.0f}/s"

    model.train()
    training.run(pace.steps, advance, report, save_seconds=pace.save_seconds, speed=speed)
    return mean, {"seconds": training.seconds, "cpu_seconds": training.cpu_seconds}


def machine() -> str:
    """This machine's processor, in words."""
    cores = f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads"
    return f"{cores}, bfloat16" if HALVES else cores


def save_model(folder: Path, model: nn.Module, config: dict[str, Any]) -> None:
    """Write a model's weights, in half precision, and its config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in model.state_dict().items()
    }
    (folder / "model.safetensors").write_bytes(save(weights, {"format": "pt"}))
    _write(folder / "config.json", config)


def before(folder: Path) -> dict[str, Any]:
    """What stands in the metrics.json of the weights that a training goes on from."""
    path = folder / "metrics.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {"sittings": 0, **found}


def summed(before: Mapping[str, Any], spent: Mapping[str, float]) -> dict[str, Any]:
    """Sittings and seconds of all trainings that led here, and the samples before this one."""
    return {
        "sittings": before["sittings"] + 1,
        **{name: before.get(name, 0.0) + value for name, value in spent.items()},
        "samples_before": before.get("samples", 0) + before.get("samples_before", 0),
    }


def write_metrics(
    folder: Path, measured: dict[str, float], facts: dict[str, Any], pace: Pace
) -> dict[str, Any]:
    """Write metrics.json: what was measured, after how much training, on which machine."""
    trained = {"steps": pace.steps, "samples": pace.steps * pace.batch}
    metrics = measured | facts | trained | {"machine": machine(), "world": world.VERSION}
    _write(folder / "metrics.json", metrics)
    return metrics


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def main(name: str, train: Callable[..., dict[str, Any]], pace: Pace) -> None:
    """The command line of a recipe."""
    weights = Path(__file__).parents[1] / "weights" / name
    parser = argparse.ArgumentParser(description=f"Train {name} from scratch.")
    parser.add_argument("--folder", type=Path, default=weights, help="where the model goes")
    parser.add_argument("--checkpoints", type=Path, required=True, help="folder to go on from")
    parser.add_argument("--steps", type=int, default=pace.steps, help="length of the training")
    asked = parser.parse_args()
    began, told = time.monotonic(), 0.0

    def say(
        done: float,
        note: str = "",
        curve: Mapping[str, float] | None = None,
        preview: Path | None = None,
    ) -> None:
        nonlocal told
        spent = time.monotonic() - began
        if done == 1.0 or spent >= told + _TOLD_SECONDS:
            told = spent
            print(f"{spent:7.1f} s  {done:6.1%}  {note}", flush=True)

    metrics = train(asked.folder, asked.checkpoints, say, replace(pace, steps=asked.steps))
    print(json.dumps(metrics, indent=2))
