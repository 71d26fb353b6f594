"""Runs on disk: the manifest comes last, and half-written runs are cleaned."""

import json
import os
from pathlib import Path

from assistant import runs


def test_a_run_is_complete_with_its_manifest(tmp_path: Path) -> None:
    folder = runs.start(tmp_path, "me")
    assert folder.path == tmp_path / "runs" / "me" / folder.id
    assert not runs.is_complete(folder.path)
    runs.complete(folder, {"tool": "classify"})
    assert runs.is_complete(folder.path)
    kept = json.loads((folder.path / "manifest.json").read_text(encoding="utf-8"))
    assert kept == {"tool": "classify"}
    assert [path.name for path in folder.path.iterdir()] == ["manifest.json"]


def test_only_old_unfinished_runs_are_cleaned(tmp_path: Path) -> None:
    done, fresh, old = (runs.start(tmp_path, "me") for _ in range(3))
    runs.complete(done, {})
    for folder in (done, old):
        os.utime(folder.path, (1, 1))
    assert runs.clean(tmp_path) == 1
    assert [folder.path.exists() for folder in (done, fresh, old)] == [True, True, False]
