"""What the batch commands do with one row, and what the model commands tell."""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from assistant.answer import to_json
from assistant.ask import Assistant, ask, call, decide
from assistant.conversation import Question
from assistant.plan import Clarify, Decline, told
from assistant.settings import Settings
from tools.base import Agreement, ToolFailed

_POSITIONAL = {"recommend": "use_case", "verify": "claim"}


def answered(
    assistant: Assistant, row: Mapping[str, Any], tool: str, agreement: Agreement
) -> dict[str, Any]:
    """The answer to one row, by the router or by one tool."""
    images = tuple(Path(image) for image in row.get("images", ()))
    question = Question(row["text"], images, agreement=agreement)
    if tool:
        answers = call(assistant, tool, {_POSITIONAL[tool]: row["text"]}, question)
    else:
        answers = ask(assistant, question)
    return to_json(list(answers)[-1])


def planned(assistant: Assistant, row: Mapping[str, Any]) -> dict[str, Any]:
    """What would be done about one row."""
    names = [str(attachment) for attachment in row.get("attachments", ())]
    pictures = [name for name in names if name.partition(":")[0] == "image"]
    images = tuple(Path(name.partition(":")[2] or "picture") for name in pictures)
    plan, answer = decide(assistant, Question(row["text"]), images)
    found: dict[str, Any] = {"outcome": "run", "steps": [], "ask": None, "choices": []}
    if isinstance(plan, Clarify):
        found |= {"outcome": "clarify", "ask": plan.question, "choices": list(plan.choices)}
    elif isinstance(plan, Decline):
        found |= {"outcome": "decline", "choices": [step.why for step in plan.nearest]}
    else:
        found["steps"] = [
            {"tool": step.tool, "arguments": told(step.arguments)} for step in plan.steps
        ]
    found["hits"] = [{"id": hit.id, "score": round(hit.score, 4)} for hit in answer.hits]
    return found


def availability(settings: Settings) -> list[dict[str, Any]]:
    """Every carded model that can be run by an engine: whether it is usable here, and why not."""
    from index.catalog import load
    from tools.models import Models

    models = Models("cpu", settings.home, settings.offline, settings.audience)
    rows = []
    for card in load().cards.values():
        if card.run.engine in ("none", "training"):
            continue
        found = models.availability(card)
        rows.append(
            {
                "id": card.id,
                "licence": card.licence,
                "download_mb": card.run.download_mb,
                "memory_gib": card.run.memory_gib,
                "repository": card.run.repository,
                "usable": found.usable,
                "why": found.why,
                "how": found.how,
            }
        )
    return rows


def train(name: str, settings: Settings, report: Callable[[float, str], None]) -> dict[str, Any]:
    """Trains a pocket model by its recipe, going on from the checkpoint in the home.

    Returns:
        Its measured figures.

    Raises:
        ToolFailed: there is no recipe of that name.
    """
    recipes = {"pocket-convnext": "convnext", "judge": "judge"}
    if name not in recipes:
        known = ", ".join(recipes)
        raise ToolFailed(f"There is no recipe for {name!r}. Choose from: {known}.")
    recipe = import_module(f"tools.pocket.recipes.{recipes[name]}")
    folder = settings.home / "models" / name
    figures: dict[str, Any] = recipe.train(folder, folder.with_suffix(".pt"), report)
    return figures
