"""Jobs in a real process: they go on whatever happens, and people who wait go first."""

import re
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from assistant import runs
from assistant.jobs import Jobs
from assistant.settings import Settings
from assistant.store import Store
from assistant.store.jobs import NewJob
from assistant.worker import Progress, WorkerDied
from tests.jobs import Room, room, submit
from tests.processes import wait_for
from tools.base import Agreement, Block, Stopped, Text, ToolFailed
from tools.work import Action, Job


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A room whose runner stays, for what does not end it."""
    settings = Settings(home=tmp_path_factory.mktemp("home"), device="cpu", memory_gib=2.0)
    with room(settings, silence=4.0) as made:
        made.jobs.start()
        made.worker.start()
        yield made


@pytest.fixture
def jobs(shared: Room) -> Jobs:
    wait_for(lambda: shared.worker.ready)
    return shared.jobs


def job(jobs: Jobs, number: int) -> Job:
    return jobs.of("me").get(number)


def until(jobs: Jobs, number: int, *states: str) -> Job:
    wait_for(lambda: job(jobs, number).state in states)
    return job(jobs, number)


def running(jobs: Jobs, number: int) -> Job:
    """Waits until a job is under way, its process being up."""
    wait_for(lambda: job(jobs, number).done > 0)
    return job(jobs, number)


def said(blocks: tuple[Block, ...]) -> list[str]:
    return [block.text for block in blocks if isinstance(block, Text)]


# --- a job from beginning to end
def test_a_job_is_run_and_kept(jobs: Jobs, shared: Room) -> None:
    number = submit(jobs, "keep", upto=3)
    ended = until(jobs, number, "done")
    assert (ended.title, ended.done, said(ended.blocks)) == ("a test", 1.0, ["begun x"])
    assert ended.seconds > 0
    home = shared.settings.home
    wait_for(lambda: not (home / "jobs" / "me" / str(number)).exists(), 10)
    manifests = [path.read_text() for path in (home / "runs" / "me").glob("*/manifest.json")]
    assert sum(f'"job": {number},' in text for text in manifests) == 1


def test_figures_that_a_job_measures_are_kept(jobs: Jobs, shared: Room) -> None:
    until(jobs, submit(jobs, "measure"), "done")
    [measured] = shared.store.measurements("me", "m")
    assert measured.value == 1.5


def test_following_tells_how_far_it_is_and_what_it_made(jobs: Jobs) -> None:
    told = list(jobs.follow("me", submit(jobs, "keep", upto=8, seconds=1.0)))
    shares = [message.done for message in told if isinstance(message, Progress)]
    assert shares == sorted(shares)
    assert 0 < max(shares) < 1
    assert told[-1] == Text("begun x")


def test_a_job_beside_the_device_does_not_wait_for_it(jobs: Jobs) -> None:
    long = submit(jobs, "keep", upto=200, seconds=0.1)
    running(jobs, long)
    light = until(jobs, submit(jobs, "beside", seconds=0.1), "done")
    assert said(light.blocks) == ["beside it was"]
    assert job(jobs, long).state == "running"
    jobs.of("me").act("cancel", long)
    assert until(jobs, long, "cancelled").ended


# --- what the person does with it
def test_pause_and_resume_go_on_where_it_was(jobs: Jobs) -> None:
    number = submit(jobs, "keep", upto=60, seconds=0.1)
    running(jobs, number)
    assert jobs.of("me").act("pause", number).wanted == "pause"
    paused = until(jobs, number, "paused")
    assert 0 < paused.done < 1
    jobs.of("me").act("resume", number)
    assert said(until(jobs, number, "done").blocks) == ["begun xx"]


def test_cancel_and_retry_go_on_where_it_was(jobs: Jobs) -> None:
    number = submit(jobs, "keep", request="again", upto=60, seconds=0.1)
    running(jobs, number)
    jobs.of("me").act("cancel", number)
    until(jobs, number, "cancelled")
    jobs.of("me").act("retry", number)
    assert said(until(jobs, number, "done").blocks) == ["begun xx"]


def test_a_job_of_another_owner_is_unknown(jobs: Jobs) -> None:
    number = submit(jobs, "keep", owner="you", upto=1)
    actions: tuple[Action, ...] = ("cancel", "pause", "resume", "retry")
    for action in actions:
        with pytest.raises(ToolFailed, match=f"There is no job {number} here"):
            jobs.of("me").act(action, number)
    for look in (jobs.of("me").get, jobs.of("me").log):
        with pytest.raises(ToolFailed, match=f"There is no job {number} here"):
            look(number)


# --- what goes wrong
@pytest.mark.parametrize(
    ("tool", "arguments", "crashes", "says"),
    [
        ("die", {"how": "crash"}, 2, "twice. .* by SIGSEGV"),
        ("gasp", {}, 2, "twice. .* with exit code 5"),
        ("spin", {}, 2, "twice. spin gave no sign of life for 4 seconds"),
        ("bomb", {}, 0, "bomb needs more memory than cpu has free"),
        ("fail", {"how": "failed"}, 0, "It is 7. Take 8."),
        ("fail", {"how": "bug"}, 0, "met an error of its own"),
        ("fail", {"how": "input"}, 0, "Which one?"),
        ("count", {"upto": "many"}, 0, "upto is 'many', but should be"),
    ],
)
def test_a_poisonous_job_is_tried_twice_at_most(
    jobs: Jobs, shared: Room, tool: str, arguments: Mapping[str, Any], crashes: int, says: str
) -> None:
    """R5: it fails with its reason, and the others go on."""
    poison = submit(jobs, tool, request=f"{tool}{arguments}", **arguments)
    beside = [submit(jobs, "keep", request=f"{tool}{arguments}{n}", upto=2) for n in range(2)]
    failed = until(jobs, poison, "failed")
    assert failed.crashes == crashes
    assert re.search(says, failed.error), failed.error
    for number in beside:
        assert until(jobs, number, "done", "failed").state == "done"


# --- people who wait go first
def turn(shared: Room, tool: str, **arguments: Any) -> Iterator[Any]:
    return shared.worker.run(
        tool,
        arguments,
        owner="you",
        run=runs.start(shared.settings.home, "you"),
        agreement=Agreement(),
        stop=threading.Event(),
    )


def test_a_turn_goes_before_the_job_that_runs(jobs: Jobs, shared: Room) -> None:
    number = submit(jobs, "keep", request="visited often", upto=200, seconds=0.1)
    running(jobs, number)
    for _ in range(5):
        assert said(tuple(turn(shared, "count", upto=1))) == ["1"]
        assert job(jobs, number).state == "running"
    jobs.of("me").act("cancel", number)
    until(jobs, number, "cancelled")


def test_a_guest_leaves_the_randomness_of_the_job_alone(jobs: Jobs, shared: Room) -> None:
    alone = until(jobs, submit(jobs, "draw", many=120), "done")
    number = submit(jobs, "draw", request="visited", many=120, seconds=0.1)
    running(jobs, number)
    for _ in range(3):
        assert said(tuple(turn(shared, "shuffle"))) == ["shuffled"]
    assert job(jobs, number).state == "running"
    assert until(jobs, number, "done").blocks == alone.blocks


def test_a_guest_that_dies_is_not_laid_at_the_door_of_the_job(jobs: Jobs, shared: Room) -> None:
    number = submit(jobs, "keep", request="host", upto=60, seconds=0.1)
    running(jobs, number)
    with pytest.raises(WorkerDied, match="with exit code 3"):
        list(turn(shared, "die", how="exit"))
    ended = until(jobs, number, "done", "failed")
    assert (ended.state, ended.crashes, said(ended.blocks)) == ("done", 0, ["begun xx"])


def test_a_job_that_dies_with_a_guest_before_the_door(jobs: Jobs, shared: Room) -> None:
    """The guest was handed over, but not begun with: it is run all the same."""
    number = submit(jobs, "spin", request="no guests")
    wait_for(lambda: job(jobs, number).blocks, 60)
    assert said(tuple(turn(shared, "count", upto=1))) == ["1"]
    until(jobs, number, "failed")


def test_a_long_job_steps_aside_for_another_owner(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.jobs.runner._TURN", 0.5)
    long = submit(jobs, "keep", request="long", upto=60, seconds=0.1)
    running(jobs, long)
    short = submit(jobs, "keep", owner="you", request="short", upto=1)
    wait_for(lambda: jobs.of("you").get(short).state == "done", 60)
    assert job(jobs, long).state in ("queued", "running")
    assert said(until(jobs, long, "done").blocks)[0].startswith("begun xx")
    assert job(jobs, long).crashes == 0


# --- ends and starts
def test_an_end_of_the_server_keeps_the_job_for_the_next(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "ends", device="cpu")
    with room(settings) as first:
        number = submit(first.jobs, "keep", upto=60, seconds=0.1)
        waiting = submit(first.jobs, "keep", request="later", upto=1)
        first.jobs.start()
        running(first.jobs, number)
    with room(settings) as between:
        left = job(between.jobs, number)
        assert (left.state, left.wanted) == ("queued", "")
        assert 0 < left.done < 1
        between.jobs.start()
        assert said(until(between.jobs, number, "done").blocks) == ["begun xx"]
        assert said(until(between.jobs, waiting, "done").blocks) == ["begun x"]
        assert job(between.jobs, number).crashes == 0


def test_jobs_that_another_process_submits_are_seen(jobs: Jobs, shared: Room) -> None:
    other, agreed = Store(shared.settings.database), vars(Agreement())
    new = NewJob("elsewhere", "keep", "Elsewhere", {"upto": 1}, agreed, "device")
    unknown = NewJob("newer", "not yet there", "Newer", {}, agreed, "device")
    numbers = [other.jobs.submit("me", each) for each in (new, unknown)]
    other.close()
    until(jobs, numbers[0], "done")
    assert "This version has no not yet there" in until(jobs, numbers[1], "failed").error


def test_a_full_home_is_told(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with room(Settings(home=home, device="cpu")) as made:
        (home / "holders").write_text("in the way", encoding="utf-8")
        with pytest.raises(ToolFailed, match="cannot be written"):
            made.jobs.start()


def test_following_a_job_that_is_stopped(jobs: Jobs) -> None:
    number = submit(jobs, "keep", request="followed", upto=100, seconds=0.1)
    running(jobs, number)
    jobs.of("me").act("cancel", number)
    with pytest.raises(Stopped):
        list(jobs.follow("me", number))
    failed = submit(jobs, "fail", request="followed too", how="failed")
    with pytest.raises(ToolFailed, match="It is 7"):
        list(jobs.follow("me", failed))
    with pytest.raises(ToolFailed, match="There is no job 99999"):
        list(jobs.follow("me", 99999))
