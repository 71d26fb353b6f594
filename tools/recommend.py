"""The tool `recommend`: recommend a model."""

from collections.abc import Iterator

from tools.base import Block, Context, NotBuiltYet, ToolCard

CARD = ToolCard(
    title="Recommend a model",
    summary="Finds the models that fit your use case and limits, with reasons.",
    examples=(
        "Which model fits my use case?",
        "Which model should I use to sort product photos on a phone?",
        "I need a model under 8 GB that I may use commercially",
        "Recommend a picture generator for my shop",
        "What is the best classifier for a small computer?",
        "Which model should I pick for a real-time camera app?",
        "Suggest something to make illustrations offline",
        "What model would you use for portraits of my dog?",
        "what should I choose for recognising plants on an old Android phone",
        "best free image generator for commercial posters, no API",
        "I am a dentist and want software for x-rays on my laptop, what do you advise?",
        "Any model that answers under 10 milliseconds on a CPU?",
        "Which network would suit a Raspberry Pi that watches the bird feeder?",
        "I have a 6 GB graphics card, what can I run on it to make art?",
        "need smth tiny for an embedded camera, below 5 million parameters",
        "Our law firm needs an editor for photos with a permissive licence, which one?",
        "What is the cheapest hosted model for a thousand product shots a month?",
        "My daughter wants to make comics without internet, what would be right for her?",
        "Help me choose, I sell handmade pottery and want nicer backgrounds",
        "Which picture model should I take for my small business?",
        "Which one is most accurate if speed does not matter?",
        "Which trainer is best for a beginner?",
        "i don't know which is good for me, i want detect type of shoe from photo",
        "What are my options for posters with readable letters?",
        "Which model can take away people from photos and may be used for clients?",
        "We count cars at a crossing at 30 frames per second, which model keeps up?",
        "Suggest a backbone for spotting duplicate photos in a big archive",
        "Looking for a model that can turn sketches into renderings for my architecture studio",
        "Narrow it down for me: must be offline, small and allowed in a paid app",
        "I want to fine-tune on few pictures of leaves, which backbone do you suggest?",
    ),
    built=False,
)


def recommend(
    ctx: Context,
    use_case: str,
    task: str | None = None,
    commercial: bool | None = None,
    licence: str | None = None,
    device: str | None = None,
    device_memory_gib: float | None = None,
    offline: bool | None = None,
    max_latency_ms: float | None = None,
    min_fps: float | None = None,
    max_parameters: float | None = None,
    max_price_usd: float | None = None,
) -> Iterator[Block]:
    """Finds the models that fit your use case and limits, with reasons.

    Raises:
        NotBuiltYet: always.
    """
    raise NotBuiltYet("recommend")
