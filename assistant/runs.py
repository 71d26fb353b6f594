"""Runs on disk: a folder, its payload, then the manifest, whose existence means complete."""

import json
import os
import shutil
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MANIFEST = "manifest.json"
_ABANDONED = 24 * 3600  # seconds after which a run without a manifest is not going on any more


@dataclass(frozen=True)
class RunFolder:
    """Where one step puts its files.

    Attributes:
        id: unguessable id of the run.
        path: its folder.
    """

    id: str
    path: Path


def start(home: Path, owner: str) -> RunFolder:
    """Makes the folder of a new run.

    Raises:
        OSError: the home cannot be written.
    """
    run = uuid.uuid4().hex
    path = home / "runs" / owner / run
    path.mkdir(parents=True)
    return RunFolder(run, path)


def complete(folder: RunFolder, manifest: Mapping[str, Any]) -> None:
    """Writes the manifest last and whole."""
    aside = folder.path / f"{_MANIFEST}.new"
    with aside.open("w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(folder.path / _MANIFEST)


def is_complete(path: Path) -> bool:
    """Whether a run folder holds everything it should."""
    return (path / _MANIFEST).is_file()


def clean(home: Path) -> int:
    """Removes runs that were never finished, and returns how many."""
    old = time.time() - _ABANDONED
    left = [
        path
        for path in (home / "runs").glob("*/*")
        if not is_complete(path) and path.stat().st_mtime < old
    ]
    for path in left:
        shutil.rmtree(path, ignore_errors=True)
    return len(left)
