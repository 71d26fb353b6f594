"""Proof that a subject was learned: the same prompts and seeds before and after."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tools import plots, recipe
from tools.base import Block, Image, Plot, Table, Text

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from tools.engines.flux import Order, Painter
    from tools.engines.training.proof import Fidelity
    from tools.pocket.subjects import Around

STRENGTH: Final = 0.6
"""Of the adapter, where less of it is drawn to compare."""
PLACES: Final = 4
"""New places in which the subject is drawn."""
CLASS: Final = 6
"""Pictures of the class alone, to see whether it is still varied."""
_SAMPLES: Final = 8  # grids that are shown while a model learns, at most
_BETWEEN: Final = 20  # steps, at least
_SAMPLE_STEPS: Final = 8  # of drawing
_STAGES: Final = {"before": "before", "weaker": "at part strength", "taught": "taught"}
_LIKE_IT, _AS_ASKED, _VARIED = 0.75, 0.75, 0.5


def is_pocket(painter: "Painter") -> bool:
    """Whether a model draws the pocket world, which our own judge can read."""
    from tools.engines import flux

    return flux.has_few_words(painter)


class Proof:
    """Draws the subject in new places as a model learns, and tells what came of it.

    Args:
        painter: the model.
        order: size, steps, guidance and seed of the pictures.
        subject: what stands for it in prompts, such as "sks cup".
        photos: of the subject.
        places: where to draw it, of which no photo shows the background.
        kept: the folder in which drawn pictures are found again after a crash.
        folder: where the pictures of the answer go.
    """

    def __init__(
        self,
        painter: "Painter",
        order: "Order",
        subject: str,
        photos: Sequence["Picture"],
        places: Sequence["Around"],
        kept: Path,
        folder: Path,
    ) -> None:
        self._painter, self._order = painter, order
        self._kept, self._folder = kept, folder
        self._subject, self._photos, self._places = subject, photos, places
        self._noun = subject.split(maxsplit=1)[1]
        self._prompts = [place.told(subject) for place in places]
        self._drawn: dict[str, list[Picture]] = {}
        self._class: dict[str, list[Picture]] = {}

    def draw(self, stage: str) -> None:
        """Draws the subject and its class as the model draws them now.

        Args:
            stage: `before`, `taught` or `weaker`.
        """
        self._drawn[stage] = self._pictures(self._prompts, stage, self._order)
        if stage != "weaker":
            prompts = [f"a {self._noun}"] * CLASS
            self._class[stage] = self._pictures(prompts, f"{stage}-class", self._order)

    def sample(self, steps: int) -> Callable[[int], Path | None]:
        """What shows the subject while the model learns, every eighth part of so many steps."""
        every = max(_BETWEEN, steps // _SAMPLES)

        def show(step: int) -> Path | None:
            if step % every:
                return None
            quick = replace(self._order, steps=min(_SAMPLE_STEPS, self._order.steps))
            drawn = self._pictures(self._prompts, f"sample-{step}", quick)
            self._folder.mkdir(exist_ok=True)
            path = self._folder / f"sample-{step}.png"
            _beside(drawn).save(path)
            return path

        return show

    def blocks(self, name: str, licence: str) -> Iterator[Block]:
        """The pictures, how like the photos they are, and what would make them better.

        Args:
            name: of the adapter.
            licence: of the model.
        """
        yield from self._images(name, licence)
        yield self._grid()
        if is_pocket(self._painter):
            yield from self._judged()
            return
        yield Text(
            "No figures: what tells how like the photos they are (DINO, CLIP) is not here. Judge "
            "by eye, with the same prompts and seeds before and after."
        )

    def _judged(self) -> Iterator[Block]:
        """Figures by the judge of the pocket world."""
        from tools.engines.training import proof

        asked = [place.background for place in self._places]
        found = {
            stage: proof.fidelity(self._photos, drawn, asked)
            for stage, drawn in self._drawn.items()
        }
        varied = {stage: proof.variety(drawn) for stage, drawn in self._class.items()}
        yield _table(self._noun, found, varied)
        said = _advice(found["taught"], varied)
        yield Text(said, state=(said,))

    def _pictures(self, prompts: Sequence[str], stage: str, order: "Order") -> "list[Picture]":
        from tools.engines.training import dreambooth

        return dreambooth.drawn(self._painter, order, prompts, self._kept / stage, _silent)

    def _images(self, name: str, licence: str) -> Iterator[Image]:
        """The subject in new places, each picture with its recipe."""
        order = self._order
        for number, (prompt, picture) in enumerate(
            zip(self._prompts, self._drawn["taught"], strict=True)
        ):
            made = recipe.Recipe(
                prompt=prompt,
                model=self._painter.system,
                seed=order.seed + number,
                width=order.width,
                height=order.height,
                steps=order.steps,
                guidance=order.guidance,
                adapters=((name, 1.0),),
                licence=licence,
            )
            path = self._folder / f"picture-{number + 1}.png"
            recipe.write(picture, path, made)
            yield recipe.picture(path, made)

    def _grid(self) -> Plot:
        rows = {_STAGES[stage]: self._drawn[stage] for stage in _STAGES}
        title = f"The same prompts and seeds: {self._subject}"
        alt = f"{title}. Rows: {', '.join(rows)}. Columns: {'; '.join(self._prompts)}"
        return plots.pictures(self._folder / "proof.png", title, rows, alt)


def _silent(
    done: float,
    note: str = "",
    curve: Mapping[str, float] | None = None,
    preview: Path | None = None,
) -> None:
    """Keeps the progress of a few pictures to itself."""


def _beside(drawn: "Sequence[Picture]") -> "Picture":
    """Pictures of one size as one, beside each other."""
    import numpy as np
    from PIL import Image

    return Image.fromarray(np.concatenate([np.asarray(one) for one in drawn], axis=1))


def _table(noun: str, found: Mapping[str, "Fidelity"], varied: Mapping[str, float]) -> Table:
    rows = [
        ("like the photos (mean cosine)", *(f"{found[stage].subject:.2f}" for stage in _STAGES)),
        ("background as asked", *(f"{found[stage].prompt:.0%}" for stage in _STAGES)),
        ("copies of a photo", *(f"{found[stage].copies}" for stage in _STAGES)),
        (
            f'variety of "a {noun}"',
            *(f"{varied[stage]:.2f}" if stage in varied else "" for stage in _STAGES),
        ),
    ]
    title = f"Proof by the eyes of our own judge, {PLACES} pictures each"
    state = (*(cell for row in rows for cell in row[1:]), title, *_STAGES.values())
    return Table(("", *_STAGES.values()), tuple(rows), title, state=state)


def _advice(taught: "Fidelity", varied: Mapping[str, float]) -> str:
    """What the figures say, and what to do about it."""
    said = []
    if taught.copies:
        said.append("Some pictures are a photo again: take fewer steps, or more photos.")
    if taught.subject < _LIKE_IT:
        said.append("It is not much like the photos yet: take more steps, or better photos.")
    if taught.prompt < _AS_ASKED:
        said.append("Backgrounds of the photos show through: take fewer steps, or more pictures "
                    "of the class.")  # fmt: skip
    if varied["taught"] < _VARIED * varied["before"]:
        said.append("The class looks like your subject now: take more pictures of the class.")
    return " ".join(said) or "It is like the photos, does what it is told, and copies none of them."
