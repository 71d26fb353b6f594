"""The words of the pocket world, and the two tokenizers with which pocket-flux reads them.

Every word is one token of either, so a long sentence fits into a short text. A word that is not
among them falls into letters, which say nothing to the model.
"""

import json
import math
from collections import Counter
from typing import Any, Final

import numpy as np

from tools.pocket.captions import KIND_WORDS, caption, describe
from tools.pocket.edits import edit, join
from tools.pocket.world import RESERVED, sample
from tools.subject import RARE

CLIP_LENGTH: Final = 24
T5_LENGTH: Final = 20

_HEARD: Final = 20_000
_SEED: Final = 31
_MARKS: Final = ",.-'!?:;"
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_LETTER_SCORE: Final = -14.0  # log-probability: letters only where no word fits


def words() -> Counter[str]:
    """Every word that captions and instructions use, with how often it is said."""
    rng = np.random.default_rng(_SEED)
    said: Counter[str] = Counter()
    for _ in range(_HEARD):
        scene = sample(rng)
        told = (edit(rng).instruction, join(rng).instruction)
        for text in (caption(scene, rng), describe(scene), *told):
            said.update(text.replace(",", "").split())
    kept_back = " ".join(name for kind in RESERVED for name in KIND_WORDS[kind])
    said.update([*kept_back.split(), *RARE])
    return said


def clip_tokenizer(said: Counter[str]) -> Any:
    """A CLIP tokenizer whose merges join the letters of every word."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import CLIPTokenizer

    learned: Any = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    learned.pre_tokenizer = pre_tokenizers.Whitespace()
    specials = ["<|startoftext|>", "<|endoftext|>"]
    letters = [*_LETTERS, *map(str, range(10)), *_MARKS]
    trainer = trainers.BpeTrainer(
        vocab_size=10_000,
        special_tokens=specials,
        initial_alphabet=letters,
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    learned.train_from_iterator([*sorted(said), *letters], trainer)
    state: dict[str, Any] = json.loads(learned.to_str())["model"]
    merges: Any = [tuple(pair) for pair in state["merges"]]
    return CLIPTokenizer(vocab=state["vocab"], merges=merges, model_max_length=CLIP_LENGTH)


def t5_tokenizer(said: Counter[str]) -> Any:
    """A T5 tokenizer that knows every word, also with a capital letter, and single letters."""
    from transformers import T5Tokenizer

    total = sum(said.values())
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", _LETTER_SCORE)]
    for word, count in sorted(said.items()):
        pieces += [(f"▁{case}", math.log(count / total)) for case in (word, word.capitalize())]
    single = [*_LETTERS, *_LETTERS.upper(), *map(str, range(10)), *_MARKS]
    pieces += [(letter, _LETTER_SCORE) for letter in single]
    return T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=T5_LENGTH)
