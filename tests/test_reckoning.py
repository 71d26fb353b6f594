"""What many pictures cost, by what a question tells of them."""

from pathlib import Path

import pytest

from assistant.grounding import faults
from index.replies import GUIDES, named_reply
from tests.answers import text_context
from tools.guiding import guided
from tools.reckoning import pictures_asked


@pytest.mark.parametrize(
    ("words", "count", "period"),
    [
        ("40 listings a week, 12 photos each. what is that monthly", 40 * 12 * 365 / 84, "month"),
        ("what do 3000 pictures cost", 3000, ""),
        ("200 pics a month, what do i pay a year", 2400, "year"),
        ("we do 300 images a day", 300, "day"),
        ("cost per 1k images", 1000, ""),
        ("what does it cost", 0, ""),
        ("is it worth 20 quid", 0, ""),
    ],
)
def test_pictures_are_counted_for_the_time_asked(words: str, count: float, period: str) -> None:
    told, asked = pictures_asked(words)
    assert told == pytest.approx(count)
    assert asked == period


@pytest.mark.parametrize(
    ("system", "total"),
    [("api:flux-2-pro", "$62.58"), ("FLUX.2-klein-4B", "$29.20"), ("FLUX.1-schnell", "")],
)
def test_a_price_is_that_of_the_service_that_runs_it(
    system: str, total: str, tmp_path: Path
) -> None:
    context, reply = text_context(tmp_path), named_reply(GUIDES, "picture-price")
    assert reply
    told = guided(context, "40 flats a week, 12 photos each, per month?", reply, system)
    assert total in told.text
    assert ("$" in told.text) == bool(total)
    assert faults(told, context.index.names) == ()
