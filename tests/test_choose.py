"""The tool where the router and what a message is after do not agree."""

import pytest

from assistant.choose import settled_tool
from assistant.router import NONE
from index.replies import BRIEF, DO, PICK
from index.topics import Topic


def after(name: str, share: float, general: float = 0.0, absent: float = 0.0) -> Topic:
    return Topic(name, share, "accuracy", 0.0, general, "detection", absent)


@pytest.mark.parametrize(
    ("tool", "topic", "settled"),
    [
        (NONE, after("accuracy", 0.9, general=0.95), "explain"),
        (NONE, after("accuracy", 0.4, general=0.5), NONE),
        (NONE, after(BRIEF, 0.9), "recommend"),
        (NONE, after("detection", 0.9, absent=0.95), NONE),
        ("explain", after("detection", 0.95, absent=0.97), NONE),
        ("explain", after("detection", 0.5, absent=0.6), "explain"),
        ("help", after(PICK, 0.9), "recommend"),
        ("jobs", after("training-time", 0.9, general=0.95), "explain"),
        ("jobs", after(DO, 0.9), "jobs"),
        ("generate", after("detection", 0.95, absent=0.97), "generate"),
        ("recommend", after("accuracy", 0.95, general=0.99), "recommend"),
    ],
)
def test_what_a_message_is_after_settles_it_where_it_is_sure(
    tool: str, topic: Topic, settled: str
) -> None:
    assert settled_tool(tool, topic, talks=False) == settled


def test_in_a_talk_less_is_declined() -> None:
    asked = after("picture-price", 0.5, general=0.8)
    assert settled_tool(NONE, asked, talks=True) == "explain"
    assert settled_tool(NONE, asked, talks=False) == NONE
