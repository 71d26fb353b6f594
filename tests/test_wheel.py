"""A wheel brings cards, index and weights, and answers from any folder."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from tools.pocket.world import draw, scenes

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the wheel holds, as an installation lays it out."""
    folder = tmp_path_factory.mktemp("wheel")
    beside = str(Path(sys.executable).parent)
    subprocess.run(
        [
            shutil.which("uv", path=beside) or "uv",
            "build",
            "--wheel",
            "--offline",
            "--no-build-isolation",
            "--python",
            sys.executable,
            "-o",
            folder,
            ROOT,
        ],
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "site")
    return folder / "site"


def ask(unpacked: Path, folder: Path, *arguments: str) -> dict[str, object]:
    """The answer of the unpacked program, run in another folder."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "assistant", "ask", *arguments, "--json"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(unpacked), "FITTING_ROOM_OFFLINE": "true"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_it_answers_from_cards(unpacked: Path, tmp_path: Path, home: Path) -> None:
    answer = ask(unpacked, tmp_path, "How many parameters does convnext_femto have?")
    assert "5.22 million" in json.dumps(answer["blocks"])
    assert not (home / "index").exists(), "the shipped index was stale"


def test_it_classifies_with_its_own_weights(unpacked: Path, tmp_path: Path) -> None:
    (scene,) = scenes(1_000_003, 0, 1)
    Image.fromarray(draw(scene, 256)).save(tmp_path / "drawing.png")
    answer = ask(unpacked, tmp_path, "What is in this picture?", "--image", "drawing.png")
    assert scene.things[0].kind in json.dumps(answer["blocks"])
