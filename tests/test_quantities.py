"""Numbers are found with their units."""

import pytest

from index.quantities import number_of, quantities


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("under 8 gb", 8, "GiB"),
        ("8gb vram", 8, "GiB"),
        ("2 cents each", 0.02, "USD"),
        ("$0.05 a picture", 0.05, "USD"),
        ("30 fps", 30, "images/s"),
        ("30 frames per second", 30, "images/s"),
        ("12 million parameters", 12e6, "number"),
        ("5m params", 5e6, "number"),
        ("60 %", 60, "%"),
        ("4 megapixels", 4, "megapixels"),
        ("100ms", 100, "ms"),
        ("1,000 iterations", 1000, "steps"),
        ("seed 7", 7, ""),
        ("2 minutes", 120, "s"),
        ("half a second", 0.5, "s"),
        ("a fifth of a cent", 0.002, "USD"),
        ("one second", 1, "s"),
        ("under a million", 1e6, "number"),
        ("2 and a half million", 2.5e6, "number"),
        ("20 per second", 20, "images/s"),
        ("12 frames/s", 12, "images/s"),
        ("600 photos per minute", 10, "images/s"),
        ("eur 0.03", 0.03, "USD"),
    ],
)
def test_a_number_has_its_unit(text: str, value: float, unit: str) -> None:
    (found,) = quantities(text)
    assert found.value == pytest.approx(value)
    assert found.unit == unit


@pytest.mark.parametrize("text", ["768x512", "768 x 512 px", "768 by 512", "768*512"])
def test_a_size_has_two_sides(text: str) -> None:
    (found,) = quantities(text)
    assert (found.value, found.height, found.unit) == (768, 512, "size")


def test_numbers_are_in_order_and_those_in_words_are_none() -> None:
    assert [found.value for found in quantities("3 of 4 at fp16, v2")] == [3, 4]


@pytest.mark.parametrize(
    ("written", "value"), [("1,000", 1000), ("0,5", 0.5), ("1e-4", 1e-4), ("3 e - 4", 3e-4)]
)
def test_a_number_is_read_as_people_write_it(written: str, value: float) -> None:
    assert number_of(written) == pytest.approx(value)
