"""The same picture by several models in one question: the steps, and what they made, together."""

import itertools
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from assistant import grounding, runs
from assistant.answer import Answer, StepState
from assistant.conversation import Ref, Step
from assistant.parts import Parts
from assistant.paying import hosted_card
from index.catalog import Catalog
from index.names import Names
from tools.base import Block, Image, Text
from tools.recipe import Recipe
from tools.side_by_side import Column, grid

_DRAW = ("generate", "edit")  # the tools of steps that can stand side by side
_SEEDS = 2**31
_FREE, _NOT_TOLD = "free here", "not told"


def spread(steps: Sequence[Step], names: Names, asking: str) -> tuple[Step, ...]:
    """The steps, each of which asks one model: a comparison by pictures becomes a step for each.

    Those that differ in nothing but the model are given the same seed.

    Args:
        steps: of a plan.
        names: finds the systems that are compared.
        asking: what tells this asking from others; it decides the seed where none is said.
    """
    found: list[Step] = []
    now: dict[int, tuple[int, ...]] = {}  # of each step of the plan, the numbers it has here
    for number, step in enumerate(steps, start=1):
        first = len(found)
        found += [_moved(one, now) for one in _each(step, steps, names)]
        now[number] = tuple(range(first + 1, len(found) + 1)) or now.get(number - 1, ())
    seed = zlib.crc32(asking.encode()) % _SEEDS
    alike = {place for places in groups(found) if len(places) > 1 for place in places}
    return tuple(
        replace(step, arguments={"seed": seed, **step.arguments}) if place in alike else step
        for place, step in enumerate(found)
    )


def _each(step: Step, steps: Sequence[Step], names: Names) -> Iterator[Step]:
    """A step of the plan as steps that each ask one model."""
    told = _asked_of_each(step, steps)
    systems = [names.resolve(one) or one for one in step.arguments.get("systems", ())]
    makers = [one for one in systems if _makes_pictures(one, names.catalog)]
    if not told or len(makers) < 2:
        yield step
        return
    tool = "edit" if "images" in told[0] else "generate"
    for arguments in told:
        for system in systems:
            if arguments.get("model") != system:
                yield Step(tool, {**arguments, "model": system}, step.why)


def _makes_pictures(system: str, catalog: Catalog) -> bool:
    card = catalog.get(system)
    return card is None or bool(set(_DRAW) & set(card.tasks))  # one's own model has no card


def _asked_of_each(step: Step, steps: Sequence[Step]) -> list[dict[str, Any]]:
    """What a comparison asks of every system, once for each prompt and seed; else nothing."""
    given = step.arguments
    if step.tool != "compare" or "labels" in given:
        return []
    if not given.get("prompts"):  # a picture that was just made is compared: by its words
        drawn = _drawn(given.get("images", ()), steps)
        return [dict(drawn.arguments)] if drawn else []
    kept = {name: given[name] for name in ("images", "count") if name in given}
    each = itertools.product(given["prompts"], given.get("seeds") or (None,))
    return [
        {**kept, "prompt": prompt} | ({} if seed is None else {"seed": seed})
        for prompt, seed in each
    ]


def _drawn(images: Sequence[Any], steps: Sequence[Step]) -> Step | None:
    """The step of the plan that draws the only picture that is pointed to."""
    own = [ref for ref in images if isinstance(ref, Ref) and ref.kind == "step" and not ref.turn]
    step = steps[own[0].number - 1] if len(own) == len(images) == 1 else None
    return step if step and step.tool == "generate" and "model" in step.arguments else None


def _moved(step: Step, now: Mapping[int, tuple[int, ...]]) -> Step:
    """A step that points to the steps of the plan by the numbers that they have now."""

    def meant(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, Ref) or value.kind != "step" or value.turn:
            return (value,)
        numbers = now.get(value.number, (value.number,))
        if len(numbers) > 1 and value.picture:  # which of them, since each makes one
            return (replace(value, number=numbers[(value.picture - 1) % len(numbers)], picture=0),)
        return tuple(replace(value, number=number) for number in numbers)

    arguments = {
        name: tuple(itertools.chain(*map(meant, value)))
        if isinstance(value, tuple)
        else meant(value)[0]
        for name, value in step.arguments.items()
    }
    return replace(step, arguments=arguments)


