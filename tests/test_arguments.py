"""Arguments are read from words and files; what was not said is left out."""

from typing import Any

import pytest

from assistant.arguments.numbers import pictures_to_do
from assistant.arguments.refs import pointed
from assistant.conversation import Attachment
from assistant.plan import Asked, Clarify, Run, plan, steps_told
from assistant.routes import exchanges_of
from tests.answers import index
from tools.base import load_tools

NAMES = index().names
ONE = (Attachment("image", "a.png"),)
THREE = ONE * 3
MASKED = (*ONE, Attachment("mask", "m.png"))
ZIP = (Attachment("zip", "data.zip"),)


def read(text: str, files: tuple[Attachment, ...] = ()) -> dict[str, Any]:
    asked = Asked(text, files)
    made = plan(asked, NAMES, load_tools())
    assert isinstance(made, Run), (text, made)
    (step,) = steps_told(made.steps, asked)
    return dict(step["arguments"])


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("draw a red cat, 768x512", (768, 512)),
        ("draw a red cat, square", (1024, 1024)),
        ("draw a red cat in portrait format", (832, 1216)),
        ("draw a red cat as a phone wallpaper", (1080, 1920)),
        ("draw a red cat with 4 megapixels", (2048, 2048)),
        ("draw a red cat, 640 wide and 320 high", (640, 320)),
    ],
)
def test_sizes(text: str, size: tuple[int, int]) -> None:
    found = read(text)
    assert (found["width"], found["height"]) == size
    assert found["prompt"].startswith("a red cat")


def test_numbers_in_words_and_digits() -> None:
    found = read("can you make a picture of a dragon made of glass, four steps, seed 7, cfg 3.5")
    assert found.pop("prompt").endswith("a dragon made of glass")
    assert found == {"steps": 4, "seed": 7, "guidance": 3.5}


def test_a_picture_and_a_number() -> None:
    found = read("what is this? the top 3 guesses please", ONE)
    assert found == {"images": ["attachment:1"], "top_k": 3}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Widen the image to 16:9", {"mode": "outpaint", "expand": "16:9"}),
        ("extend it by 25% on the left", {"mode": "outpaint", "expand": "left 25%"}),
        ("extend this picture 200 px to the right", {"mode": "outpaint", "expand": {"right": 200}}),
        ("add a small tree on the left", {"prompt": "add a small tree on the left"}),
    ],
)
def test_how_far_a_picture_is_extended(text: str, told: dict[str, Any]) -> None:
    found = read(text, ONE)
    assert {name: found[name] for name in told} == told
    assert set(found) <= {"images", *told}


def test_pictures_that_are_given_are_not_those_that_are_wanted() -> None:
    found = read("Combine these two images into one scene", (*ONE, *ONE))
    assert "count" not in found
    assert found["mode"] == "reference"


def test_a_model_by_name_or_typo() -> None:
    assert read("classify this with femto", ONE)["model"] == "convnext_femto.d1_in1k"
    assert read("benchmark mobilnetv3 large 100")["models"] == ["mobilenetv3_large_100.ra_in1k"]


def test_several_systems_in_order() -> None:
    found = read("compare schnell versus klein 4b versus femto")
    assert found["systems"] == ["FLUX.1-schnell", "FLUX.2-klein-4B", "convnext_femto.d1_in1k"]


def test_the_query_is_kept_whole() -> None:
    text = "How many parameters has femto?"
    assert read(text) == {"query": text, "systems": ["convnext_femto.d1_in1k"]}


def test_a_mask_is_no_picture() -> None:
    found = read("fill the masked hole with a tree", MASKED)
    assert found["images"] == ["attachment:1"]
    assert found["mask"] == "attachment:2"
    assert found["mode"] == "inpaint"


def test_some_of_several_pictures() -> None:
    assert read("what is in the second picture?", THREE)["images"] == ["attachment:2"]
    assert read("classify the first two pictures", THREE)["images"] == [
        "attachment:1",
        "attachment:2",
    ]
    assert len(read("what is in these pictures?", THREE)["images"]) == 3


def test_formats_and_precisions() -> None:
    found = read("export resnet50 to onnx in int8, opset 17, dynamic batch")
    assert found == {
        "model": "resnet50.a1_in1k",
        "format": "onnx",
        "precision": "int8",
        "opset": 17,
        "dynamic_batch": True,
    }


def test_a_dataset_and_a_head() -> None:
    found = read("train a classifier on this zip, freeze the body, 12 epochs, lr 1e-3", ZIP)
    assert found["dataset"] == "attachment:1"
    assert (found["epochs"], found["learning_rate"], found["freeze"]) == (12, 1e-3, True)


def test_limits_of_a_use_case() -> None:
    text = "which model draws pictures for my shop under 8 GB, at most 2 cents each, offline?"
    found = read(text)
    assert found["use_case"] == text
    assert (found["device_memory_gib"], found["max_price_usd"]) == (8, 0.02)
    assert found["offline"] is True
    assert found["commercial"] is True


