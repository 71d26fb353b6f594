"""A classifier is timed in a process of its own, whose end is always told."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contexts import Reports
from tests.tiny import save_tiny
from tools.base import Stopped, ToolFailed
from tools.engines import timing
from tools.engines.timing import Trial, timed

TRIAL = Trial("mine", "", "cpu", "fp32", 0, 0, (1, 4), 7, 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_tiny(tmp_path_factory.mktemp("tiny")))


def test_a_trial_is_timed(folder: str) -> None:
    report = Reports()
    found = timed(replace(TRIAL, folder=folder), report)
    assert (found.height, found.width, found.runs) == (32, 32, 7)
    assert 0 < found.p50_ms <= found.p95_ms
    assert set(found.images_per_second) == {1, 4}
    assert found.images_per_second[4] > found.images_per_second[1] * 0.8
    assert found.parameters == 25_941
    shares = [done for done, _ in report.told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_its_memory_is_its_own(folder: str) -> None:
    """What this process holds does not count, and what the network takes does."""
    ballast = bytearray(os.urandom(1)) * 1_500_000_000
    small = timed(replace(TRIAL, folder=folder, batches=(1,)), Reports())
    large = timed(replace(TRIAL, folder="", system="vit_base_patch16_224", batches=(1,)), Reports())
    assert len(ballast) / 2**20 > small.peak_memory_mib > 100
    assert large.peak_memory_mib - small.peak_memory_mib > 86_567_656 * 4 / 2**20


def test_other_sizes_are_taken_where_they_can(folder: str) -> None:
    found = timed(replace(TRIAL, folder=folder, height=48, width=64, batches=(1,)), Reports())
    assert (found.height, found.width) == (48, 64)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"system": "no_such_net"}, "no_such_net cannot be built by timm"),
        ({"folder": "/nowhere"}, "cannot be built by timm"),
        ({"system": "resnet18", "height": 100_000, "width": 100_000}, "resnet18"),
    ],
)
def test_what_cannot_be_timed_is_told(change: dict[str, object], words: str) -> None:
    with pytest.raises(ToolFailed, match=words):
        timed(replace(TRIAL, **change), Reports())  # type: ignore[arg-type] # a test's table


def test_a_process_that_dies_is_told(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "_ROOT", Path("/nowhere"))
    with pytest.raises(ToolFailed, match="Timing mine failed: it ended with status 1"):
        timed(replace(TRIAL, folder=folder), Reports())


def test_a_stop_ends_the_process_at_once(folder: str) -> None:
    started = time.monotonic()
    with pytest.raises(Stopped):
        timed(replace(TRIAL, folder=folder), Reports(stop=Stopped(), stop_at=2))
    assert time.monotonic() - started < 3
