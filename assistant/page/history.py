"""The list of conversations beside the chat, as HTML."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from urllib.parse import quote

from assistant.store import Conversation

_NONE = "Your conversations will stand here."
_NOT_FOUND = "No conversation holds these words."
_MORE = '<button type="button" class="all" data-do="more">Show older ones</button>'
DIALOGS = """<dialog data-ask="rename" aria-labelledby="rename-title"><form method="dialog">
<h2 id="rename-title">Rename this conversation</h2>
<label>Its title <input name="title" maxlength="120" required autocomplete="off"></label>
<p><button value="yes" class="primary">Save</button>
<button value="" formnovalidate>Cancel</button></p></form></dialog>
<dialog data-ask="delete" aria-labelledby="delete-title"><form method="dialog">
<h2 id="delete-title">Delete this conversation?</h2>
<p><q></q> goes with its questions, answers and pictures. It cannot be brought back.</p>
<p><button value="" autofocus>Keep it</button>
<button value="yes" class="stop">Delete</button></p></form></dialog>
"""


def history_html(
    found: Sequence[Conversation], current: str, search: str, more: bool, now: datetime
) -> str:
    """The list; what a button does stands in its `data-do`, and history.js does it.

    Args:
        found: the conversations, newest first.
        current: id of the one that is shown beside it.
        search: what was searched for.
        more: whether there are older ones.
        now: the time, with its zone.
    """
    rows = "".join(_row(one, current, now) for one in found)
    empty = f"<p>{_NOT_FOUND if search.strip() else _NONE}</p>"
    listed = f"<ul>{rows}</ul>" if rows else empty
    return f'<nav aria-label="Conversations">{listed}{_MORE if more else ""}</nav>'


def when(time: str, now: datetime) -> str:
    """How long ago something was, or its date; the same in every time zone.

    Args:
        time: ISO time with its zone.
        now: the time, with its zone.
    """
    try:
        then = datetime.fromisoformat(time)
    except ValueError:
        return ""
    ago = now - then
    for unit, length, shown in _steps():
        if ago < length:
            return shown.format(ago // unit)
    return f"{then.astimezone(UTC):%d %b %Y}".lstrip("0")


def _steps() -> Iterator[tuple[timedelta, timedelta, str]]:
    """Unit, until when it is used, how it is said."""
    yield timedelta(minutes=1), timedelta(minutes=1), "just now"
    yield timedelta(minutes=1), timedelta(hours=1), "{} min ago"
    yield timedelta(hours=1), timedelta(days=1), "{} h ago"
    yield timedelta(days=1), timedelta(days=2), "yesterday"
    yield timedelta(days=1), timedelta(days=7), "{} days ago"


def _row(one: Conversation, current: str, now: datetime) -> str:
    key, title = escape(one.key), escape(one.title)
    where = f"conversations/{quote(one.key)}"
    marked = ' aria-current="true"' if one.key == current else ""
    return (
        f'<li data-key="{key}" data-title="{title}">'
        f'<button type="button" class="open" data-do="open"{marked}>'
        f'<span class="title">{title}</span> '
        f'<time datetime="{escape(one.latest)}">{when(one.latest, now)}</time></button>'
        f'<details name="more"><summary aria-label="More for: {title}" title="More"></summary>'
        '<div class="menu">'
        '<button type="button" data-do="rename">Rename</button>'
        f'<a href="{where}.md" download>Export as Markdown</a>'
        f'<a href="{where}.json" download>Export as JSON</a>'
        '<button type="button" data-do="delete">Delete</button>'
        "</div></details></li>"
    )
