"""A classifier is timed in a process of its own, whose end is always told."""

import os
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.contexts import Reports
from tests.tiny import save_tiny
from tools.base import Stopped, ToolFailed
from tools.engines import apart, convnet
from tools.engines.timing import Timing, Trial, timed

TRIAL = Trial("mine", "", "cpu", "fp32", 0, 0, (1, 4), 7, 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny"))


def is_quick(found: Timing) -> bool:
    """Whether the pictures of a batch are counted, and not its passes."""
    return found.images_per_second[4] > found.images_per_second[1] * 0.5


def test_a_trial_is_timed(folder: Path) -> None:
    report, trial = Reports(), replace(TRIAL, folder=str(folder), height=48, width=64)
    found = timed(trial, report)
    assert (found.height, found.width, found.runs) == (48, 64, 7)
    assert 0 < found.p50_ms <= found.p95_ms
    assert set(found.images_per_second) == {1, 4}
    assert is_quick(found) or is_quick(timed(trial, Reports()))  # it may have stood still in one
    loaded = convnet.load_classifier("mine", folder, "cpu")
    assert found.parameters == convnet.parameter_count(loaded)
    shares = [done for done, _ in report.told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_its_memory_is_its_own(folder: Path) -> None:
    """What this process holds does not count, and what the network takes does."""
    ballast = bytearray(os.urandom(1)) * 1_500_000_000
    one = replace(TRIAL, batches=(1,), runs=2)
    small = timed(replace(one, folder=str(folder)), Reports())
    large = timed(replace(one, system="vit_base_patch16_224"), Reports())
    assert (small.height, small.width) == (32, 32)  # the model's own
    assert len(ballast) / 2**20 > small.peak_memory_mib > 100
    assert large.peak_memory_mib - small.peak_memory_mib > 86_567_656 * 4 / 2**20


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"system": "no_such_net"}, "no_such_net cannot be built by timm"),
        ({"system": "convnext_atto", "height": 2, "width": 2}, "not take pictures of 2 x 2 pixels"),
    ],
)
def test_what_cannot_be_timed_is_told(change: dict[str, object], words: str) -> None:
    with pytest.raises(ToolFailed, match=words):
        timed(replace(TRIAL, **change), Reports())  # type: ignore[arg-type] # a test's table


def test_a_process_that_dies_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_ROOT", Path("/nowhere"))
    with pytest.raises(ToolFailed, match="Timing mine failed: it ended with status 1"):
        timed(replace(TRIAL, folder=str(folder)), Reports())


def test_a_stop_ends_the_process_at_once(folder: Path) -> None:
    endless, before = replace(TRIAL, folder=str(folder), runs=10**9), psutil.Process().children()
    with pytest.raises(Stopped):
        timed(endless, Reports(stop=Stopped(), stop_at=2))
    assert psutil.Process().children() == before
