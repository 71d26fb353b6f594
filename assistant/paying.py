"""Which steps ask a hosted model, and with what they pay; such a step needs no worker.

It runs in the server: there the books are, and a typed key never leaves the memory of the process
that it was typed into, but to Black Forest Labs.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import SecretStr

from assistant.conversation import Turn
from assistant.kept import from_kept
from assistant.parts import Call, Parts
from assistant.settings import Settings
from index.card import Card
from index.names import Names
from tools.base import Tool
from tools.purse import Purse
from tools.remote import Books
from tools.usable import HOSTED


def hosted_card(names: Names, tool: Tool, arguments: Mapping[str, Any]) -> Card | None:
    """The card of the hosted model that a step asks; none if it asks none."""
    model = arguments.get("model")
    if not (tool.card.hosted and isinstance(model, str)):
        return None
    card = names.catalog.get(model) or names.catalog.get(names.resolve(model) or "")
    return card if card and card.run.engine == HOSTED else None


def with_purse(
    parts: Parts,
    call: Call,
    question: str,
    place: str,
    conversation: str = "",
    job: int = 0,
) -> Call:
    """The call, with a purse if it asks a hosted model.

    Args:
        parts: the parts that answer.
        call: the run of a tool.
        question: what tells its agreement from others; the same after a crash or a stop.
        place: what tells the step from others of the same agreement.
        conversation: id of the conversation; empty if it belongs to none.
        job: number of the job; 0 if it is none.
    """
    card = hosted_card(parts.names, call.tool, call.arguments)
    if card is None:
        return call
    settings, talk = parts.settings, f"{conversation}:" if conversation else ""
    purse = Purse(
        key=_key(parts, conversation),
        books=Books(parts.store.remote, parts.store.ledger),
        step=f"{talk}{question}:{place}",
        question=f"{talk}{question}:",
        conversation=talk,
        per_conversation=settings.usd_per_conversation,
        per_day=settings.usd_per_day,
        region=settings.bfl_region,
        offline=settings.offline,
        public=settings.audience == "public",
        job=job,
    )
    return replace(call, arguments={**call.arguments, "model": card.id}, purse=purse)


def asked_in(turn: Turn) -> str:
    """What tells an asking of a turn from others: until one is done whole, it is the same one.

    So what a crash, a stop or a failure has left is gone on with, and what was asked again after
    it was there is made and paid anew.
    """
    whole = [
        kept
        for kept in turn.answers
        if (steps := from_kept(kept).steps) and all(step.status == "done" for step in steps)
    ]
    return f"{turn.number}:{len(whole)}"


def shows_field(settings: Settings) -> bool:
    """Whether the page asks for a key: where there is none yet, and one would be of use."""
    return not (settings.bfl_api_key or settings.offline or settings.audience == "public")


def _key(parts: Parts, conversation: str) -> SecretStr | None:
    """The key that was typed for a conversation, else that of the environment."""
    return parts.keys.find(conversation) or parts.settings.bfl_api_key
