"""Rows from one database into another, whatever kinds the two are: for backups.

Values travel as the database keeps them: JSON as its text, so that nothing is read and written
anew but what names files of the home.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Table,
    TableClause,
    TypeDecorator,
    column,
    func,
    insert,
    inspect,
    select,
    table,
    text,
)

from assistant.store.database import worded
from assistant.store.tables import Base, Json

Passing = Callable[[str], str]  # what becomes of each JSON text on its way
_AT_ONCE = 100  # rows; an answer may have a megabyte


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """One read transaction: all that is read in it is of one moment.

    Raises:
        StoreFailed: the database did not give it.
    """
    with worded(engine.url), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        with connection.begin():
            yield connection


def copy_rows(source: Connection, target: Connection, passing: Passing) -> None:
    """Copies all rows with their ids into empty tables; new rows get ids after them.

    Args:
        source: a database of the newest schema.
        target: a database of the newest schema, in a transaction that writes.
        passing: what becomes of each JSON text on its way.
    """
    for made in Base.metadata.sorted_tables:
        plain = _plain(made)
        texts = _json_names(made)
        chosen = select(plain).order_by(plain.c.id).execution_options(yield_per=_AT_ONCE)
        for part in source.execute(chosen).mappings().partitions():
            target.execute(insert(plain), [_passed(dict(row), texts, passing) for row in part])
        if target.dialect.name == "postgresql":
            _count_on(target, made.name)


def counts(connection: Connection) -> dict[str, int]:
    """How many rows each table has; tables that are not there yet are left out."""
    there = set(inspect(connection).get_table_names())
    return {
        name: connection.scalar(select(func.count()).select_from(made)) or 0
        for name, made in Base.metadata.tables.items()
        if name in there
    }


def schema_of(connection: Connection) -> str:
    """The revision that a database stands at."""
    return str(connection.scalar(text("SELECT version_num FROM alembic_version")))


def _plain(made: Table) -> TableClause:
    """The table as the database sees it."""
    columns = []
    for each in made.columns:
        kind = each.type.impl_instance if isinstance(each.type, TypeDecorator) else each.type
        columns.append(column(each.name, kind))
    return table(made.name, *columns)


def _json_names(made: Table) -> list[str]:
    return [each.name for each in made.columns if isinstance(each.type, Json)]


def _passed(row: dict[str, Any], texts: list[str], passing: Passing) -> dict[str, Any]:
    return row | {name: passing(row[name]) for name in texts if row[name] is not None}


def _count_on(connection: Connection, name: str) -> None:
    """Lets PostgreSQL give out ids after the highest one; SQLite does so by itself."""
    highest = select(func.max(column("id"))).select_from(table(name)).scalar_subquery()
    counter = func.pg_get_serial_sequence(name, "id")
    connection.execute(select(func.setval(counter, highest)))


# --- files of the home, as rows name them
def json_texts(connection: Connection) -> Iterator[str]:
    """All JSON texts that rows hold."""
    for made in Base.metadata.sorted_tables:
        plain = _plain(made)
        for name in _json_names(made):
            chosen = select(plain.c[name]).where(plain.c[name].is_not(None))
            yield from connection.scalars(chosen.execution_options(yield_per=_AT_ONCE))


def named_below(home: Path, kept: str) -> Iterator[str]:
    """Which files and folders of the home a JSON text names, as paths below it."""
    if _written(home) in kept:
        for value in _strings(json.loads(kept)):
            if value.startswith(f"{home}/"):
                yield value.removeprefix(f"{home}/")


def moved(kept: str, old: str, new: Path) -> str:
    """A JSON text that named files of a home, as it names them in another."""
    if _written(old) not in kept:
        return kept
    return json.dumps(_changed(json.loads(kept), old, str(new)))


def _written(home: Path | str) -> str:
    return json.dumps(str(home))[1:-1]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)


def _changed(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        below = value == old or value.startswith(f"{old}/")
        return new + value.removeprefix(old) if below else value
    if isinstance(value, dict):
        return {name: _changed(one, old, new) for name, one in value.items()}
    return [_changed(one, old, new) for one in value] if isinstance(value, list) else value
