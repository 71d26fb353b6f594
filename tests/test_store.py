"""The store on real databases: SQLite files, and PostgreSQL where it is installed."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from assistant.store import OwnerEvidence, Store, StoreFailed, UnknownConversation
from assistant.store.tables import Base
from index import catalog
from index.evidence import Match, Measurement

ROOT = Path(__file__).parent.parent


def measurement(value: float, property: str = "latency_ms", run: str = "r1") -> Measurement:
    return Measurement(
        "resnet50.a1_in1k", property, value, "ms", "batch 1", "cpu", "2 cores", "torch 2", run,
        "2026-01-01",
    )  # fmt: skip


# --- conversations
def test_turns_and_attempts(store: Store) -> None:
    images = (Path("/a/b.png"), Path("/a/ä.png"))
    first = store.start_turn("me", "", "What is it?", images)
    assert (first.number, first.question, first.images, first.answers) == (
        1, "What is it?", images, (),
    )  # fmt: skip
    second = store.start_turn("me", first.conversation, "And this?", ())
    assert (second.conversation, second.number) == (first.conversation, 2)
    attempts = [store.keep_answer("me", first.conversation, 1, {"n": n}) for n in (1, 2, 3)]
    assert attempts == [1, 2, 3]
    turns = store.turns("me", first.conversation)
    assert [turn.number for turn in turns] == [1, 2]
    assert turns[0].images == images
    assert turns[0].answers == ({"n": 1}, {"n": 2}, {"n": 3})
    assert turns[1] == store.turn("me", first.conversation, 2) == second
    assert store.start_turn("me", "", "Else", ()).conversation != first.conversation


def test_owners_see_nothing_of_each_other(store: Store) -> None:
    turn = store.start_turn("me", "", "Mine", ())
    store.keep_answer("me", turn.conversation, 1, {"outcome": "run"})
    store.add_measurement("me", measurement(1.0))
    for attempt in (
        lambda: store.start_turn("you", turn.conversation, "Yours?", ()),
        lambda: store.keep_answer("you", turn.conversation, 1, {}),
        lambda: store.turns("you", turn.conversation),
        lambda: store.turn("you", turn.conversation, 1),
        lambda: store.feedback("you", turn.conversation, 1, 1, "like"),
    ):
        with pytest.raises(UnknownConversation, match=f"conversation '{turn.conversation}' here"):
            attempt()
    assert store.measurements("you", "resnet50.a1_in1k") == ()
    assert store.matches("you") == ()
    assert len(store.turns("me", turn.conversation)) == 1


def test_what_is_not_there(store: Store) -> None:
    turn = store.start_turn("me", "", "Mine", ())
    for number in (0, -1, 2, 2**40, 2**80):
        for attempt in (
            lambda number=number: store.turn("me", turn.conversation, number),
            lambda number=number: store.keep_answer("me", turn.conversation, number, {}),
            lambda number=number: store.feedback("me", turn.conversation, 1, number, "like"),
        ):
            with pytest.raises(UnknownConversation):
                attempt()
    with pytest.raises(UnknownConversation, match="'none'"):
        store.turns("me", "none")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("x" * 2**20, "x" * 2**20),
        ("käse 🧀 漢字 \u202e", "käse 🧀 漢字 \u202e"),
        ("a\0b", "a\ufffdb"),
        ("a\ud800b", "a\ufffdb"),
        ("a\udc00", "a\ufffd"),
        ("\ufeffbom", "\ufeffbom"),
        ("'; DROP TABLE turn; --", "'; DROP TABLE turn; --"),
        ("", ""),
    ],
    ids=["1 MB", "emoji", "NUL", "high", "low", "mark", "sql", "empty"],
)
def test_texts_survive(store: Store, text: str, kept: str) -> None:
    turn = store.start_turn("me", "", text, (Path(f"/a/{text[:50]}.png"),))
    store.keep_answer("me", turn.conversation, 1, {"text": text})
    store.feedback("me", turn.conversation, 1, 1, "like", text)
    [found] = store.turns("me", turn.conversation)
    assert found.question == kept
    assert found.images == (Path(f"/a/{text[:50]}.png"),)
    assert found.answers == ({"text": text},)


# --- feedback and matches
def test_latest_verdict_counts(store: Store, url: str) -> None:
    answer = {
        "outcome": "run",
        "hits": [{"id": "tool:classify"}, {"id": "a#classify"}, {"id": "b"}],
        "evidence": [{"system": "a"}, {"system": "b"}, {"system": "a"}],
    }
    turn = store.start_turn("me", "", "Which?", ())
    store.keep_answer("me", turn.conversation, 1, answer)
    store.keep_answer("me", turn.conversation, 1, {"outcome": "failed"})
    for verdict in ("dislike", "like", "wrong tool"):
        store.feedback("me", turn.conversation, 1, 1, verdict, "because")
    found = store.matches("me")
    assert [(match.need, match.system, match.capability, match.verdict) for match in found] == [
        ("Which?", "a", "classify", "wrong tool"),
        ("Which?", "b", "", "wrong tool"),
    ]
    assert isinstance(found[0], Match)
    assert count(url, "feedback") == 3


def test_unknown_verdict(store: Store) -> None:
    turn = store.start_turn("me", "", "Which?", ())
    store.keep_answer("me", turn.conversation, 1, {})
    with pytest.raises(ValueError, match="'meh' is no verdict"):
        store.feedback("me", turn.conversation, 1, 1, "meh")  # type: ignore[arg-type]


def count(url: str, table: str) -> int:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()  # noqa: S608
    engine.dispose()
    return int(found)


# --- evidence
def test_measurements_newest_first(store: Store) -> None:
    for value in (1.0, 2.5, 1e-9):
        store.add_measurement("me", measurement(value))
    store.add_measurement("me", measurement(7.0, "top1"))
    values = [found.value for found in store.measurements("me", "resnet50.a1_in1k", "latency_ms")]
    assert values == [1e-9, 2.5, 1.0]
    assert store.measurements("me", "resnet50.a1_in1k")[0] == measurement(7.0, "top1")
    assert store.measurements("me", "resnet50") == ()


def test_evidence_measured_then_cited(store: Store) -> None:
    known = catalog.load()
    evidence = OwnerEvidence(store, known, "me")
    evidence.add(measurement(88.0, "top1"))
    found = evidence.find("resnet50.a1_in1k", "top1")
    assert found[0] == measurement(88.0, "top1")
    assert len(found) > 1
    assert list(found[1:]) == list(known.find("resnet50.a1_in1k", "top1"))
    assert list(OwnerEvidence(store, known, "you").find("resnet50.a1_in1k")) == list(
        known.find("resnet50.a1_in1k")
    )


# --- many at once, and death
def test_threads_get_different_numbers(store: Store) -> None:
    def work() -> None:
        try:
            for _ in range(4):
                turn = store.start_turn("me", conversation, "At once", ())
                numbers.append(turn.number)
                store.keep_answer("me", conversation, 1, {"n": turn.number})
        except Exception as error:  # noqa: BLE001 - told by the main thread
            errors.append(error)

    conversation = store.start_turn("me", "", "First", ()).conversation
    numbers: list[int] = []
    errors: list[Exception] = []
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(numbers) == list(range(2, 34))
    assert len(store.turns("me", conversation)) == 33
    assert len(store.turn("me", conversation, 1).answers) == 32


WRITER = """
import sys
from assistant.store import Store
store = Store(sys.argv[1])
sys.stdin.readline()
for turn in range(int(sys.argv[3])):
    number = store.start_turn("me", sys.argv[2], "From a process", ()).number
    print("started", number, flush=True)
    store.keep_answer("me", sys.argv[2], number, {"n": number})
    print("answered", number, flush=True)
