"""Any text is parsed, and none takes long; the forms themselves are in test_recipe.py."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools import a1111
from tools.a1111 import Infotext


@pytest.mark.parametrize(
    "value", ["plain", "a, b", "a: b", 'say "hi", now', "back\\slash, x", "é,漢"]
)
def test_a_value_comes_back(value: str) -> None:
    settings = {"Steps": "1", "Seed": "2", "Model": value}
    info = Infotext("a cat", "a dog", (("style", "0.5"),), settings)
    assert a1111.parse(a1111.write(info)) == info


def test_what_is_not_known_is_left_out() -> None:
    assert a1111.write(Infotext("a cat", settings={"Steps": "4", "Model": ""})) == "a cat\nSteps: 4"
    assert a1111.write(Infotext("", settings={"Steps": "4"})) == "Steps: 4"


@given(st.text() | st.text(st.sampled_from('ab:,"\\ \n<>lora12')))
def test_any_text_is_parsed(text: str) -> None:
    a1111.parse(text)
    a1111.parse(f"{text}\nSteps: 1, Seed: 2, {text}: 3")


@pytest.mark.parametrize("part", ["a", "a ", 'aa:"', 'aa:"\\', "aa: ", "<lora:", "<lora:a:1:", " "])
def test_no_text_takes_long(part: str) -> None:
    started = time.process_time()
    for length in (19_000, 300_000):
        a1111.parse((part * length)[:length])
        a1111.parse((part * length)[:length] + "\nSteps: 1, Seed: 2, Size: 3x4")
    assert time.process_time() - started < 5
