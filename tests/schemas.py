"""Databases of earlier versions, with rows of every kind that they had."""

import json
import shutil
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, create_engine, insert, inspect, make_url, text
from sqlalchemy.engine import Connection

RELEASED = ("0001", "0002")
TIME = "2026-01-01T00:00:00+00:00"


def upgrade(connection: Connection, revision: str) -> None:
    """Brings a database up to a revision, in the transaction of the connection."""
    folder = Path(__file__).parents[1] / "assistant" / "store" / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def make_old(url: str, revision: str) -> None:
    """Makes a database as an earlier version left it."""
    engine = create_engine(url)
    with engine.begin() as connection:
        upgrade(connection, revision)
        known = MetaData()
        known.reflect(connection)
        for name, rows in _rows(revision).items():
            connection.execute(insert(known.tables[name]), rows)
            if connection.dialect.name == "postgresql":
                counter = f"pg_get_serial_sequence('{name}', 'id')"
                connection.execute(text(f"SELECT setval({counter}, {len(rows)})"))
    engine.dispose()


def _rows(revision: str) -> dict[str, list[dict[str, Any]]]:
    mine, both = {"owner": "me"}, (1, 2)
    conversations = [
        {**mine, "id": n, "key": f"key{n}", "turns": 4 - 2 * n, "started": TIME} for n in both
    ]
    turns = [
        {**mine, "id": n, "conversation_id": 1, "number": n, "question": f"Is it {n} ä?",
         "images": json.dumps([f"/a/{n}.png"]), "attempts": 1, "asked": TIME}
        for n in both
    ]  # fmt: skip
    answers = [
        {**mine, "id": n, "turn_id": n, "attempt": 1, "kept": TIME,
         "answer": json.dumps({"outcome": "run", "blocks": [{"text": f"It is {n} \0"}]})}
        for n in both
    ]  # fmt: skip
    feedback = [
        {**mine, "id": n, "answer_id": n, "verdict": "like", "note": "ü", "given": TIME}
        for n in both
    ]
    measured = ("system", "property", "unit", "at", "device", "machine", "versions", "run", "date")
    measurements = [
        {**mine, "id": n, "value": n / 3, **dict.fromkeys(measured, f"{n}")} for n in both
    ]
    if revision >= "0002":
        for row in (*conversations, *turns, *answers):
            row["words"] = f"words {row['id']}"
        for row in conversations:
            row |= {"title": f"Title {row['id']}", "latest": TIME}
        for row in turns:
            row["replaced_by"] = 0
    return {
        "conversation": conversations, "turn": turns, "answer": answers, "feedback": feedback,
        "measurement": measurements,
    }  # fmt: skip


def kept(url: str) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables that a database has, in order."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = {
            name: sorted(map(dict, connection.execute(text(f"SELECT * FROM {name}")).mappings()),  # noqa: S608
                         key=str)
            for name in inspect(connection).get_table_names()
        }  # fmt: skip
    engine.dispose()
    return found


def copy_database(url: str, into: str) -> str:
    """Copies a database that nobody has open, and returns the copy's address.

    Args:
        url: the database.
        into: name of the copy; a plain one.
    """
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        target = Path(str(address.database)).with_name(f"{into}.db")
        shutil.copyfile(str(address.database), target)
        return f"sqlite:///{target}"
    engine = create_engine(address.set(database="postgres"), isolation_level="AUTOCOMMIT")
    copy = f"{address.database}_{into}"
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {copy} TEMPLATE {address.database}"))
    engine.dispose()
    return address.set(database=copy).render_as_string(hide_password=False)
