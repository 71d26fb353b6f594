"""Checkpoints: at every moment a whole one, and a training that ends as if it was never cut off."""

import errno
import json
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests import training
from tests.processes import fresh
from tools.engines.checkpoint import (
    Checkpoints,
    random_states,
    same_randomness,
    set_random_states,
)
from tools.pocket.recipes import loop

KILLS = 6


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[float], dict[str, Any], bytes]:
    """A training that nobody disturbed: its losses, weights and optimizers."""
    folder = tmp_path_factory.mktemp("whole")
    training.train(folder)
    return ended(folder)


def ended(folder: Path) -> tuple[list[float], dict[str, Any], bytes]:
    last = Checkpoints(folder / "kept").last()
    assert last
    assert last.step == training.STEPS
    state = last.load()
    weights: dict[str, Any] = torch.load(folder / "weights.pt", weights_only=True)
    return state["losses"], weights, _bits([state["muon"], state["adam"]])


def _bits(value: Any) -> bytes:
    if isinstance(value, torch.Tensor):
        return value.numpy().tobytes()
    if isinstance(value, dict):
        return b"".join(_bits(value[key]) for key in sorted(value, key=str))
    if isinstance(value, list | tuple):
        return b"".join(map(_bits, value))
    return repr(value).encode()


def same(folder: Path, whole: tuple[list[float], dict[str, Any], bytes]) -> bool:
    losses, weights, tuned = ended(folder)
    equal = all(torch.equal(weights[name], whole[1][name]) for name in whole[1])
    return losses == whole[0] and equal and tuned == whole[2]


# --- resume
def test_killed_at_random_moments_it_ends_as_if_it_was_not(
    tmp_path: Path, whole: tuple[list[float], dict[str, Any], bytes]
) -> None:
    """R2: bit-equal loss curve, weights and optimizers; steps are only ever gained."""
    chance, kills, reached = random.Random(2), 0, 0  # noqa: S311
    while kills < KILLS:
        process = fresh().Process(target=training.train, args=(tmp_path,))
        process.start()
        process.join(chance.uniform(0.0, 0.5) if kills < KILLS - 1 else None)
        if process.is_alive():
            process.kill()
            process.join()
        kills += 1
        last = Checkpoints(tmp_path / "kept").last()
        assert (last.step if last else 0) >= reached
        reached = last.step if last else 0
    assert same(tmp_path, whole)


def test_killed_in_every_write_of_a_checkpoint_there_is_a_whole_one(
    tmp_path: Path, whole: tuple[list[float], dict[str, Any], bytes]
) -> None:
    """R2: dead at the n-th call that changes the disk, for n up to three checkpoints in."""
    there = False
    for at in range(1, 22):
        folder = tmp_path / str(at)
        folder.mkdir()
        process = fresh().Process(target=training.train_and_die, args=(folder, at))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        kept = Checkpoints(folder / "kept")
        assert kept.last() or not there
        there = there or kept.last() is not None
    assert there
    training.train(folder)
    assert same(folder, whole)


