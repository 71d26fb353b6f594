"""Tokenizers of a few hundred pieces, in the classes that FLUX reads its prompts with.

Words of the lines below are one piece; any other text falls into its letters.
"""

import json
from functools import cache
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import CLIPTokenizer, PreTrainedTokenizerFast, Qwen2Tokenizer, T5Tokenizer

CLIP_LENGTH = 77

_LINES = (
    "you are an ai that reasons about image descriptions give structured responses focusing on",
    "object relationships attribution and actions without speculation",
    "a photo of the red green blue yellow cat dog fox house tree ball make it more with in on at",
    "user assistant think snow sunset city night portrait watercolour painting oil drawing",
)
_QWEN_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
_MISTRAL_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}"
    "{{ '[SYSTEM_PROMPT]' if m.role == 'system' else '[INST]' }}"
    "{% for part in m.content %}{{ '[IMG]' if part.type == 'image' else part.text }}{% endfor %}"
    "{{ '[/SYSTEM_PROMPT]' if m.role == 'system' else '[/INST]' }}{% endfor %}"
)


def clip_tokenizer() -> Any:
    """The CLIP tokenizer; the end is never piece 2, which CLIPTextModel takes for an old model."""
    pieces, merges = _pairs("</w>", ("<|startoftext|>", "<|endoftext|>"))
    return CLIPTokenizer(vocab=pieces, merges=merges, model_max_length=CLIP_LENGTH)


def t5_tokenizer() -> Any:
    """The T5 tokenizer."""
    letters = [chr(code) for code in range(33, 127)]
    words = [f"▁{word}" for word in sorted(set(" ".join(_LINES).split()))]
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -8.0)]
    pieces += [(word, -6.0) for word in words] + [(letter, -8.0) for letter in letters]
    return T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=512)


def qwen_tokenizer() -> Any:
    """The Qwen tokenizer, with a chat template that knows `enable_thinking`."""
    marks = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>")
    pieces, merges = _pairs("", marks)
    told = Qwen2Tokenizer(vocab=pieces, merges=merges, eos_token="<|im_end|>")  # noqa: S106
    told.add_special_tokens({"additional_special_tokens": list(marks)})
    told.chat_template = _QWEN_TEMPLATE
    return told


def mistral_tokenizer() -> Any:
    """The Mistral tokenizer, with a chat template that knows system messages and pictures."""
    named = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
    marks = ["[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"]
    marks += ["[IMG]", "[IMG_BREAK]", "[IMG_END]"]
    pieces, merges = _pairs("", (*named.values(), *marks))
    built: Any = Tokenizer(models.BPE(vocab=pieces, merges=merges))
    built.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    built.decoder = decoders.ByteLevel()
    fast: Any = PreTrainedTokenizerFast
    told = fast(tokenizer_object=built, additional_special_tokens=marks, **named)
    told.chat_template = _MISTRAL_TEMPLATE
    return told


@cache
def _pairs(ending: str, marks: tuple[str, ...]) -> tuple[dict[str, int], Any]:
    """Pieces and merges over bytes; the marks come first."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = " ".join(_LINES).split()
    settings: dict[str, Any] = {"end_of_word_suffix": ending} if ending else {}
    learned: Any = Tokenizer(models.BPE(**settings))
    learned.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(
        vocab_size=2_000,
        initial_alphabet=alphabet,
        special_tokens=list(marks),
        show_progress=False,
        **settings,
    )
    learned.train_from_iterator([*words, *(f"Ġ{word}" for word in words), *alphabet], trainer)
    told = json.loads(learned.to_str())["model"]
    return told["vocab"], [(left, right) for left, right in told["merges"]]
