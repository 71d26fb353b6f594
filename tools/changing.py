"""What an edit needs before it is drawn: its pictures at a size that the model takes, its mask."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools import canvas, sizes
from tools.base import NeedsInput, Text, ToolFailed

if TYPE_CHECKING:
    from PIL.Image import Image

    from tools.engines.flux import Painter
    from tools.engines.flux_edit import Change, Mode

Size = tuple[int, int]
_STRENGTHS = {"img2img": 0.8, "variation": 0.6, "inpaint": 1.0, "outpaint": 1.0}
_LEAST = 0.01  # below which no step would be left
_SAME_SHAPE = 0.02  # by which the shapes of two sizes may differ


@dataclass(frozen=True)
class Wanted:
    """What a person asks for.

    Attributes:
        pictures: RGB, as they were given.
        prompt: the words.
        mask: file of the mask.
        strength: how much may be new, from 0 to 1.
        expand: how far to extend the picture, in words or by side.
        width: px.
        height: px.
    """

    pictures: tuple["Image", ...]
    prompt: str = ""
    mask: Path | None = None
    strength: float | None = None
    expand: str | Mapping[str, int | None] | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True)
class Prepared:
    """An edit that can be drawn.

    Attributes:
        change: what is changed.
        size: width and height to draw at, px.
        notes: what was done to the pictures first.
    """

    change: "Change"
    size: Size
    notes: tuple[Text, ...]


def prepared(painter: "Painter", mode: "Mode", wanted: Wanted) -> Prepared:
    """Brings pictures and mask to what the model takes in a mode.

    Raises:
        NeedsInput: a mask, a side or words are missing, or the model does not take the size.
        ToolFailed: what was given does not go together.
    """
    _check_count(painter, mode, len(wanted.pictures))
    if mode not in _STRENGTHS and mode not in ("canny", "depth"):
        return _told(painter, mode, wanted)
    ways: Mapping[str, Callable[[Painter, Mode, Wanted], Prepared]] = {
        "inpaint": _inpainted, "outpaint": _outpainted, "canny": _controlled, "depth": _controlled,
    }  # fmt: skip
    return ways.get(mode, _started)(painter, mode, wanted)


def _strength(painter: "Painter", mode: "Mode", told: float | None) -> float | None:
    """How much of a picture may be new; none where that is no question.

    Raises:
        ToolFailed: nothing would change, or the mode has no such thing.
    """
    from tools.engines import flux_edit

    if not flux_edit.takes_strength(painter, mode):
        if told is not None:
            raise ToolFailed(f"{painter.system} takes no strength for {mode}. Leave it out.")
        return None
    if told is not None and told < _LEAST:
        raise ToolFailed(
            f"Strength {told:g} leaves the picture as it is. Give one from {_LEAST} to 1, where 1 "
            "is all new."
        )
    return _STRENGTHS[mode] if told is None else told


def _check_count(painter: "Painter", mode: "Mode", count: int) -> None:
    from tools.engines import flux_edit

    several = mode in ("instruct", "reference") or flux_edit.is_prior(painter)
    most = flux_edit.most_references(painter) if several else 1
    if count > most:
        raise ToolFailed(
            f"{painter.system} takes {most} picture{'s' * (most != 1)} at most for {mode}, but "
            f"{count} were given. Leave some out, or name another model."
        )


def _told(painter: "Painter", mode: "Mode", wanted: Wanted) -> Prepared:
    """Pictures that the model looks at while it draws a new one."""
    from tools.engines.flux_edit import Change

    size = _size(painter, wanted.pictures[0].size, wanted)
    others = [sizes.of_picture("", painter.run, one.size, None, None) for one in wanted.pictures]
    if len(wanted.pictures) == 1:
        others = [size]
    pictures = tuple(
        canvas.resized(one, to) for one, to in zip(wanted.pictures, others, strict=True)
    )
    share = _strength(painter, mode, wanted.strength)
    notes = (_resized(painter, wanted.pictures[0].size, size),)
    return Prepared(Change(mode, pictures, strength=share), size, tuple(filter(None, notes)))


def _started(painter: "Painter", mode: "Mode", wanted: Wanted) -> Prepared:
    """A picture to start from."""
    from tools.engines import flux_edit

    size = _size(painter, wanted.pictures[0].size, wanted)
    notes = tuple(filter(None, (_resized(painter, wanted.pictures[0].size, size),)))
    if flux_edit.is_prior(painter):  # it sees the pictures at a size of its own
        return Prepared(flux_edit.Change(mode, wanted.pictures), size, ())
    picture = canvas.resized(wanted.pictures[0], size)
    share = _strength(painter, mode, wanted.strength)
    return Prepared(flux_edit.Change(mode, (picture,), strength=share), size, notes)


def _inpainted(painter: "Painter", mode: "Mode", wanted: Wanted) -> Prepared:
    """A picture that changes only under a mask."""
    if wanted.mask is None:
        raise NeedsInput(
            "Which part of the picture shall change? Paint a mask, or give one of the picture's "
            "size: white where it may change, black where it stays."
        )
    picture = wanted.pictures[0]
    return _masked(painter, mode, wanted, picture, canvas.mask(wanted.mask, picture.size))


def _outpainted(painter: "Painter", mode: "Mode", wanted: Wanted) -> Prepared:
    """A picture on a larger canvas, which changes only where there was nothing."""
    if not wanted.expand:
        raise NeedsInput(
            "How far shall I extend the picture? Say a side and how far, or a shape.",
            ("all 25%", "left 50%", "right 50%", "16:9"),
        )
    picture = wanted.pictures[0]
    by = canvas.margins(wanted.expand, picture.size)
    return _masked(painter, mode, wanted, *canvas.extended(picture, by))


def _masked(
    painter: "Painter", mode: "Mode", wanted: Wanted, picture: "Image", mask: "Image"
) -> Prepared:
    from tools.engines.flux_edit import Change

    size = _size(painter, picture.size, wanted)
    if wanted.width or wanted.height:  # the person wants that size, not only the model
        picture, mask = canvas.resized(picture, size), canvas.resized(mask, size)
    share = _strength(painter, mode, wanted.strength)
    notes = tuple(filter(None, (_brought_back(painter, picture.size, size),)))
    return Prepared(Change(mode, (picture,), mask, share), size, notes)


def _controlled(painter: "Painter", mode: "Mode", wanted: Wanted) -> Prepared:
    """A map that the new picture follows."""
    from tools.engines import edges, flux_edit

    given = wanted.pictures[0]
    size = _size(painter, given.size, wanted)
    notes = [_resized(painter, given.size, size)]
    picture = canvas.resized(given, size)
    if mode == "canny" and not edges.is_edges(given):
        picture = edges.canny(picture)
        notes.append(Text("The new picture follows the edges of yours, which I found first."))
    if mode == "depth" and not edges.is_grey(given):
        raise NeedsInput(
            "Have you got a map of depth for this picture: grey, near things light and far ones "
            "dark? The model that makes one is not here. I can follow the picture's edges instead.",
            ("Follow its edges",),
        )
    _strength(painter, mode, wanted.strength)
    return Prepared(flux_edit.Change(mode, (picture,)), size, tuple(filter(None, notes)))


def _size(painter: "Painter", picture: Size, wanted: Wanted) -> Size:
    return sizes.of_picture(painter.system, painter.run, picture, wanted.width, wanted.height)


def _resized(painter: "Painter", given: Size, size: Size) -> Text | None:
    if given == size:
        return None
    was, now = _words(given), _words(size)
    bent = "; that changes its shape" if _is_bent(given, size) else ""
    return Text(
        f"Your picture of {was} was brought to {now}, as {painter.system} takes it{bent}.",
        state=(was, now),
    )


def _brought_back(painter: "Painter", given: Size, size: Size) -> Text | None:
    if given == size:
        return None
    was, now = _words(given), _words(size)
    return Text(
        f"{painter.system} drew at {now}. What it drew was brought to the picture's {was}, and all "
        "else in it is as it was.",
        state=(was, now),
    )


def _words(size: Size) -> str:
    return f"{size[0]} x {size[1]} pixels"


def _is_bent(given: Size, size: Size) -> bool:
    return abs(size[0] * given[1] / (size[1] * given[0]) - 1) > _SAME_SHAPE
