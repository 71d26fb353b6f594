"""What only jobs do: own models are trained, weights are fetched, and both go on after a cut."""

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from assistant.conversation import ME
from assistant.routes import train
from assistant.settings import Settings
from assistant.steps import Assistant
from assistant.wiring import open_assistant
from tests.contexts import Reports, context
from tests.hub import Hub, serving
from tests.processes import wait_for
from tests.tiny import save_tiny
from tools.base import Agreement, Stopped, Text, ToolFailed, load_works
from tools.models import DEFAULT_CLASSIFIER, Models
from tools.works.download import download
from tools.works.train_pocket import train_pocket

FEMTO = f"timm/{DEFAULT_CLASSIFIER}"
ENDLESS = {"name": "judge", "steps": 10**6, "drawn": 128, "measured": 20}


@pytest.fixture
def assistant(settings: Settings) -> Iterator[Assistant]:
    with closing(open_assistant(settings.model_copy(update={"offline": True}))) as opened:
        yield opened


def test_a_training_is_paused_and_goes_on_to_a_model_of_ones_own(assistant: Assistant) -> None:
    told: list[str] = []

    def report(done: float, note: str) -> None:
        told.append(note)
        if 0 < done < 1 and not paused.is_set():
            paused.set()
            assistant.jobs.of(ME).act("pause", 1)

    paused = threading.Event()
    with pytest.raises(Stopped):
        train(assistant, ENDLESS, report)
    wait_for(lambda: assistant.jobs.of(ME).get(1).state == "paused")
    assert list((assistant.settings.home / "jobs" / ME / "1").iterdir())
    log = assistant.jobs.of(ME).log(1)
    assert any({"step", "loss"} == set(entry.curve) for entry in log)
    short = {**ENDLESS, "steps": 6}
    figures = train(assistant, short, report)
    assert figures["steps"] == 6
    assert (assistant.settings.home / "models" / "judge" / "model.safetensors").is_file()
    assert [job.state for job in assistant.jobs.of(ME).list()] == ["done", "paused"]


@pytest.mark.parametrize(
    ("work", "arguments", "says"),
    [
        ("classify", {"images": ["/gone/cat.png"], "model": "pocket-convnext"}, "cat.png"),
        ("classify", {"images": ["/gone/cat.png"], "model": "mine"}, "mine"),
        ("benchmark", {"models": ["mine"]}, "mine"),
        ("download", {"model": "mine"}, "No model is called 'mine'"),
    ],
)
def test_what_a_job_needs_is_gone(
    assistant: Assistant, work: str, arguments: dict[str, object], says: str
) -> None:
    assistant.jobs.start()
    number = assistant.jobs.submit(ME, work, arguments, Agreement(), request=str(arguments))
    mine = assistant.jobs.of(ME)
    wait_for(lambda: mine.get(number).state == "failed")
    failed = mine.get(number)
    assert (failed.crashes, failed.error.count("\n")) == (0, 0)
    assert says in failed.error


def test_a_recipe_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match=r"no recipe for 'flux'\. Choose from: pocket-convnext"):
        list(train_pocket(context(tmp_path), "flux"))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving() as served:
        served.use(monkeypatch, tmp_path / "cache")
        served.add(FEMTO, save_tiny(tmp_path / "femto"))
        yield served


def test_a_download_is_here_afterwards(hub: Hub, tmp_path: Path, home: Path) -> None:
    models = Models("cpu", home, False, "local")
    hub.repositories[FEMTO].pause = 0.5
    report = Reports()
    [said] = download(context(tmp_path, models, report=report), DEFAULT_CLASSIFIER)
    assert isinstance(said, Text)
    assert said.text.startswith(f"{DEFAULT_CLASSIFIER} is here now")
    assert report.told
    hub.stop()
    assert Models("cpu", home, True, "local").weights(DEFAULT_CLASSIFIER)


def test_a_download_that_cannot_be(hub: Hub, tmp_path: Path, home: Path) -> None:
    models = Models("cpu", home, False, "local")
    with pytest.raises(ToolFailed, match="No model is called 'nothing'"):
        list(download(context(tmp_path, models), "nothing"))
    del hub.repositories[FEMTO]
    with pytest.raises(ToolFailed, match="is not on the Hub any more"):
        list(download(context(tmp_path, models), DEFAULT_CLASSIFIER))


def test_works_are_no_tools_of_a_question() -> None:
    works = load_works()
    assert {"train_pocket", "download"} < set(works)
    assert works["download"].check({"model": "x"}) == {"model": "x"}
    assert not works["download"].card.examples
    assert Agreement().lasting is False
