"""Answers come back from the store as they were."""

import json
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from assistant.answer import Answer, StepState, to_json
from assistant.kept import from_kept, to_kept
from index.catalog import load
from index.evidence import Measurement
from index.search import Hit
from tools.base import Agreement, File, Image, Plot, Table, Text

FACTS = load().find("convnext_femto.d1_in1k", "parameters")
MEASURED = Measurement(
    "pocket-convnext", "latency_p50", 12.3, "ms", "batch 1", "cpu", "2 cores", "torch", "r1", "2026"
)
ANSWER = Answer(
    question="what is it?",
    conversation="c1",
    turn=2,
    outcome="run",
    steps=(StepState("classify", {"images": ["attachment:1"]}, "done", 1.25, why="It fits."),),
    choices=("one", "two"),
    consent=Agreement(download=True),
    hits=(Hit("FLUX.1-schnell", 1.5, "named"),),
    blocks=(
        Text("5.22 million", tuple(FACTS), {"verdict": "true", "picks": [{"system": "a"}]}),
        Table(("a", "b"), (("1", "2"), ("3", "4")), "title", (MEASURED,)),
        Image(Path("/x/1.png"), "a house", MappingProxyType({"seed": "1"})),
        Plot(Path("/x/2.png"), "bars", "Scores", ("house", "tree"), (MEASURED,)),
        File(Path("/x/3.csv"), "the table"),
    ),
    seconds=1.5,
    finished=True,
)


def test_an_answer_comes_back_as_it_was_kept() -> None:
    assert FACTS
    assert from_kept(json.loads(json.dumps(to_kept(ANSWER)))) == ANSWER


def test_an_answer_that_says_nothing_comes_back_too() -> None:
    answer = replace(ANSWER, steps=(), choices=(), hits=(), blocks=(), ask="Which one?")
    assert from_kept(json.loads(json.dumps(to_kept(answer)))) == answer


def test_what_a_tool_tells_programs_stands_at_the_top_of_the_json() -> None:
    told = to_json(ANSWER)
    assert told["verdict"] == "true"
    assert told["picks"] == [{"system": "a"}]
    assert "data" not in told["blocks"][0]


def test_what_is_kept_holds_the_json_that_programs_read() -> None:
    kept = to_kept(ANSWER)
    assert {name: kept[name] for name in to_json(ANSWER)} == to_json(ANSWER)
