"""Jobs on the page: the list, one in full, its line, and how a conversation shows them."""

import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answer import Answer, StepState
from assistant.page.curve import curve_html
from assistant.page.jobs import SHOWN, job_html, jobs_html, unread_html
from assistant.page.memory import FRESH, remembered
from assistant.page.render import answer_messages, made
from tools.base import Image, Text
from tools.work import Entry, Job, State

HOME = Path("/home-of-a-test")
ODD = '<img src=x onerror="alert(1)"> & "${x}"'


def job(number: int, state: State, **more: object) -> Job:
    return Job(number, "finetune", f"Work {number}", state, **more)  # type: ignore[arg-type]


def buttons(html: str) -> list[str]:
    return re.findall(r'data-do="(pause|resume|cancel|retry)"', html)


class Tags(HTMLParser):
    """Counts how deep tags are open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Opens one."""
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Closes the last one."""
        assert self.open.pop() == tag


def whole(html: str) -> bool:
    """Whether every tag is closed, in order."""
    tags = Tags()
    tags.feed(re.sub(r"<(line|polyline|circle|img)([^>]*?)/?>", "", html))
    return not tags.open


# --- the list
def test_no_job_is_no_section() -> None:
    assert jobs_html(()) == ""


def test_what_runs_comes_first_then_the_line_in_its_order() -> None:
    jobs = [
        job(9, "done"), job(8, "queued", ahead=2), job(7, "queued", ahead=1), job(6, "paused"),
        job(5, "failed", error="It is 7."), job(4, "running", done=0.5, left=30.0),
    ]  # fmt: skip
    html = jobs_html(jobs)
    assert re.findall(r'data-key="(\d)"', html) == ["4", "7", "8", "6", "9", "5"]
    for said in ("running · 50% · 30 s left", "waits · 1 before it", "paused · 0%", "It is 7."):
        assert said in html
    assert html.count('role="progressbar"') == 2
    assert 'aria-valuenow="50"' in html
    assert whole(html)
    assert jobs_html([job(n, "done") for n in range(30)]).count("<li ") == SHOWN


@pytest.mark.parametrize(
    ("one", "fit"),
    [
        (job(1, "queued"), ["pause", "cancel"]),
        (job(1, "running"), ["pause", "cancel"]),
        (job(1, "running", wanted="pause"), ["cancel"]),
        (job(1, "running", wanted="cancel"), []),
        (job(1, "paused"), ["resume", "cancel"]),
        (job(1, "failed"), ["retry"]),
        (job(1, "cancelled"), ["retry"]),
        (job(1, "done"), []),
    ],
)
def test_the_buttons_fit_the_state(one: Job, fit: list[str]) -> None:
    assert buttons(jobs_html([one])) == fit
    assert buttons(job_html(one, (), "")) == fit


def test_long_work_is_marked() -> None:
    assert "data-long" in jobs_html([job(1, "running", seconds=61.0)])
    assert "data-long" not in jobs_html([job(1, "running", seconds=59.0)])
    assert "data-long" not in jobs_html([job(1, "cancelled", seconds=61.0)])


def test_what_others_wrote_is_inert() -> None:
    one = Job(1, "t", ODD, "failed", note=ODD, error=ODD, conversation=ODD)
    log = [Entry("2026-01-01T10:00:00.000+00:00", 0.5, ODD, {"step": s, ODD: s}) for s in (1, 2)]
    for html in (jobs_html([one]), job_html(one, log, ODD), unread_html(1, ODD)):
        assert "<img" not in html
        assert 'onerror="' not in html
        assert whole(html)


# --- one in full
def test_one_in_full_says_how_it_goes() -> None:
    log = [
        Entry(f"2026-01-01T10:00:{s:02}.000+00:00", s / 20, f"step {s}", {"step": s, "loss": 3 / s})
        for s in range(1, 20)
    ]
    one = job(3, "running", done=0.95, note="step 19", seconds=70.0, conversation="c1")
    html = job_html(one, log, "")
    assert "Job 3 · running · 95% · ran for 70 s" in html
    assert "Now: step 19" in html
    assert 'aria-label="loss over step: 3 at step 1, 0.1579 at step 19"' in html
    assert "<dt>loss</dt><dd>0.1579</dd>" in html
    assert html.count("<li>") == 8
    assert 'data-conversation="c1"' in html
    assert "Now:" not in job_html(job(3, "paused", note="step 19"), log, "")


def test_what_it_has_made_has_addresses() -> None:
    assert made((), HOME) == ""
    said = made((Text("Two."), Image(HOME / "runs/me/r1/a.png", "a house")), HOME)
    assert said.startswith("### Made so far\n\nTwo.")
    assert "(files/runs/r1/a.png)" in said


# --- its line
NUMBERS = st.floats(allow_nan=True, allow_infinity=True, width=32)


@given(st.lists(NUMBERS, max_size=300))
def test_any_line_is_drawn_inside(values: list[float]) -> None:
    html = curve_html("loss", [(float(step), value) for step, value in enumerate(values)])
    drawn = sum(map(math.isfinite, values))
    assert bool(html) == (drawn > 1)
    if html:
        assert whole(html)
        line = re.findall(r'polyline points="([^"]+)"', html)[0]
        places = [tuple(map(float, place.split(","))) for place in line.split()]
        assert all(0 <= x <= 360 and 0 <= y <= 200 for x, y in places)
        assert html.count("<text") < 25


def test_a_long_line_is_thinned_and_keeps_its_end() -> None:
    html = curve_html("loss", [(step, 1 / step) for step in range(1, 5_001)])
    assert len(re.findall(r"[\d.]+,[\d.]+", html.partition("polyline")[2])) < 260
    assert "at step 5,000" in html


def test_a_flat_line_has_labels() -> None:
    html = curve_html("loss", [(1, 0.0), (2, 0.0)])
    assert html.count("<text") >= 3


# --- in the conversation
def test_a_step_that_goes_on_as_a_job_does_not_spin() -> None:
    def shown(**step: object) -> tuple[str, str]:
        state = StepState("benchmark", {}, job="3", **step)  # type: ignore[arg-type]
        answer = Answer("?", "c", 1, "run", (state,), finished=True)
        told = answer_messages(answer, (), HOME)[0]["metadata"]
        return told["title"], told["status"]

    running = shown(status="running", done=0.42, seconds=9.0)
    assert running == ("benchmark · job 3 is running · 42%", "done")
    assert shown(status="running")[0] == "benchmark · job 3 waits to begin"
    assert shown(status="waiting", done=0.4)[0] == "benchmark · job 3 is paused · 40%"
    assert shown(status="done", seconds=9.0)[0] == "benchmark · done · 9.0 s"


def test_a_tab_remembers_where_jobs_stand() -> None:
    step = StepState("benchmark", {}, "running", job="3", done=0.424)
    answer = Answer("?", "c", 2, "run", (step,), finished=True)
    told = remembered(answer, 1, {"1": "done 100%"})
    jobs = {"1": "done 100%", "3": "running 42%"}
    assert told == {**FRESH, "conversation": "c", "seen": "2.1", "jobs": jobs}
