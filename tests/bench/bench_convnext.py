"""Pictures per second of convnext_femto's shape, eager and compiled, on the device that is there.

Random weights: speed does not depend on their values. On cuda in bf16, elsewhere in fp32. Run it
with `python -m tests.bench.bench_convnext`.
"""

import time
from collections.abc import Callable
from typing import Any

import timm
import torch

from tools.measure import device_name, machine, versions

NAME = "convnext_femto"
BATCHES = {"cpu": (1, 8, 32), "mps": (1, 8, 32), "cuda": (1, 256, 1024, 2048)}
SECONDS = 3.0


def device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def rate(network: Any, pictures: torch.Tensor, wait: Callable[[], None]) -> float:
    """Pictures per second after warm-up."""
    for _ in range(5):
        network(pictures)
    wait()
    started, passes = time.perf_counter(), 0
    while time.perf_counter() - started < SECONDS:
        network(pictures)
        passes += 1
        if passes % 8 == 0:
            wait()  # else passes would be queued for longer than they are timed
    wait()
    return len(pictures) * passes / (time.perf_counter() - started)


@torch.inference_mode()
def main() -> None:
    """Prints a small table."""
    place = device()
    number = torch.bfloat16 if place == "cuda" else torch.float32
    wait = {"cuda": torch.cuda.synchronize, "mps": torch.mps.synchronize}.get(place, lambda: None)
    network: Any = timm.create_model(NAME).eval().to(place, number)
    network = network.to(memory_format=torch.channels_last)
    mode = "max-autotune" if place == "cuda" else None
    compiled: Any = torch.compile(network, mode=mode, dynamic=False)
    print(f"{NAME}, 224 px, {number}, {device_name(place)}, {machine()}, {versions()}")
    print("batch  eager pictures/s  compiled pictures/s")
    for batch in BATCHES[place]:
        pictures = torch.rand(batch, 3, 224, 224, device=place, dtype=number)
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        eager, fast = (rate(run, pictures, wait) for run in (network, compiled))
        print(f"{batch:5}  {eager:16,.0f}  {fast:19,.0f}")


if __name__ == "__main__":
    main()
