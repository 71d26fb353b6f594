"""The command line: `python -m assistant` or `fitting-room`."""

import json
import logging
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant import commands
from tools.base import Agreement, Tool, ToolFailed, load_tools

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assistant.answer import Answer
    from assistant.settings import Settings
    from assistant.steps import Assistant

_PLAIN: dict[str, Any] = {"no_args_is_help": True, "rich_markup_mode": None}  # fast to import
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, **_PLAIN)
index_app = typer.Typer(help="Build, check and fit the index.", **_PLAIN)
app.add_typer(index_app, name="index")
_EXITS = {"run": 0, "decline": 0, "clarify": 3, "failed": 4}
_NAMED = 20  # missing files that are named one by one
_BATCHES = ("recommend", "verify")  # tools that answer many questions at once


def main() -> None:
    """Runs the command line; a known failure is one sentence and an exit status."""
    try:
        app()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception as error:  # noqa: BLE001 - no traceback ever reaches a person
        typer.echo(_worded(error), err=True)
        raise SystemExit(2 if _is_worded(error) else 4) from None


def _worded(error: Exception) -> str:
    if _is_worded(error):
        return str(error)
    logging.getLogger(__name__).error("the command line failed", exc_info=error)
    return f"The program met an error of its own ({type(error).__name__}). It has been logged."


def _is_worded(error: Exception) -> bool:
    from assistant.archive import BackupFailed
    from assistant.batch import BatchError
    from assistant.settings import SettingsError
    from assistant.store import StoreFailed
    from index.card import CardError
    from index.encoder import EncoderError

    worded = (BackupFailed, BatchError, SettingsError, StoreFailed, CardError, EncoderError)
    return isinstance(error, (*worded, ToolFailed))


@app.command()
def ask(
    text: Annotated[str, typer.Argument(help="The question.")] = "",
    image: Annotated[list[Path] | None, typer.Option(help="A picture; may be repeated.")] = None,
    mask: Annotated[Path | None, typer.Option(help="A mask.")] = None,
    conversation: Annotated[str, typer.Option(help="Id of a conversation to go on with.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    batch_in: Annotated[Path | None, typer.Option("--in", help="Questions, JSON lines.")] = None,
    batch_out: Annotated[Path | None, typer.Option("--out", help="Answers, JSON lines.")] = None,
    agree_usd: Annotated[float, typer.Option(help="US dollars that may be spent.")] = 0.0,
    agree_download: Annotated[bool, typer.Option(help="Large downloads are fine.")] = False,
    agree_seconds: Annotated[float, typer.Option(help="How long a step may take.")] = 60.0,
) -> None:
    """Ask one question."""
    from assistant.ask import ask as answer_question
    from assistant.conversation import Question

    agreement = Agreement(agree_usd, agree_download, agree_seconds)
    if batch_in or batch_out:
        _batch("", batch_in, batch_out, agreement)
        return
    question = Question(text, tuple(image or ()), mask, conversation, agreement=agreement)
    with _opened() as assistant:
        _finish(list(_watched(answer_question(assistant, question)))[-1], as_json)


@app.command()
def route(
    batch_in: Annotated[Path, typer.Option("--in", help="Questions, JSON lines.")],
    batch_out: Annotated[Path, typer.Option("--out", help="Plans, JSON lines.")],
) -> None:
    """Plan questions without running anything."""
    from assistant.batch import process
    from assistant.routes import planned

    with _opened() as assistant:
        process(batch_in, batch_out, lambda row: planned(assistant, row))


@app.command()
def models(as_json: Annotated[bool, typer.Option("--json", help="JSON.")] = False) -> None:
    """List the models: what is here, what fits, licence, size, and where it comes from."""
    from assistant.routes import availability

    rows = availability(_settings())
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        here = "here" if row["usable"] else f"not here: {row['why']} {row['how']}"
        typer.echo(f"{row['id']:45} {row['licence'] or 'licence unknown':30} {here}")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 0,
) -> None:
    """Open the chat in a browser."""
    from assistant.server import serve as run_server

    settings = _settings()
    with _opened(serves=True) as assistant:
        run_server(assistant, host or settings.host, port or settings.port)


@app.command()
def worker() -> None:
    """Run jobs without a page, until Ctrl-C; what is cut off goes on with the next start."""
    import signal
    import threading

    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with _opened(serves=True) as assistant:
        assistant.worker.start()
        assistant.jobs.start()
        typer.echo("Running jobs (Ctrl-C ends it).", err=True)
        ended.wait()


@app.command(name="train-pocket")
def train_pocket(
    name: Annotated[str, typer.Argument(help="pocket-convnext or judge.")],
    steps: Annotated[int, typer.Option(help="How long; 0 means as the recipe says.")] = 0,
    drawn: Annotated[int, typer.Option(help="Pictures of a round; 0 as the recipe says.")] = 0,
) -> None:
    """Train a pocket model from its recipe, as a job; one that was cut off goes on."""
    from assistant.routes import train

    given = {"steps": steps, "drawn": drawn}
    arguments = {"name": name} | {key: value for key, value in given.items() if value}
    with _opened() as assistant:
        typer.echo(json.dumps(train(assistant, arguments, _tell)))


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="Where it goes: a zip that does not exist yet.")],
) -> None:
    """Keep all that is yours in one file: conversations, pictures, models, unfinished jobs."""
    from assistant.backup import back_up

    made = back_up(_settings(makes_home=False), file, _watch)
    for name in made.missing[:_NAMED]:
        typer.echo(f"{name} is named in a conversation or job, but is gone.", err=True)
    if (more := len(made.missing) - _NAMED) > 0:
        typer.echo(f"{more:,} more files are gone.", err=True)
    typer.echo(f"Kept in {file}: {made.contents.words()}.")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="What `backup` has made.")],
    replace: Annotated[bool, typer.Option(help="Move aside what is there.")] = False,
) -> None:
    """Bring back what `backup` has kept."""
    from assistant.restore import restore as bring_back

    settings = _settings(makes_home=False)
    done = bring_back(settings, file, replace=replace, tell=_watch)
    typer.echo(f"Brought back into {settings.home}: {done.contents.words()}.")
    if done.before:
        typer.echo(f"What was there before lies in {done.before}.")


