"""The command line: JSON as promised, exit statuses, and never a traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from assistant.settings import Settings
from tests.homes import fill

ROOT = Path(__file__).parents[1]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "assistant", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_ask_with_json() -> None:
    done = run("ask", "What is the licence of FLUX.1 schnell?", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["outcome"] == "run"
    assert "Apache-2.0" in answer["blocks"][0]["text"]


def test_a_person_reads_the_answer() -> None:
    done = run("explain", "How many steps does schnell take?")
    assert done.returncode == 0, done.stderr
    assert "4 steps" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("ask", "what is in this picture"), 3, "Which picture"),
        (("ask", "tell me the weather in Paris"), 0, "no tool"),
        (("compare", "schnell", "nonsense-model-x"), 4, "nearest"),
        (("compare", "schnell"), 3, "Which two"),
        (("export", "pocket-convnext"), 4, "not built yet"),
        (("classify", "--top-k", "0", "--images", "x.png"), 3, "x.png"),
        (("explain", "--nonsense"), 2, "No such option"),
        (("ask", "--in", "nothing.jsonl", "--out", "/dev/null"), 2, "No such file"),
    ],
)
def test_statuses(arguments: tuple[str, ...], status: int, words: str) -> None:
    done = run(*arguments)
    assert done.returncode == status, done.stdout + done.stderr
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_batches_and_routes(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [
        {"id": "a", "text": "How many parameters does convnext_femto have?"},
        {"id": "b", "text": "What is in this picture?", "attachments": ["image:cat.jpg"]},
        {"id": "c", "text": "tell me the weather in Paris"},
    ]
    source.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert run("route", "--in", str(source), "--out", str(target)).returncode == 0
    plans = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [plan["id"] for plan in plans] == ["a", "b", "c"]
    assert [plan["outcome"] for plan in plans] == ["run", "run", "decline"]
    assert plans[1]["steps"][0]["arguments"]["images"] == ["attachment:1"]
    assert set(plans[0]) == {"id", "outcome", "steps", "ask", "choices", "hits"}
    assert run("ask", "--in", str(source), "--out", str(target)).returncode == 0
    answers = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [answer["outcome"] for answer in answers] == ["run", "clarify", "decline"]


def test_models_are_listed() -> None:
    done = run("models", "--json")
    rows = {row["id"]: row for row in json.loads(done.stdout)}
    assert rows["pocket-convnext"]["usable"]
    assert not rows["FLUX.1-dev"]["usable"] or rows["FLUX.1-dev"]["why"]


def test_an_unknown_setting_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FITTING_ROOM_COLOUR", "blue")
    done = run("models")
    assert done.returncode == 2
    assert "FITTING_ROOM_COLOUR is not a setting" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_index_can_be_checked() -> None:
    done = run("index", "check")
    assert done.returncode == 0
    assert "all well" in done.stdout


# --- backups
COMMANDS = """
import json, os, sys
from assistant.__main__ import main
for line in sys.stdin:
    os.environ["FITTING_ROOM_HOME"], *sys.argv[1:] = json.loads(line)
    try:
        main()
    except SystemExit as ended:
        sys.stderr.write(f"{ended.code}\\n")
"""


def run_in_homes(*commands: tuple[Path | str, ...]) -> tuple[list[str], list[str]]:
    """The lines that commands write, each with its home first; and those on standard error."""
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS], text=True, capture_output=True, check=True, cwd=ROOT,
        input="".join(json.dumps([str(word) for word in words]) + "\n" for words in commands),
    )  # fmt: skip
    return done.stdout.splitlines(), done.stderr.splitlines()


def test_backup_and_restore(settings: Settings, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "rooms.zip"
    fill(settings)
    next(home.rglob("käse*")).unlink()
    new, away = home.with_name("new"), home.with_name("away")
    said, errors = run_in_homes(
        (new, "backup", file),
        (home, "backup", file),
        (home, "backup", file),
        (home, "restore", file),
        (home, "restore", file, "--replace"),
        (new, "restore", file.with_name("none.zip")),
        (away, "restore", file),
    )
    whole = "1 conversation, 1 answer, 6 jobs, 15 files, "
    assert said[0].startswith(f"Kept in {file}: {whole}")
    assert said[1].startswith(f"Brought back into {home}: {whole}")
    assert said[2].startswith(f"What was there before lies in {home}.before-restore-")
    assert said[3].startswith(f"Brought back into {away}: {whole}")
    assert len(said) == 4
    nowhere = f"There is nothing to back up: {new} does not exist."
    assert errors == [
        f"{nowhere} Set FITTING_ROOM_HOME to the folder of your conversations.", "2",
        "uploads/me/0123/käse 🧀.png is named in a conversation or job, but is gone.", "0",
        f"{file} exists already, and is not overwritten. Name another file, or move it away.", "2",
        f"{home} already holds 1 conversation and 6 jobs. Give --replace to move it aside.", "2",
        "0",
        f"{file.with_name('none.zip')} cannot be read: No such file or directory. "
        "Name a file that `backup` has made.", "2",
        "0",
    ]  # fmt: skip
    assert not new.exists()
