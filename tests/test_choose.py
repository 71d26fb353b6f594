"""The tool where the router and what a message is after do not agree."""

import numpy as np
import pytest

from assistant.choose import chosen_tool
from assistant.router import LABELS, NONE, Reading, Situation
from index.topics import Topic


def reading(tools: dict[str, float], after: dict[str, float], work: float = 0.0) -> Reading:
    """A reading with the probabilities of some tools, and of what the message is after."""
    none = np.zeros((1, 0), np.float32)
    logs = np.log([max(tools.get(name, 0.0), 1e-9) for name in LABELS]).astype(np.float32)
    told = {"none": 0.0, "recommend": 0.0, "help": 0.0, "explain": 0.0} | after
    topic = Topic("other", 0.0, "accuracy", 0.0, "detection", told, work)
    return Reading(logs, none, none[0], (), {}, topic)


@pytest.mark.parametrize(
    ("tools", "after", "work", "chosen"),
    [
        ({"explain": 0.9}, {"none": 0.95}, 0.0, NONE),
        ({NONE: 0.25, "explain": 0.7}, {"explain": 0.99}, 0.0, "explain"),
        ({"help": 0.6, "recommend": 0.4}, {"recommend": 0.9}, 0.0, "recommend"),
        ({"jobs": 0.6, "explain": 0.4}, {"explain": 0.95}, 0.0, "explain"),
        ({"jobs": 0.5, "explain": 0.45}, {}, 0.95, "jobs"),
        ({"generate": 0.5, "edit": 0.4, "explain": 0.1}, {}, 0.9, "generate"),
        ({"verify": 0.6, "explain": 0.4}, {}, 0.0, "verify"),
    ],
)
def test_what_a_message_is_after_counts_beside_its_tool(
    tools: dict[str, float], after: dict[str, float], work: float, chosen: str
) -> None:
    talk = Situation(last="classify")
    assert chosen_tool(reading(tools, after, work), talk)[0] == chosen


def test_what_words_are_after_says_nothing_of_files() -> None:
    what = reading({"classify": 0.6, "explain": 0.4}, {"explain": 0.9})
    assert chosen_tool(what, Situation(last="classify", images=1))[0] == "classify"
    assert chosen_tool(what, Situation(last="classify"))[0] == "explain"


def test_the_same_again_need_not_be_the_last_step() -> None:
    drawn = reading({"generate": 0.9}, {}, 0.9)
    between = Situation(last="explain")
    assert chosen_tool(drawn, between, "the lighthouse with the same seed") == ("generate", True)
    assert chosen_tool(drawn, between, "a lighthouse") == ("generate", False)
