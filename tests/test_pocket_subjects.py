"""Words around a subject of the pocket world, and around one of the wide world."""

import numpy as np
import pytest
from PIL import Image

from tests.subjects import SUBJECTS, VIEWS, seen
from tools import plain
from tools.pocket import subjects
from tools.pocket.world import KINDS


@pytest.mark.parametrize(
    ("noun", "kind"),
    [
        ("cup", "cup"),
        ("mug", "cup"),
        ("toy car", "car"),
        ("red sailboat", "boat"),
        ("ring", "ring"),
    ],
)
def test_the_kind_of_a_noun(noun: str, kind: str) -> None:
    assert subjects.kind_of(noun) == kind


@pytest.mark.parametrize("noun", ["robot", "teapot", "dragon"])
def test_a_noun_that_was_never_drawn_has_a_nearest_kind(noun: str) -> None:
    assert subjects.kind_of(noun) in KINDS


def test_photos_are_read() -> None:
    photos = [Image.fromarray(seen(SUBJECTS["robot"], view)) for view in VIEWS]
    found = subjects.around(photos)
    told = [(one.place, one.background) for one in found]
    assert told == [(view.place, view.background) for view in VIEWS]
    assert found[0].told("sks robot") == "a large sks robot in the centre on a white background"


def test_new_places_have_backgrounds_that_no_photo_has() -> None:
    known = [subjects.Around("large", "centre", view.background) for view in VIEWS]
    places = subjects.new_places(known, 4)
    assert not {place.background for place in places} & {view.background for view in VIEWS}
    assert len({place.background for place in places}) == 4
    assert len(subjects.new_places(known, 40)) == 40


def test_class_prompts_are_of_the_class_and_of_all() -> None:
    told = subjects.class_prompts("fish", 60)
    of_class = np.mean(["fish" in prompt for prompt in told])
    assert 0.4 < of_class < 0.75
    assert subjects.class_prompts("fish", 60) == told
    assert subjects.class_prompts("fish", 0) == []


def test_the_wide_world() -> None:
    [nothing] = plain.around([Image.new("RGB", (9, 9))])
    assert nothing.told("sks dog") == "a photo of a sks dog"
    assert plain.new_places([nothing], 2)[1].told("sks dog") == "a photo of a sks dog in the snow"
    assert plain.class_prompts(plain.kind_of("dog"), 2) == ["a photo of a dog"] * 2
