"""Where the weights of a pipeline are held while it draws: chosen from what fits, before loading.

On a GPU they can all stay there, or only those of the part that works, or in fewer bits, or only
those of the layer that works. Elsewhere they stay where they are. Everywhere the picture can be
decoded in tiles.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Fit = Literal["speed", "memory"]
Offload = Literal["", "model", "sequential"]
_SURE = 1.15  # how often the prediction must fit: it is within 15 % of what is measured
# How much smaller the weights of linear layers become, of half precision: 8 bits; 4 bits and a
# single-precision scale for each 64 weights.
_SHRUNK = {"": 1.0, "fp8": 8 / 16, "nf4": (4 + 32 / 64) / 16}


@dataclass(frozen=True)
class Wanted:
    """What a pipeline is loaded for.

    Attributes:
        width: px; the model's own if none.
        height: px; the model's own if none.
        references: width and height, px, of each picture that it looks at.
        fit: speed prefers all weights on the device as they are, as none does; memory prefers what
            takes the least.
    """

    width: int | None = None
    height: int | None = None
    references: tuple[tuple[int, int], ...] = ()
    fit: Fit | None = None


@dataclass(frozen=True)
class Part:
    """What a network of a pipeline takes, bytes.

    Attributes:
        weights: all of them.
        linear: of these, what is in linear layers, which can be held in fewer bits.
        layer: the largest layer alone.
        work: what is alive beyond its weights while it works, at most.
    """

    weights: int
    linear: int = 0
    layer: int = 0
    work: int = 0

    def held(self, quantised: str) -> int:
        """Bytes of its weights in a number of bits: `fp8`, `nf4`, or empty for as they are."""
        return round(self.weights - self.linear * (1 - _SHRUNK[quantised]))


@dataclass(frozen=True)
class Placement:
    """How a pipeline is held in memory.

    Attributes:
        quantised: in how many bits its linear layers are: `fp8`, `nf4`, or empty for as they are.
        offload: what alone is on the device while it works: the `model` (a whole part), a single
            layer (`sequential`); empty if all stays there.
        tiled: whether the picture is decoded in tiles.
        weights: bytes that stay on the device.
        needed: bytes that it takes there at its peak, those among them.
    """

    quantised: str = ""
    offload: Offload = ""
    tiled: bool = False
    weights: int = 0
    needed: int = 0

    @property
    def room(self) -> int:
        """Bytes that must be free for it, since the prediction is not exact."""
        return round(self.needed * _SURE)


RESIDENT = Placement()


def choose(
    whole: Mapping[str, Part],
    tiled: Callable[[], Mapping[str, Part]],
    free: int,
    device: str,
    quantisers: Sequence[str] = (),
    fit: Fit | None = None,
) -> Placement | None:
    """The placement that fits; the first in the order of speed, or the smallest.

    Args:
        whole: what each part takes when the picture is decoded whole.
        tiled: gives the same for decoding in tiles; asked only if need be.
        free: bytes that the device has for it.
        device: `cpu`, `cuda` or `mps`.
        quantisers: the kinds of fewer bits that can be had here, the best first.
        fit: what is preferred.

    Returns:
        None if nothing fits.
    """
    every = _placements(whole, tiled, device, quantisers)
    fitting = (one for one in every if one.room <= free)
    if fit == "memory":
        return min(fitting, key=lambda one: one.needed, default=None)
    return next(fitting, None)


def _placements(
    whole: Mapping[str, Part],
    tiled: Callable[[], Mapping[str, Part]],
    device: str,
    quantisers: Sequence[str],
) -> Iterator[Placement]:
    """All that the device can do, the fastest first."""
    ways: list[tuple[str, Offload]] = [("", "")]
    if device == "cuda":
        ways.append(("", "model"))
        for kind in quantisers:
            ways += [(kind, ""), (kind, "model")]
        ways.append(("", "sequential"))
    for quantised, offload in ways:
        yield placed(whole, quantised, offload, tiled=False)
        yield placed(tiled(), quantised, offload, tiled=True)


def placed(
    parts: Mapping[str, Part], quantised: str, offload: Offload, *, tiled: bool
) -> Placement:
    """A placement with the bytes that it takes of the device.

    Args:
        parts: what each part takes.
        quantised: as in `Placement`.
        offload: as in `Placement`.
        tiled: whether the parts were counted for decoding in tiles.
    """
    if offload == "sequential":
        needed = max(part.layer + part.work for part in parts.values())
    elif offload == "model":
        needed = max(part.held(quantised) + part.work for part in parts.values())
    else:
        weights = sum(part.held(quantised) for part in parts.values())
        needed = weights + max(part.work for part in parts.values())
        return Placement(quantised, offload, tiled, weights, needed)
    return Placement(quantised, offload, tiled, 0, needed)


def told(placement: Placement) -> str:
    """What was chosen and what it costs, in a sentence; empty where all is as it comes."""
    said = []
    if placement.offload == "model":
        said.append(
            "only the part that works is on the GPU, which takes longer with each picture and "
            "changes nothing in it"
        )
    if placement.offload == "sequential":
        said.append(
            "only the layer that works is on the GPU, which takes many times longer and changes "
            "nothing in the picture"
        )
    if placement.quantised:
        said.append(
            f"its weights are held as {placement.quantised}, which changes the picture a little"
        )
    if placement.tiled:
        said.append(
            "the picture is decoded in tiles, which takes a little longer and may be seen where "
            "large even areas meet"
        )
    return f"To fit into memory, {'; '.join(said)}." if said else ""
