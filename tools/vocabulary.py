"""The words by which people say what they need, claim, and ask of the assistant itself."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@cache
def vocabulary(name: str) -> Mapping[str, Any]:
    """The tables of `<name>.toml`, read once."""
    return tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))


def pattern(words: Sequence[str]) -> re.Pattern[str]:
    """A pattern that matches any of the alternatives."""
    return _compiled(tuple(words))


@cache
def _compiled(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(words))
