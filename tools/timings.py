"""A timed model: its measurements, also over a cut, and beside them what others published."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from index.evidence import Claim, Fact, Measurement
from tools import wording
from tools.base import Context
from tools.engines.timing import Timing, Trial, timed
from tools.measure import measure

_PUBLISHED = ("latency_ms", "images_per_second")
MOST_PUBLISHED = 3  # of each kind


@dataclass(frozen=True)
class Timed:
    """A timed model.

    Attributes:
        system: id of the system.
        real: whether its real weights were timed.
        facts: its measurements; the latency at batch 1 first, then p95, memory, parameters.
        rates: throughput by batch size.
        published: what others have published for it.
        size: of the pictures, as published figures tell it.
    """

    system: str
    real: bool
    facts: tuple[Measurement, ...]
    rates: tuple[tuple[int, Measurement], ...]
    published: tuple[Claim, ...]
    size: str

    @property
    def best(self) -> Measurement | None:
        """The highest throughput of all batch sizes."""
        return max((rate for _, rate in self.rates), key=lambda rate: rate.value, default=None)


def time_model(ctx: Context, trial: Trial, start: float, share: float) -> Timed:
    """Times one model; its progress fills `share` of the whole from `start` on."""
    found = timed(trial, lambda done, note="": ctx.report(start + share * done, note))

    def kept(property: str, value: float, batch: int = 1) -> Measurement:
        at = _condition(trial, found, batch) if property != "parameters" else ""
        return measure(ctx, trial.system, property, value, at, trial.device)

    facts = (
        kept("latency_ms", found.p50_ms),
        kept("latency_p95_ms", found.p95_ms),
        kept("peak_memory_mib", found.peak_memory_mib),
        kept("parameters", found.parameters / 1e6),
    )
    rates = tuple(
        (batch, kept("images_per_second", rate, batch))
        for batch, rate in found.images_per_second.items()
    )
    size = f"{found.width} px"
    published = tuple(published_of(ctx, trial.system, _PUBLISHED, size))
    return Timed(trial.system, bool(trial.folder), facts, rates, published, size)


def to_keep(done: Timed) -> dict[str, Any]:
    """What has been measured, as it is kept in case that the job is cut off."""
    rates = [[batch, asdict(rate)] for batch, rate in done.rates]
    return {"facts": [asdict(fact) for fact in done.facts], "rates": rates, "size": done.size}


def as_before(ctx: Context, trial: Trial, kept: Mapping[str, Any]) -> Timed:
    """What was measured before the job was cut off."""
    return Timed(
        trial.system,
        bool(trial.folder),
        tuple(Measurement(**fact) for fact in kept["facts"]),
        tuple((batch, Measurement(**rate)) for batch, rate in kept["rates"]),
        tuple(published_of(ctx, trial.system, _PUBLISHED, kept["size"])),
        kept["size"],
    )


def _condition(trial: Trial, timing: Timing, batch: int) -> str:
    tall, wide = timing.height, timing.width
    size = f"{wide} px" if tall == wide else f"{wide} x {tall} px"
    threads = f", threads {trial.threads}" if trial.threads else ""
    return f"batch {batch}, {size}, {trial.precision}{threads}"


def published_of(ctx: Context, system: str, names: Sequence[str], size: str) -> Iterator[Claim]:
    """What others published of a system: at the same size, if there is any, and the most of it.

    Args:
        ctx: the context.
        system: id.
        names: the properties.
        size: of the pictures, as published figures tell it.
    """
    for name in names:
        found = [
            fact
            for fact in ctx.catalog.find(system, name)
            if isinstance(fact, Claim) and fact.verdict in ("verified", "claimed")
        ]
        alike = [claim for claim in found if size in claim.at]
        yield from (alike or found)[:MOST_PUBLISHED]


def where(fact: Fact) -> str:
    """Where a figure comes from, for a table."""
    if isinstance(fact, Measurement):
        return f"this machine, {fact.date}"
    return f"another machine: {wording.source(fact)}"
