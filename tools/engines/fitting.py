"""What the open models take of this machine, foretold in a process of its own.

The prediction is that which `generate` makes before it loads a model.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from index.card import Run
from tools import hub
from tools.base import Report
from tools.engines import apart, shapes
from tools.forms import PIPELINE
from tools.placement import Placement

_HALF = 2  # bytes of a weight in bf16


@dataclass(frozen=True)
class Fit:
    """Models of one shape on this machine.

    Attributes:
        systems: their ids.
        weights: bytes of all of their weights in bf16.
        placement: how they are best held; none if they do not fit.
    """

    systems: tuple[str, ...]
    weights: int
    placement: Placement | None


def fits(runs: Mapping[str, Run], report: Report) -> tuple[tuple[Fit, ...], str, int]:
    """How models fit this machine, as it is just now, each at its default size.

    Args:
        runs: how the cards say that they are run, by id; those of unknown shape are left out.
        report: told the progress; may raise to stop.

    Returns:
        What was found of each shape; the device; and the bytes that are free there.

    Raises:
        ToolFailed: it cannot be counted; the message says why.
    """
    told = {"runs": {system: asdict(run) for system, run in runs.items()}}
    advice = "Close what takes much memory, and ask again."
    found = apart.found_by(__name__, told, "the FLUX models", advice, report, "counting")
    each = tuple(
        Fit(tuple(one["systems"]), one["weights"], _placement(one["placement"]))
        for one in found["fits"]
    )
    return each, found["device"], found["free"]


def _placement(told: Mapping[str, Any] | None) -> Placement | None:
    return Placement(**told) if told else None


# --- in the process
def _main(told: dict[str, Any]) -> Mapping[str, Any]:
    import torch

    from tools.memory import Memory

    mps = "mps" if torch.backends.mps.is_available() else "cpu"
    device = "cuda" if torch.cuda.is_available() else mps
    free = Memory(device, None).obtainable
    runs = {system: Run(**run) for system, run in told["runs"].items()}
    kinds = [tuple(one for one in kind if one in runs) for kind in shapes.known()]
    found = []
    for number, kind in enumerate(filter(None, kinds)):
        found.append(_fit(kind, runs[kind[0]], device, free))
        apart.tell((number + 1) / len(kinds))
    return {"fits": found, "device": device, "free": free}


def _fit(kind: tuple[str, ...], run: Run, device: str, free: int) -> Mapping[str, Any]:
    from tools.engines import placing
    from tools.placement import Wanted

    with tempfile.TemporaryDirectory() as made:
        cached = hub.cached(run.repository, PIPELINE)
        folder = cached or shapes.write(kind[0], Path(made) / "shapes")
        weights, placement = placing.foretold(kind[0], folder, device, run, Wanted(), free)
    half = weights * _HALF // placing.precision(device).itemsize
    kept = asdict(placement) if placement else None
    return {"systems": kind, "weights": half, "placement": kept}


if __name__ == "__main__":
    apart.serve(_main)
