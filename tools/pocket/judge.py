"""The judge: reads a picture of the pocket world back into words, to measure other models.

It is of another make than the models that it measures, and no training sees it. It looks at
each of the nine places, so it reads one thing or two.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from tools.pocket.world import BACKGROUNDS, COLOURS, FILLS, KINDS, PLACES, SIZES, Pictures, Scene

WEIGHTS: Final = Path(__file__).parent / "weights" / "judge"
CHANNELS: Final = (24, 48, 48, 96, 96, 160, 160, 256, 256)
# What each place is asked: which kind (or nothing), and of a thing its colour, fill and size.
ASKED: Final = {"kind": len(KINDS) + 1, "colour": len(COLOURS), "fill": len(FILLS), "size": 3}


@dataclass(frozen=True)
class Seen:
    """A thing as the judge sees it, with the probability that it is there."""

    kind: str
    colour: str
    fill: str
    size: str
    place: str
    sure: float


@dataclass(frozen=True)
class Verdict:
    """What the judge sees in a picture: the surest thing first, and the background."""

    things: tuple[Seen, ...]
    background: str


class Judge(nn.Module):
    """Nine convolutions with batch norm; the last map has one cell for each of the nine places."""

    def __init__(self, channels: tuple[int, ...] = CHANNELS) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for i, (before, after) in enumerate(zip((3, *channels), channels, strict=False)):
            # Five of the layers halve the map: 96 pixels become 3 x 3 cells.
            stride = 2 if i in {0, 1, 3, 5, 7} else 1
            layers += [
                nn.Conv2d(before, after, 3, stride, 1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
        self.body = nn.Sequential(*layers)
        self.thing_head = nn.Conv2d(channels[-1], sum(ASKED.values()), 1)
        self.background_head = nn.Linear(channels[-1], len(BACKGROUNDS))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the nine places and of the background.

        Args:
            pictures: Float tensor of shape (n, 3, 96, 96), 0 to 255.

        Returns:
            The answers to all of ``ASKED``, (n, answers, 3, 3), and the backgrounds, (n, 12).
        """
        cells = self.body((pictures - 127.5) / 64)
        return self.thing_head(cells), self.background_head(cells.mean((2, 3)))


def load_judge(folder: Path = WEIGHTS) -> Judge:
    """The trained judge, in evaluation mode.

    Raises:
        FileNotFoundError: If the folder does not hold its weights.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    judge = Judge(tuple(config["channels"]))
    judge.load_state_dict(load_file(folder / "model.safetensors"))
    return judge.eval()


@torch.inference_mode()
def judged(judge: Judge, pictures: Pictures, threshold: float = 0.5) -> list[Verdict]:
    """What the judge sees in pictures.

    Args:
        judge: From ``load_judge``.
        pictures: 8-bit RGB of shape (n, 96, 96, 3).
        threshold: How sure it must be of a second thing.
    """
    verdicts: list[Verdict] = []
    for part in torch.split(torch.from_numpy(pictures), 256):
        answers, background = judge(part.permute(0, 3, 1, 2).float())
        split = torch.split(answers.flatten(2), list(ASKED.values()), dim=1)
        there = 1 - split[0].softmax(1)[:, -1]
        best = {name: logits.argmax(1) for name, logits in zip(ASKED, split, strict=True)}
        best["kind"] = split[0][:, :-1].argmax(1)
        for i in range(len(part)):
            order = there[i].argsort(descending=True).tolist()
            cells = [c for rank, c in enumerate(order) if not rank or there[i, c] > threshold]
            things = tuple(_seen(best, i, cell, float(there[i, cell])) for cell in cells)
            verdicts.append(Verdict(things, BACKGROUNDS[int(background[i].argmax())]))
    return verdicts


@torch.inference_mode()
def features(judge: Judge, pictures: Pictures) -> Tensor:
    """What the judge makes of the surest thing of each picture, to tell how alike things are.

    Args:
        judge: From ``load_judge``.
        pictures: 8-bit RGB of shape (n, 96, 96, 3).

    Returns:
        Unit vectors, shape (n, 256).
    """
    cells = judge.body((torch.from_numpy(pictures).permute(0, 3, 1, 2).float() - 127.5) / 64)
    kinds = judge.thing_head(cells).flatten(2)[:, : ASKED["kind"]]
    surest = (1 - kinds.softmax(1)[:, -1]).argmax(1)
    return functional.normalize(cells.flatten(2)[torch.arange(len(cells)), :, surest], dim=1)


def shares_right(verdicts: list[Verdict], scenes: list[Scene]) -> dict[str, float]:
    """Share of pictures of one thing that the judge reads as they were meant, by question."""
    pairs = list(zip(verdicts, scenes, strict=True))
    right = {
        question: sum(
            getattr(v.things[0], question) == getattr(s.things[0], question) for v, s in pairs
        )
        for question in ("kind", "colour", "fill", "size", "place")
    }
    right["background"] = sum(v.background == s.background for v, s in pairs)
    return {question: hits / len(pairs) for question, hits in right.items()}


def _seen(best: dict[str, Tensor], picture: int, cell: int, sure: float) -> Seen:
    def name(question: str, names: tuple[str, ...]) -> str:
        return names[int(best[question][picture, cell])]

    return Seen(
        name("kind", KINDS),
        name("colour", COLOURS),
        name("fill", FILLS),
        name("size", tuple(SIZES)),
        PLACES[cell],
        sure,
    )
