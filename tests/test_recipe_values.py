"""Values of a recipe are bounded and clean, whatever a file says."""

import json
import math
from dataclasses import asdict, fields, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tools import recipe
from tools.recipe import Recipe


def test_only_good_values_are_taken() -> None:
    odd = {
        "fitting-room": "2", "prompt": "a\0b\x1b[31m\r\nc\u202ed\ud800", "negative_prompt": 7,
        "model": " two\n lines ", "seed": True, "width": 4.0, "height": -1, "steps": "12",
        "guidance": math.inf, "strength": math.nan, "mode": None, "licence": "x" * 300,
        "adapters": [["a", 1], ["b"], "cd", ["e", "NaN"], [7, 1], ["f", "-0.5"]],
        "made": "yesterday", "version": [], "owner": "Joe",
    }  # fmt: skip
    assert recipe.clean(odd) == replace(
        recipe.clean({}), prompt="ab[31m\ncd", model="two lines", width=4, steps=12,
        licence="x" * 200, adapters=(("a", 1.0), ("f", -0.5)),
    )  # fmt: skip


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = [field.name for field in fields(Recipe)]


@given(st.dictionaries(st.sampled_from(NAMES), ANY))
def test_values_are_bounded(data: dict[str, Any]) -> None:
    made = recipe.clean(data)
    assert recipe.clean(asdict(made)) == made
    assert recipe.clean(json.loads(json.dumps(asdict(made), allow_nan=False))) == made
    recipe.told(made)
    recipe.metadata(made)
