"""Batches: one line out for each line in, in order, whatever a line holds."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from assistant.batch import BatchError, process


def echo(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"outcome": "run", "text": row["text"].upper()}


def test_lines_in_order(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    lines = ['{"id": 1, "text": "a"}', "not json", "", '{"id": 3}', '{"id": "z", "text": "b"}']
    source.write_text("\n".join(lines), encoding="utf-8")
    assert process(source, target, echo) == 4
    rows = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == [1, None, 3, "z"]
    assert [row["outcome"] for row in rows] == ["run", "failed", "failed", "run"]
    assert "Line 2 is not JSON" in rows[1]["ask"]
    assert "has no text" in rows[2]["ask"]


def test_a_missing_file_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="No such file"):
        process(tmp_path / "nothing.jsonl", tmp_path / "out.jsonl", echo)
