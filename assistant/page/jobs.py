"""The jobs beside the chat, and one of them in full, as HTML."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from assistant.page.curve import curve_html
from tools.jobs import line
from tools.work import ENDED, Action, Entry, Job, State, duration

SHOWN = 8  # jobs beside the chat
_ORDER: Sequence[State] = ("running", "queued", "paused")  # the others come after them
_LINES = 8  # of the log
_LONG = 60.0  # seconds of work that are not cancelled without a question
_BUTTONS: Mapping[State, tuple[Action, ...]] = {
    "queued": ("pause", "cancel"), "running": ("pause", "cancel"), "paused": ("resume", "cancel"),
    "failed": ("retry",), "cancelled": ("retry",), "done": (),
}  # fmt: skip
_WANTED = {"pause": "saves, then pauses", "cancel": "is being cancelled"}
DIALOGS = """<dialog data-ask="cancel" aria-labelledby="cancel-title"><form method="dialog">
<h2 id="cancel-title">Cancel this job?</h2>
<p><q></q> has run for a while. A retry goes on from what it has saved.</p>
<p><button value="" autofocus>Let it run</button>
<button value="yes" class="stop">Cancel the job</button></p></form></dialog>
<dialog data-ask="job" aria-labelledby="job-title"><form method="dialog">
<button class="close" aria-label="Close" title="Close" autofocus></button></form></dialog>
"""


def jobs_html(jobs: Sequence[Job]) -> str:
    """The newest jobs, those first that run, wait or rest; empty if there are none.

    What a button does stands in its `data-do`, and jobs.js does it.

    Args:
        jobs: the newest first.
    """
    if not jobs:
        return ""
    shown = sorted(jobs, key=_place)[:SHOWN]
    rows = "".join(map(_row, shown))
    heard = " ".join(f"<span>Job {job.number}: {_heard(job)}.</span>" for job in shown)
    return (
        '<section aria-labelledby="jobs-title"><h2 id="jobs-title">Jobs</h2>'
        f'<p class="heard" role="status">{heard}</p><ul>{rows}</ul></section>'
    )


def failed_html(said: str) -> str:
    """What stands in place of the jobs that cannot be read."""
    return f'<section><h2 id="jobs-title">Jobs</h2><p role="alert">{escape(said)}</p></section>'


def job_html(job: Job, log: Sequence[Entry], said: str) -> str:
    """One job in full.

    Every part has its place even if it is empty, so that what has the focus keeps its place too.

    Args:
        job: the job.
        log: what it has reported, oldest first.
        said: why what was wanted last was not done; empty if it was.
    """
    plotted = line(log)
    note = f"Now: {job.note}" if job.note and job.state == "running" else ""
    return (
        f'<article {_named(job)}><h2 id="job-title">{escape(job.title)}</h2>'
        f"<p>Job {job.number} · {_stands(job)}{_ran(job)}</p>{_bar(job)}"
        f'<p class="acts">{"".join(_acts(job))}{_whence(job)}</p>'
        f'<p role="alert">{escape(said)}</p><p class="error">{escape(job.error)}</p>'
        f"<p>{escape(note)}</p><div>{curve_html(*plotted) if plotted else ''}</div>"
        f"<div>{_latest(log)}</div><div>{_log(log)}</div></article>"
    )


def unread_html(number: int, said: str) -> str:
    """What stands in place of a job that cannot be read."""
    return (
        f'<article data-key="{number}"><h2 id="job-title">Job {number}</h2>'
        f'<p role="alert">{escape(said)}</p></article>'
    )


# --- one job in the list
def _place(job: Job) -> tuple[int, int]:
    """Where it stands in the list; those that wait stand in the order of their line."""
    if job.state not in _ORDER:
        return len(_ORDER), -job.number
    return _ORDER.index(job.state), job.ahead if job.state == "queued" else -job.number


def _row(job: Job) -> str:
    why = f'<span class="why">{escape(job.error)}</span>' if job.error else ""
    return (
        f'<li {_named(job)}><button type="button" class="open" data-do="open" '
        f'aria-haspopup="dialog" title="{escape(job.title)}">{escape(job.title)}</button>'
        f'<span class="stands">{_stands(job)}</span>'
        f'<div class="acts">{"".join(_acts(job))}</div>{_bar(job)}{why}</li>'
    )


def _named(job: Job) -> str:
    """What jobs.js must know of a job; `data-long` lets it ask before it cancels."""
    long = " data-long" if job.seconds > _LONG and job.state not in ENDED else ""
    return f'data-key="{job.number}" data-title="{escape(job.title)}"{long}'


def _acts(job: Job) -> Iterator[str]:
    for action in _BUTTONS[job.state]:
        if job.wanted not in (action, "cancel"):
            word = action.capitalize()
            label = escape(f"{word} job {job.number}: {job.title}")
            yield (f'<button type="button" data-do="{action}" aria-label="{label}">{word}</button>')


def _bar(job: Job) -> str:
    """How far it is; nothing for one that has ended or not begun."""
    if job.state in ENDED or (job.state == "queued" and not job.done):
        return ""
    percent = f"{job.done:.0%}".rstrip("%")
    return (
        f'<div role="progressbar" aria-label="Job {job.number}" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{percent}"><span style="width: {percent}%"></span>'
        "</div>"
    )


def _stands(job: Job) -> str:
    """Its state with what counts in it; a job that rests says nothing that time alone changes."""
    match job.state:
        case "running":
            left = f"{duration(job.left)} left" if job.left is not None else ""
            told: tuple[str, ...] = (_heard(job), f"{job.done:.0%}", left)
        case "queued":
            told = ("waits", f"{job.ahead} before it" if job.ahead else "next in line")
        case "paused":
            told = ("paused", f"{job.done:.0%}")
        case "done":
            told = ("done", f"took {duration(job.seconds)}")
        case _:
            told = (job.state,)
    return " · ".join(filter(None, told))


def _heard(job: Job) -> str:
    """Its state in words: what is read out when it changes."""
    return _WANTED.get(job.wanted, job.state)


# --- one job in full
def _ran(job: Job) -> str:
    """How long it has run, unless that is said already."""
    return f" · ran for {duration(job.seconds)}" if job.seconds and job.state != "done" else ""


def _whence(job: Job) -> str:
    if not job.conversation:
        return ""
    return (
        f'<button type="button" data-do="show" data-conversation="{escape(job.conversation)}">'
        "Show in the conversation</button>"
    )


def _latest(log: Sequence[Entry]) -> str:
    """The latest of each figure that it has reported."""
    found = {name: value for entry in log for name, value in entry.curve.items()}
    cells = (f"<div><dt>{escape(n)}</dt><dd>{_figure(v)}</dd></div>" for n, v in found.items())
    return f"<h3>Measured so far</h3><dl>{''.join(cells)}</dl>" if found else ""


def _figure(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"


def _log(log: Sequence[Entry]) -> str:
    rows = "".join(
        f'<li><time datetime="{escape(entry.at)}">{escape(entry.at[11:19])}</time> '
        f"{entry.done:.0%} {escape(entry.note)}</li>"
        for entry in log[-_LINES:]
    )
    return f"<h3>Log (UTC)</h3><ol>{rows}</ol>" if rows else ""
