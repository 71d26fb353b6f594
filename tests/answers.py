"""Real parts for tests that answer from cards: the catalog, the index, a context."""

from functools import cache
from pathlib import Path

from assistant.wiring import searched
from index.catalog import load
from index.encoder import load_encoder
from index.names import Names
from index.search import SHIPPED, SearchIndex, build
from tools.base import Agreement, Context, load_tools


@cache
def index() -> SearchIndex:
    """The search index of all cards and tools; vectors that `make setup` built are used."""
    encoder = load_encoder()
    catalog = load()
    texts = searched(catalog, load_tools())
    return build(texts, encoder, Names(catalog, encoder.is_word), old=(SHIPPED,))


def text_context(folder: Path) -> Context:
    """A context for tools that answer from cards alone."""
    return Context(
        device="cpu",
        catalog=load(),
        index=index(),
        tools=load_tools(),
        models=None,
        evidence=load(),
        owner="me",
        run="run",
        run_folder=folder,
        kept=folder,
        agreement=Agreement(),
        report=lambda done, note="", curve=None, preview=None: None,
    )
