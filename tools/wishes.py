"""What is wanted of a hosted model, and the request that says so by the vendor's field names."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.card import Card
from tools import canvas, sizes
from tools.base import NeedsInput, ToolFailed

if TYPE_CHECKING:
    from tools.engines.bfl.endpoints import Endpoint


@dataclass(frozen=True)
class Wish:
    """One picture that is wanted; what is none or empty is left to the model.

    Attributes:
        prompt: the words.
        negative_prompt: what is not wanted.
        width: pixels.
        height: pixels.
        steps: of denoising.
        guidance: its scale.
        seed: of the noise.
        images: pictures to start from, as files.
        mask: a file; white is changed.
        expand: pixels to add, by `top`, `bottom`, `left` and `right`.
        strength: how much the picture counts, from 0 to 1.
        mode: of an edit, for the recipe; empty for pictures from words alone.
    """

    prompt: str
    negative_prompt: str = ""
    width: int | None = None
    height: int | None = None
    steps: int | None = None
    guidance: float | None = None
    seed: int | None = None
    images: tuple[Path, ...] = ()
    mask: Path | None = None
    expand: Mapping[str, int] = field(default_factory=dict, hash=False)
    strength: float | None = None
    mode: str = ""


def several(wish: Wish, prompts: Sequence[str], count: int, adapter: str = "") -> list[Wish]:
    """What is wanted of a hosted model: several pictures of each prompt, their seeds counting on.

    Args:
        wish: what they share.
        prompts: the words.
        count: pictures of each.
        adapter: names of adapters, which no hosted model wears.

    Raises:
        ToolFailed: adapters are wanted.
    """
    if adapter:
        raise ToolFailed("Hosted models wear no adapters. Leave them out, or name a local model.")
    seed = wish.seed
    return [
        replace(wish, prompt=one, seed=None if seed is None else seed + number)
        for one in prompts
        for number in range(count)
    ]


def changes(
    wish: Wish, expand: str | Mapping[str, int | None] | None, count: int, adapter: str = ""
) -> list[Wish]:
    """What is wanted of a hosted model that changes a picture.

    Args:
        wish: what the results share, with its pictures, the one to change first.
        expand: how far to extend the picture, as `canvas.margins` takes it.
        count: how many results.
        adapter: names of adapters, which no hosted model wears.

    Raises:
        ToolFailed: a picture or the mask cannot be used, the picture cannot be extended so, or
            adapters are wanted.
    """
    size = canvas.picture(wish.images[0]).size
    if wish.mask:
        canvas.mask(wish.mask, size)  # one of another size, or that leaves nothing to do
    if expand:
        sides = vars(canvas.margins(expand, size))
        wish = replace(wish, expand={side: by for side, by in sides.items() if by})
    return several(wish, (wish.prompt,), count, adapter)


def values(card: Card, wish: Wish) -> dict[str, Any]:
    """A request by the vendor's field names; what the endpoint does not take is refused later.

    Args:
        card: the hosted model.
        wish: what is wanted of it.

    Raises:
        NeedsInput: words are missing, or the size is none that the model takes.
        ToolFailed: there are too many pictures, or the model is not hosted.
    """
    from tools.engines.bfl.endpoints import endpoint_of

    endpoint = endpoint_of(card)
    if endpoint.fields["prompt"].required and not wish.prompt.strip():
        raise NeedsInput("What shall I change? Say it in a sentence.")
    told = {
        "prompt": wish.prompt,
        "negative_prompt": wish.negative_prompt or None,
        "steps": wish.steps,
        "guidance": wish.guidance,
        "seed": wish.seed,
        "mask": str(wish.mask) if wish.mask else None,
        "image_prompt_strength": wish.strength,
        # Lossless: the recipe is written into a copy.
        "output_format": "png" if "output_format" in endpoint.fields else None,
        **_shape(card, endpoint, wish),
        **_pictures(endpoint, wish),
        **wish.expand,
    }
    return {name: value for name, value in told.items() if value is not None}


def _shape(card: Card, endpoint: "Endpoint", wish: Wish) -> dict[str, Any]:
    """Size or ratio, whichever the endpoint has; from a picture it keeps that one's."""
    # One side alone asks for a square.
    said = [side for side in (wish.width, wish.height) if side is not None]
    if "width" in endpoint.fields:
        if wish.images and not said:
            return {}
        width, height = sizes.size(card.id, card.run, wish.width, wish.height)
        return {"width": width, "height": height}
    if not said or "aspect_ratio" not in endpoint.fields:
        return {"width": wish.width, "height": wish.height}
    width, height = said[0], said[-1]
    if min(width, height) <= 0:
        raise ToolFailed(f"{width} x {height} is no size. Give a width and a height above 0.")
    least = math.gcd(width, height)
    return {"aspect_ratio": f"{width // least}:{height // least}"}


def _pictures(endpoint: "Endpoint", wish: Wish) -> dict[str, str]:
    """The pictures by field, in the vendor's order."""
    takes = [
        name
        for name, taken in endpoint.fields.items()
        if taken.picture.startswith("file") and name != "mask"
    ]
    if len(wish.images) > len(takes):
        raise ToolFailed(
            f"{endpoint.name} takes at most {len(takes)} pictures, but there are "
            f"{len(wish.images)}. Give fewer."
        )
    return {name: str(path) for name, path in zip(takes, wish.images, strict=False)}
