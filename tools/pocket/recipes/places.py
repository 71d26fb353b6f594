"""Learning from where things are: what stands in each of the nine places of a picture.

One label for a whole picture teaches slowly when the thing is small; a label for each place
tells the network where to look.
"""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from tools.pocket.judge import ASKED
from tools.pocket.world import COLOURS, FILLS, KINDS, PLACES, SIZES, Scene

_NOTHING: Final = len(KINDS)
_NOT_ASKED: Final = -100


def place_targets(scenes: list[Scene], others: int = 0) -> Tensor:
    """The right answers to ``ASKED``, of shape (n, 4, 3, 3), and no things for ``others`` more."""
    targets = torch.full((len(scenes) + others, len(ASKED), len(PLACES)), _NOT_ASKED)
    targets[:, 0] = _NOTHING
    for i, scene in enumerate(scenes):
        for thing in scene.things:
            answers = (
                KINDS.index(thing.kind),
                COLOURS.index(thing.colour),
                FILLS.index(thing.fill),
                list(SIZES).index(thing.size),
            )
            targets[i, :, PLACES.index(thing.place)] = torch.tensor(answers)
    return targets.view(-1, len(ASKED), 3, 3)


def mirrored(pictures: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Mirror a random half of the pictures, and the places with them."""
    chosen = (torch.rand(len(pictures)) < 0.5)[:, None, None, None]
    return torch.where(chosen, pictures.flip(3), pictures), torch.where(
        chosen, targets.flip(3), targets
    )


def place_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of the answers at all places, summed, for each thing that is there.

    Args:
        logits: Of shape (n, answers to all questions, 3, 3).
        targets: From ``place_targets``.
    """
    things = (targets[:, 0] != _NOTHING).sum().clamp(min=1)
    total = logits.new_zeros(())
    for i, answers in enumerate(torch.split(logits, list(ASKED.values()), dim=1)):
        total = total + functional.cross_entropy(
            answers, targets[:, i], ignore_index=_NOT_ASKED, reduction="sum", label_smoothing=0.02
        )
    return total / things
