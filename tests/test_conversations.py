"""Conversations as a list, on real databases: found, named, continued from an edit, deleted."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from assistant.store import Store, UnknownConversation
from assistant.store.database import open_database
from assistant.store.words import LONGEST_TITLE, answer_words, searchable, title_of
from tests.schemas import upgrade

ANSWER = {
    "outcome": "run",
    "ask": None,
    "blocks": [
        {"type": "text", "text": "It is a Häuschen."},
        {"type": "table", "columns": ["system", "ms"], "rows": [["pocket-convnext", "12.5"]]},
        {"type": "image", "path": "/x/secretpath.png", "alt": "a drawn tree"},
    ],
}


def begin(store: Store, question: str, images: tuple[Path, ...] = (), owner: str = "me") -> str:
    return store.start_turn(owner, "", question, images).conversation


def titles(store: Store, search: str = "", **paging: int) -> list[str]:
    return [found.title for found in store.conversations("me", search, **paging)]


# --- words
@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("  What is\n in this picture? ", "What is in this picture?"),
        ("", "Untitled"),
        ("x" * 200, "x" * 57 + "..."),
        (
            "Which of these models runs fastest on a laptop without a GPU, please?",
            "Which of these models runs fastest on a laptop without a...",
        ),
        ("word " * 12, "word word word word word word word word word word word word"),
    ],
)
def test_a_title_is_the_question_shortened_at_a_word(question: str, title: str) -> None:
    assert title_of(question) == title
    assert len(title) <= LONGEST_TITLE


def test_words_are_compared_without_regard_to_case() -> None:
    assert searchable("HÄUSCHEN") == searchable("häuschen") == searchable("ha\u0308uschen")
    assert searchable("Straße") == searchable("STRASSE")
    said = answer_words(ANSWER)
    assert "häuschen" in said
    assert "pocket-convnext 12.5" in said
    assert "a drawn tree" in said
    assert "secretpath" not in said


# --- the list
def test_the_newest_turn_comes_first(store: Store) -> None:
    first, second = begin(store, "First"), begin(store, "Second")
    assert titles(store) == ["Second", "First"]
    store.start_turn("me", first, "And more", ())
    assert titles(store) == ["First", "Second"]
    found = store.conversation("me", second)
    assert (found.key, found.title) == (second, "Second")
    assert found.latest.startswith("20")
    assert store.conversations("you") == ()
    with pytest.raises(UnknownConversation):
        store.conversation("you", second)


def test_the_list_comes_in_pages(store: Store) -> None:
    for number in range(7):
        begin(store, f"Question {number}")
    pages = [titles(store, limit=3, skip=skip) for skip in (0, 3, 6, 9)]
    assert [len(page) for page in pages] == [3, 3, 1, 0]
    assert [title for page in pages for title in page] == [
        f"Question {number}" for number in range(6, -1, -1)
    ]


def test_it_is_searched_in_titles_questions_and_answers(store: Store) -> None:
    house = begin(store, "What is in this picture?")
    store.start_turn("me", house, "And the SECOND one?", ())
    store.keep_answer("me", house, 1, ANSWER)
    begin(store, "100% of the models", owner="me")
    begin(store, "häuschen", owner="you")
    for search in ("picture", "second", "häuschen", "HÄUSCHEN", "12.5", "picture second tree", ""):
        assert "What is in this picture?" in titles(store, search), search
    assert titles(store, "100%") == ["100% of the models"]
    for search in ("secretpath", "outcome", "picture nothing", "_icture", "1%5"):
        assert titles(store, search) == [], search


def test_odd_words_are_searched_too(store: Store) -> None:
    for words in ("a\0b", "käse 🧀", "b\ud800", "'; DROP TABLE turn; --", "50%_\\"):
        begin(store, words)
        assert len(titles(store, words)) == 1, words


# --- names
def test_a_conversation_is_renamed(store: Store) -> None:
    key = begin(store, "First")
    store.rename("me", key, "  My\nhouses ")
    assert titles(store) == titles(store, "houses") == ["My houses"]
    assert titles(store, "first") == ["My houses"]  # the question still says it
    store.rename("me", key, "x" * 1000)
    assert len(titles(store)[0]) == 120
    store.rename("me", key, " ")
    assert titles(store) == ["Untitled"]
    for owner, unknown in (("you", key), ("me", "none")):
        with pytest.raises(UnknownConversation):
            store.rename(owner, unknown, "Mine")


# --- edits
def test_an_edited_question_stands_in_place_of_what_followed(store: Store) -> None:
    key = begin(store, "First")
    for question in ("Second", "Third"):
        store.start_turn("me", key, question, ())
    store.keep_answer("me", key, 3, ANSWER)
    new = store.start_turn("me", key, "Second, edited", (), replaces=2)
    assert new.number == 4
    assert [turn.question for turn in store.turns("me", key)] == ["First", "Second, edited"]
    assert titles(store, "häuschen") == titles(store, "third") == []
    for gone in (2, 3, 5, 2**40):
        with pytest.raises(UnknownConversation, match=f"turn {gone} of"):
            store.start_turn("me", key, "Again", (), replaces=gone)
    assert len(store.turns("me", key)) == 2
    assert store.start_turn("me", key, "Next", ()).number == 5  # what failed took no number
    assert titles(store) == ["First"]


def test_a_title_follows_an_edited_first_question(store: Store) -> None:
    key = begin(store, "Frist")
    store.start_turn("me", key, "First", (), replaces=1)
    assert titles(store) == titles(store, "first") == ["First"]
    store.rename("me", key, "Mine")
    store.start_turn("me", key, "Something else", (), replaces=2)
    assert titles(store) == ["Mine"]


# --- deletion
def test_a_deleted_conversation_leaves_nothing(store: Store, url: str) -> None:
    only, both, other = Path("/a/only ä.png"), Path("/a/both.png"), Path("/a/other.png")
    key = begin(store, "First", (only, both))
    store.start_turn("me", key, "Again", (only,))
    store.keep_answer("me", key, 1, ANSWER)
    store.feedback("me", key, 1, 1, "like")
    kept = begin(store, "Second", (both, other))
    begin(store, "Another's", (only,), owner="you")
    with pytest.raises(UnknownConversation):
        store.delete("you", key)
    assert store.delete("me", key) == (only,)
    assert titles(store) == ["Second"]
    assert rows(url) == {"conversation": 2, "turn": 2, "answer": 0, "feedback": 0}
    for attempt in (
        lambda: store.turns("me", key),
        lambda: store.delete("me", key),
        lambda: store.start_turn("me", key, "More", ()),
        lambda: store.keep_answer("me", key, 1, ANSWER),
    ):
        with pytest.raises(UnknownConversation):
            attempt()
    assert store.delete("me", kept) == (both, other)


def rows(url: str) -> dict[str, int]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = {
            table: connection.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608
            for table in ("conversation", "turn", "answer", "feedback")
        }
    engine.dispose()
    return {table: int(count or 0) for table, count in found.items()}


# --- a database from before
OLD = """
INSERT INTO conversation (id, owner, key, turns, started)
  VALUES (101, 'me', 'old', 2, '2026-01-01T00:00:00+00:00'), (102, 'me', 'odd', 0, '2026');
INSERT INTO turn (id, owner, conversation_id, number, question, images, attempts, asked) VALUES
  (101, 'me', 101, 1, 'What is IN this picture?', '[]', 1, '2026-01-01T00:00:00+00:00'),
  (102, 'me', 101, 2, 'And this?', '[]', 0, '2026-01-02T00:00:00+00:00');
INSERT INTO answer (id, owner, turn_id, attempt, answer, kept) VALUES
  (101, 'me', 101, 1, '{"blocks": [{"text": "H\\u00e4uschen \\u0000"}]}', '2026');
"""


def test_conversations_from_before_get_their_titles(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        upgrade(connection, "0001")
        for statement in OLD.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
    engine.dispose()
    open_database(url).dispose()
    store = Store(url)
    found = store.conversations("me")
    assert [(one.key, one.title, one.latest) for one in found] == [
        ("old", "What is IN this picture?", "2026-01-02T00:00:00.000+00:00"),
        ("odd", "Untitled", ""),
    ]
    assert titles(store, "häuschen picture this") == ["What is IN this picture?"]
    assert store.start_turn("me", "old", "New", ()).number == 3
    assert len(store.turns("me", "old")) == 3
    store.close()
