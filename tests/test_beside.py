"""One question to several models: each is asked, and what they made stands side by side."""

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
from PIL import Image as Pictures

from assistant.answer import Answer, to_json
from assistant.beside import spread
from assistant.conversation import Attachment, Question, Ref, Step
from assistant.history import made_by
from assistant.plan import Asked, Clarify, Run, plan
from assistant.routes import exchanges_of
from assistant.settings import Settings
from assistant.steps import Assistant, Wanted, run_steps
from assistant.wiring import open_assistant
from index.evidence import Measurement
from tests.answers import index
from tests.bfl_server import Lab
from tests.toys import toy
from tools import recipe
from tools.base import Agreement, Image, Table, load_tools
from tools.engines import bfl

KEY = "canary-5b1f77aa-0003"
NAMES = index().names
FLEX = "api:flux-2-flex"


@dataclass(frozen=True)
class Room:
    """One's own machine with two toys, and a server on it that plays Black Forest Labs."""

    lab: Lab
    assistant: Assistant

    def draw(self, *models: str, agreement: Agreement | None = None) -> Answer:
        """The answer to a comparison of models by a picture."""
        told = {"prompt": "a red cat", "width": 64, "height": 64, "steps": 2, "seed": 7}
        steps = tuple(Step("generate", {**told, "model": model}) for model in models)
        question = Question("", agreement=agreement or Agreement())
        wanted = Wanted(question, steps, [step.arguments for step in steps])
        answer = Answer("", "", 0, "run")
        return [*run_steps(self.assistant, wanted, answer, threading.Event())][-1]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    home = tmp_path_factory.mktemp("home")
    toy("FLUX.1-schnell", home / "models" / "toy-a")
    toy("FLUX.2-klein-4B", home / "models" / "toy-b")
    lab = Lab(KEY)
    lab.pending = 0
    lab.start()
    settings = Settings(home=home, bfl_region=lab.address, bfl_api_key=bfl.read_key(KEY))
    with closing(open_assistant(settings)) as assistant:
        yield Room(lab, assistant)
    lab.stop()


def table(answer: Answer) -> Table:
    [found] = (block for block in answer.blocks if isinstance(block, Table))
    return found


def pictures(answer: Answer) -> list[Image]:
    return [block for block in answer.blocks if isinstance(block, Image)]


def test_what_each_made_stands_side_by_side_with_its_figures(room: Room) -> None:
    models = ("toy-a", FLEX, "toy-b", "FLUX.1-Fill-dev")
    answer = room.draw(*models, agreement=Agreement(usd=0.1))
    assert [step.status for step in answer.steps] == ["done", "done", "done", "failed"]
    assert (answer.outcome, answer.ask) == ("run", "")
    *drawn, grid = pictures(answer)
    assert [recipe.read(one.path).seed for one in drawn] == [7, 42, 7]  # type: ignore[union-attr]
    assert {body["seed"] for body in room.lab.bodies} == {7}  # the server says another
    rows = table(answer).rows
    assert [row[0] for row in rows] == ["toy-a", "FLUX.2 [flex]", "toy-b", "FLUX.1 Fill [dev]"]
    assert [row[3] for row in rows] == ["free here", "$0.05", "free here", "-"]
    assert rows[3][4].startswith("FLUX.1-Fill-dev cannot be used here: it ")
    speeds = [f for f in answer.evidence if f.property == "latency_ms"]
    assert [f.system for f in speeds if isinstance(f, Measurement)] == ["toy-a", FLEX, "toy-b"]
    for row, speed in zip(rows, speeds, strict=False):
        assert float(row[1].removesuffix(" s")) == pytest.approx(
            float(speed.value) / 1000, rel=0.01
        )
    assert [row[2].endswith(" MiB") for row in rows] == [True, False, True, False]
    with Pictures.open(grid.path) as sheet:
        assert sheet.width > 4 * 256
        assert sheet.height < 2 * 256
    assert grid.metadata["origin"] == "AI generated"
    assert "withheld" not in str(answer.blocks)
    told = to_json(answer)["blocks"]
    assert [block["type"] for block in told[-3:]] == ["image", "table", "text"]
    assert grid.path not in made_by(answer.blocks).pictures


