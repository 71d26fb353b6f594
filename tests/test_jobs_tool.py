"""The tool `jobs`: what it says of long work, and what it does with it."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assistant.answer import Answer
from assistant.ask import ask, call
from assistant.conversation import Question
from assistant.grounding import faults
from assistant.jobs.owner import OwnerJobs
from assistant.settings import Settings
from assistant.steps import Assistant
from assistant.store import Store
from assistant.store.claims import End
from assistant.store.jobs import NewJob
from assistant.wiring import open_assistant
from tests.contexts import context, small_index
from tools.base import Block, NeedsInput, Plot, Table, Text, ToolFailed
from tools.jobs import jobs, line
from tools.work import Entry, duration


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'rooms.db'}")
    yield store
    store.close()


def submit(store: Store, title: str = "Speed: convnext_femto", owner: str = "me") -> int:
    new = NewJob(f"{title}{len(store.jobs.list(owner))}", "benchmark", title, {}, {}, "device")
    return store.jobs.submit(owner, new)


def entry(step: int, note: str = "step 3 of 8: loss 0.412, 87/s") -> Entry:
    return Entry(
        f"2026-11-23T10:00:{step:02d}.000", step / 8, note, {"step": step, "loss": 1 / step}
    )


def run(store: Store, folder: Path, **arguments: Any) -> list[Block]:
    owned = OwnerJobs(store.jobs, "me", lambda: None)
    ctx = replace(context(folder), jobs=owned)
    found = list(jobs(ctx, **arguments))
    for block in found:
        assert not faults(block, small_index().names)
    return found


def said(blocks: Sequence[Block]) -> list[str]:
    return [block.text for block in blocks if isinstance(block, Text)]


def test_nothing_yet(kept: Store, tmp_path: Path) -> None:
    assert said(run(kept, tmp_path))[0].startswith("There is no long work yet.")
    with pytest.raises(ToolFailed, match="nothing to watch"):
        run(kept, tmp_path, action="watch")
    with pytest.raises(ToolFailed, match="There is no job to cancel"):
        run(kept, tmp_path, action="cancel")


def test_the_list_tells_state_progress_and_place(kept: Store, tmp_path: Path) -> None:
    first, second = submit(kept), submit(kept, "Train: 7 things")
    claim = kept.claims.claim("one", "device")
    assert claim
    kept.claims.beat(claim, entry(2), 130.0, 390.0)
    submit(kept, owner="you")
    text, table = run(kept, tmp_path)
    assert isinstance(text, Text)
    assert isinstance(table, Table)
    assert (
        text.text == f"Job {second} (Train: 7 things) waits in the line; one job comes before it."
    )
    assert table.rows == (
        (str(second), "Train: 7 things", "queued", "0%", "1 before it", "0 s"),
        (str(first), "Speed: convnext_femto", "running", "25%", "6 min", "2 min"),
    )
    told = text.data["jobs"][1]
    assert (told["job"], told["state"], told["done"], told["seconds_left"]) == (
        str(first), "running", 0.25, 390.0,
    )  # fmt: skip


def test_a_job_is_watched_with_its_course_and_log(kept: Store, tmp_path: Path) -> None:
    number = submit(kept)
    claim = kept.claims.claim("one", "device")
    assert claim
    for step in range(1, 9):
        kept.claims.beat(claim, entry(step), 1.0, 12.0)
    kept.claims.keep(claim, (Text("so far so good"),))
    text, plot, log, made = run(kept, tmp_path, action="watch")
    assert isinstance(text, Text)
    assert "is running: 100% done, about 12 s left. Now: step 3 of 8: loss 0.412" in text.text
    assert isinstance(plot, Plot)
    assert plot.path.stat().st_size > 5_000
    assert plot.alt == "A line: loss over step"
    assert isinstance(log, Table)
    assert len(log.rows) == 8
    assert made == Text("so far so good")
    kept.claims.end(claim, End("failed", "It is 7 GiB. Take 8."))
    told = said(run(kept, tmp_path, action="watch", job=f"job {number}"))
    assert "has failed: It is 7 GiB. Take 8. Retry goes on" in told[0]


def test_a_step_that_was_redone_is_plotted_once() -> None:
    log = [entry(1), entry(2), entry(3), entry(2), entry(3), entry(4)]
    found = line(log)
    assert found
    assert found == ("loss", [(1, 1.0), (2, 1 / 2), (3, 1 / 3), (4, 1 / 4)])
    assert line(log[:1]) is None
    assert line([Entry("", 0.0, "no figures")]) is None


def test_the_only_one_that_fits_is_meant(kept: Store, tmp_path: Path) -> None:
    number = submit(kept)
    assert said(run(kept, tmp_path, action="pause"))[0].endswith("is paused.")
    assert said(run(kept, tmp_path, action="resume"))[0].endswith("is resumed.")
    assert kept.claims.claim("one", "device")
    assert "is told to cancel; it saves first" in said(run(kept, tmp_path, action="cancel"))[0]
    assert kept.jobs.get("me", number).wanted == "cancel"


def test_of_several_one_is_asked_for(kept: Store, tmp_path: Path) -> None:
    numbers = [submit(kept) for _ in range(3)]
    with pytest.raises(NeedsInput, match="Which job shall I cancel") as asked:
        run(kept, tmp_path, action="cancel")
    assert asked.value.choices == tuple(f"Cancel job {n}" for n in reversed(numbers))
    assert said(run(kept, tmp_path, action="cancel", job=f"#{numbers[1]}"))
    assert kept.jobs.get("me", numbers[0]).state == "queued"
    assert len(said(run(kept, tmp_path, action="cancel", job="all"))) == 2
    told = run(kept, tmp_path, action="retry", job=str(numbers[0]))
    assert said(told)[0].endswith("is started again.")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"action": "cancel", "job": "7"}, "There is no job 7 here"),
        ({"action": "watch", "job": "999999999"}, "There is no job 999999999 here"),
        ({"action": "cancel", "job": "the blue one"}, "'the blue one' is no number of a job"),
        ({"action": "resume", "job": "1"}, "Job 1 runs already; there is nothing to resume"),
        ({"action": "retry", "job": "1"}, "Job 1 runs already; there is nothing to retry"),
        ({"action": "cancel", "job": "2"}, "Job 2 is done already; there is nothing to cancel"),
        ({"action": "retry", "job": "2"}, "Job 2 is done. Ask for the same again"),
    ],
)
def test_what_cannot_be_done_is_said(
    kept: Store, tmp_path: Path, arguments: dict[str, str], says: str
) -> None:
    first, second = submit(kept), submit(kept)
    claims = [kept.claims.claim("one", "device") for _ in range(2)]
    assert (first, second) == (1, 2)
    assert claims[1]
    kept.claims.end(claims[1], End("done"))
    with pytest.raises(ToolFailed, match=says):
        run(kept, tmp_path, **arguments)


def test_lengths_of_time() -> None:
    lengths = (0.2, 45, 89, 130, 3600, 7500)
    assert [duration(s) for s in lengths] == ["0 s", "45 s", "89 s", "2 min", "1 h", "2 h 5 min"]


# --- from a question to a job and back
@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    settings = Settings(home=tmp_path_factory.mktemp("home"), offline=True)
    with closing(open_assistant(settings, serves=True)) as assistant:
        yield assistant


def last(assistant: Assistant, question: Question) -> Answer:
    return list(ask(assistant, question))[-1]


TIMED = (
    "time convnext_femto.d1_in1k and convnext_atto.d2_in1k and resnet18.a1_in1k and "
    "resnet50.a1_in1k and pocket-convnext"
)


def test_long_work_asks_first_and_goes_on_as_a_job(opened: Assistant) -> None:
    asked = last(opened, Question(TIMED))
    assert (asked.outcome, asked.choices[0]) == ("clarify", "Yes, time them")
    agreed = Question("yes", conversation=asked.conversation)
    answer = last(opened, agreed)
    [step] = answer.steps
    assert (answer.outcome, step.tool, step.status) == ("run", "benchmark", "running")
    assert step.job
    assert f"Job {step.job} has started" in said(answer.blocks)[0]
    job = opened.jobs.of("me").get(int(step.job))
    assert (job.state, job.conversation, job.turn) == ("queued", answer.conversation, answer.turn)
    status = last(opened, Question("how far is my job?", conversation=asked.conversation))
    assert status.steps[0].tool == "jobs"
    assert f"Job {step.job} " in said(status.blocks)[0]
    assert last(opened, Question("cancel it", conversation=asked.conversation)).outcome == "run"
    job = opened.jobs.of("me").get(int(step.job))
    assert job.state == "cancelled"
    assert job.title.startswith("Measure speed and memory: convnext_femto.d1_in1k, convnext_atto")


def test_the_same_answer_twice_is_one_job(opened: Assistant) -> None:
    """A double click on the consent: the same turn and answer, asked at the same moment."""
    asked = last(opened, Question(TIMED))
    before = len(opened.jobs.of("me").list())
    double = Question(
        TIMED,
        conversation=asked.conversation,
        turn=asked.turn,
        agreement=asked.consent or Question("").agreement,
    )
    both = zip(ask(opened, double), ask(opened, double), strict=True)
    first, second = list(both)[-1]
    assert first.steps[0].job == second.steps[0].job != ""
    assert len(opened.jobs.of("me").list()) == before + 1
    opened.jobs.of("me").act("cancel", opened.jobs.of("me").list()[0].number)


def test_what_a_job_made_stands_in_its_conversation(opened: Assistant) -> None:
    asked = last(opened, Question(TIMED))
    answer = last(opened, Question("yes", conversation=asked.conversation))
    number = int(answer.steps[0].job or 0)
    claim = opened.store.claims.claim("somebody", "device", only=(number,))
    assert claim
    opened.store.claims.keep(claim, (Text("femto was the fastest"),))
    opened.store.claims.end(claim, End("done"), seconds=70.0)
    kept = opened.store.turns("me", answer.conversation)[-1].answers[-1]
    assert [step["status"] for step in kept["steps"]] == ["done"]
    assert kept["seconds"] == pytest.approx(answer.seconds + 70.0, abs=1.0)
    assert [block["text"] for block in kept["blocks"]] == ["femto was the fastest"]


def test_a_failed_job_says_so_in_its_conversation(opened: Assistant) -> None:
    asked = last(opened, Question(TIMED))
    answer = last(opened, Question("yes", conversation=asked.conversation))
    number = int(answer.steps[0].job or 0)
    claim = opened.store.claims.claim("somebody", "device", only=(number,))
    assert claim
    opened.store.claims.end(claim, End("failed", "The model is gone. Name another."))
    kept = opened.store.turns("me", answer.conversation)[-1].answers[-1]
    assert (kept["steps"][0]["status"], kept["steps"][0]["error"]) == (
        "failed", "The model is gone. Name another.",
    )  # fmt: skip
    assert kept["ask"] == "The model is gone. Name another."


def test_changed_arguments_are_refused(opened: Assistant) -> None:
    arguments = {"action": "retry", "job": "1", "epochs": "9"}
    answer = list(call(opened, "jobs", arguments, Question("")))[-1]
    assert answer.outcome == "failed"
    assert answer.ask == "jobs has no argument 'epochs'. It takes: action, job."
