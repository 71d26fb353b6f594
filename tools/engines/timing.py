"""Times a classifier: latency, throughput by batch size, and memory, in a process of its own."""

import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tools.base import Report, ToolFailed
from tools.engines import apart

_WARM = 3  # passes before the clock counts
_LATENCY_RUNS, _LATENCY_SECONDS = 100, 3.0  # as many runs as fit, unless a number is asked for
_FEWEST_RUNS = 5
_BATCH_SECONDS, _FEWEST_PASSES = 1.5, 3
_SLOWEST_PASS = 4.0  # seconds; a batch that is expected to take longer is left out


@dataclass(frozen=True)
class Trial:
    """What is to be timed.

    Attributes:
        system: timm name.
        folder: folder of its weights; empty for random weights of the same shape.
        device: `cpu`, `cuda` or `mps`.
        precision: `fp32`, or with autocast `fp16` or `bf16`.
        height: pixels; 0 for the model's own size.
        width: pixels; 0 for the model's own size.
        batches: batch sizes for throughput.
        runs: timed passes at batch 1; 0 for as many as fit.
        threads: processor threads; 0 for the library's choice.
    """

    system: str
    folder: str
    device: str
    precision: str
    height: int
    width: int
    batches: tuple[int, ...]
    runs: int
    threads: int


@dataclass(frozen=True)
class Timing:
    """What was timed: the forward pass alone, the pictures being on the device already.

    Attributes:
        height: pixels.
        width: pixels.
        runs: timed passes at batch 1.
        p50_ms: median latency at batch 1.
        p95_ms: its 95th percentile.
        peak_memory_mib: most memory by the end of the passes at batch 1: of the device on cuda,
            else of the whole process.
        images_per_second: throughput by batch size; batches that are too slow or too large for
            the memory are missing.
        parameters: number of parameters.
    """

    height: int
    width: int
    runs: int
    p50_ms: float
    p95_ms: float
    peak_memory_mib: float
    images_per_second: Mapping[int, float]
    parameters: int


def timed(trial: Trial, report: Report) -> Timing:
    """Runs a trial in a fresh process.

    Args:
        trial: what is to be timed.
        report: told the progress several times a second; ends the process when it stops.

    Raises:
        ToolFailed: it cannot be timed; the message says why.
        Stopped: the person asked to stop.
    """
    advice = "Choose a smaller batch_size or image_size."
    found = apart.found_by(__name__, asdict(trial), trial.system, advice, report)
    rates = {int(batch): rate for batch, rate in found.pop("images_per_second").items()}
    return Timing(**found, images_per_second=rates)


# --- in the process
def _main(told: dict[str, Any]) -> Mapping[str, Any]:
    return asdict(_time(Trial(**{**told, "batches": tuple(told["batches"])})))


def _time(trial: Trial) -> Timing:
    import torch

    torch.manual_seed(0)
    if trial.threads:
        torch.set_num_threads(trial.threads)
    network, height, width = _network(trial)
    apart.tell(0.1)
    with torch.inference_mode():
        one = _warm_pass(network, trial, height, width)
        latencies = _latencies(one, trial.runs)
        peak = apart.peak_memory(trial.device)
        apart.tell(0.4)
        rates = _rates(network, trial, height, width, _percentile(latencies, 0.5))
    return Timing(
        height=height,
        width=width,
        runs=len(latencies),
        p50_ms=1000 * _percentile(latencies, 0.50),
        p95_ms=1000 * _percentile(latencies, 0.95),
        peak_memory_mib=peak,
        images_per_second=rates,
        parameters=sum(weight.numel() for weight in network.parameters()),
    )


def _network(trial: Trial) -> tuple[Any, int, int]:
    """The network on its device, with the height and width to feed it."""
    import timm
    from timm.data.config import resolve_model_data_config

    name = f"local-dir:{trial.folder}" if trial.folder else trial.system
    try:
        network: Any = timm.create_model(name, pretrained=bool(trial.folder))
        if trial.height and network.pretrained_cfg.get("fixed_input_size"):
            network = timm.create_model(name, img_size=(trial.height, trial.width))
    except (RuntimeError, OSError, ValueError, TypeError, KeyError) as error:
        raise ToolFailed(f"{trial.system} cannot be built by timm: {error}.") from error
    own = resolve_model_data_config(network)["input_size"]  # type: ignore[no-untyped-call] # timm's
    network = network.eval().to(trial.device)
    return network, trial.height or own[1], trial.width or own[2]


def _pass(network: Any, trial: Trial, batch: int, height: int, width: int) -> Callable[[], float]:
    """A function that times one forward pass, in seconds."""
    import torch

    pictures = torch.rand(batch, 3, height, width, device=trial.device)
    low = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(trial.precision)
    wait = {"cuda": torch.cuda.synchronize, "mps": torch.mps.synchronize}.get(trial.device)

    def run() -> float:
        with torch.autocast(trial.device, dtype=low, enabled=low is not None):
            started = time.perf_counter()
            network(pictures)
            if wait:
                wait()
            return time.perf_counter() - started

    return run


def _warm_pass(network: Any, trial: Trial, height: int, width: int) -> Callable[[], float]:
    """A pass of one picture, warmed up; words the failure of a size that is not taken."""
    import torch

    try:
        run = _pass(network, trial, 1, height, width)
        for _ in range(_WARM):
            run()
    except torch.OutOfMemoryError:
        raise ToolFailed(
            f"{trial.device} has no memory left for {trial.system}. Choose a smaller model."
        ) from None
    except (RuntimeError, AssertionError, ValueError) as error:
        raise ToolFailed(
            f"{trial.system} does not take pictures of {width} x {height} pixels: "
            f"{str(error).splitlines()[0]}. Leave the size out to use its own."
        ) from error
    return run


def _latencies(run: Callable[[], float], runs: int) -> list[float]:
    """Seconds of each timed pass, sorted."""
    found: list[float] = []
    while len(found) < (runs or _LATENCY_RUNS):
        if not runs and sum(found) > _LATENCY_SECONDS and len(found) >= _FEWEST_RUNS:
            break
        found.append(run())
    return sorted(found)


def _rates(
    network: Any, trial: Trial, height: int, width: int, one_pass: float
) -> dict[int, float]:
    import torch

    rates = {}
    for place, batch in enumerate(trial.batches):
        if batch > 1 and batch * one_pass > _SLOWEST_PASS and trial.device == "cpu":
            continue
        try:
            run = _pass(network, trial, batch, height, width)
            run()
            rates[batch] = batch * _passes_per_second(run)
        except torch.OutOfMemoryError:
            break
        apart.tell(0.4 + 0.6 * (place + 1) / len(trial.batches))
    return rates


def _passes_per_second(run: Callable[[], float]) -> float:
    """By the median, which one pass that the machine held up does not spoil."""
    seconds: list[float] = []
    while len(seconds) < _FEWEST_PASSES or sum(seconds) < _BATCH_SECONDS:
        seconds.append(run())
    return 1 / statistics.median(seconds)


def _percentile(ordered: list[float], share: float) -> float:
    """The value that a share of the runs does not exceed."""
    return ordered[math.ceil(share * len(ordered)) - 1]


if __name__ == "__main__":
    apart.serve(_main)