def test_what_is_missing_is_asked_for_in_the_persons_language() -> None:
    def asked(text: str) -> str:
        made = plan(Asked(text), NAMES, load_tools())
        assert isinstance(made, Clarify), (text, made)
        return made.question

    assert asked("what is in this picture?").startswith("Which picture")
    assert asked("compare schnell").startswith("Which two")
    assert asked("Was ist auf diesem Bild?").startswith("Welches Bild")
    made = plan(Asked("compare schnell"), NAMES, load_tools())
    assert isinstance(made, Clarify)
    assert len(made.choices) == 3
    assert all(choice.startswith("compare models: FLUX.1 [schnell], ") for choice in made.choices)


def test_a_picture_of_nothing_is_asked_for() -> None:
    for text in ("draw something", "make me a picture please", "draw me two nice pictures"):
        made = plan(Asked(text), NAMES, load_tools())
        assert isinstance(made, Clarify), text
        assert "prompt" not in made.steps[-1].arguments, text


def test_all_pictures_but_one() -> None:
    found = read("ignore the first picture, what is in the others?", THREE)
    assert found["images"] == ["attachment:2", "attachment:3"]
    found = read("rank these photos by how similar they are to the third one", THREE)
    assert found == {"like": "attachment:3", "images": ["attachment:1", "attachment:2"]}


def test_one_prompt_for_each_of_several_models() -> None:
    made = plan(
        Asked("draw a red cat twice: with schnell, then with klein 4b"), NAMES, load_tools()
    )
    assert isinstance(made, Run)
    assert [step.arguments["model"] for step in made.steps] == ["FLUX.1-schnell", "FLUX.2-klein-4B"]
    assert len({step.arguments["prompt"] for step in made.steps}) == 1


def test_what_is_not_wanted_is_no_format() -> None:
    assert read("export resnet50 to tflite, not onnx")["format"] == "litert"


# --- follow-ups
DREW = (
    {"role": "user", "text": "draw a tin robot with schnell, 512x512, 8 steps"},
    {"role": "assistant", "text": "Here is the picture."},
)
EDITED = (
    {"role": "user", "text": "make the sky purple", "attachments": ["image:lake.jpg"]},
    {"role": "assistant", "text": "Done."},
)


def later(
    text: str, history: tuple[dict[str, Any], ...], files: tuple[Attachment, ...] = ()
) -> dict[str, Any]:
    asked = Asked(text, files, exchanges_of(history, NAMES, load_tools()))
    made = plan(asked, NAMES, load_tools())
    assert isinstance(made, Run), (text, made)
    (step,) = steps_told(made.steps, asked)
    return dict(step["arguments"])


def test_a_multiple_of_what_was_said() -> None:
    assert later("again with double the steps", DREW)["steps"] == 16
    assert later("same, half the size", DREW)["width"] == 256


def test_one_more_change_is_made_to_what_came_out() -> None:
    found = later("add a small boat too", EDITED)
    assert found["images"] == ["turn:1/step:1"]
    assert "boat" in found["prompt"]
    assert later("same again with another seed", EDITED)["images"] == ["attachment:1"]


def test_files_keep_their_place_when_more_come() -> None:
    found = later("do the same to this one", EDITED, ONE)
    assert found["images"] == ["attachment:1"]
    found = later("again from the original photo, but green", EDITED)
    assert found["images"] == ["attachment:1"]


def test_nothing_was_made_by_a_question_that_was_asked_back() -> None:
    history = (
        {"role": "user", "text": "remove the lamp post"},
        {"role": "assistant", "text": "Please attach the picture."},
    )
    asked = Asked("the tall one on the left", (), exchanges_of(history, NAMES, load_tools()))
    assert not isinstance(plan(asked, NAMES, load_tools()), Run)


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("and how long for say 6000 pictures", 6000),
        ("how long for all 22000 on a macbook air", 22000),
        ("12,000 bird photos overnight?", 12000),
        ("how long for 4k slides", 4000),
        ("latency batch 1 vs batch 32", None),
        ("time it with batches of 32 pictures", None),
        ("100 runs, 2 threads", None),
    ],
)
def test_how_many_pictures_there_are_to_do(words: str, count: int | None) -> None:
    assert pictures_to_do(words) == count


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("time the two best on your machine", ("a", "b")),
        ("benchmark the first two here", ("a", "b")),
        ("what about the second one", ("b",)),
        ("and the last one", ("c",)),
        ("last one I tried added a balcony", ("a", "b", "c")),
        ("how will we know that it is right", ("a", "b", "c")),
    ],
)
def test_what_is_pointed_to_of_several(words: str, meant: tuple[str, ...]) -> None:
    assert pointed(words, ("a", "b", "c")) == meant