def test_a_price_is_asked_when_the_others_are_drawn(room: Room) -> None:
    posts = room.lab.posts
    asked = room.draw(FLEX, "toy-a")
    assert (asked.outcome, room.lab.posts) == ("clarify", posts)
    assert asked.choices == ("Yes, spend up to $0.06", "No")
    assert [step.status for step in asked.steps] == ["waiting", "done"]
    assert [row[4] for row in table(asked).rows] == ["It waits for your yes.", "-"]
    paid = room.draw(FLEX, "toy-a", agreement=asked.consent)
    assert (paid.outcome, room.lab.posts) == ("run", posts + 1)
    assert len(pictures(paid)) == 3


def test_where_none_can_run_there_is_no_grid(room: Room) -> None:
    answer = room.draw("FLUX.1-Fill-dev", "FLUX.1-dev")
    assert (answer.outcome, answer.blocks) == ("failed", ())
    assert "FLUX.1-Fill-dev cannot be used here" in answer.ask
    assert "FLUX.1-dev cannot be used here" in answer.ask


def test_a_comparison_by_prompts_becomes_a_step_for_each() -> None:
    compared = {"systems": ("pocket-flux", "FLUX.1-schnell"), "prompts": ("a star", "a fish")}
    steps = spread((Step("compare", compared),), NAMES, "me:1")
    assert [step.arguments["model"] for step in steps] == [*compared["systems"]] * 2
    assert {step.arguments["seed"] for step in steps} == {steps[0].arguments["seed"]}
    assert spread((Step("compare", compared),), NAMES, "me:1") == steps
    assert spread((Step("compare", compared),), NAMES, "me:2") != steps
    only = (Step("compare", {"systems": ("resnet50.a1_in1k", "pocket-flux"), "prompts": ("a",)}),)
    assert spread(only, NAMES, "me:1") == only


def test_later_steps_point_to_what_the_steps_of_a_comparison_make() -> None:
    first = Step("generate", {"prompt": "a star", "model": "pocket-flux"})
    compared = {"systems": ("pocket-flux", "FLUX.1-schnell"), "images": (Ref("step", 1),)}
    look = Step("classify", {"images": (Ref("step", 2),)})
    steps = spread((first, Step("compare", compared), look), NAMES, "me:1")
    assert [step.tool for step in steps] == ["generate", "generate", "classify"]
    assert steps[1].arguments == {**steps[0].arguments, "model": "FLUX.1-schnell"}
    assert steps[2].arguments == {"images": (Ref("step", 2),)}


@pytest.mark.parametrize(
    ("text", "systems"),
    [
        ("a red star on pocket-flux and schnell side by side", ("pocket-flux", "FLUX.1-schnell")),
        ("a red star on schnell and klein side by side", ("FLUX.1-schnell", "FLUX.2-klein-4B")),
        ('Same prompt on both please: "a red star". klein, schnell',
         ("FLUX.2-klein-4B", "FLUX.1-schnell")),
    ],
)  # fmt: skip
def test_the_prompt_and_the_models_are_heard(text: str, systems: tuple[str, ...]) -> None:
    planned = plan(Asked(text), NAMES, load_tools())
    assert isinstance(planned, Run)
    steps = spread(planned.steps, NAMES, "me:1")
    assert [step.arguments["model"] for step in steps] == [*systems]
    assert {step.arguments["prompt"] for step in steps} == {"a red star"}


def test_a_change_is_told_whole_to_each() -> None:
    text = "make it night on kontext dev and klein side by side"
    planned = plan(Asked(text, (Attachment("image", "mine.png"),)), NAMES, load_tools())
    assert isinstance(planned, Run)
    told = [(step.arguments["model"], step.arguments["prompt"]) for step in planned.steps]
    assert told == [(name, "make it night") for name in ("FLUX.1-Kontext-dev", "FLUX.2-klein-4B")]


def test_the_same_prompt_is_that_of_the_picture_before() -> None:
    text, tools = "same prompt on schnell and klein side by side", load_tools()
    alone = plan(Asked(text), NAMES, tools)
    assert isinstance(alone, Clarify)
    assert alone.question == "What shall I draw? Say it in a few words."
    before = [{"role": "user", "text": "draw a red star"}, {"role": "assistant", "text": "Here."}]
    planned = plan(Asked(text, (), exchanges_of(before, NAMES, tools)), NAMES, tools)
    assert isinstance(planned, Run)
    assert planned.steps[0].arguments == {
        "systems": ("FLUX.1-schnell", "FLUX.2-klein-4B"), "prompts": ("a red star",),
    }  # fmt: skip
