"""What pocket-flux can draw that comes nearest to what was asked for."""

from functools import cache
from typing import Final

import numpy as np

from index.encoder import Encoder, load_encoder
from tools.pocket.captions import (
    BACKGROUND_WORDS,
    COLOUR_WORDS,
    FILL_WORDS,
    KIND_WORDS,
    SIZE_WORDS,
    Words,
    with_article,
)
from tools.pocket.world import KINDS

_KINDS: Final[dict[str, Words]] = {kind: KIND_WORDS[kind] for kind in KINDS}


def nearest(prompt: str) -> str:
    """The prompt nearest to another one in words that the pocket world has.

    Size, colour, fill and background are kept where they are said; the kind is the one that is
    named, else the one whose word lies nearest to the prompt in meaning.
    """
    said = prompt.lower()
    kind = _named(_KINDS, said) or _alike(prompt)
    told = [_named(words, said) for words in (SIZE_WORDS, COLOUR_WORDS, FILL_WORDS)]
    thing = with_article(" ".join([*filter(None, told), kind]))
    ground = next((w for row in BACKGROUND_WORDS.values() for w in row if w in said), "")
    return f"{thing} {ground}".strip()


def _named(rows: dict[str, Words], said: str) -> str:
    """The word of a row that a text says; empty if it says none."""
    found = [word for words in rows.values() for word in words if word in said.split()]
    return found[0] if found else ""


def _alike(prompt: str) -> str:
    encoder, vectors = _known()
    return KINDS[int(np.argmax(vectors @ encoder.encode([prompt])[0]))]


@cache
def _known() -> tuple[Encoder, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    encoder = load_encoder()
    return encoder, encoder.encode([f"a picture of {with_article(kind)}" for kind in KINDS])
