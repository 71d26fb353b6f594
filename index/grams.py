"""The words, pairs of words and parts of words of a text, hashed into buckets."""

import re
import zlib
from itertools import pairwise

BUCKETS = 1 << 15
_PART = 4  # letters of a part of a word
_WORD = re.compile(r"[^\W_]+")


def hashed(text: str, buckets: int = BUCKETS) -> tuple[int, ...]:
    """Buckets of the words, pairs of words and parts of words of a text; never empty."""
    words = ["^", *_WORD.findall(text), "$"]
    pairs = [f"{left} {right}" for left, right in pairwise(words)]
    parts = [
        f"<{word}>"[at : at + _PART] for word in words[1:-1] for at in range(len(word) + 3 - _PART)
    ]
    return tuple(zlib.crc32(gram.encode()) % buckets for gram in (*words[1:-1], *pairs, *parts))
