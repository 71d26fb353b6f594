"""Pictures that conversations have made, newest first: read off kept answers and jobs, deleted."""

import heapq
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, select, type_coerce
from sqlalchemy.orm import Session

from assistant.kept import without_picture
from assistant.store.database import Database
from assistant.store.tables import AnswerRow, ConversationRow, JobRow
from assistant.store.words import answer_words, searchable
from tools.recipe import GENERATED, caption
from tools.work import ENDED

_AT_ONCE = 50  # rows; an answer may have a megabyte
_HIGHEST = 2**31 - 1  # that a row's id or a place can be
_PLACES = re.compile(r"\d{1,10}(?:\.\d{1,10}){3}")
_MOST_WORDS = 8  # of a search; more do not narrow it further
_TOOK = "latency_ms"  # the property that says how long a picture took
_SHOWS_OTHERS = "jobs"  # the tool that shows again what jobs have made

_Place = tuple[int, int]  # id of a row, and place of a block in it


class UnknownPicture(Exception):
    """The owner has no such picture, or not any more; worded for the person."""


class StillMade(Exception):
    """The job that has made the picture is not at its end; worded for the person."""


@dataclass(frozen=True)
class Picture:
    """A picture that a conversation has made.

    Attributes:
        path: its file, which may be gone.
        at: ISO time at which its answer was kept, or its job was begun, UTC.
        metadata: how it was made, as words.
        seconds: what it took, as it was measured; none if it was not.
    """

    path: Path
    at: str
    metadata: Mapping[str, str]
    seconds: float | None

    @property
    def name(self) -> str:
        """Its run and file, "run/file.png": no other picture's of the owner."""
        return "/".join(self.path.parts[-2:])


@dataclass(frozen=True)
class Page:
    """Some pictures, newest first.

    Attributes:
        pictures: the pictures.
        after: what the next page is asked for with; empty if there are no older ones.
    """

    pictures: tuple[Picture, ...]
    after: str


class Pictures:
    """Pictures of all owners. Every method raises `StoreFailed` if the database did not do it.

    Args:
        database: the open database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, owner: str, search: str = "", limit: int = 24, after: str = "") -> Page:
        """Pictures whose words and model hold all words of a search, newest first.

        Those of deleted conversations are gone, and those of a job come with its end.

        Args:
            owner: whose they are.
            search: words that the prompt or the model's name must hold.
            limit: how many at most.
            after: where the page before ended; anything else begins with the newest.
        """
        words = searchable(search).split()[:_MOST_WORDS]
        places, shown = _places(after), list[Picture]()
        with self._database.reading() as session:
            for kind, place, picture in _newest(session, owner, places):
                if _holds(picture, words):
                    if len(shown) == limit:
                        told = ".".join(str(number) for place in places for number in place)
                        return Page(tuple(shown), told)
                    shown.append(picture)
                places[kind] = place
        return Page(tuple(shown), "")

    def all(self, owner: str, search: str = "") -> Iterator[Picture]:
        """All pictures that a search finds, newest first, read as they are asked for."""
        page = self.page(owner, search, _AT_ONCE)
        yield from page.pictures
        while page.after:
            page = self.page(owner, search, _AT_ONCE, page.after)
            yield from page.pictures

    def delete(self, owner: str, name: str, remove: Callable[[], None]) -> None:
        """Puts words in the place of a picture, wherever it is shown.

        Args:
            owner: whose it is.
            name: its run and file, "run/file.png".
            remove: deletes the file; if it raises, all stays as it was.

        Raises:
            UnknownPicture: the owner has no such picture, or not any more.
            StillMade: its job is not at its end, and would bring it back.
        """
        day = datetime.now(UTC).date()
        with self._database.writing() as session:
            jobs = _without(session, _naming(JobRow, JobRow.made, owner, name), name, day)
            if going := [job for job, _ in jobs if job.state not in ENDED]:
                raise StillMade(
                    f"Job {going[0].id}, which makes it, is {going[0].state}. Delete the picture "
                    "when the job has ended, or cancel the job first."
                )
            answers = _without(
                session, _naming(AnswerRow, AnswerRow.answer, owner, name), name, day
            )
            if not jobs and not answers:
                raise UnknownPicture("This picture is not there any more; it was deleted already.")
            for job, made in jobs:
                job.made = made
            for row, answer in answers:
                row.answer, row.words = answer, answer_words(answer)
            remove()


# --- where they are kept
def _newest(
    session: Session, owner: str, places: Sequence[_Place]
) -> Iterator[tuple[int, _Place, Picture]]:
    """Pictures of answers (kind 0) and of jobs (kind 1) with their places, newest first."""
    own = select(ConversationRow.key).where(ConversationRow.owner == owner)
    answers = select(AnswerRow.id, AnswerRow.kept.label("at"), AnswerRow.answer.label("told"))
    answers = answers.where(AnswerRow.owner == owner, _has(AnswerRow.answer, GENERATED))
    jobs = select(JobRow.id, JobRow.created.label("at"), JobRow.made.label("told")).where(
        JobRow.owner == owner,
        JobRow.state.in_(ENDED),
        JobRow.conversation.in_(own),
        _has(JobRow.made, GENERATED),
    )
    found = (
        _walk(session, answers, AnswerRow.id, 0, places[0]),
        _walk(session, jobs, JobRow.id, 1, places[1]),
    )
    return heapq.merge(*found, key=lambda one: one[2].at, reverse=True)


def _walk(
    session: Session, wanted: Select[Any], number: Any, kind: int, before: _Place
) -> Iterator[tuple[int, _Place, Picture]]:
    """The pictures of one table before a place, last first."""
    below = before[0]
    while True:
        some = wanted.where(number <= below).order_by(number.desc()).limit(_AT_ONCE)
        rows = session.execute(some).all()
        for row in rows:
            whole = row.told.get("whole", row.told)
            for place in reversed(_own(whole)):
                found = _picture(whole, place, row.at) if (row.id, place) < before else None
                if found:
                    yield kind, (row.id, place), found
        if len(rows) < _AT_ONCE:
            return
        below = rows[-1].id - 1


def _own(whole: Mapping[str, Any]) -> list[int]:
    """Places of the blocks that are no job's, or all of what a job has made."""
    blocks, steps = len(whole["blocks"]), whole.get("steps")
    if steps is None:
        return list(range(blocks))
    ends = list(accumulate((step["blocks"] for step in steps), initial=0))
    first = blocks - ends[-1]
    return [
        first + place
        for step, start, end in zip(steps, ends, ends[1:], strict=False)
        if not step["job"] and step["tool"] != _SHOWS_OTHERS
        for place in range(start, end)
    ]


