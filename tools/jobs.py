"""The tool `jobs`: watch long work."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from tools import plots
from tools.base import Block, Context, NeedsInput, Table, Text, ToolCard, ToolFailed
from tools.work import ENDED, Action, Entry, Job, duration

CARD = ToolCard(
    title="Watch long work",
    summary="Lists, watches, cancels, pauses, resumes and retries long work.",
    examples=(
        "Show my jobs",
        "What is running?",
        "Cancel the training",
        "Pause job 3",
        "How far is my training?",
        "Resume the download",
        "Retry the failed job",
        "is it done yet?",
        "stop it!",
        "How much longer will this take?",
        "please abort job 12",
        "What's the status of my export?",
        "Which tasks are waiting in the queue?",
        "hold the LoRA training until tonight",
        "Carry on with the paused one",
        "It crashed, start it again",
        "list everything that has finished today",
        "How much is left?",
        "kill the run, I made a mistake",
        "watch the progress of the dog training",
        "continue where the interrupted job left off",
        "Why did my last job fail?",
        "show me the percentage of the download",
        "how many epochs are already done?",
        "i want stop the work and make later",
        "Do I have anything still going on in the background?",
        "Cancel all my jobs",
        "Freeze the running job, I need my GPU for a game",
        "Try the failed one once more",
        "Let me know when the training is ready",
    ),
)
_FITS: Mapping[Action, tuple[str, ...]] = {
    "cancel": ("queued", "running", "paused"),
    "pause": ("queued", "running"),
    "resume": ("paused",),
    "retry": ("failed", "cancelled"),
}
_DONE: Mapping[Action, str] = {
    "cancel": "cancelled", "pause": "paused", "resume": "resumed", "retry": "started again",
}  # fmt: skip
_MOST = 20  # jobs in the list
_MOST_LINES = 8  # of a log
_NUMBER = re.compile(r"\d{1,9}")


def jobs(
    ctx: Context,
    action: Literal["list", "watch", "cancel", "pause", "resume", "retry"] = "list",
    job: str | None = None,
) -> Iterator[Block]:
    """Lists, watches, cancels, pauses, resumes and retries long work.

    Args:
        ctx: the context.
        action: what to do.
        job: its number; `all` for every one that fits; the only one that fits if left out.

    Raises:
        NeedsInput: several jobs fit.
        ToolFailed: there is no such job, or its state does not allow it.
    """
    if ctx.jobs is None:
        raise RuntimeError("jobs are watched from the server")
    known = ctx.jobs.list(limit=_MOST)
    if action == "list":
        yield from _listed(known)
    elif action == "watch":
        yield from _watched(ctx, _number(job) or _to_watch(known))
    else:
        changed = [ctx.jobs.act(action, number) for number in _meant(known, action, job)]
        yield from _told(changed, action)


def _listed(known: Sequence[Job]) -> Iterator[Block]:
    if not known:
        yield Text("There is no long work yet. What takes more than a minute will stand here.")
        return
    going = [job for job in known if job.state not in ENDED]
    said = _sentence(going[0]) if going else "Nothing is running or waiting."
    yield _text(said, data={"jobs": [_row(job) for job in known]})
    columns = ("Job", "What", "State", "Progress", "Time left", "Ran for")
    rows = tuple(
        (str(job.number), job.title, _state(job), f"{job.done:.0%}", _left(job), _ran(job))
        for job in known
    )
    yield Table(columns, rows, "Jobs", state=tuple(cell for row in rows for cell in row))


def _watched(ctx: Context, number: int) -> Iterator[Block]:
    """How a job stands, its course, the last lines of its log, and what it has made."""
    if ctx.jobs is None:
        raise RuntimeError("jobs are watched from the server")
    job, log = ctx.jobs.get(number), ctx.jobs.log(number)
    yield _text(_sentence(job), data={"jobs": [_row(job)]})
    if points := line(log):
        path = ctx.run_folder / "course.png"
        name, along = points
        yield plots.course(path, "How it has gone so far", ("step", name), along)
    if log and job.state not in ENDED:
        rows = tuple((entry.at[11:19], entry.note) for entry in log[-_MOST_LINES:])
        state = tuple(cell for row in rows for cell in row)
        yield Table(("Time (UTC)", "What went on"), rows, "Log", state=state)
    yield from job.blocks


def line(log: Sequence[Entry]) -> tuple[str, list[tuple[float, float]]] | None:
    """The first line that a log plots: its name and points; a step that was redone counts once."""
    names = [name for entry in log for name in entry.curve if name != "step"]
    if not names:
        return None
    points = {e.curve["step"]: e.curve[names[0]] for e in log if names[0] in e.curve}
    return (names[0], sorted(points.items())) if len(points) > 1 else None


def _number(job: str | None) -> int:
    """The number in what a person calls a job; 0 if they named none."""
    if job is None:
        return 0
    if not (found := _NUMBER.search(job)):
        raise ToolFailed(f"{job!r} is no number of a job. Ask for the list of jobs to see yours.")
    return int(found[0])


def _to_watch(known: Sequence[Job]) -> int:
    """The job that runs; else the newest."""
    if not known:
        raise ToolFailed("There is no long work yet, so there is nothing to watch.")
    running = [job.number for job in known if job.state == "running"]
    return (running or [known[0].number])[0]


def _meant(known: Sequence[Job], action: Action, job: str | None) -> list[int]:
    """The jobs that are to be acted on."""
    fitting = [one for one in known if one.state in _FITS[action]]
    if job == "all" and fitting:
        return [one.number for one in fitting]
    if job is not None and job != "all":
        return [_number(job)]
    if not fitting:
        raise ToolFailed(f"There is no job to {action}. Ask for the list of jobs to see yours.")
    if len(fitting) > 1:
        choices = [f"{action.capitalize()} job {one.number}" for one in fitting[:5]]
        raise NeedsInput(f"Which job shall I {action}?", choices)
    return [fitting[0].number]


def _told(changed: Sequence[Job], action: Action) -> Iterator[Block]:
    for job in changed:
        if job.wanted:
            said = f"Job {job.number} ({job.title}) is told to {action}; it saves first."
        else:
            said = f"Job {job.number} ({job.title}) is {_DONE[action]}."
        yield _text(said, data={"jobs": [_row(one) for one in changed]})


def _sentence(job: Job) -> str:
    """How a job stands, in one sentence or two."""
    said = f"Job {job.number} ({job.title}) "
    match job.state:
        case "running":
            said += f"is running: {job.done:.0%} done"
            said += f", about {duration(job.left)} left." if job.left is not None else "."
            said += f" Now: {job.note}." if job.note else ""
        case "queued":
            before = "one job comes" if job.ahead == 1 else f"{job.ahead} jobs come"
            said += f"waits in the line; {before} before it." if job.ahead else "is next in line."
        case "paused":
            said += f"is paused at {job.done:.0%}. Resume it to go on."
        case "failed":
            said += f"has failed: {job.error} Retry goes on from what was saved."
        case _:
            said += f"is {job.state}; it ran for {duration(job.seconds)}."
    return said


def _text(said: str, data: Mapping[str, Any]) -> Text:
    """A text whose figures are those of our own work."""
    return Text(said, data=data, state=(said,))


def _state(job: Job) -> str:
    return f"{job.state}, told to {job.wanted}" if job.wanted else job.state


def _left(job: Job) -> str:
    if job.state == "queued":
        return f"{job.ahead} before it"
    return duration(job.left) if job.left is not None else ""


def _ran(job: Job) -> str:
    return duration(job.seconds)


def _row(job: Job) -> dict[str, Any]:
    """A job as programs read it."""
    return {
        "job": str(job.number),
        "tool": job.tool,
        "title": job.title,
        "state": job.state,
        "done": round(job.done, 4),
        "note": job.note,
        "error": job.error or None,
        "seconds": round(job.seconds, 1),
        "seconds_left": None if job.left is None else round(job.left, 1),
        "ahead": job.ahead,
        "created": job.created,
        "ended": job.ended or None,
    }
