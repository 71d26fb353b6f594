"""Which open FLUX models run on this machine: counted from their shapes, told as a table."""

from pathlib import Path

import pytest
import torch

from assistant.grounding import faults
from assistant.plan import Asked, Run, plan
from index import catalog
from index.card import Run as CardRun
from tests.answers import index, text_context
from tests.toys import toy
from tools import forms
from tools.base import Table, Text, load_tools
from tools.engines import placing, shapes
from tools.engines.fitting import Fit
from tools.engines.footprint import weights
from tools.placement import Placement, Wanted
from tools.recommend import recommend
from tools.runs_here import asks, table

CARDS = catalog.load().cards
GIB = 2**30


@pytest.mark.parametrize("kind", shapes.known(), ids=lambda kind: kind[0])
def test_the_shapes_have_the_parameters_that_the_cards_tell(
    tmp_path: Path, kind: tuple[str, ...]
) -> None:
    folder = shapes.write(kind[0], tmp_path / "shapes")
    told = sum(
        float(claim.value)
        for name in ("parameters", "text_encoder_parameters")
        for claim in CARDS[kind[0]].claims
        if claim.property == name and claim.verdict == "verified" and not claim.at
    )
    t5_and_clip = 4_762 + 123  # of FLUX.1, whose cards tell the transformer's alone
    millions = weights(folder, "cpu", torch.bfloat16) / 2e6
    assert millions == pytest.approx(told + t5_and_clip * ("FLUX.1" in kind[0]), rel=0.03)


def test_every_open_flux_that_draws_alone_has_shapes() -> None:
    open_ones = {
        card.id for card in CARDS.values() if card.kind == "weights" and card.run.engine == "flux"
    }
    known = {system for kind in shapes.known() for system in kind}
    assert open_ones - known == {"FLUX.1-Redux-dev"}  # which only prepares words for another


def test_what_is_foretold_is_what_loading_would_choose(tmp_path: Path) -> None:
    folder = toy("FLUX.1-schnell", tmp_path / "toy")
    run, wanted = CardRun(width=64, height=64, max_text_tokens=64), Wanted()
    needed, chosen = placing.foretold("toy", folder, "cpu", run, wanted, GIB)
    assert chosen == placing.place("toy", folder, "cpu", run, wanted, GIB)
    stored = forms.memory(forms.PIPELINE, forms.parameters(forms.PIPELINE, folder), "cpu")
    assert needed == pytest.approx(stored, rel=0.02)
    assert placing.foretold("toy", folder, "cpu", run, wanted, needed // 2) == (needed, None)


def test_the_table_says_how_each_is_held_and_what_it_costs(tmp_path: Path) -> None:
    held = Placement("nf4", "model", tiled=True, needed=8 * GIB)
    fits = (
        Fit(("FLUX.2-klein-4B",), 16 * 10**9, Placement(needed=20 * GIB)),
        Fit(("FLUX.1-dev",), 33_741_000_000, held),
        Fit(("FLUX.2-dev",), 112 * 10**9, None),
    )
    rows = [(CARDS[fit.systems[0]], fit) for fit in fits]
    told = table(text_context(tmp_path), rows)
    assert faults(told, index().names) == ()
    assert told.rows == (
        ("FLUX.2 [klein] 4B", "16 GB", "resident", "23 GiB", "nothing", "yes", "4 steps"),
        (
            "FLUX.1 [dev]", "33.741 GB", "nf4 offloaded by part", "9.2 GiB",
            "time, and pictures change a little more; seams may show in large even areas", "no",
            "50 steps",
        ),
        ("FLUX.2 [dev]", "112 GB", "does not fit", "-", "-", "no", "50 steps"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("which FLUX can I run here?", True),
        ("Which FLUX models can I run on this machine?", True),
        ("what flux fits my GPU", True),
        ("which flux runs best on a phone?", False),
        ("which model can I run here to make art?", False),
    ],
)
def test_the_question_is_heard(text: str, asked: bool) -> None:
    assert asks(text) is asked
    planned = plan(Asked(text), index().names, load_tools())
    assert not asked or (isinstance(planned, Run) and planned.steps[0].tool == "recommend")


def test_on_this_very_machine(tmp_path: Path) -> None:
    first, shown, how = recommend(text_context(tmp_path), "which FLUX can I run here?")
    assert isinstance(first, Text)
    assert first.text.startswith("**Pocket FLUX** runs here at once")
    assert "GiB are free on " in first.text
    assert isinstance(shown, Table)
    assert len(shown.rows) == sum(map(len, shapes.known()))
    assert "FLUX.1 [schnell]" in [row[0] for row in shown.rows]
    assert [faults(block, index().names) for block in (first, shown, how)] == [(), (), ()]
