"""Every fault of the hosted service again and again: nothing paid twice, no key let out."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.bfl_scripts import SCRIPTS, Script
from tests.test_bfl import Room, play, room

__all__ = ["room"]  # the fixture

ROUNDS = 5


@pytest.fixture(scope="module")
def figures() -> Iterator[Counter[str]]:
    """What was counted in all rounds, printed at the end."""
    counted: Counter[str] = Counter()
    yield counted
    runs = counted.pop("runs")
    print(f"\n{len(SCRIPTS)} scripts of faults, {runs} runs")
    for name, count in counted.items():
        print(f"{count:8g}  {name}")


@pytest.mark.parametrize("turn", range(ROUNDS))
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_script_again(
    room: Room,
    script: Script,
    turn: int,
    caplog: pytest.LogCaptureFixture,
    figures: Counter[str],
) -> None:
    found = play(room, script, caplog)
    figures.update({"runs": 1, **found})
    assert not any(found.values())
