"""Times a model that makes pictures: seconds a picture and memory, in a process of its own."""

import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from index.card import Run
from tools.base import Report, ToolFailed
from tools.engines import apart

_PROMPT = "a large red star in the centre on a white background"
_SECONDS = 6.0  # after which no further picture is begun
_MOST_RUNS = 20


@dataclass(frozen=True)
class DrawTrial:
    """What is to be timed.

    Attributes:
        system: id of the system.
        folder: folder of its weights.
        device: `cpu`, `cuda` or `mps`.
        run: how its card says that it is run.
        sizes: width and height of the pictures, px, the smallest first.
        steps: numbers of denoising steps.
        guidance: as far as the model takes it.
        runs: timed pictures of each; 0 for as many as fit into some seconds.
        threads: processor threads; 0 for the library's choice.
    """

    system: str
    folder: str
    device: str
    run: Mapping[str, Any]
    sizes: tuple[tuple[int, int], ...]
    steps: tuple[int, ...]
    guidance: float
    runs: int
    threads: int


@dataclass(frozen=True)
class DrawTime:
    """The time of a picture, from words to pixels, after one that was not timed.

    Attributes:
        width: px.
        height: px.
        steps: of denoising.
        seconds: median of the timed pictures.
        peak_memory_mib: of the device on cuda, else of the whole process.
        runs: timed pictures.
    """

    width: int
    height: int
    steps: int
    seconds: float
    peak_memory_mib: float
    runs: int


def timed_drawing(trial: DrawTrial, report: Report) -> tuple[tuple[DrawTime, ...], int]:
    """Runs a trial in a fresh process.

    Args:
        trial: what is to be timed.
        report: told the progress several times a second; ends the process when it stops.

    Returns:
        The times of every size and number of steps, and the number of parameters.

    Raises:
        ToolFailed: it cannot be timed; the message says why.
        Stopped: the person asked to stop.
    """
    advice = "Choose a smaller width and height, or a smaller model."
    found = apart.found_by(__name__, asdict(trial), trial.system, advice, report)
    return tuple(DrawTime(**one) for one in found["times"]), int(found["parameters"])


# --- in the process
def _main(told: dict[str, Any]) -> Mapping[str, Any]:
    import torch

    from tools.engines import flux

    trial = DrawTrial(**{**told, "sizes": tuple(map(tuple, told["sizes"]))})
    if trial.threads:
        torch.set_num_threads(trial.threads)
    run = Run(**trial.run)
    painter = flux.load_painter(trial.system, Path(trial.folder), trial.device, run)
    each = [(size, steps) for size in trial.sizes for steps in trial.steps]
    times = []
    for number, ((width, height), steps) in enumerate(each):
        apart.tell((number + 0.5) / (len(each) + 0.5))
        order = flux.Order(_PROMPT, "", width, height, steps, trial.guidance, 0)
        times.append(asdict(_time(painter, order, trial)))
    return {"times": times, "parameters": flux.parameter_count(painter)}


def _time(painter: Any, order: Any, trial: DrawTrial) -> DrawTime:
    from tools.engines import flux

    def picture() -> float:
        [drawn] = flux.draw(painter, (order,), _no_report)
        return float(drawn.seconds)

    apart.forget_peak(trial.device)
    try:
        first, seconds = picture(), [picture()]
        while len(seconds) < (trial.runs or _MOST_RUNS):
            if not trial.runs and first + sum(seconds) > _SECONDS:
                break
            seconds.append(picture())
    except (RuntimeError, ValueError) as error:
        raise ToolFailed(
            f"{trial.system} does not draw {order.width} x {order.height} px: "
            f"{str(error).splitlines()[0]}. Leave the size out to use its own."
        ) from error
    peak = apart.peak_memory(trial.device)
    median = statistics.median(seconds)
    return DrawTime(order.width, order.height, order.steps, median, peak, len(seconds))


def _no_report(done: float, note: str = "") -> None:
    """The parent asks how far it has come; nobody here stops a picture."""


if __name__ == "__main__":
    apart.serve(_main)
