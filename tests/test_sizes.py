"""Sizes that a model takes, and the nearest legal one for those that it does not."""

import pytest

from index.card import Run
from tools.base import NeedsInput
from tools.sizes import of_picture, size

SCHNELL = Run(width=1024, height=1024, multiple_of=16, max_megapixels=4.0)
POCKET = Run(width=96, height=96, min_side=96, max_side=96, multiple_of=16)


@pytest.mark.parametrize(
    ("run", "asked", "drawn"),
    [
        (SCHNELL, (None, None), (1024, 1024)),
        (SCHNELL, (768, None), (768, 768)),
        (SCHNELL, (None, 512), (512, 512)),
        (SCHNELL, (1344, 768), (1344, 768)),
        (POCKET, (None, None), (96, 96)),
        (Run(), (None, None), (1024, 1024)),
    ],
)
def test_a_legal_size_is_taken(
    run: Run, asked: tuple[int | None, int | None], drawn: tuple[int, int]
) -> None:
    assert size("it", run, *asked) == drawn


@pytest.mark.parametrize(
    ("run", "asked", "offered"),
    [
        (SCHNELL, (1000, 1000), "992 x 992"),
        (SCHNELL, (7, 7), "64 x 64"),
        (SCHNELL, (-64, 512), "64 x 512"),
        (SCHNELL, (0, 0), "64 x 64"),
        (SCHNELL, (4096, 4096), "2048 x 2048"),
        (SCHNELL, (10**9, 10**9), "2048 x 2048"),
        (SCHNELL, (4000, 2000), "2896 x 1440"),
        (POCKET, (512, 512), "96 x 96"),
        (Run(multiple_of=32, min_side=256, max_side=1440), (100, 2000), "256 x 1440"),
    ],
)
def test_the_nearest_legal_size_is_offered(run: Run, asked: tuple[int, int], offered: str) -> None:
    with pytest.raises(NeedsInput, match=f"cannot draw .* takes is {offered}") as said:
        size("it", run, *asked)
    width, height = map(int, offered.split(" x "))
    assert said.value.choices == (f"Use {width}x{height}",)
    assert size("it", run, width, height) == (width, height)


@pytest.mark.parametrize(
    ("run", "picture", "asked", "drawn"),
    [
        (SCHNELL, (640, 480), (None, None), (640, 480)),
        (SCHNELL, (1000, 667), (None, None), (992, 672)),
        (SCHNELL, (4000, 3000), (None, None), (1168, 880)),
        (SCHNELL, (4000, 3000), (1600, None), (1600, 1200)),
        (SCHNELL, (300, 400), (None, 800), (608, 800)),
        (SCHNELL, (300, 400), (512, 512), (512, 512)),
        (SCHNELL, (5, 5000), (None, None), (64, 4096)),
        (POCKET, (4000, 3000), (None, None), (96, 96)),
    ],
)
def test_the_size_of_a_picture_is_kept_as_far_as_it_is_legal(
    run: Run,
    picture: tuple[int, int],
    asked: tuple[int | None, int | None],
    drawn: tuple[int, int],
) -> None:
    assert of_picture("it", run, picture, *asked) == drawn


@pytest.mark.parametrize("width", [0, 7, -64, 10**9])
def test_a_side_that_makes_no_sense_beside_a_picture(width: int) -> None:
    with pytest.raises(NeedsInput, match="nearest size that it takes is"):
        of_picture("it", SCHNELL, (640, 480), width, None)
