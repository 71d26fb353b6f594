"""The texts that the index searches: cards, their capabilities, and what is said about facts."""

from collections.abc import Iterable
from dataclasses import dataclass

from index.card import Card
from index.catalog import Catalog
from index.evidence import Claim
from index.properties import properties, show
from index.ranker import OVERVIEW, fact_text
from index.replies import ABOUT, replies

# What the id of a text starts with that is no hit.
PROPERTY, FACT, REPLY = "property:", "fact:", "reply:"
# By what people describe a system without its name; more would only blur the vector.
_TELLING = (
    "licence", "commercial_use", "status", "successor", "parameters", "steps", "price",
    "memory_gib", "max_text_tokens", "max_references", "text_encoder", "max_side", "image_size",
    "top1", "architecture", "trains", "framework",
)  # fmt: skip


@dataclass(frozen=True)
class Document:
    """One searchable text.

    Attributes:
        id: a card id, `card#capability`, or `tool:name`.
        text: what is encoded, and found by its words.
        words: what is only found by its words.
    """

    id: str
    text: str
    words: str = ""

    @property
    def key(self) -> str:
        """What a search returns once: the system or tool."""
        return self.id.partition("#")[0]


def phrases() -> tuple[Document, ...]:
    """The ways in which people ask for each property; searched by `asked`, never hits."""
    return tuple(
        Document(f"{PROPERTY}{rule.name}", phrase)
        for rule in properties().values()
        for phrase in (rule.label, *rule.asks)
    )


def ways() -> tuple[Document, ...]:
    """The ways in which people ask about the assistant; searched by `reply`, never hits."""
    return tuple(
        Document(f"{REPLY}{place}", asked)
        for place, each in enumerate(replies(ABOUT))
        for asked in each.asked
    )


def fact_texts(catalog: Catalog) -> tuple[Document, ...]:
    """What is said of any system, each text once; searched by `rank`, never hits."""
    systems = (*catalog.cards, *catalog.timm)
    texts = (fact_text(fact) for system in systems for fact in catalog.find(system))
    return tuple(Document(FACT, text) for text in dict.fromkeys((OVERVIEW, *texts)))


def documents(catalog: Catalog) -> tuple[Document, ...]:
    """The searchable texts of all cards and their capabilities."""
    return tuple(document for card in catalog.cards.values() for document in _of_card(card))


def _of_card(card: Card) -> Iterable[Document]:
    names = ", ".join((card.name, card.id, *card.aliases))
    yield Document(card.id, f"{names}. {card.publisher}. {card.summary}", _all_claims(card))
    yield Document(card.id, f"{card.name}: {', '.join(_facts(card))}")
    for capability in card.capabilities:
        best = "; ".join(capability.best_for)
        text = f"{card.name}: {capability.title}. {capability.summary} Best for {best}"
        yield Document(f"{card.id}#{capability.id}", text)


def _all_claims(card: Card) -> str:
    return " ".join(_in_words(claim) for claim in card.claims if claim.truth is not None)


def _in_words(claim: Claim) -> str:
    """A claim as people might put it: the number also rounded, a small price also in cents."""
    label, value = properties()[claim.property].label, claim.truth
    told = f"{label} {show(value, claim.unit)} {claim.at} {claim.note}" if value is not None else ""
    if isinstance(value, str | bool | None):
        return told
    return f"{told} {value * 100:g} cents" if claim.unit == "USD" else f"{told} {value:.0f}"


def _facts(card: Card) -> Iterable[str]:
    """What singles a card out, in words: the first true value of each telling property."""
    table = properties()
    for name in _TELLING:
        values = (claim for claim in card.claims if claim.property == name)
        if truth := next((claim.truth for claim in values if claim.truth is not None), None):
            yield f"{table[name].label} {show(truth, table[name].unit)}"
