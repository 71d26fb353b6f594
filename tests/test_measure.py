"""A measurement says where, with what and when, and is kept."""

import re
from datetime import UTC, datetime
from pathlib import Path

import torch

from tests.contexts import context
from tools.measure import device_name, machine, measure, versions


def test_a_measurement_is_described_and_kept(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    before = datetime.now(UTC).date().isoformat()
    found = measure(ctx, "pocket-convnext", "latency_ms", 12.5, "batch 1")
    assert (found.value, found.unit, found.at, found.run) == (12.5, "ms", "batch 1", ctx.run)
    assert found.device == device_name("cpu")
    assert before <= found.date <= datetime.now(UTC).date().isoformat()
    assert ctx.evidence.find("pocket-convnext", "latency_ms")[0] == found


def test_the_machine_is_told_in_words() -> None:
    assert re.search(r"\S, \d+ cores, \d+ GiB memory, \w+$", machine())
    assert re.fullmatch(r"cpu \(.+\)", device_name("cpu"))
    assert f"torch v{torch.__version__.partition('+')[0]}" in versions()
    assert "timm v" in versions()