def _picture(whole: Mapping[str, Any], place: int, at: str) -> Picture | None:
    """The picture at a place; none if it is another block, or no generated picture."""
    block = whole["blocks"][place]
    metadata = block.get("metadata", {})
    if not caption(metadata):
        return None
    later = (cited for after in whole["blocks"][place:] for cited in after["cites"])
    facts = (whole["facts"][cited] for cited in later)
    took = (
        fact["value"] / 1000
        for fact in facts
        if fact["property"] == _TOOK and fact["system"] == metadata.get("model")
    )
    return Picture(Path(block["path"]), at, metadata, next(took, None))


def _naming(table: Any, told: Any, owner: str, name: str) -> Select[Any]:
    """The rows that name a file, and what they tell; to be changed."""
    wanted = select(table, told).where(table.owner == owner, _has(told, f"/{name}"))
    return wanted.with_for_update()


def _without(
    session: Session, naming: Select[Any], name: str, day: date
) -> list[tuple[Any, dict[str, Any]]]:
    """The rows that show a picture, each with what it tells without it."""
    rows = [(row, told, without_picture(told, name, day)) for row, told in session.execute(naming)]
    return [(row, dict(changed)) for row, told, changed in rows if changed != told]


def _has(told: Any, ending: str) -> ColumnElement[bool]:
    """Whether a JSON text holds a string of that ending."""
    return type_coerce(told, Text).contains(json.dumps(ending)[1:], autoescape=True)


def _places(after: str) -> list[_Place]:
    """Where to go on in the answers and in the jobs."""
    if not _PLACES.fullmatch(after):
        return [(_HIGHEST, _HIGHEST)] * 2
    answer, block, job, other = (min(int(number), _HIGHEST) for number in after.split("."))
    return [(answer, block), (job, other)]


def _holds(picture: Picture, words: Sequence[str]) -> bool:
    said = searchable(f"{picture.metadata.get('prompt', '')} {picture.metadata.get('model', '')}")
    return all(word in said for word in words)
