"""The tool `benchmark`: speed and memory of a model on this machine."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from index.card import Card
from index.evidence import Fact, Measurement
from index.properties import properties
from tools import forms, kin, plots, wording
from tools.base import (
    Block,
    Context,
    Models,
    Plot,
    Table,
    Text,
    ToolCard,
    ToolFailed,
)
from tools.engines.checkpoint import Checkpoints
from tools.engines.timing import Trial
from tools.timings import MOST_PUBLISHED, Timed, as_before, time_model, to_keep, where
from tools.timings_drawing import Maker, draw_trial, drawing_seconds, time_drawing

CARD = ToolCard(
    title="Measure speed and memory",
    summary="Times models on this machine: latency, throughput at several batch sizes, memory.",
    examples=(
        "Benchmark convnext_femto on this machine",
        "How fast is mobilenetv3 here?",
        "Measure the latency of resnet50",
        "How many pictures a second can my computer classify?",
        "Time convnext_femto and vit_tiny with batch size 8",
        "How much memory does efficientnet_b0 take to run?",
        "Speed test of the classifier on my CPU",
        "Latency p95 of convnext_tiny on my GPU",
        "Throughput of mobilenetv4 on one thread",
        "how quick is my laptop with resnet18?",
        "Test the speed of vit_small on this PC",
        "Images per second on this GPU, batch 64?",
        "Profile efficientnetv2, I want p50 and p99",
        "Run a timing of swin_tiny in fp16",
        "What is the peak memory of convnext_base on my graphics card?",
        "will it run in real time on this machine? please measure",
        "How long does one picture take on my own hardware?",
        "Measure the throughput at batch sizes 1, 8 and 32",
        "Time schnell at 512x512 with 4 steps",
        "clock mobilevit with 4 threads",
        "Is my old computer too slow for this? Try it out",
        "I need real numbers from this box: milliseconds per image for regnety",
        "please to measure how many time takes ghostnet in my cpu",
        "How much RAM does resnet101 eat here while running?",
        "Do 100 runs of deit3_small and give me the average latency",
        "cuda vs cpu on this machine, how many times faster?",
        "Does my MacBook manage 30 frames a second with fastvit?",
        "Warm up and then time repvit at 256 pixels",
        "Seconds per picture of klein on this card, measured",
        "Check how fast the shoe classifier runs on the server we are on",
    ),
    runs_model=True,
)
_BATCHES = {"cpu": (1, 8, 32), "mps": (1, 8, 32), "cuda": (1, 32, 256)}
_SECONDS = 15.0  # that one model takes, about
_PUBLISHED_MAKERS = ("seconds_per_image", "latency_ms")
_TIMED = ("fp32", "fp16", "bf16")

Count = Annotated[int, Field(ge=1, le=10_000)]
Pixels = Annotated[int, Field(ge=8, le=4096)]


def benchmark(
    ctx: Context,
    models: tuple[str, ...] = (),
    engine: str = "torch",
    batch_size: Count | None = None,
    image_size: Pixels | None = None,
    width: Pixels | None = None,
    height: Pixels | None = None,
    steps: int | None = None,
    runs: Count | None = None,
    threads: Count | None = None,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    precision: Literal["fp32", "fp16", "bf16", "fp8", "int8", "nf4"] = "fp32",
    pictures: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None,
) -> Iterator[Block]:
    """Times models, each in a fresh process, and sets what others published beside it.

    Args:
        ctx: the context.
        models: card ids, timm names, or local folders; the default classifier if left out.
        engine: what runs the network; only `torch` so far.
        batch_size: pictures in a batch; several sizes if left out.
        image_size: side of the pictures in pixels; the model's own if left out.
        width: width in pixels, with `height`.
        height: height in pixels, with `width`.
        steps: of models that make pictures; their own number and a few if left out.
        runs: timed passes; as many as fit into some seconds if left out.
        threads: processor threads; the library's choice if left out.
        device: where to run; `auto` is the device of this worker.
        precision: number format.
        pictures: how many pictures there are to do, to tell how long all of them take.

    Raises:
        ToolFailed: a model or an argument cannot be timed here.
        NeedsConsent: it would take longer than was agreed to.
    """
    place = ctx.device if device == "auto" else device
    makers, absent, others = _sorted(ctx, models)
    _check(ctx, engine, None if makers else steps, precision, place)
    size = _size(width or image_size, height or image_size)
    trials = [draw_trial(m, (size[1], size[0]), steps, runs, threads, place) for m in makers]
    timed = [] if models and not others else _chosen(ctx, others)
    if not models:
        yield Text(f"No model that I know was named, so the default is timed: {timed[0][0]}.")
    _check_time(ctx, len(makers) + len(timed), drawing_seconds(makers, trials))
    for card in absent:
        yield _untimed(ctx, card)
    if trials:
        yield from time_drawing(ctx, trials)
    batches = tuple(sorted({1, batch_size})) if batch_size else _BATCHES[place]
    if timed:
        yield from _time_classifiers(
            ctx,
            [
                Trial(*one, place, precision, *size, batches, runs or 0, threads or 0)
                for one in timed
            ],
            pictures,
        )


def _sorted(ctx: Context, named: Sequence[str]) -> tuple[list[Maker], list[Card], list[str]]:
    """What makes pictures and is here, what makes pictures and is not, and all else."""
    if ctx.models is None:
        raise RuntimeError("benchmark runs where the models are")
    makers, absent, others = [], [], []
    for name in dict.fromkeys(named):
        card = _card(ctx, name)
        folder = ctx.models.weights(card.id if card else name)
        if folder and forms.of(folder) is forms.PIPELINE:
            count = sum(forms.parameters(forms.PIPELINE, folder).values())
            run = kin.run_of(card, folder, ctx.catalog.cards)
            makers.append(Maker(card.id if card else Path(name).name, folder, run, count))
        elif card and card.run.engine != "convnet":
            absent.append(card)
        else:
            others.append(name)
    return makers, absent, others


def _time_classifiers(
    ctx: Context, trials: Sequence[Trial], pictures: int | None
) -> Iterator[Block]:
    kept, done = Checkpoints(ctx.kept), []
    earlier = last.load() if (last := kept.last()) else {}
    for number, trial in enumerate(trials):
        if trial.system in earlier:
            done.append(as_before(ctx, trial, earlier[trial.system]))
        else:
            done.append(time_model(ctx, trial, number / len(trials), 1 / len(trials)))
            earlier[trial.system] = to_keep(done[-1])
            if ctx.agreement.lasting:
                kept.save(earlier, number + 1)
        if pictures and (best := done[-1].best):
            yield _for_all(ctx, best, pictures)
        yield _answer(done[-1])
    yield _circumstances(done)
    yield _table(done)
    yield _plot(ctx, done)


def _check(ctx: Context, engine: str, steps: int | None, precision: str, device: str) -> None:
    if device not in ("cpu", ctx.device):
        raise ToolFailed(f"There is no {device} here; there is {ctx.device}. Leave device out.")
    if engine != "torch":
        raise ToolFailed(f"The engine {engine!r} cannot be timed yet; 'torch' can. Leave it out.")
    if steps is not None:
        raise ToolFailed(f"steps is {steps}, but a classifier has no steps. Leave it out.")
    if precision not in _TIMED:
        raise ToolFailed(f"{precision} cannot be timed yet. Choose from: {', '.join(_TIMED)}.")
    if precision != "fp32" and device != "cuda":
        raise ToolFailed(f"{precision} is timed on cuda only, not on {device}. Leave it out.")


def _size(width: int | None, height: int | None) -> tuple[int, int]:
    """Height and width; zeros for the model's own."""
    if (width is None) != (height is None):
        raise ToolFailed("Only one of width and height was given. Give both, or image_size.")
    return height or 0, width or 0