def test_a_training_whose_disk_is_full_goes_on_without_checkpoints(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    whole: tuple[list[float], dict[str, Any], bytes],
) -> None:
    """R7: the n-th write fails, and all from there on; later there is room again."""
    real, fails = os.fsync, [False]

    def full(descriptor: int) -> None:
        if fails[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    kept = Checkpoints(tmp_path / "kept")
    kept.save({"a": 1}, 0)
    fails[0] = True
    with pytest.raises(OSError, match="No space left"):
        kept.save({"a": 2}, 1)
    assert [path.name[:9] for path in (tmp_path / "kept").iterdir()] == ["000000000"]
    last = kept.last()
    assert last
    assert last.load() == {"a": 1}
    kept.remove()
    training.train(tmp_path)
    assert kept.last() is None
    fails[0] = False
    training.train(tmp_path)
    assert same(tmp_path, whole)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_the_nth_write_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """R7: whichever call fails, a whole one is kept, nothing is left over, and a retry works."""
    for name in ("fsync", "rename", "mkdir", "open"):
        for at in range(1, 5):
            kept = Checkpoints(tmp_path / f"{name}{at}")
            kept.save({"n": torch.ones(3)}, 1)
            with monkeypatch.context() as patched:
                _fail(patched, name, at, code)
                failed = _refused(kept, code)
            last = kept.last()
            assert last
            # The last call makes the new one's name last; if that fails, it is there all the same.
            assert failed or last.step == 2
            assert torch.equal(last.load()["n"], torch.full((3,), 2.0 - last.step))
            kept.save({"n": torch.zeros(3)}, 3)
            assert len(list((tmp_path / f"{name}{at}").iterdir())) == 1


def _refused(kept: Checkpoints, code: int) -> bool:
    try:
        kept.save({"n": torch.zeros(3)}, 2)
    except OSError as error:
        return error.errno == code
    return False


def _fail(patched: pytest.MonkeyPatch, name: str, at: int, code: int) -> None:
    real, left = getattr(os, name), [at]

    def failing(*given: Any, **named: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            raise OSError(code, os.strerror(code))
        return real(*given, **named)

    patched.setattr(os, name, failing)


# --- what is kept
def test_the_last_and_the_best_are_kept(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path / "kept")
    assert (kept.last(), kept.best()) == (None, None)
    for step, score in ((1, 0.1), (2, 0.9), (3, 0.5), (4, 0.6)):
        kept.save({"step": step}, step, score)
    last, best = kept.last(), kept.best()
    assert last
    assert best
    assert (last.step, last.score, last.load()["step"]) == (4, 0.6, 4)
    assert (best.step, best.score, best.load()["step"]) == (2, 0.9, 2)
    assert len(list((tmp_path / "kept").iterdir())) == 2
    kept.remove()
    assert kept.last() is None
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("harm", ["flip", "cut", "no state", "no manifest", "odd manifest"])
def test_a_damaged_one_is_passed_over(tmp_path: Path, harm: str) -> None:
    kept = Checkpoints(tmp_path)
    for step in (1, 2):
        kept.save({"step": step}, step, 1.0 - step)  # the first is the best, so both stay
    [damaged] = tmp_path.glob("000000002-*")
    state, manifest = damaged / "state.pt", damaged / "manifest.json"
    data = bytearray(state.read_bytes())
    data[len(data) // 2] ^= 1
    harms: dict[str, Callable[[], object]] = {
        "flip": lambda: state.write_bytes(data),
        "cut": lambda: state.write_bytes(data[:-9]),
        "no state": state.unlink,
        "no manifest": manifest.unlink,
        "odd manifest": lambda: manifest.write_text(json.dumps(["no"]), encoding="utf-8"),
    }
    harms[harm]()
    last = kept.last()
    assert last
    assert last.step == 1


def test_another_writer_is_left_alone(tmp_path: Path) -> None:
    """A process that was cut off from the job may still be writing its last one."""
    writing, abandoned = tmp_path / ".new-other", tmp_path / ".new-old"
    for folder in (writing, abandoned):
        folder.mkdir()
    long_ago = time.time() - 7200
    os.utime(abandoned, (long_ago, long_ago))
    Checkpoints(tmp_path).save({"a": 1}, 1)
    assert writing.is_dir()
    assert not abandoned.exists()


def test_what_else_lies_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"mine")
    (tmp_path / "mine").mkdir()
    for step in (1, 2):
        Checkpoints(tmp_path).save({"a": step}, step)
    assert {path.name[:9] for path in tmp_path.iterdir()} == {"picture.p", "mine", "000000002"}


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "harmed"),)

    Checkpoints(tmp_path).save({"harm": Harm()}, 1)
    last = Checkpoints(tmp_path).last()
    assert last
    with pytest.raises(Exception, match="Weights only load failed"):
        last.load()
    assert not (tmp_path / "harmed").exists()


# --- random numbers
def draws() -> list[float]:
    import numpy as np

    return [random.random(), float(np.random.rand()), torch.rand(1).item()]  # noqa: S311


def test_random_states_are_kept_and_put_back(tmp_path: Path) -> None:
    Checkpoints(tmp_path).save({"random": random_states()}, 1)
    first = draws()
    assert draws() != first
    last = Checkpoints(tmp_path).last()
    assert last
    set_random_states(last.load()["random"])
    assert draws() == first


def test_what_is_drawn_inside_changes_nothing_outside() -> None:
    states = random_states()
    with same_randomness():
        inside = draws()
    assert draws() == inside
    set_random_states(states)
    assert draws() == inside


def test_a_stop_keeps_the_step_first(tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stop(done: float, note: str = "", curve: Any = None, preview: Any = None) -> None:
        if done >= 0.1:
            raise Stopped

    slow = loop.Pace(steps=training.STEPS, batch=16, round=64, passes=2, save_seconds=3600.0)
    with pytest.raises(Stopped):
        loop.fit(
            training.model(), training.loss, training.feed,
            seed=5, pace=slow, checkpoints=tmp_path, report=stop,
        )  # fmt: skip
    last = Checkpoints(tmp_path).last()
    assert last
    assert last.step == training.STEPS // 10
