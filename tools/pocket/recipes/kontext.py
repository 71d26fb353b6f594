"""How pocket-kontext was trained: on from pocket-flux, on pictures, instructions and what they ask.

The pictures to go by stand beside each other on one canvas, whose tokens follow those of the
picture that is made: a canvas of one for an edit, of two for "the thing of the first on the
background of the second".

Run it with ``python -m tools.pocket.recipes.kontext``; it goes on from the weights in the folder.
"""

from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from diffusers import FluxKontextPipeline
from torch import Tensor, nn

from tools.base import LiveReport
from tools.pocket.convnext import load as load_convnext
from tools.pocket.edits import Edit, edit, join
from tools.pocket.recipes import flow, flux, loop
from tools.pocket.recipes.drawing import draw_all, painters
from tools.pocket.recipes.measures import MEASURE_SEED, measure_edits
from tools.pocket.recipes.network import begun, keep
from tools.pocket.recipes.reading import of_instruction, unasked

NAME: Final = "pocket-kontext"
WEIGHTS: Final = Path(__file__).parents[1] / "weights" / NAME
SEED: Final = 43
PACE: Final = loop.Pace(
    steps=3_000, batch=64, round=4_096, passes=6, rate=2e-3, decay=0.01, average=0.998
)
_JOINED: Final = 4  # every fourth picture goes by two
_UNTOLD: Final = 0.1  # share of edits whose instruction is left out, for guidance


def _loss(model: nn.Module, batch: loop.Batch) -> Tensor:
    picture, aligned, weight, reference, two, clip, t5, about = batch
    told = (torch.rand(len(picture)) >= _UNTOLD).long()  # the empty instruction stands first
    rows = torch.arange(len(picture))
    clip, t5, about = (part[rows, told].long() for part in (clip, t5, about))
    losses = []
    for chosen, width in ((~two, 1), (two, 2)):
        if chosen.any():
            seen, made, counts = (part[chosen].float() for part in (aligned, picture, weight))
            canvas = flow.beside(reference[chosen, :width].float())
            text = (clip[chosen], t5[chosen])
            how = (text, about[chosen], canvas)
            losses.append(flow.flow_loss(model, made, seen, counts, *how))
    return torch.cat(losses).mean()


def edits(seed: int, number: int, count: int) -> list[Edit]:
    """Edits of a part of a seed's stream, every fourth one of two pictures."""
    rng = np.random.default_rng((seed, number))
    return [join(rng) if i % _JOINED == 0 else edit(rng) for i in range(count)]


def _pool(pipeline: Any, eyes: Any, known: list[Edit], executor: Executor) -> loop.Batch:
    """The tensors of edits; a second picture that is not there is nought."""
    seconds = [i for i, one in enumerate(known) if one.second]
    scenes = [one.before for one in known] + [one.after for one in known]
    scenes += [one.second for one in known if one.second]
    drawn = draw_all(scenes, executor)
    n = len(known)
    latents = flow.latents(pipeline.vae, drawn)
    reference = torch.zeros(n, 2, *latents.shape[1:], dtype=latents.dtype)
    reference[:, 0] = latents[:n]
    reference[seconds, 1] = latents[2 * n :]
    two = torch.zeros(n, dtype=torch.bool)
    two[seconds] = True
    weights = flow.weights([(*one.before.things, *one.after.things) for one in known])
    texts = [text for one in known for text in ("", one.instruction)]
    clip, t5 = (ids.view(n, 2, -1) for ids in flow.token_ids(pipeline, texts))
    about = [labels for one in known for labels in (unasked(), of_instruction(one))]
    labels = torch.from_numpy(np.stack(about)).view(*t5.shape, -1)
    seen = flow.seen(eyes, drawn[n : 2 * n])
    return latents[n : 2 * n], seen, weights, reference, two, clip, t5, labels


def train(
    folder: Path,
    checkpoints: Path,
    report: LiveReport,
    pace: loop.Pace = PACE,
    measured: int = 300,
    start: Path | None = None,
) -> dict[str, Any]:
    """Train pocket-kontext, going on from weights that are there, and write its folder.

    Args:
        folder: Where the pipeline goes, as diffusers reads and writes it.
        checkpoints: The folder of checkpoints to go on from and to save to.
        report: Called after every step; may raise to stop.
        pace: How long and how fast.
        measured: Held-out edits of one picture, and of two, to measure on.
        start: The folder to go on from; the one that is written if it has any, else the shipped
            one, else that of pocket-flux.

    Returns:
        What stands in metrics.json.
    """
    known = (folder, WEIGHTS, flux.WEIGHTS)
    start = start or next(path for path in known if (path / "model_index.json").exists())
    before = loop.before(folder if start == flux.WEIGHTS else start)  # its own sittings
    seed = SEED + before["sittings"]  # every sitting sees edits of its own
    eyes = load_convnext()
    torch.manual_seed(seed)
    pipeline = begun(start)
    with painters() as executor:

        def feed(number: int) -> loop.Batch:
            return _pool(pipeline, eyes, edits(seed, number, pace.round), executor)

        how = {"seed": seed, "pace": pace, "checkpoints": checkpoints, "report": report}
        spent = flow.teach(pipeline, _loss, feed, **how)
    keep(FluxKontextPipeline(**pipeline.components), folder, start)
    facts = {"n": measured, "seed": MEASURE_SEED, **loop.summed(before, spent)}
    return loop.write_metrics(folder, measure_edits(folder, measured), facts, pace)


if __name__ == "__main__":
    loop.main(NAME, train, PACE)
