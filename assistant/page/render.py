"""An answer as chat messages: Markdown throughout, so that it can be copied and folded whole."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from assistant.answer import Answer, StepState
from index.evidence import Claim, Fact, Measurement
from index.properties import properties, show
from tools.base import Block, File, Image, Plot, Table, Text
from tools.wording import shown

Message = dict[str, Any]

_SHOWN = 2_000  # characters of a question that the page repeats
_NUMBERS = re.compile(r"[-+$~<>]*\s?[\d.,]+(?:e[-+]?\d+)?\s?\S{0,10}|-|", re.IGNORECASE)


def user_message(text: str, pictures: Sequence[str]) -> Message:
    """The person's words, taken literally, and their pictures.

    Args:
        text: the question.
        pictures: addresses of its pictures on this server.
    """
    words = text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ... ({len(text):,} characters)"
    seen = " ".join(
        _picture(address, f"Picture {place} of the question")
        for place, address in enumerate(pictures, start=1)
    )
    content = "\n\n".join(filter(None, (seen, _literal(words))))
    return {"role": "user", "content": content or "(empty)"}


def answer_messages(answer: Answer, earlier: Sequence[Answer], home: Path) -> list[Message]:
    """An answer with its tools, its evidence folded under it, and the answers it replaces.

    Args:
        answer: the answer, finished or still growing.
        earlier: older answers to the same question, oldest first.
        home: the folder that holds the files of answers.
    """
    messages = [_step(step) for step in answer.steps]
    if not answer.finished and not any(step.status == "running" for step in answer.steps):
        messages.append(_fold("Looking it up", "", pending=True))
    if body := _body(answer, home):
        messages.append({"role": "assistant", "content": body})
    if answer.finished and answer.evidence:
        messages.append(_fold(_evidence_title(answer), _evidence(answer)))
    for place, old in enumerate(reversed(earlier)):
        title = "Earlier answer" if not place else f"Earlier answer, {place + 1} back"
        messages.append(_fold(title, _whole(old, home)))
    if answer.finished and answer.choices and messages:
        messages[-1]["options"] = [{"value": choice} for choice in answer.choices]
    return messages


def address(path: Path, home: Path) -> str:
    """Where the page finds a file of an answer; empty if it does not lie in the home.

    The owner's folder is left out: the server takes it from who asks, never from the address.
    """
    if not path.is_relative_to(home):
        return ""
    kind, _, *rest = path.relative_to(home).parts
    return quote("/".join(("files", kind, *rest)))


def _fold(title: str, content: str, *, pending: bool = False) -> Message:
    status = "pending" if pending else "done"
    return {
        "role": "assistant",
        "content": content,
        "metadata": {"title": title, "status": status},
    }


def _step(step: StepState) -> Message:
    title = f"{step.tool} · {step.status}"
    if step.seconds:
        title += f" · {_time(step.seconds)}"
    return _fold(title, _step_details(step), pending=step.status == "running")


def _step_details(step: StepState) -> str:
    given = ", ".join(f"{name} = {_literal(_value(v))}" for name, v in step.arguments.items())
    progress = f"{step.done:.0%} {_literal(step.note)}" if step.status == "running" else ""
    lines = (
        progress.strip(),
        _literal(step.error),
        f"Why this tool: {_literal(step.why)}" if step.why else "",
        f"Given: {given}" if given else "",
    )
    return "\n\n".join(filter(None, lines))


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


# --- what it says
def _body(answer: Answer, home: Path) -> str:
    parts = [*_blocks(answer.blocks, home)]
    if answer.ask:
        opening = "**This did not work.** " if answer.outcome == "failed" else ""
        parts.append(opening + _literal(answer.ask))
    return "\n\n".join(parts)


def _blocks(blocks: Sequence[Block], home: Path) -> Iterator[str]:
    """Each block as Markdown; pictures that follow one another share a paragraph."""
    row: list[str] = []
    for block in blocks:
        if isinstance(block, Image):
            row.append(_picture(address(block.path, home), block.alt))
            continue
        if row:
            yield " ".join(row)
            row = []
        yield _block(block, home)
    if row:
        yield " ".join(row)


def _block(block: Text | Table | Plot | File, home: Path) -> str:
    match block:
        case Text(text):
            return text
        case Table():
            return _table(block)
        case Plot(path, alt):
            return _picture(f"{address(path, home)}#plot", alt)
        case File(path, alt):
            return f"[{_literal(path.name)}]({address(path, home)}) {_literal(alt)}"


def _picture(where: str, alt: str) -> str:
    if not where:
        return f"*{_literal(alt)}*"
    return f"[![{_literal(alt)}]({where})]({where})"


def _table(table: Table) -> str:
    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.columns)
    aligned = ["---:" if _is_numeric(cells) else "---" for cells in columns]
    lines = [_row(table.columns), _row(aligned), *(map(_row, table.rows))]
    title = f"**{table.title}**\n\n" if table.title else ""
    return title + "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    clean = (" ".join(cell.split()).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(clean)} |"


def _is_numeric(cells: Sequence[str]) -> bool:
    return bool(cells) and all(_NUMBERS.fullmatch(cell.strip()) for cell in cells)


# --- what stands behind it
def _evidence_title(answer: Answer) -> str:
    facts = len(answer.evidence)
    counted = f"{facts} fact" if facts == 1 else f"{facts} facts"
    return f"Evidence · {counted} · answered in {_time(answer.seconds)}"


def _evidence(answer: Answer) -> str:
    used = list(dict.fromkeys(fact.system for fact in answer.evidence))
    found = [hit.system for hit in answer.hits if hit.system and hit.system not in used]
    parts = [
        "\n".join(_fact(fact) for fact in answer.evidence),
        f"Cards used: {', '.join(used)}",
        f"Also found: {', '.join(dict.fromkeys(found))}" if found else "",
    ]
    return "\n\n".join(filter(None, parts))


def _fact(fact: Fact) -> str:
    rule = properties().get(fact.property)
    label = rule.label if rule else fact.property
    at = f" ({_literal(fact.at)})" if fact.at else ""
    said = _claimed(fact) if isinstance(fact, Claim) else _measured(fact)
    return f"- **{_literal(fact.system)}**, {label}{at}: {said}"


def _claimed(claim: Claim) -> str:
    value = _literal(show(claim.value, claim.unit))
    source = f"[source]({claim.source})" if claim.source.startswith("http") else claim.source
    cited = f"says {_literal(claim.says)}, {source}, {claim.date}"
    if claim.verdict == "refuted":
        right = "" if claim.right is None else f" Right: {show(claim.right, claim.unit)}."
        return f"~~{value}~~ **refuted.**{right} {_literal(claim.note)} ({cited})"
    marked = "" if claim.verdict == "claimed" else f"**{claim.verdict}**, "
    return f"{value} ({marked}{cited})"


def _measured(found: Measurement) -> str:
    where = f"measured on {found.device}, {found.machine}, {found.date}"
    return f"{shown(found)} ({_literal(where)}; {_literal(found.versions)})"


def _whole(answer: Answer, home: Path) -> str:
    """An answer that another one has replaced, in one piece."""
    steps = ", ".join(f"{step.tool} ({step.status})" for step in answer.steps)
    evidence = _evidence(answer) if answer.evidence else ""
    return "\n\n".join(filter(None, (f"*{steps}*" if steps else "", _body(answer, home), evidence)))


def _literal(text: str) -> str:
    """Text that Markdown leaves as it is."""
    text = re.sub(r"([\\`*<>\[\]~|&]|\b_|_\b)", r"\\\1", text)
    text = re.sub(
        r"^[ \t]+", lambda indent: "\N{NO-BREAK SPACE}" * len(indent[0]), text, flags=re.M
    )
    return re.sub(r"^(\d*)([#+.)=-])(?=[#=-]*(\s|$))", r"\1\\\2", text, flags=re.M)
