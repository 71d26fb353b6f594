"""Many questions at once: JSON lines in, JSON lines out, in the same order."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]


class BatchError(ValueError):
    """A batch file that cannot be read or written; worded for the person."""


def process(source: Path, target: Path, answer: Callable[[Row], Row]) -> int:
    """Answers every line of `source` into `target`, and returns how many there were.

    A line that cannot be read or answered becomes a line with `"outcome": "failed"`.

    Args:
        source: a file of JSON lines, each an object with an `id`.
        target: the file to write; each line is there as soon as it is answered.
        answer: turns one row into its answer.

    Raises:
        BatchError: one of the files cannot be opened.
    """
    count = 0
    try:
        with target.open("w", encoding="utf-8") as out:
            for row in _rows(source):
                out.write(json.dumps(_answered(row, answer), ensure_ascii=False) + "\n")
                out.flush()
                count += 1
    except OSError as error:
        raise BatchError(f"{error.filename}: {error.strerror}. Give another file.") from None
    return count


def _rows(source: Path) -> Iterator[Row]:
    with source.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield _row(line, number)


def _row(line: str, number: int) -> Row:
    try:
        row = json.loads(line)
    except ValueError as error:
        return {"id": None, "error": f"Line {number} is not JSON: {error}. Mend it."}
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        told = row.get("id") if isinstance(row, dict) else None
        return {"id": told, "error": f"Line {number} has no text. Give it a field 'text'."}
    return row


def _answered(row: Row, answer: Callable[[Row], Row]) -> Row:
    told = {"id": row.get("id")}
    if "error" in row:
        return {**told, "outcome": "failed", "ask": row["error"]}
    return {**told, **answer(row)}
