"""The tool `help`: what it can do, and greetings."""

import re
from collections.abc import Iterator

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
_THANKS = re.compile(r"\b(thanks?|thank you|cheers|merci|danke|gracias)\b", re.IGNORECASE)
_GREETING = re.compile(
    r"\b(hello|hi|hey|good (?:morning|afternoon|evening)|hallo|hola|bonjour)\b", re.IGNORECASE
)
_SHORT = 40  # characters up to which a message is nothing but a greeting


def help(ctx: Context, topic: str = "") -> Iterator[Block]:
    """Greets, or lists the tools with an example question each.

    Args:
        ctx: the context.
        topic: the person's words; a greeting or thanks gets one line.
    """
    if len(topic) < _SHORT and _THANKS.search(topic):
        yield Text("You are welcome. Ask on whenever you like.")
        return
    if len(topic) < _SHORT and _GREETING.search(topic):
        yield Text("Hello! Ask me about an image model, or drop in a picture.")
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