def groups(steps: Sequence[Step]) -> tuple[tuple[int, ...], ...]:
    """The places of steps that follow each other and differ in nothing but the model.

    Every place stands in one of them; what stands beside nothing is alone in its own.
    """

    def same(place: int) -> str:
        step = steps[place]
        rest = {name: value for name, value in step.arguments.items() if name != "model"}
        can = step.tool in _DRAW and "model" in step.arguments
        return f"{step.tool} {sorted(rest.items())}" if can else f"{place}"

    return tuple(tuple(found) for _, found in itertools.groupby(range(len(steps)), same))


def gone_on(answer: Answer, place: int) -> tuple[Answer, Answer | None]:
    """After a step of several that stand side by side: the answer with which the others go on.

    What the step lacks is told in its place, and no reason for the others to wait.

    Returns:
        That answer; and the one that asks for an agreement, to be asked when the others are done.
    """
    onward = replace(answer, outcome="run", ask="", choices=(), consent=None)
    if answer.steps[place].status != "waiting":
        return onward, None
    if answer.consent:
        return onward, answer
    state = replace(answer.steps[place], status="failed", error=answer.ask)
    steps = (*answer.steps[:place], state, *answer.steps[place + 1 :])
    return replace(onward, steps=steps), None


def asked_after(answer: Answer, places: Sequence[int], asks: Answer | None) -> Answer:
    """The answer when steps side by side are through: with what one of them asks, if one does.

    If none of them made anything, the answer says why.
    """
    if asks:
        asked = replace(answer, ask=asks.ask, choices=asks.choices, consent=asks.consent)
        return replace(asked, outcome="clarify")
    if any(answer.steps[place].status != "failed" for place in places):
        return answer
    errors = dict.fromkeys(answer.steps[place].error for place in places)
    return replace(answer, outcome="failed", ask=" ".join(errors))


def shown(
    parts: Parts, owner: str, answer: Answer, made: Mapping[int, Sequence[Block]]
) -> tuple[Block, ...]:
    """What several models made of the same, side by side; nothing if none made anything.

    Args:
        parts: the parts that answer.
        owner: whose answer it is.
        answer: the answer so far.
        made: the blocks of each step that stands there, by its place.

    Raises:
        ToolFailed: the picture cannot be kept.
        OSError: the home cannot be written.
    """
    columns = [_column(parts, answer.steps[place], made[place]) for place in made]
    if not any(column.pictures for column in columns):
        return ()
    first = answer.steps[min(made)].arguments
    recipe = Recipe(
        prompt=str(first.get("prompt", "")),
        model=", ".join(column.name for column in columns),
        seed=first.get("seed"),
        mode="side by side",
    )
    folder = runs.start(parts.settings.home, owner)
    blocks = grid(folder.path / "side-by-side.png", recipe, columns)
    runs.complete(folder, {"tool": "compare", "arguments": {"systems": recipe.model}})
    errors = tuple(filter(None, (answer.steps[place].error for place in made)))
    more = (Text("\n\n".join(errors), state=errors),) if errors else ()
    return tuple(grounding.checked(block, parts.names) for block in (*blocks, *more))


def _column(parts: Parts, state: StepState, blocks: Sequence[Block]) -> Column:
    system = str(state.arguments["model"])
    card = parts.catalog.get(system)
    name = card.name if card else system
    drawn = [one for one in blocks if isinstance(one, Image) and "origin" in one.metadata]
    if not drawn:
        return Column(name, why=_why(state))
    facts = {fact.property: fact for block in blocks for fact in block.cites}
    hosted = hosted_card(parts.names, parts.tools[state.tool], state.arguments)
    costs = [one.metadata["cost"] for one in drawn if "cost" in one.metadata]
    price = ", ".join(costs) or (_NOT_TOLD if hosted else _FREE)
    paths = tuple(one.path for one in drawn)
    return Column(name, paths, facts.get("latency_ms"), facts.get("peak_memory_mib"), price)


def _why(state: StepState) -> str:
    if state.job:
        return f"It goes on as job {state.job}."
    if state.status == "waiting":
        return "It waits for your yes."
    return state.error.partition(". ")[0].rstrip(".") + "." if state.error else "It made nothing."