def _chosen(ctx: Context, named: Sequence[str]) -> list[tuple[str, str]]:
    """The classifiers to time, each with the folder of its weights; empty if they are not here."""
    if ctx.models is None:
        raise RuntimeError("benchmark runs where the models are")
    models = ctx.models
    found = [_one(ctx, models, name) for name in named or (models.default_classifier(),)]
    return list(dict.fromkeys(found))


def _check_time(ctx: Context, count: int, drawing: float) -> None:
    seconds = _SECONDS * count + drawing
    question = f"Timing {count} models takes about {seconds:,.0f} seconds. Shall I?"
    ctx.agreement.take(seconds, question, "Yes, time them", spare=1.0)


def _card(ctx: Context, name: str) -> Card | None:
    return ctx.catalog.get(name) or ctx.catalog.get(ctx.index.names.resolve(name) or "")


def _untimed(ctx: Context, card: Card) -> Text:
    """What others have published of a system that cannot be timed here."""
    known = [f for name in _PUBLISHED_MAKERS for f in ctx.catalog.find(card.id, name)]
    facts = tuple(fact for fact in known if wording.truth(fact) is not None)[:MOST_PUBLISHED]
    told = wording.sentence(card, *facts) if facts else "No source here tells its time per picture."
    return Text(f"{card.name} is not on this machine, so it cannot be timed here. {told}", facts)


