"""Where logs go: whole into a file in the home, one line each to standard error."""

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

_BYTES, _OLD = 5_000_000, 2  # size of a log file, and how many old ones are kept


class _OneLine(logging.Formatter):
    """Leaves the traceback to the file."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{record.levelname.lower()}: {record.getMessage()}"


def start_logging(home: Path, *, makes_home: bool = True) -> None:
    """Logs warnings and worse; with a home that cannot be written, to standard error only.

    Args:
        home: folder of the log.
        makes_home: whether it is made if it is not there; else there is no log file either.
    """
    lines = logging.StreamHandler()
    lines.setFormatter(_OneLine())
    handlers: list[logging.Handler] = [lines]
    try:
        if makes_home:
            home.mkdir(parents=True, exist_ok=True)
        kept = RotatingFileHandler(
            home / "log.txt", maxBytes=_BYTES, backupCount=_OLD, encoding="utf-8"
        )
    except OSError as error:
        logging.getLogger(__name__).debug("no log file: %s", error)
    else:
        kept.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        handlers.append(kept)
    logging.basicConfig(level=logging.WARNING, handlers=handlers, force=True)