@index_app.command()
def build(
    into: Annotated[Path | None, typer.Option(help="Folder; the home's own if left out.")] = None,
) -> None:
    """Build the search index from cards and tools."""
    from assistant.wiring import rebuild

    settings = _settings()
    typer.echo(f"{rebuild(into or settings.home / 'index')} texts indexed.")


@index_app.command()
def fit() -> None:
    """Fit routing and ranking to changed questions in tests/questions; takes half an hour."""
    from assistant.fit import fit_stale

    _settings()
    typer.echo(json.dumps(fit_stale(_tell), indent=1))


@index_app.command()
def check() -> None:
    """Check that the cards can be read and that the fit belongs to them."""
    from assistant.fit import check_fit
    from index.catalog import load

    _settings()
    found = load()
    problem = check_fit()
    typer.echo(problem or f"{len(found.cards)} cards, {len(found.timm)} timm weights: all well.")
    raise typer.Exit(1 if problem else 0)


def _watch(done: float, note: str = "") -> None:
    """A line of progress where a person watches."""
    if sys.stderr.isatty():
        _tell(done, note)


def _tell(done: float, note: str = "") -> None:
    """A line of progress; the last one is written over where a person watches."""
    end = "\r" if sys.stderr.isatty() else "\n"
    sys.stderr.write(f"{done:6.1%} {note}{end}")


def _settings(*, makes_home: bool = True) -> "Settings":
    from assistant.logs import start_logging
    from assistant.settings import load_settings

    settings = load_settings()
    start_logging(settings.home, makes_home=makes_home)
    return settings


def _opened(*, serves: bool = False) -> "closing[Assistant]":
    from assistant.wiring import open_assistant

    return closing(open_assistant(_settings(), serves=serves))


def _watched(answers: "Iterable[Answer]") -> "Iterator[Answer]":
    from rich.console import Console

    from assistant.terminal import show_progress

    errors, told = Console(stderr=True), ""
    for answer in answers:
        note = " ".join(step.note for step in answer.steps)
        if note != told and sys.stderr.isatty():
            show_progress(answer, errors)
        told = note
        yield answer


def _finish(answer: "Answer", as_json: bool) -> None:
    from rich.console import Console

    from assistant.answer import to_json
    from assistant.terminal import show_answer

    if as_json:
        typer.echo(json.dumps(to_json(answer), ensure_ascii=False))
    else:
        show_answer(answer, Console())
    raise typer.Exit(_EXITS[answer.outcome])


def _batch(tool: str, source: Path | None, target: Path | None, agreement: Agreement) -> None:
    from assistant.batch import process
    from assistant.routes import answered

    if source is None or target is None:
        raise typer.BadParameter("--in and --out go together. Give both.")
    with _opened() as assistant:
        process(source, target, lambda row: answered(assistant, row, tool, agreement))


def _call(tool: Tool, arguments: Mapping[str, Any], shared: Mapping[str, Any]) -> None:
    from assistant.ask import call
    from assistant.conversation import Question

    agreement = Agreement(shared["agree_usd"], shared["agree_download"], shared["agree_seconds"])
    if shared["batch_in"] or shared["batch_out"]:
        if tool.name not in _BATCHES:
            raise typer.BadParameter(f"{tool.name} takes no --in. Use ask --in.")
        _batch(tool.name, shared["batch_in"], shared["batch_out"], agreement)
        return
    question = Question("", agreement=agreement)
    with _opened() as assistant:
        _finish(
            list(_watched(call(assistant, tool.name, arguments, question)))[-1], shared["as_json"]
        )


for _tool in load_tools().values():
    app.command(name=_tool.name)(commands.command(_tool, _call))


if __name__ == "__main__":
    main()
