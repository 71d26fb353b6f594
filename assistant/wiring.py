"""Wires the parts of the assistant together, once a process."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from assistant import runs
from assistant.jobs import Jobs
from assistant.keys import Keys
from assistant.parts import Parts
from assistant.settings import Settings, SettingsError
from assistant.steps import Assistant
from assistant.store import Store
from assistant.uploads import Uploads
from assistant.worker import Worker
from index import catalog, search
from index.catalog import Catalog
from index.documents import Document, documents, fact_texts, phrases, ways
from index.encoder import Encoder, load_encoder
from index.names import Names
from tools import provenance
from tools.base import Tool, load_tools, load_works

_log = logging.getLogger(__name__)


def open_assistant(settings: Settings, *, serves: bool = False) -> Assistant:
    """Opens everything that answers; the worker starts with the first step that needs it.

    Args:
        settings: the settings.
        serves: whether it stays, so that a turn can leave a job to itself.

    Raises:
        CardError: a card is broken.
        EncoderError: the sentence encoder is missing.
        SettingsError: pictures are to be signed, and cannot be.
        StoreFailed: the home or the database cannot be used.
    """
    try:
        provenance.use(settings.identity)
    except provenance.CannotSign as error:
        raise SettingsError(str(error)) from None
    store = Store(settings.database)
    runs.clean(settings.home)
    known = catalog.load()
    tools = load_tools()
    parts = Parts(
        settings=settings,
        catalog=known,
        index=open_index(settings.home, known, tools, load_encoder()),
        tools=tools,
        store=store,
        uploads=Uploads(settings),
        worker=Worker(settings),
        keys=Keys(),
    )
    return Assistant(**vars(parts), jobs=Jobs(parts, load_works()), serves=serves)


def open_index(
    home: Path, known: Catalog, tools: Mapping[str, Tool], encoder: Encoder
) -> search.SearchIndex:
    """The search index: the shipped one or the one in `home` if fresh, else built and kept."""
    texts = searched(known, tools)
    names = Names(known, encoder.is_word)
    for folder in (search.SHIPPED, home / "index"):
        if found := search.load(folder, texts, encoder, names):
            return found
    return build_index(home / "index", texts, encoder, names)


def tool_documents(tools: Mapping[str, Tool]) -> tuple[Document, ...]:
    """The example questions of every tool, to be searched beside the cards."""
    return tuple(
        Document(f"tool:{tool.name}", text)
        for tool in tools.values()
        for text in tool.card.examples
    )


def searched(known: Catalog, tools: Mapping[str, Tool]) -> tuple[Document, ...]:
    """Everything that the index holds: hits first, then what is only looked up beside them."""
    hits = documents(known) + tool_documents(tools)
    return hits + phrases() + ways() + fact_texts(known)


def build_index(
    folder: Path, texts: Sequence[Document], encoder: Encoder, names: Names
) -> search.SearchIndex:
    """Builds the index and keeps it in `folder`; one that cannot be kept still answers."""
    _log.info("building the search index: %d texts", len(texts))
    built = search.build(texts, encoder, names, old=(search.SHIPPED, folder))
    try:
        search.save(built, folder)
    except OSError as error:
        _log.warning("the search index could not be kept in %s: %s", folder, error.strerror)
    return built


def rebuild(folder: Path) -> int:
    """Builds the index of all cards and tools into `folder`, and returns how many texts it has."""
    known, encoder = catalog.load(), load_encoder()
    texts = searched(known, load_tools())
    return len(build_index(folder, texts, encoder, Names(known, encoder.is_word)).documents)
