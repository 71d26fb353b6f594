"""Where a pipeline is held: the first way that fits, or the smallest; and what if none does."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from index.card import Run
from tests.contexts import Reports, context
from tests.toys import toy
from tools.base import NeedsInput, Text, ToolFailed
from tools.engines.flux import Order, Painter, draw, load_painter
from tools.forms import PIPELINE
from tools.generate import generate
from tools.models import Models
from tools.placement import Fit, Part, Placement, Wanted, choose, told

ROOT = Path(__file__).parents[1]
GIB, MIB = 2**30, 2**20
# Much as FLUX.1 is in half precision: 10 GiB of prompt, 22 of transformer.
TEXT = Part(weights=10 * GIB, linear=9 * GIB, layer=1 * GIB, work=1 * GIB)
BODY = Part(weights=22 * GIB, linear=20 * GIB, layer=1 * GIB, work=2 * GIB)
WHOLE = {"text": TEXT, "transformer": BODY, "vae": Part(1 * GIB, work=8 * GIB)}
TILES = {**WHOLE, "vae": Part(1 * GIB, work=2 * GIB)}
BOTH = ("fp8", "nf4")
CAT = Order("a red cat", "", 64, 64, 2, 0.0, 7)


@pytest.mark.parametrize(
    ("free", "device", "quantisers", "fit", "wanted"),
    [
        (48, "cuda", (), None, ("", "", False)),
        (48, "cuda", BOTH, "speed", ("", "", False)),
        (42, "cuda", BOTH, "speed", ("", "", True)),
        (30, "cuda", BOTH, "speed", ("", "model", False)),
        (27, "cuda", (), None, ("", "sequential", False)),
        (27, "cuda", ("nf4",), None, ("nf4", "", False)),
        (25, "cuda", ("fp8",), None, ("fp8", "", True)),
        (17, "cuda", BOTH, "speed", ("fp8", "model", False)),
        (12, "cuda", ("nf4",), "speed", ("nf4", "model", False)),
        (4, "cuda", BOTH, None, ("", "sequential", True)),
        (3, "cuda", BOTH, None, None),
        (48, "cuda", BOTH, "memory", ("", "sequential", True)),
        (48, "cpu", (), None, ("", "", False)),
        (42, "cpu", BOTH, None, ("", "", True)),
        (48, "cpu", (), "memory", ("", "", True)),
        (39, "cpu", BOTH, None, None),
    ],
)
def test_the_choice(
    free: int,
    device: str,
    quantisers: tuple[str, ...],
    fit: Fit | None,
    wanted: tuple[str, str, bool] | None,
) -> None:
    chosen = choose(WHOLE, lambda: TILES, free * GIB, device, quantisers, fit)
    assert (chosen and (chosen.quantised, chosen.offload, chosen.tiled)) == wanted
    assert chosen is None or chosen.room <= free * GIB


def test_tiles_are_only_counted_if_the_whole_does_not_fit() -> None:
    def tiles() -> Mapping[str, Part]:
        raise AssertionError

    assert choose(WHOLE, tiles, 48 * GIB, "cpu") is not None


def test_fewer_bits_are_of_the_linear_layers_alone() -> None:
    assert BODY.held("") == 22 * GIB
    assert BODY.held("fp8") == 12 * GIB
    assert BODY.held("nf4") == 2 * GIB + 20 * GIB * 4.5 / 16


def test_what_was_chosen_is_told() -> None:
    assert told(Placement()) == ""
    said = told(Placement("nf4", "model", tiled=True))
    assert "the part that works is on the GPU" in said
    assert "held as nf4" in said
    assert "decoded in tiles" in said


# --- for a picture
@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy whose tiles are of 128 px."""
    made = toy("FLUX.2-klein-4B", tmp_path_factory.mktemp("toys") / "drawings")
    config = made / "vae" / "config.json"
    told = json.loads(config.read_text("utf-8")) | {"sample_size": 128}
    config.write_text(json.dumps(told), encoding="utf-8")
    return made


def held(folder: Path, home: Path, limit: float, wanted: Wanted) -> Painter:
    models = Models("cpu", home, offline=True, audience="local", limit=int(limit * MIB))
    painter: Painter = models.load(str(folder), Reports(), None, PIPELINE, wanted)
    return painter


def test_a_picture_is_decoded_whole_where_it_fits_else_in_tiles(folder: Path, home: Path) -> None:
    large = Wanted(256, 256)
    whole = held(folder, home, 100, large)
    assert not whole.placement.tiled
    tight = whole.placement.room / MIB - 1
    tiled = held(folder, home, tight, large)
    assert tiled.placement.tiled
    assert tiled.placement.needed < whole.placement.needed
    assert held(folder, home, 100, replace(large, fit="memory")).placement.tiled


