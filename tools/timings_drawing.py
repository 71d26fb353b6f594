"""The times of models that make pictures, as an answer: per size and steps."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from index.card import Run
from index.evidence import Fact, Measurement
from index.properties import properties
from tools import drawing, plots, sizes, wording
from tools.base import Block, Context, Table, Text
from tools.engines.drawing_time import DrawTime, DrawTrial, timed_drawing
from tools.measure import measure
from tools.timings import published_of, where

_FEW_STEPS = 4  # beside the model's own number
_PUBLISHED = ("latency_ms", "seconds_per_image", "memory_gib")
_FLOPS = {"cpu": 1e11, "mps": 2e12, "cuda": 2e14}  # a second, about, to foretell the time
_PASSES = 3  # pictures at least, one of them not timed


@dataclass(frozen=True)
class Maker:
    """A model that makes pictures, and what to time of it.

    Attributes:
        system: id.
        folder: of its weights.
        run: how its card says that it is run.
        parameters: of all its weights.
    """

    system: str
    folder: Path
    run: Run
    parameters: int


def draw_trial(
    maker: Maker,
    size: tuple[int, int],
    steps: int | None,
    runs: int | None,
    threads: int | None,
    device: str,
) -> DrawTrial:
    """What to time of a model that makes pictures.

    Args:
        maker: the model.
        size: width and height, px; zeros for the model's own.
        steps: of denoising; the model's own and a few if none are said.
        runs: timed pictures of each; as many as fit into some seconds if none are said.
        threads: processor threads; the library's choice if none are said.
        device: `cpu`, `cuda` or `mps`.

    Raises:
        NeedsInput: the model does not take the size.
    """
    run = maker.run
    own = drawing.steps(run)
    return DrawTrial(
        system=maker.system,
        folder=str(maker.folder),
        device=device,
        run=asdict(run),
        sizes=(sizes.size(maker.system, run, size[0] or None, size[1] or None),),
        steps=(steps,) if steps else tuple(sorted({own, min(own, _FEW_STEPS)})),
        guidance=drawing.guidance(run),
        runs=runs or 0,
        threads=threads or 0,
    )


def drawing_seconds(makers: Sequence[Maker], trials: Sequence[DrawTrial]) -> float:
    """Seconds that drawing takes, about: two operations for each weight, token and step."""
    seconds = 0.0
    for maker, trial in zip(makers, trials, strict=True):
        tokens = sum(wide * high / 256 for wide, high in trial.sizes)
        passes = _PASSES * sum(trial.steps) * (2 if trial.guidance > 1 else 1)
        seconds += 2 * maker.parameters * tokens * passes / _FLOPS[trial.device]
    return seconds


def time_drawing(ctx: Context, trials: Sequence[DrawTrial]) -> Iterator[Block]:
    """Times models that make pictures, each in a fresh process.

    Raises:
        ToolFailed: a model cannot be timed here.
    """
    rows: list[Fact] = []
    series: dict[str, list[tuple[float, float]]] = {}
    for number, trial in enumerate(trials):

        def report(done: float, note: str = "") -> None:
            ctx.report((number + done) / len(trials), note)  # noqa: B023

        times, count = timed_drawing(trial, report)
        facts = [fact for time in times for fact in _facts(ctx, trial, time)]
        facts.append(measure(ctx, trial.system, "parameters", count / 1e6, "", trial.device))
        yield Text(f"{trial.system} on this machine: {_told(facts)}.", tuple(facts))
        if len(times) > 1:
            series[trial.system] = [(float(time.steps), 1000 * time.seconds) for time in times]
        rows += [*facts, *published_of(ctx, trial.system, _PUBLISHED, f"{times[-1].width}x")]
    yield _circumstances(rows)
    yield _table(rows)
    if series:
        yield _plot(ctx, series, rows)


def _facts(ctx: Context, trial: DrawTrial, time: DrawTime) -> Iterator[Measurement]:
    threads = f", threads {trial.threads}" if trial.threads else ""
    at = f"{time.width} x {time.height} px, {time.steps} steps{threads}"
    found = {"latency_ms": 1000 * time.seconds, "peak_memory_mib": time.peak_memory_mib}
    for name, value in found.items():
        yield measure(ctx, trial.system, name, value, at, trial.device)


def _told(facts: Sequence[Measurement]) -> str:
    return "; ".join(f"{properties()[f.property].label} {wording.cell(f)}" for f in facts)


def _circumstances(rows: Sequence[Fact]) -> Text:
    one = next(fact for fact in rows if isinstance(fact, Measurement))
    memory = "of the device" if one.device.startswith("cuda") else "of the process, libraries too"
    return Text(
        f"Timed on {one.device}; {one.machine}; {one.versions}. Each model ran in a fresh process. "
        f"A time is the median of pictures from words to pixels; the memory is that {memory}.",
        (one,),
    )


def _table(rows: Sequence[Fact]) -> Table:
    told = tuple(
        (fact.system, properties()[fact.property].label, wording.cell(fact), where(fact))
        for fact in rows
    )
    return Table(("System", "What", "Value", "Where"), told, "Time and memory", tuple(rows))


def _plot(
    ctx: Context, series: dict[str, list[tuple[float, float]]], rows: Sequence[Fact]
) -> Block:
    facts = [f for f in rows if isinstance(f, Measurement) and f.property == "latency_ms"]
    label = properties()["latency_ms"].label
    title = f"{label[:1].upper()}{label[1:]} on {facts[0].device}"
    alt = f"Lines. {title}. " + "; ".join(f"{f.system}: {wording.cell(f)}" for f in facts)
    path = ctx.run_folder / "latency.png"
    return plots.lines(path, title, ("steps", "ms a picture"), series, alt, tuple(facts))