def _one(ctx: Context, models: Models, name: str) -> tuple[str, str]:
    names, card = ctx.index.names, _card(ctx, name)
    folder = models.weights(card.id if card else name)
    if card is None and folder is None:
        near = ", ".join(names.nearest(name))
        raise ToolFailed(f"No model is called {name!r}. The nearest: {near}.")
    return (card.id if card else Path(name).name), str(folder or "")


def _answer(done: Timed) -> Text:
    facts = (*done.facts, done.best) if done.best else done.facts
    told = "; ".join(f"{properties()[f.property].label} {wording.cell(f)}" for f in facts)
    return Text(f"{done.system} on this machine: {told}.", facts)


def _for_all(ctx: Context, best: Measurement, pictures: int) -> Text:
    """How long all pictures take at the best rate."""
    minutes = pictures / best.value / 60
    at = f"{pictures:,} pictures, {best.at}"
    whole = replace(best, property="total_min", value=minutes, unit="minutes", at=at)
    ctx.evidence.add(whole)
    name = properties()["total_min"].label
    told = f"{best.system} on this machine: {name} {wording.cell(whole)}"
    return Text(f"{told}, without reading the files. Yours may be slower or faster.", (whole,))


def _circumstances(done: Sequence[Timed]) -> Text:
    one = done[0].facts[0]
    said = [
        f"Timed on {one.device}; {one.machine}; {one.versions}.",
        "Each model ran in a fresh process, whose memory includes the libraries."
        if not one.device.startswith("cuda")
        else "Each model ran in a fresh process; the memory is that of the device.",
        "The time is that of the forward pass alone, the pictures being ready on the device.",
    ]
    random = [each.system for each in done if not each.real]
    if random:
        said.append(
            f"The weights of {', '.join(random)} are not on this machine: randomly initialised "
            "weights of the same shape were timed, since speed does not depend on their values."
        )
    fastest = min(done, key=lambda each: each.facts[0].value)
    return Text(" ".join(said), (one,), {"picks": [{"system": fastest.system}]})


def _table(done: Sequence[Timed]) -> Table:
    """Our rows first, then those of other machines."""
    facts: list[Fact] = []
    for each in done:
        facts += [*each.facts, *(rate for _, rate in each.rates), *each.published]
    rows = tuple(
        (fact.system, properties()[fact.property].label, wording.cell(fact), where(fact))
        for fact in facts
    )
    return Table(("System", "What", "Value", "Where"), rows, "Speed and memory", tuple(facts))


def _plot(ctx: Context, done: Sequence[Timed]) -> Plot:
    series = {
        each.system: [(float(batch), rate.value) for batch, rate in each.rates]
        for each in done
        if each.rates
    }
    title = f"Throughput on {done[0].facts[0].device}"
    told = [f"{each.system}: {wording.cell(rate)}" for each in done for _, rate in each.rates]
    alt = f"Lines. {title}. {'; '.join(told)}"
    cites = tuple(rate for each in done for _, rate in each.rates)
    path = ctx.run_folder / "throughput.png"
    return plots.lines(path, title, ("pictures in a batch", "pictures/s"), series, alt, cites)
