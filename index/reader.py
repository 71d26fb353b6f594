"""The fitted network that reads questions: MiniLM with a low-rank change of its weights, and heads.

`index fit` makes the weights (`assistant.fit_router`); here they are run with NumPy. What the heads
are for is told where they are read: `assistant.router`, `index.topics`. The low-rank change after
https://arxiv.org/abs/2106.09685.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from index.encoder import MiniLM, Vectors, load_encoder

ROUTING = Path(str(files("index"))) / "routing"
WEIGHTS = ROUTING / "router.safetensors"
LONGEST = 160  # tokens of a gloss that are read
_LONGEST_BEFORE = 32  # tokens of what was said before
_LATEST = 16  # texts of which what was read is kept


@dataclass(frozen=True)
class Tokens:
    """What the encoder reads: a gloss, and after it what was said before.

    Attributes:
        ids: places in the vocabulary.
        spans: first character and the one after the last of each token in the gloss; (0, 0) of
            those that are not in it.
        before: one for the tokens of what was said before, zero for the others.
    """

    ids: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    before: tuple[int, ...]


def tokens(encoder: MiniLM, text: str, before: str = "") -> Tokens:
    """The tokens of a gloss, cut to LONGEST, and those of the step and the words before it."""
    found = encoder.tokenizer.encode(text)
    found.truncate(LONGEST)
    if not before:
        return Tokens(tuple(found.ids), tuple(found.offsets), (0,) * len(found.ids))
    said = encoder.tokenizer.encode(before)
    said.truncate(_LONGEST_BEFORE)
    after = said.ids[1:]  # without the sign that begins a text
    return Tokens(
        (*found.ids, *after),
        (*found.offsets, *((0, 0) for _ in after)),
        (*(0 for _ in found.ids), *(1 for _ in after)),
    )


@dataclass(frozen=True)
class Read:
    """A text as the encoder sees it.

    Attributes:
        tokens: what went in.
        hidden: what the last layer makes of each token, shape (tokens, dimensions).
        mean: of the tokens of the text itself, shape (dimensions,).
    """

    tokens: Tokens
    hidden: Vectors
    mean: Vectors


@dataclass(frozen=True)
class Reader:
    """The fitted network.

    Attributes:
        encoder: MiniLM with the fitted change.
        heads: tensors of the heads by name.
    """

    encoder: MiniLM
    heads: Mapping[str, Vectors]

    def read(self, text: str, before: str = "") -> Read:
        """Reads a gloss, beside the step and the words before it; empty if there are none."""
        return self._read(text, before)

    @cached_property
    def _read(self) -> Callable[[str, str], Read]:
        """What was read of the latest texts: several heads ask for the same one."""

        @lru_cache(_LATEST)
        def read(text: str, before: str) -> Read:
            found = tokens(self.encoder, text, before)
            hidden = self.encoder.hidden([found.ids], found.before)[0][0]
            return Read(found, hidden, hidden[np.logical_not(found.before)].mean(axis=0))

        return read


@cache
def load_reader() -> Reader:
    """Loads the fitted network, once a process."""
    stored = {name: t.astype(np.float32) for name, t in load_file(WEIGHTS).items()}
    base = load_encoder()
    changed = dict(base.weights)
    for name in [name for name in stored if name.endswith(".down")]:
        matrix = name.removesuffix(".down")
        change = stored.pop(name).T @ stored.pop(f"{matrix}.up").T  # shape (in, out)
        changed[matrix] = changed[matrix] + change
    return Reader(replace(base, weights=changed), stored)