"""


def writer(url: str, conversation: str, turns: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, url, conversation, str(turns)], text=True, cwd=ROOT,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


def test_two_processes_on_a_new_database(url: str) -> None:
    """Both make the tables at once; then both write into one conversation."""
    both = [writer(url, "", 1) for _ in range(2)]
    for one in both:
        assert one.communicate("\n")[0].startswith("started 1\n")
    store = Store(url)
    conversation = store.start_turn("me", "", "First", ()).conversation
    both = [writer(url, conversation, 10) for _ in range(2)]
    said = "".join(one.communicate("\n")[0] for one in both)
    assert [one.returncode for one in both] == [0, 0]
    numbers = sorted(int(line.split()[1]) for line in said.splitlines() if "started" in line)
    assert numbers == list(range(2, 22))
    assert all(
        turn.answers == ({"n": turn.number},) for turn in store.turns("me", conversation)[1:]
    )
    store.close()


def test_killed_writer_leaves_what_it_acknowledged(url: str) -> None:
    store = Store(url)
    conversation = store.start_turn("me", "", "First", ()).conversation
    for _ in range(3):
        with writer(url, conversation, 10_000) as one:
            assert one.stdin
            assert one.stdout
            one.stdin.write("\n")
            one.stdin.flush()
            lines = [one.stdout.readline() for _ in range(21)]
            one.send_signal(signal.SIGKILL)
            lines += one.stdout.readlines()
        kept = {turn.number: turn.answers for turn in store.turns("me", conversation)}
        for line in lines:
            if line.endswith("\n"):
                what, number = line.split()
                assert int(number) in kept
                assert what == "started" or kept[int(number)] == ({"n": int(number)},)
        assert sorted(kept) == list(range(1, len(kept) + 1))
    assert store.start_turn("me", conversation, "Next", ()).number == len(kept) + 1
    store.close()


# --- the tables
def test_revisions_make_just_the_tables(url: str) -> None:
    Store(url).close()
    Store(url).close()
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        for table in Base.metadata.tables:
            columns = {column["name"]: column for column in inspect(engine).get_columns(table)}
            assert columns["owner"]["nullable"] is False
    engine.dispose()


def test_database_of_a_newer_version(url: str) -> None:
    Store(url).close()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(StoreFailed, match=r"newer version of Fitting Room \(.*9999"):
        Store(url)
