"""One way to save long work and to go on with it: whole or not at all, checked when it is loaded.

A checkpoint is a folder: `state.pt`, then `manifest.json` with its hash. It is written aside,
flushed and renamed, and the one before is removed only then, so that at every moment a whole one
is there. Its name is that of the run that wrote it, so that two runs never write to one place.
"""

import contextlib
import hashlib
import json
import os
import random
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_STATE, _MANIFEST = "state.pt", "manifest.json"
_ASIDE = ".new-"
_WHOLE = "[0-9]" * 9 + "-*"
_ABANDONED = 3600.0  # seconds after which nobody is writing a checkpoint any more


@dataclass(frozen=True)
class Checkpoint:
    """A whole checkpoint.

    Attributes:
        folder: where it lies.
        step: the step that it stands at.
        score: how good it was when it was saved; the higher the better; none if it was not judged.
    """

    folder: Path
    step: int
    score: float | None

    def load(self) -> dict[str, Any]:
        """What was saved, with its tensors on the CPU."""
        import torch

        state: dict[str, Any] = torch.load(
            self.folder / _STATE, map_location="cpu", weights_only=True
        )
        return state


class Checkpoints:
    """The checkpoints of one piece of work: the last one, and the best one if they are judged.

    Args:
        folder: where they lie; made with the first one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, state: Mapping[str, Any], step: int, score: float | None = None) -> None:
        """Saves all that is needed to go on, then removes what it replaces.

        Args:
            state: tensors, numbers, texts, and lists and dictionaries of them.
            step: the step that the work stands at.
            score: how good it is; the higher the better.

        Raises:
            OSError: it could not be written; those of before are as they were.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        name = uuid.uuid4().hex
        aside, whole = self._folder / f"{_ASIDE}{name}", self._folder / f"{step:09d}-{name}"
        try:
            aside.mkdir()
            _write(aside, state, step, score)
            aside.rename(whole)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        _flush(self._folder)
        self._clear(whole)

    def last(self) -> Checkpoint | None:
        """The newest whole one."""
        return next((found for found in self._newest_first() if _is_whole(found.folder)), None)

    def best(self) -> Checkpoint | None:
        """The whole one of the highest score, the newest of several; none if none was judged."""
        judged = [found for found in self._newest_first() if found.score is not None]
        ranked = sorted(judged, key=lambda found: -(found.score or 0.0))
        return next((found for found in ranked if _is_whole(found.folder)), None)

    def remove(self) -> None:
        """Removes the folder with all of them, when the work is done."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _newest_first(self) -> list[Checkpoint]:
        found = [_read(manifest) for manifest in self._folder.glob(f"{_WHOLE}/{_MANIFEST}")]
        return sorted(filter(None, found), key=lambda one: (-one.step, one.folder.name))

    def _clear(self, written: Path) -> None:
        """Removes all but the last, the best and the one just written, and what was left over."""
        found = self._newest_first()
        judged = [one for one in found if one.score is not None]
        best = max(judged, key=lambda one: (one.score, one.step), default=None)
        kept = {written, *(one.folder for one in (*found[:1], best) if one)}
        others = set(self._folder.glob(_WHOLE)) - kept
        # Another process, which was cut off from this work, may still be writing.
        left = {aside for aside in self._folder.glob(f"{_ASIDE}*") if _age(aside) > _ABANDONED}
        for folder in others | left:
            shutil.rmtree(folder, ignore_errors=True)


def _age(folder: Path) -> float:
    with contextlib.suppress(OSError):
        return time.time() - folder.stat().st_mtime
    return 0.0


def _write(folder: Path, state: Mapping[str, Any], step: int, score: float | None) -> None:
    import torch

    with (folder / _STATE).open("wb") as file:
        torch.save(dict(state), file)
        file.flush()
        os.fsync(file.fileno())
    told = {"step": step, "score": score, "sha256": _hash(folder / _STATE)}
    with (folder / _MANIFEST).open("w", encoding="utf-8") as file:
        json.dump(told, file)
        file.flush()
        os.fsync(file.fileno())
    _flush(folder)


def _read(manifest: Path) -> Checkpoint | None:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads(manifest.read_text(encoding="utf-8"))
        return Checkpoint(manifest.parent, told["step"], told["score"])
    return None


def _is_whole(folder: Path) -> bool:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        return bool(told["sha256"] == _hash(folder / _STATE))
    return False


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(folder: Path) -> None:
    """Makes names in a folder last, not only the content of its files."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- random numbers
def random_states() -> dict[str, Any]:
    """Where every generator of random numbers stands: Python's, NumPy's, torch's, each device's."""
    import numpy as np
    import torch

    drawn: Any = np.random.get_state()
    kind, keys, *rest = drawn
    version, numbers, gauss = random.getstate()
    return {
        "python": [version, list(numbers), gauss],
        "numpy": [kind, torch.from_numpy(keys.astype("int64")), *rest],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_random_states(states: Mapping[str, Any]) -> None:
    """Puts every generator back to where it stood."""
    import numpy as np
    import torch

    version, numbers, gauss = states["python"]
    random.setstate((version, tuple(numbers), gauss))
    kind, keys, *rest = states["numpy"]
    np.random.set_state((kind, keys.numpy().astype("uint32"), *rest))
    torch.set_rng_state(states["torch"])
    if states["cuda"]:
        torch.cuda.set_rng_state_all(states["cuda"])


@contextlib.contextmanager
def same_randomness() -> Iterator[None]:
    """What is drawn inside does not change what is drawn after."""
    states = random_states()
    try:
        yield
    finally:
        set_random_states(states)
