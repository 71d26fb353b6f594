"""A training as a file describes it."""

from pathlib import Path

import pytest

from tools.base import ToolFailed
from tools.engines.training import settings
from tools.engines.training.settings import Settings


def written(folder: Path, text: str) -> Path:
    path = folder / "run.toml"
    path.write_text(text, "utf-8")
    return path


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    made = Settings(
        model="pocket-flux",
        images=("a.png", 'b "2".png'),
        class_noun="Tässchen",
        captions=("on a beach\tat night", ""),
        learning_rate=2e-3,
        train_text_encoder=True,
    )
    [told] = settings.read(written(tmp_path, settings.written(made)))
    assert settings.settled(told) == made


def test_layers_count_in_turn() -> None:
    made = settings.settled({"steps": 100, "rank": 8}, {"steps": None}, {"rank": 4})
    assert (made.steps, made.rank, made.batch) == (100, 4, Settings.batch)


def test_a_list_is_a_sweep(tmp_path: Path) -> None:
    path = written(tmp_path, 'rank = [4, 8]\nlearning_rate = [0.001, 0.002]\nimages = ["a", "b"]')
    several = [settings.settled(one) for one in settings.read(path)]
    assert [(one.rank, one.learning_rate) for one in several] == [
        (4, 0.001),
        (4, 0.002),
        (8, 0.001),
        (8, 0.002),
    ]
    assert {one.images for one in several} == {("a", "b")}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stpes = 3", "sets stpes, which is unknown"),
        ("steps = ", "cannot be read as TOML"),
        ("steps = []", "describes 0 trainings"),
        (f"seed = {list(range(30))}", "describes 30 trainings"),
    ],
)
def test_a_file_that_will_not_do(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match=said):
        settings.read(written(tmp_path, text))


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(b"\xff\x00")
    with pytest.raises(ToolFailed, match="cannot be read as TOML"):
        settings.read(path)


@pytest.mark.parametrize(
    "told", [{"steps": 0}, {"steps": 10**7}, {"rank": "many"}, {"learning_rate": 0}]
)
def test_a_value_out_of_bounds(told: dict[str, object]) -> None:
    [name] = told
    with pytest.raises(ToolFailed, match=f"{name} is"):
        settings.settled(told)
