"""The tool `help`: what it can do, and greetings."""

import re
from collections.abc import Iterator

from index.gloss import in_english
from index.replies import ABOUT, named_reply
from tools.base import Block, Context, Table, Text, ToolCard

CARD = ToolCard(
    title="Say what I can do",
    summary="Lists what can be asked, with an example for each.",
    examples=(
        "What can you do?",
        "Help",
        "Hello",
        "Hi there",
        "Good morning",
        "Thanks, that was useful",
        "Thank you!",
        "How do I use this?",
        "Which questions can I ask?",
        "What are you?",
        "Show me the tools",
        "What kinds of things can this assistant help with?",
        "hey, anyone there?",
        "good evening to you",
        "Bye, see you tomorrow",
        "ok great, you saved my day",
        "merci beaucoup",
        "Sorry, I am lost. Where do I start?",
        "I am new here, what is this site for?",
        "Give me a short tour of what you offer",
        "So what are you capable of, exactly?",
        "What services do you have for people like me?",
        "List your functions please",
        "Who are you and who made you?",
        "Am I talking to a bot or to a human?",
        "My boss sent me this link, what am I supposed to type here?",
        "Can you give me some sample questions to try out?",
        "explain me how works this assistant please",
        "Is there a manual or a menu of commands?",
        "What can you not do?",
    ),
)
_THANKS = re.compile(r"\b(?:thanks?|thank you|thx|ta|cheers|bless you)\b", re.IGNORECASE)
_SURE = 0.35  # cosine to the nearest way of asking from which a reply fits


def help(ctx: Context, topic: str = "") -> Iterator[Block]:
    """Answers what is said to the assistant, or lists the tools with an example question each.

    Args:
        ctx: the context.
        topic: the person's words.
    """
    said = in_english(topic, ctx.index.names).strip()
    if said and (told := _reply(ctx, said)):
        yield Text(told)
        return
    yield Text(
        "I help to choose and use image models. Ask about a model, compare some, or drop in a "
        "picture; every figure I give is measured here or cited with its source."
    )
    cards = [tool.card for tool in ctx.tools.values()]
    rows = tuple((card.title, card.examples[0]) for card in cards if card.built)
    yield Table(("I can", "Ask for example"), rows, "What I can do")
    if later := [card.title for card in cards if not card.built]:
        yield Text(f"Not built yet: {'; '.join(later)}.")


def _reply(ctx: Context, said: str) -> str:
    """What `about.toml` says to that; empty if the tools are asked for, or a question fits none."""
    reply, likeness = ctx.index.reply(said)
    if likeness >= _SURE and not (reply.name == "abilities" and _THANKS.search(said)):
        return reply.say["any"]
    return _named("welcome") if _THANKS.search(said) else "" if "?" in said else _named("noted")


def _named(name: str) -> str:
    reply = named_reply(ABOUT, name)
    return reply.say["any"] if reply else ""