def test_what_does_not_fit_is_refused_with_the_nearest_that_does(folder: Path, home: Path) -> None:
    free = held(folder, home, 100, Wanted(112, 112)).placement.room / MIB + 0.1
    with pytest.raises(
        NeedsInput, match=r"drawings needs \d+ MiB of memory to draw 320 x 320 px, but \d+ MiB are"
    ) as asked:
        held(folder, home, free, Wanted(320, 320))
    [choice] = asked.value.choices
    side = int(choice.removeprefix("Use ").split("x")[0])
    assert held(folder, home, free, Wanted(side, side)).system == "drawings"
    with pytest.raises(ToolFailed, match=r"No smaller picture fits either\. Choose a sm"):
        held(folder, home, 1, Wanted(128, 128))


def test_a_larger_picture_drops_other_models_but_not_its_own(folder: Path, home: Path) -> None:
    models = Models("cpu", home, offline=True, audience="local", limit=40 * MIB)
    other = models.load("pocket-flux", Reports())
    small, large = (
        models.load(str(folder), Reports(), None, PIPELINE, Wanted(side, side))
        for side in (64, 256)
    )
    assert large.pipeline is small.pipeline
    assert models.load("pocket-flux", Reports()) is not other


def test_the_answer_says_that_it_was_decoded_in_tiles(
    folder: Path, home: Path, tmp_path: Path
) -> None:
    models = Models("cpu", home, offline=True, audience="local")
    asked = {"prompt": "a red cat", "model": str(folder), "width": 192, "height": 192, "steps": 1}
    for fit in ("memory", "speed"):
        blocks = generate(context(tmp_path, models), **asked, seed=1, fit=fit)  # type: ignore[arg-type]
        said = [block.text for block in blocks if isinstance(block, Text)]
        assert any("decoded in tiles" in one for one in said) is (fit == "memory")


# --- when memory runs out all the same
def pixels(picture: Any) -> np.ndarray[Any, Any]:
    return np.asarray(picture)


def loaded(folder: Path) -> Painter:
    return load_painter("drawings", folder, "cpu", Run(max_text_tokens=64))


@pytest.mark.parametrize("failures", [1, 2])
def test_once_more_with_less_then_a_sentence(folder: Path, failures: int) -> None:
    painter = loaded(folder)
    [before] = draw(painter, (CAT,), Reports())
    tiled: list[bool] = []

    def full(*_: Any) -> None:
        tiled.append(painter.pipeline.vae.use_tiling)
        if len(tiled) <= failures:
            raise torch.OutOfMemoryError("full")

    hook = painter.pipeline.vae.decoder.conv_in.register_forward_pre_hook(full)
    if failures == 1:
        [made] = draw(painter, (CAT,), Reports())
        assert made.placement.tiled
    else:
        with pytest.raises(ToolFailed, match="memory of cpu is too small for drawings at this"):
            list(draw(painter, (CAT,), Reports()))
    assert tiled[:2] == [False, True]
    hook.remove()
    [after] = draw(painter, (CAT,), Reports())
    assert not after.placement.tiled
    assert (pixels(after.picture) == pixels(before.picture)).all()


def test_another_error_is_no_lack_of_memory(folder: Path) -> None:
    painter = loaded(folder)

    def wrong(*_: Any) -> None:
        raise RuntimeError("wrong shape")

    painter.pipeline.vae.decoder.register_forward_pre_hook(wrong)
    with pytest.raises(RuntimeError, match="wrong shape"):
        list(draw(painter, (CAT,), Reports()))


FULL = """
import resource, sys
from dataclasses import replace
from pathlib import Path
import torch
from index.card import Run
from tools.base import ToolFailed
from tools.engines.flux import Order, draw, load_painter

torch.set_num_threads(1)
painter = load_painter("drawings", Path(sys.argv[1]), "cpu", Run(max_text_tokens=64))
small = Order("a red cat", "", 64, 64, 1, 0.0, 7)
large = replace(small, width=512, height=512)


def tell(order):
    try:
        [made] = draw(painter, (order,), lambda *_: None)
    except ToolFailed as error:
        return str(error)
    return "tiled" if made.placement.tiled else "whole"


tell(small)
taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
said = ""
for room in (*range(6, 200, 6), 10_000):
    if said != "tiled" or room == 10_000:
        resource.setrlimit(resource.RLIMIT_AS, (taken + room * 2**20, resource.RLIM_INFINITY))
        print(said := tell(large), tell(small), sep="|")
"""


def test_a_process_that_is_full_takes_less_and_draws_the_next(folder: Path) -> None:
    """With a limit on its memory, which the system tells as if there were no more."""
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FULL, str(folder)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = [line.split("|") for line in ran.stdout.splitlines() if "|" in line]
    large = [one for one, _ in told]
    assert large[0].startswith("The memory of cpu is too small for drawings at this size.")
    assert large[-2] == "tiled"
    assert large[-1] in {"tiled", "whole"}
    assert {small for _, small in told} == {"whole"}
