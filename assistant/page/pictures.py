"""The gallery of my pictures, as HTML: a page of small ones, each with its recipe."""

from collections.abc import Iterator
from html import escape
from pathlib import Path
from urllib.parse import quote

from assistant.page.document import file_name
from assistant.page.markdown import seconds_in_words
from assistant.page.render import address
from assistant.store.pictures import Page, Picture
from assistant.store.words import title_of
from index.catalog import Catalog
from tools.recipe import labelled

_NONE = "No pictures yet. Ask for one in the chat, such as: draw a red star on a blue background."
_NOT_FOUND = "No picture of yours has all these words in its prompt or the name of its model."
_GONE = "The file of this picture is not there any more."
_ALT = 200  # characters of a prompt that a screen reader says
_TERMS = {
    "no": "The licence of {model} ({licence}) does not allow commercial use.",
    "conditions": "The licence of {model} ({licence}) allows commercial use under conditions only.",
}
BUTTON = '<button type="button" data-do="pictures" aria-haspopup="dialog">My pictures</button>'
DIALOGS = """<dialog data-ask="pictures" aria-labelledby="pictures-title"><form method="dialog">
<button class="close" aria-label="Close" title="Close" autofocus></button></form>
<h2 id="pictures-title">My pictures</h2>
<p class="find"><input type="search" aria-label="Search my pictures" maxlength="500"
placeholder="Search prompts and models" autocomplete="off">
<a href="pictures.zip" download hidden>Download all</a></p>
<p role="status"></p><ul></ul></dialog>
<dialog data-ask="picture" aria-labelledby="picture-title"><form method="dialog">
<button class="close" aria-label="Close" title="Close" autofocus></button></form>
<div></div></dialog>
<dialog data-ask="forget" aria-labelledby="forget-title"><form method="dialog">
<h2 id="forget-title">Delete this picture?</h2>
<p><q></q> goes from the disk, and the answer that shows it will say so. It cannot be brought
back.</p><p><button value="" autofocus>Keep it</button>
<button value="yes" class="stop">Delete</button></p></form></dialog>
"""


def pictures_html(page: Page, home: Path, catalog: Catalog, search: str, *, first: bool) -> str:
    """Pictures as items of a list; what a button does stands in `data-do`, pictures.js does it.

    Args:
        page: the pictures, newest first.
        home: the folder that holds their files.
        catalog: knows the terms of the models.
        search: what was searched for.
        first: whether no page went before.
    """
    rows = "".join(_row(picture, home, catalog) for picture in page.pictures)
    if first and not rows:
        return f'<li class="none">{_NOT_FOUND if search.strip() else _NONE}</li>'
    older = (
        f'<li class="more"><button type="button" data-do="more" data-after="{escape(page.after)}">'
        "Show older ones</button></li>"
    )
    return rows + (older if page.after else "")


def _row(picture: Picture, home: Path, catalog: Catalog) -> str:
    words = _words(picture)
    alt = escape(words if len(words) <= _ALT else f"{words[:_ALT]} ...")
    where = address(picture.path, home) if picture.path.is_file() else ""
    small = f'<img src="pictures/{quote(picture.name)}" alt="{alt}" loading="lazy">'
    return (
        f'<li data-name="{escape(picture.name)}" data-title="{escape(title_of(words))}">'
        f'<button type="button" data-do="show" aria-haspopup="dialog">'
        f"{small if where else f'<span>{alt}</span>'}</button>"
        f"<template>{_whole(picture, alt, where, catalog)}</template></li>"
    )


def _whole(picture: Picture, alt: str, where: str, catalog: Catalog) -> str:
    """A picture with its recipe and what can be done with it."""
    ending = picture.path.suffix.lstrip(".")
    name = escape(file_name(_words(picture), ending))
    large = f'<a href="{where}" target="_blank"><img src="{where}" alt="{alt}"></a>'
    acts = (
        '<button type="button" data-do="use">Use again</button>'
        f'<a href="{where}" download="{name}">Download</a>'
    )
    rows = "".join(
        f"<div><dt>{label}</dt><dd>{escape(value)}</dd></div>"
        for label, value in (*labelled(picture.metadata), *_took(picture))
    )
    return (
        f'<h2 id="picture-title">{escape(title_of(_words(picture)))}</h2>'
        f"{large if where else f'<p>{_GONE}</p>'}"
        f'<p>{escape(picture.metadata["origin"])}</p><p class="acts">{acts if where else ""}'
        '<button type="button" data-do="delete">Delete</button></p>'
        f'<p role="alert"></p><dl>{rows}</dl>{_terms(picture, catalog)}'
    )


def _words(picture: Picture) -> str:
    told = picture.metadata.get("prompt") or picture.metadata.get("mode") or "A picture"
    return " ".join(told.split())


def _took(picture: Picture) -> Iterator[tuple[str, str]]:
    if picture.seconds is not None:
        yield "Took", seconds_in_words(picture.seconds)


def _terms(picture: Picture, catalog: Catalog) -> str:
    """What the licence of the model allows, where that is not everything."""
    card = catalog.get(picture.metadata.get("model", ""))
    if card is None or card.commercial_use not in _TERMS:
        return ""
    said = _TERMS[card.commercial_use].format(model=card.id, licence=card.licence)
    return f"<p>{escape(said)}</p>"
