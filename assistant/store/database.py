"""Opens a database, brings its tables up to date, and words what can go wrong with it."""

import hashlib
import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from alembic.config import Config

WAL_IS_SAFE = (3, 51, 3)  # below, its reset can corrupt the file: https://sqlite.org/wal.html
_PATIENCE = 10.0  # seconds to wait for another writer
_POSTGRESQL = {
    "connect_timeout": int(_PATIENCE),
    # A process that stands still in the middle of a transaction must not hold up all others.
    "options": f"-c lock_timeout={_PATIENCE:.0f}s -c idle_in_transaction_session_timeout=60s",
}
_MIGRATIONS = Path(__file__).with_name("migrations")
_ONE_AT_A_TIME = 7_165_026  # key of the PostgreSQL lock under which revisions run
_SQLITE_REASONS = {
    "SQLITE_BUSY": "another program has kept it locked for {patience:.0f} s. Close that program, "
    "or try again later.",
    "SQLITE_READONLY": "it may not be written. Change its rights, or set FITTING_ROOM_HOME to a "
    "folder of your own.",
    "SQLITE_CANTOPEN": "it cannot be opened. Change the rights of its folder, or set "
    "FITTING_ROOM_HOME to a folder of your own.",
    "SQLITE_FULL": "there is no room left. Free some space on that disk.",
    "SQLITE_IOERR": "the disk did not take or give its content. Check that the disk has room and "
    "is well.",
    "SQLITE_CORRUPT": "the file is damaged. Move it away, or restore it from a backup.",
    "SQLITE_NOTADB": "the file is no database. Move it away.",
}


class StoreFailed(Exception):
    """The database did not do it, and nothing was kept; worded for the person."""


class Database:
    """An open database: what is written and read in it.

    Args:
        address: SQLAlchemy address; tables are made or brought up to date.
    """

    def __init__(self, address: str) -> None:
        self._engine = open_database(address)
        self._writer = self._engine.execution_options(writes=True)
        self._turn = threading.Lock()

    def close(self) -> None:
        """Closes all connections."""
        self._engine.dispose()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction: all of it is kept, or nothing.

        Raises:
            StoreFailed: the database did not take it.
        """
        session = Session(self._writer)
        with worded(self._engine.url), self._alone(), session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """What is there now.

        Raises:
            StoreFailed: the database did not give it.
        """
        with worded(self._engine.url), Session(self._engine) as session:
            yield session

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Threads write to SQLite in turn: it looks for its lock now and then, and keeps no line.

        Of eight that wrote without a pause, one waited for 6.5 s; so in turn, for 0.8 s.
        """
        held = self._engine.dialect.name == "sqlite" and self._turn.acquire(timeout=_PATIENCE)
        try:
            yield
        finally:
            if held:
                self._turn.release()


def lock_owner(session: Session, owner: str) -> None:
    """Until the transaction ends, others that call this for the same owner wait here.

    To be called first in a transaction that writes by what it has read. A writer of SQLite is
    alone from its beginning; in PostgreSQL two would read the same and both write. Reads after
    the wait must see what was written meanwhile, whatever the server's default isolation is.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    session.connection(execution_options={"isolation_level": "READ COMMITTED"})
    digest = hashlib.sha256(owner.encode("utf-8", "surrogatepass")).digest()
    key = int.from_bytes(digest[:8], signed=True)
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def open_database(address: str | URL) -> Engine:
    """Connects to a database and brings its tables up to date.

    Args:
        address: SQLAlchemy address of a SQLite file or a PostgreSQL server.

    Raises:
        StoreFailed: it cannot be reached, written, or is of a newer version.
    """
    try:
        url = make_url(address)
        engine = _engine(url)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreFailed(
            f"FITTING_ROOM_DATABASE_URL cannot be used: {error}. Give sqlite:///FILE, or install "
            "fitting-room[postgresql] and give postgresql+psycopg://USER@HOST/NAME."
        ) from None
    try:
        with worded(url):
            _upgrade(engine)
    except StoreFailed:
        engine.dispose()
        raise
    return engine


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, connect_args=_POSTGRESQL)
    if url.database and url.database != ":memory:" and not url.query:
        folder = Path(url.database).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreFailed(
                f"The folder {folder} cannot be made: {error.strerror}. Change the rights of the "
                "folder above it, or set FITTING_ROOM_HOME to a folder of your own."
            ) from None
    engine = create_engine(url, connect_args={"timeout": _PATIENCE})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, record: object) -> None:
    del record
    connection.isolation_level = None  # so that `_begin` alone begins transactions
    journal = "WAL" if sqlite3.sqlite_version_info >= WAL_IS_SAFE else "DELETE"
    for pragma in ("foreign_keys = ON", f"journal_mode = {journal}", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    """A writer takes its lock at once: taking it after reading fails without waiting."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _upgrade(engine: Engine) -> None:
    from alembic import command
    from alembic.util import CommandError

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = _config()
    with engine.execution_options(writes=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreFailed(
                f"The database {_name(engine.url)} was made by a newer version of Fitting Room "
                f"({error}). Install that version, or set FITTING_ROOM_DATABASE_URL to another."
            ) from error


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


def knows(schema: str) -> bool:
    """Whether a revision is one of this version's."""
    from alembic.script import ScriptDirectory

    known = ScriptDirectory.from_config(_config()).walk_revisions()
    return schema in {script.revision for script in known}


@contextmanager
def worded(url: URL) -> Iterator[None]:
    """Turns what a database raises into one sentence.

    Raises:
        StoreFailed: instead of any error of the database.
    """
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        raise StoreFailed(f"The database {_name(url)} failed: {_reason(error)}") from error


def _name(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return url.database or "in memory"
    return url.render_as_string(hide_password=True)


def _reason(error: DBAPIError | PoolTimeout) -> str:
    cause: Any = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorname", "")
    for known, reason in _SQLITE_REASONS.items():
        if code.startswith(known):
            return reason.format(patience=_PATIENCE)
    first = str(cause).partition("\n")[0]
    return f"{first}. Check that it runs and that its address and rights are right."
