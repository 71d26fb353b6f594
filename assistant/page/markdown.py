"""Answers as Markdown: what they say, why these tools, and what stands behind them."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from assistant.answer import Answer, StepState
from index.evidence import Claim, Fact, Measurement
from index.properties import properties, show
from tools.base import Block, File, Image, Plot, Table, Text
from tools.wording import shown

Shown = Callable[[Image | Plot | File], str]  # a block with a file, as Markdown

_NUMBERS = re.compile(r"[-+$~<>]*\s?[\d.,]+(?:e[-+]?\d+)?\s?\S{0,10}|-|", re.IGNORECASE)


def body(answer: Answer, file: Shown) -> str:
    """What an answer says.

    Args:
        answer: the answer.
        file: how pictures, plots and files are shown.
    """
    parts = [*_blocks(answer.blocks, file)]
    if answer.ask:
        opening = "**This did not work.** " if answer.outcome == "failed" else ""
        parts.append(opening + literal(answer.ask))
    return "\n\n".join(parts)


def reason(step: StepState) -> str:
    """Why a tool was chosen, and what it was given."""
    given = ", ".join(f"{name} = {literal(_value(v))}" for name, v in step.arguments.items())
    lines = (
        f"Why this tool: {literal(step.why)}" if step.why else "",
        f"Given: {given}" if given else "",
    )
    return "\n\n".join(filter(None, lines))


def evidence(answer: Answer) -> str:
    """The facts behind an answer, and the cards that they come from."""
    used = list(dict.fromkeys(fact.system for fact in answer.evidence))
    found = [hit.system for hit in answer.hits if hit.system and hit.system not in used]
    parts = [
        "\n".join(_fact(fact) for fact in answer.evidence),
        f"Cards used: {', '.join(used)}",
        f"Also found: {', '.join(dict.fromkeys(found))}" if found else "",
    ]
    return "\n\n".join(filter(None, parts))


def seconds_in_words(seconds: float) -> str:
    """How long something took."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def literal(text: str) -> str:
    """Text that Markdown leaves as it is."""
    text = re.sub(r"([\\`*<>\[\]~|&]|\b_|_\b)", r"\\\1", text)
    text = re.sub(
        r"^[ \t]+", lambda indent: "\N{NO-BREAK SPACE}" * len(indent[0]), text, flags=re.M
    )
    return re.sub(r"^(\d*)([#+.)=-])(?=[#=-]*(\s|$))", r"\1\\\2", text, flags=re.M)


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


# --- what it says
def _blocks(blocks: Sequence[Block], file: Shown) -> Iterator[str]:
    """Each block as Markdown; pictures that follow one another share a paragraph."""
    row: list[str] = []
    for block in blocks:
        if isinstance(block, Image):
            row.append(file(block))
            continue
        if row:
            yield " ".join(row)
            row = []
        yield _block(block, file)
    if row:
        yield " ".join(row)


def _block(block: Text | Table | Plot | File, file: Shown) -> str:
    match block:
        case Text(text):
            return text
        case Table():
            return _table(block)
        case _:
            return file(block)


def _table(table: Table) -> str:
    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.columns)
    aligned = ["---:" if _is_numeric(cells) else "---" for cells in columns]
    rows = [_row(row, table.state) for row in table.rows]
    lines = [_row(table.columns), _row(aligned), *rows]
    title = f"**{table.title}**\n\n" if table.title else ""
    return title + "\n".join(lines)


def _row(cells: Sequence[str], state: Sequence[str] = ()) -> str:
    return f"| {' | '.join(_cell(cell, cell in state) for cell in cells)} |"


def _cell(text: str, taken_literally: bool) -> str:
    """A cell in one line; what tells of our own work may be anyone's words, and is no Markdown."""
    line = " ".join(text.split())
    return literal(line) if taken_literally else line.replace("|", "\\|")


def _is_numeric(cells: Sequence[str]) -> bool:
    return bool(cells) and all(_NUMBERS.fullmatch(cell.strip()) for cell in cells)


# --- what stands behind it
def _fact(fact: Fact) -> str:
    rule = properties().get(fact.property)
    label = rule.label if rule else fact.property
    at = f" ({literal(fact.at)})" if fact.at else ""
    said = _claimed(fact) if isinstance(fact, Claim) else _measured(fact)
    return f"- **{literal(fact.system)}**, {label}{at}: {said}"


def _claimed(claim: Claim) -> str:
    value = literal(show(claim.value, claim.unit))
    source = f"[source]({claim.source})" if claim.source.startswith("http") else claim.source
    cited = f"says {literal(claim.says)}, {source}, {claim.date}"
    if claim.verdict == "refuted":
        right = "" if claim.right is None else f" Right: {show(claim.right, claim.unit)}."
        return f"~~{value}~~ **refuted.**{right} {literal(claim.note)} ({cited})"
    marked = "" if claim.verdict == "claimed" else f"**{claim.verdict}**, "
    return f"{value} ({marked}{cited})"


def _measured(found: Measurement) -> str:
    where = f"measured on {found.device}, {found.machine}, {found.date}"
    return f"{shown(found)} ({literal(where)}; {literal(found.versions)})"
