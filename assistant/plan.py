"""From a question, its files and its history to a plan: run, ask back, or decline."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from typing import Any

import numpy as np

from assistant.arguments import Heard, arguments_for, missing
from assistant.arguments.models import partners, pictured
from assistant.arguments.words import formats
from assistant.asides import asides, is_for_secrets, quoted, written
from assistant.choose import close_tools, is_more, ordered_tool, placed_tool, timed_tool
from assistant.conversation import Attachment, Exchange, Step, agrees, told
from assistant.router import (
    LABELS,
    NONE,
    SEVERAL,
    TOOLS,
    Reading,
    Router,
    Situation,
    kinds,
    situated,
)
from assistant.router import load_router as router
from assistant.saying import say, title, titled
from index.gloss import Gloss, gloss
from index.glossary import UNKNOWN
from index.names import Names
from index.replies import BRIEF
from tools.again import THEN
from tools.base import Tool
from tools.guiding import not_known

_SEVERAL = 0.2  # probability of several steps from which a question is cut
_STARTS = 0.5  # probability from which a token begins a later step, beside the likeliest
_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=\S)")
# Arguments that a question of the assistant may propose.
_OFFERED = (
    "model", "models", "systems", "epochs", "steps", "top_k", "class_noun", "method", "format",
    "precision", "rank",
)  # fmt: skip
_REPEATED = ("generate", "edit", "jobs")  # tools that one message often asks for twice
_LONGEST = 1_000  # characters of a use case that a shorter message goes on with
MOST = 6  # steps that one message may ask for
_NEAREST = 3  # tools offered where none fits
_OFFERS = ("help", "explain", "recommend")  # those offered where nothing was understood


@dataclass(frozen=True)
class Run:
    """Do it.

    Attributes:
        steps: the steps, in order.
        language: the language of the question.
        parts: in how many parts the question was cut; only the first `MOST` are planned.
        before: the step and the words before it, as the network read them.
    """

    steps: tuple[Step, ...]
    language: str = "en"
    parts: int = 1
    before: str = ""


@dataclass(frozen=True)
class Clarify:
    """Ask one short question back, with choices to click.

    Attributes:
        question: what is asked.
        choices: what to click.
        steps: what was understood so far, so that the reply can complete it.
    """

    question: str
    choices: tuple[str, ...]
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Decline:
    """No tool fits.

    Attributes:
        nearest: tools that can be offered instead, nearest first.
        language: the language of the question.
        kind: what kind of system would do it, as a key of the sentences; empty if unknown.
        about: name of the system that was talked about; empty if none was.
    """

    nearest: tuple[str, ...]
    language: str = "en"
    kind: str = ""
    about: str = ""


Plan = Run | Clarify | Decline


@dataclass(frozen=True)
class Asked:
    """A question with everything that a plan is made from.

    Attributes:
        text: the person's words.
        files: what came with it.
        past: the turns before.
    """

    text: str
    files: tuple[Attachment, ...] = ()
    past: tuple[Exchange, ...] = ()


@dataclass(frozen=True)
class Part:
    """A part of a question that asks for one step.

    Attributes:
        tool: the tool that it is for.
        again: whether it is the step before once more.
        gloss: its words.
        reading: what the network makes of them.
        situation: what was known beside them.
    """

    tool: str
    again: bool
    gloss: Gloss
    reading: Reading
    situation: Situation


def plan(asked: Asked, names: Names, tools: Mapping[str, Tool]) -> Plan:
    """Chooses what to do about a question.

    Args:
        asked: the question.
        names: finds the systems that it names.
        tools: all tools.
    """
    network = router()
    tool, text = titled(asked.text)
    asked = replace(asked, text=text)
    whole = gloss(text, names).without(asides(text))
    empty = whole.language == UNKNOWN or not re.search(r"\w", whole.text)
    if empty or is_for_secrets(whole.text):
        return Decline(_OFFERS)
    situation = replace(_situation(asked, names), kinds=kinds(whole, names))
    reading = network.read(whole, situation)
    if tool:
        heard, count = [Part(tool, False, whole, reading, situation)], 1
    else:
        chosen, again = _chosen(whole, reading, situation)
        parts = _parts(whole, reading, (*quoted(text), *written(text)))
        count = len(parts)
        heard = list(_read_parts(network, parts[:MOST], situation, names)) if count > 1 else []
        if chosen == NONE and len(heard) < min(count, MOST):
            return _decline(reading, whole, tools)
        if len(heard) < 2:  # the network knows the whole better than what would be left of it
            if close := close_tools(reading):
                choices = tuple(title(name, text, whole.language) for name in close)
                return Clarify(say("which_tool", whole.language), choices)
            heard = [Part(chosen, again, whole, reading, situation)]
    heard = [replace(part, tool=placed_tool(part.tool, part.gloss.said)) for part in heard]
    heard = [replace(part, tool=timed_tool(part.tool, part.gloss.text)) for part in heard]
    planned = _steps(asked, heard, tools, _offered(asked, heard[0].tool, names, tools), names)
    if not isinstance(planned, Run):
        return planned
    return replace(planned, parts=count, before=situation.before_it)


def _chosen(whole: Gloss, reading: Reading, situation: Situation) -> tuple[str, bool]:
    """The tool for a whole question, and whether it is the step before once more."""
    chosen, again = ordered_tool(reading, whole, situation)
    return chosen, again or (chosen == "recommend" and reading.topic.name == BRIEF)


def _read_parts(
    network: Router, parts: Sequence[Gloss], situation: Situation, names: Names
) -> Iterator[Part]:
    """The parts with their tools; one that no tool does is left out, one that goes on is joined."""
    last, said = situation.last, situation.said
    before: Part | None = None
    for part in parts:
        here = replace(
            situation, last=last, said=said, later=before is not None, kinds=kinds(part, names)
        )
        reading = network.read(part, here)
        chosen, again = ordered_tool(reading, part, here)
        if before and chosen in (before.tool, NONE) and chosen not in _REPEATED:
            joined = before.gloss.joined(part)
            before = replace(before, gloss=joined, reading=network.read(joined, before.situation))
            continue
        if before:
            yield before
        before = Part(chosen, again, part, reading, here) if chosen != NONE else None
        if chosen != NONE:
            last, said = chosen, part.text
    if before:
        yield before


def _steps(
    asked: Asked,
    heard: Sequence[Part],
    tools: Mapping[str, Tool],
    offered: Mapping[str, Any],
    names: Names,
) -> Plan:
    steps: list[Step] = []
    for each in heard:
        tool, part = each.tool, each.gloss
        answers = tool == each.situation.last and each.situation.asked
        before = _carried(asked, steps, tool)
        goes_on = (
            each.again
            or answers
            or (tool == "recommend" and is_more(each.gloss, each.reading, before))
        )
        carried = {**before, **offered} if goes_on else {}
        kin = names.of_families(part.said)
        words = Heard(part, each.reading, asked.files, asked.past, tuple(steps), carried, kin)
        found = arguments_for(tools[tool], words)
        if "use_case" in carried:  # what was told of it before still holds
            found["use_case"] = f"{carried['use_case'][-_LONGEST:]}{THEN}{found['use_case']}"
        if key := missing(tool, found, words):
            choices = _pairs(found, part.language, names) if tool == "compare" else ()
            if not tools[tool].card.built:  # what it lacks would be asked for in vain
                key = "unbuilt"
                choices = (title("recommend", asked.text, part.language),)
            asks = filter(None, (not_known(asked.text), say(key, part.language)))
            return Clarify(" ".join(asks), choices, (*steps, Step(tool, found)))
        each_way = [{**found, name: one} for name, one in _several(tool, words)] or [found]
        steps += [Step(tool, said, _why(tool, part, tools)) for said in each_way]
    return Run(tuple(steps), heard[0].gloss.language)


def _pairs(found: Mapping[str, Any], language: str, names: Names) -> tuple[str, ...]:
    """Comparisons to click, of the one system that was named."""
    pairs = partners(next(iter(found.get("systems", ())), ""), names)
    return tuple(title("compare", f"{one}, {two}", language) for one, two in pairs)


def _several(tool: str, words: Heard) -> list[tuple[str, str]]:
    """Each way in which one step is to be done: in several formats, or with several models."""
    if tool == "export":
        return [("format", one) for one in formats(words.text)]
    if tool in ("generate", "edit") and len(pictured(tool, words)) > 1:
        return [("model", one) for one in pictured(tool, words)]
    return []


def _offered(asked: Asked, tool: str, names: Names, tools: Mapping[str, Tool]) -> dict[str, Any]:
    """What the assistant had proposed in its question, if the reply is a plain yes to it."""
    said = asked.past[-1].answer if asked.past else ""
    if not said.rstrip().endswith("?") or not agrees(asked.text):
        return {}
    words = gloss(_SENTENCES.split(said)[-1], names)
    reading = router().read(words, Situation(last=tool))
    found = arguments_for(tools[tool], Heard(words, reading, (), (), (), {}))
    return {name: found[name] for name in _OFFERED if name in found}


def _why(tool: str, part: Gloss, tools: Mapping[str, Tool]) -> str:
    does = tools[tool].card.title
    return f'"{part.said}" asks for this: {does[:1].lower()}{does[1:]}.'


def _carried(asked: Asked, steps: Sequence[Step], tool: str) -> dict[str, Any]:
    """The arguments of the last step with this tool, of this plan or of the turn before."""
    for step in reversed(steps):
        if step.tool == tool:
            return dict(step.arguments)
    for exchange in reversed(asked.past):
        for step in reversed(exchange.steps):
            if step.tool == tool:
                return dict(step.arguments)
    return {}


def _situation(asked: Asked, names: Names) -> Situation:
    # What was declined is no topic: the talk goes on from what was done before it.
    done = next((each for each in reversed(asked.past) if each.steps), None)
    last = done or (asked.past[-1] if asked.past else None)
    return situated(
        [file.kind for file in asked.files],
        sum(len(exchange.attachments) for exchange in asked.past),
        (last.steps[-1].tool if last.steps else NONE) if last else "",
        asked.past[-1].answer if asked.past else "",
        gloss(last.text, names).text if last else "",
    )


def _decline(reading: Reading, whole: Gloss, tools: Mapping[str, Tool]) -> Decline:
    order = (TOOLS[place] for place in np.argsort(reading.tools[: len(TOOLS)])[::-1])
    nearest = tuple(islice((name for name in order if tools[name].card.built), _NEAREST))
    return Decline(nearest, whole.language, reading.topic.kind)


def _parts(whole: Gloss, reading: Reading, told: Sequence[tuple[int, int]]) -> list[Gloss]:
    """The question cut where the network says that a later step begins, if it has several.

    No step begins within what is `told`, as words in quotation marks are.
    """
    if np.exp(reading.tools[LABELS.index(SEVERAL)]) < _SEVERAL:
        return [whole]
    later = [first > 0 for first, _ in reading.spans]
    starts = np.where(later, reading.starts, 0)
    cuts = [
        whole.original(*reading.spans[place])[0]
        for place in np.flatnonzero(starts >= min(_STARTS, starts.max()))
    ]
    cuts = [cut for cut in cuts if not any(start <= cut < end for start, end in told)]
    edges = [0, *dict.fromkeys(cut for cut in cuts if cut > 0), len(whole.question)]
    parts = [whole.part(a, b) for a, b in pairwise(edges)]
    return [part for part in parts if re.search(r"\w", part.text)] or [whole]


def steps_told(steps: Sequence[Step], asked: Asked) -> list[dict[str, Any]]:
    """Steps as programs read them."""
    own = len(asked.files)
    return [
        {
            "tool": step.tool,
            "arguments": {name: told(v, own, asked.past) for name, v in step.arguments.items()},
        }
        for step in steps
    ]
