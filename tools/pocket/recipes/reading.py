"""What each word of a caption is about, which the text encoder is asked for while it learns.

By pictures alone T5 stayed a bag of words: at the noun of a thing beside another, a linear probe
of its output found the colour of that thing in 21 % of captions and whether it is the first or the
second in 52 %, which is chance; and two things were drawn as blends of both.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tools.base import LiveReport
from tools.pocket.captions import (
    BACKGROUND_WORDS,
    FILL_TAILS,
    KIND_WORDS,
    PLACE_WORDS,
    Words,
    caption,
    describe,
)
from tools.pocket.edits import Edit
from tools.pocket.recipes import loop
from tools.pocket.words import T5_LENGTH
from tools.pocket.world import (
    BACKGROUNDS,
    COLOURS,
    FILLS,
    KINDS,
    PLACES,
    SIZES,
    Scene,
    Thing,
    sample,
)

Labels = NDArray[np.int8]

PACE: Final = loop.Pace(steps=800, batch=192, round=1_920, passes=1)
_NAMES: Final[dict[str, Sequence[str]]] = {
    "kind": KINDS,
    "colour": COLOURS,
    "fill": FILLS,
    "size": tuple(SIZES),
    "place": PLACES,
    "background": BACKGROUNDS,
}
_QUESTIONS: Final = [len(names) for names in _NAMES.values()]
"""How many answers each question about a word has."""
_SEED: Final = 47
_NOTHING: Final = -1
_TWO: Final = 0.5  # share of captions of two things
_PLAIN: Final = 0.25  # share of captions that tell everything, in plain words


class Reader(nn.Module):
    """A T5 encoder with the head that answers what a word is about, which only training has."""

    def __init__(self, t5: Any) -> None:
        super().__init__()
        self.t5 = t5
        self.read_head = nn.Linear(t5.config.d_model, sum(_QUESTIONS))

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """The encoder's output for token ids, (n, 20, width), and the answers, (n, 20, 62)."""
        encoded = self.t5(ids)[0]
        return encoded, self.read_head(encoded)


def loss(answers: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of the answers, (n, 20, 62), by labels of shape (n, 20, 6)."""
    parts = torch.split(answers.float().flatten(0, 1), _QUESTIONS, dim=-1)
    by_question = labels.long().flatten(0, 1).unbind(-1)
    losses = [
        functional.cross_entropy(part, right, ignore_index=_NOTHING, reduction="sum")
        / (right != _NOTHING).sum().clamp(min=1)
        for part, right in zip(parts, by_question, strict=True)
    ]
    return torch.stack(losses).sum()


def of_caption(text: str, scene: Scene) -> Labels:
    """What each token of a caption is about, shape (20, 6); -1 where a question has no answer.

    Every word of "a small red star" is about that star, all of it: so the noun comes to know its
    colour, and "striped" whether it is the star's or the background's.

    Raises:
        ValueError: If the caption does not name a thing of the scene.
    """
    words, labels = _tokens(text), unasked()
    free = np.ones(len(words), bool)

    def label(part: slice, known: Mapping[str, str]) -> None:
        labels[part] = _row(known)
        free[part] = False

    if ground := _longest(words, BACKGROUND_WORDS[scene.background], free):
        label(ground, {"background": scene.background})
    for thing in scene.things:
        noun = _longest(words, KIND_WORDS[thing.kind], free)
        if not noun:
            raise ValueError(f"{text!r} does not name the {thing.kind} of its scene.")
        start = max(i for i in range(noun.start) if words[i] in ("a", "an"))
        tail = _longest(words[noun.stop : noun.stop + 3], FILL_TAILS[thing.fill], free[noun.stop :])
        stop = noun.stop + (tail.stop if tail and tail.start == 0 else 0)
        label(slice(start, stop), _attributes(thing))
        place = _longest(words, PLACE_WORDS[thing.place], free)
        if place and len(scene.things) == 1:
            label(place, _attributes(thing))
    return labels


def of_instruction(asked: Edit) -> Labels:
    """What each token of an instruction is about: the thing, or the background, as it shall be."""
    before, after = set(asked.before.things), set(asked.after.things)
    changed = after - before or before - after
    known = {"background": asked.after.background}
    if asked.change == "join":
        known = _attributes(asked.before.things[0])
    elif changed:
        known = _attributes(changed.pop())
    labels = unasked()
    labels[: len(_tokens(asked.instruction))] = _row(known)
    return labels


def unasked() -> Labels:
    """Labels of a text about which nothing is asked."""
    return np.full((T5_LENGTH, len(_NAMES)), _NOTHING, np.int8)


def learn(pipeline: Any, checkpoints: Path, report: LiveReport, pace: loop.Pace) -> None:
    """Trains the T5 encoder of a pipeline to read captions, before there are any pictures."""
    torch.manual_seed(_SEED)
    reader = Reader(pipeline.text_encoder_2)

    def feed(number: int) -> loop.Batch:
        rng = np.random.default_rng((_SEED, number))
        told = [_told(rng) for _ in range(pace.round)]
        ids = token_ids(pipeline.tokenizer_2, [text for text, _ in told], T5_LENGTH)
        return ids, torch.from_numpy(np.stack([of_caption(*one) for one in told]))

    def lost(model: nn.Module, batch: loop.Batch) -> Tensor:
        ids, labels = batch
        return loss(model(ids.long())[1], labels)

    how: dict[str, Any] = {
        "seed": _SEED,
        "pace": pace,
        "checkpoints": checkpoints,
        "report": report,
    }
    mean, _ = loop.fit(reader, lost, feed, **how)
    reader.load_state_dict(mean.state_dict())


def token_ids(tokenizer: Any, texts: list[str], length: int) -> Tensor:
    """Token ids of texts, all of one length, shape (n, length)."""
    padded = tokenizer(texts, padding="max_length", truncation=True, max_length=length)
    return torch.tensor(padded["input_ids"]).short()


def _told(rng: np.random.Generator) -> tuple[str, Scene]:
    scene = sample(rng, 2 if rng.random() < _TWO else 1)
    return describe(scene) if rng.random() < _PLAIN else caption(scene, rng), scene


def _tokens(text: str) -> list[str]:
    """The words of a text, and its commas, as the T5 tokenizer divides them."""
    return re.findall(r"[^\s,]+|,", text.lower())


def _longest(words: Sequence[str], phrases: Words, free: NDArray[np.bool_]) -> slice | None:
    """Where the longest of some phrases stands among the words that are free."""
    found = [
        slice(i, i + len(parts))
        for parts in (phrase.split() for phrase in phrases)
        for i in range(len(words) - len(parts) + 1)
        if list(words[i : i + len(parts)]) == parts and free[i : i + len(parts)].all()
    ]
    longest = max((part.stop - part.start for part in found), default=0)
    return next((part for part in found if part.stop - part.start == longest), None)


def _attributes(thing: Thing) -> dict[str, str]:
    return {name: getattr(thing, name) for name in _NAMES if name != "background"}


def _row(known: Mapping[str, str]) -> list[int]:
    return [
        names.index(known[name]) if name in known else _NOTHING for name, names in _NAMES.items()
    ]
