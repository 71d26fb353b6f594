"""A real context for a tool, with an evidence that is kept in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from index import catalog, search
from index.catalog import Catalog
from index.documents import documents
from index.encoder import load_encoder
from index.evidence import Fact, Measurement
from index.names import Names
from index.search import SearchIndex
from tools.base import Agreement, Context, Models, load_tools


@dataclass
class Kept:
    """Evidence: what the catalog claims, and what this test's tools have measured."""

    catalog: Catalog
    measured: list[Measurement] = field(default_factory=list)

    def find(self, system: str, property: str = "") -> Sequence[Fact]:
        """Measurements first, then claims."""
        mine = [m for m in self.measured if m.system == system and property in ("", m.property)]
        return [*mine, *self.catalog.find(system, property)]

    def add(self, measurement: Measurement) -> None:
        """Keeps a measurement."""
        self.measured.append(measurement)


@dataclass
class Reports:
    """Keeps what a tool reports; raises `stop` from the given report on."""

    told: list[tuple[float, str]] = field(default_factory=list)
    previews: list[bytes] = field(default_factory=list)
    stop: Exception | None = None
    stop_at: int = 0

    def __call__(
        self,
        done: float,
        note: str = "",
        curve: Mapping[str, float] | None = None,
        preview: Path | None = None,
    ) -> None:
        """Keeps one report."""
        self.told.append((done, note))
        if preview:
            self.previews.append(preview.read_bytes())
        if self.stop and len(self.told) > self.stop_at:
            raise self.stop


@cache
def small_index() -> SearchIndex:
    """An index that knows all names, but finds by meaning in a few cards only."""
    known = catalog.load()
    encoder = load_encoder()
    return search.build(documents(known)[:4], encoder, Names(known, encoder.is_word))


def context(
    folder: Path,
    models: Models | None = None,
    *,
    device: str = "cpu",
    agreement: Agreement | None = None,
    report: Reports | None = None,
) -> Context:
    """The context of a step of the owner `me` whose run folder is below `folder`."""
    run_folder = folder / "run"
    run_folder.mkdir(parents=True, exist_ok=True)
    known = catalog.load()
    return Context(
        device=device,
        catalog=known,
        index=small_index(),
        tools=load_tools(),
        models=models,
        evidence=Kept(known),
        owner="me",
        run="run-of-a-test",
        run_folder=run_folder,
        kept=run_folder,
        agreement=agreement or Agreement(),
        report=report or Reports(),
    )
