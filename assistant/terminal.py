"""An answer on a terminal."""

import re

from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table as RichTable
from rich.text import Text as RichText

from assistant.answer import Answer
from index.evidence import Claim, Fact
from index.properties import properties, show
from tools.base import Block, Image, Table, Text
from tools.recipe import caption

_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def show_answer(answer: Answer, console: Console) -> None:
    """Prints a finished answer: blocks, what is asked back, steps and evidence."""
    for block in answer.blocks:
        _show_block(block, console)
    if answer.ask:
        console.print(answer.ask, markup=False)
    for choice in answer.choices:
        console.print(f"  - {choice}", markup=False)
    for step in answer.steps:
        console.print(f"{step.tool}: {step.status}, {step.seconds:.2f} s", style="dim")
    for fact in answer.evidence:
        console.print(_evidence(fact), style="dim", markup=False)


def show_progress(answer: Answer, console: Console) -> None:
    """Prints how far the running step is, in one line."""
    for step in answer.steps:
        if step.status == "running" and step.note:
            console.print(f"{step.tool} {step.done:.0%} {step.note}", style="dim", markup=False)


def _show_block(block: Block, console: Console) -> None:
    if isinstance(block, Text):
        console.print(Markdown(block.text))
    elif isinstance(block, Table):
        table = RichTable(title=_cell(block.title))
        for column in block.columns:
            table.add_column(_cell(column))
        for row in block.rows:
            table.add_row(*map(_cell, row))
        console.print(table)
    elif isinstance(block, Image) and "deleted" in block.metadata:
        console.print(block.alt, markup=False)
    else:
        mark = caption(block.metadata) if isinstance(block, Image) else ""
        console.print(f"{block.alt}: {block.path}{mark and f' ({mark})'}", markup=False)


def _cell(text: str) -> RichText:
    """A cell without markup; of a link only its words."""
    return RichText(_LINK.sub(r"\1", text))


def _evidence(fact: Fact) -> str:
    refuted = isinstance(fact, Claim) and fact.verdict == "refuted"
    told = show(fact.value, fact.unit) + (" (refuted)" if refuted else "")
    origin = fact.source if isinstance(fact, Claim) else f"measured on {fact.device}"
    return f"  {fact.system}: {properties()[fact.property].label} {told} ({origin}, {fact.date})"
