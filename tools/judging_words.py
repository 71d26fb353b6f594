"""Judges what a statement says in words: terms, abilities, makers, and what was claimed before."""

import re
from collections.abc import Sequence
from functools import cache

from index.card import Card
from index.evidence import Claim, Fact
from index.properties import properties
from tools.base import Context
from tools.judging import Judgement, believed
from tools.judging_terms import able, free_of_charge, licensed, permitted, placed, turned
from tools.statements import STAND_IN, Statement
from tools.vocabulary import vocabulary

<<<<<<< HEAD
_DENIED = re.compile(
    r"non[\s-]?commercial|forbid\w*|forbidden|prohibit\w*|banned|illegal|not allowed"
)
_LICENCES = (
    (r"apache", r"apache"), (r"\bmit\b", r"\bmit\b"), (r"\bbsd\b", r"\bbsd\b"),
    (r"a?gpl", r"gpl"), (r"open\s?rail\S*|\brail\b", r"rail"), (r"cc[\s-]by\S*|creative commons", r"cc-by"),
    (r"community licen[cs]e", r"community"), (r"non[\s-]?commercial licen[cs]e", r"non-commercial|-nc"),
    (r"open[\s-]?source|free software", r"apache|\bmit\b|bsd|gpl"),
)  # fmt: skip
=======
>>>>>>> recommend
_FREE_TEXT = (
    "publisher", "text_encoder", "training_data", "method", "trains", "architecture", "token",
    "framework", "logger", "weights_format", "successor", "trainable_models", "positioning",
    "auth_header", "output_formats", "precision", "checkpoints", "prior_images", "interface",
    "training_base", "comparison", "quantisation", "transfer_learning", "resume", "guidance_cost",
    "mask_input", "pricing", "family_sizes", "reference_method", "preprocessing", "stage_widths",
    "depths", "result_delivery", "error_codes", "task_statuses", "known_issue", "repository",
    "service_terms", "duties", "documentation", "licence", "smallest_of_family", "output_sizes",
)  # fmt: skip
_SHARED, _ENOUGH = 0.5, 2  # share and number of words by which a statement repeats a claim
_LOOKED_AT = 6  # facts, best first, that a statement in words may be about


<<<<<<< HEAD
@dataclass(frozen=True)
class _Topic:
    """A yes-or-no question that facts answer.

    Attributes:
        asked: words that say it.
        property: whose facts answer.
        holds: whether a value means yes.
        denied: words that turn it round.
    """

    asked: re.Pattern[str]
    property: str
    holds: Callable[[str], bool]
    denied: re.Pattern[str] | None = None


def _says_yes(value: str) -> bool:
    return value.startswith(("yes", "allowed", "conditions"))


_TOPICS = tuple(
    _Topic(re.compile(asked), name, holds, re.compile(denied) if denied else None)
    for asked, name, holds, denied in (
        (r"(pictures|images|outputs?|results)\b.{0,40}\b(sell|sold|selling|commercial\w*|belong|mine|ours|own\w*)"
         r"|(sell|sold|use|own)\b.{0,25}\b(pictures|images|outputs?|results|prints)",
         "output_use", _says_yes, r"forbid\w*|prohibit\w*|belong to"),
        (r"commercial\w*|business\w*|\b(sell|sold|selling|earn|money)\b|paid (work|product|app|service)|\bcompan(y|ies)\b|for profit|\bclients?\b",
         "commercial_use", _says_yes, _DENIED.pattern),
        (r"withdrawn|discontinued|retired|shut ?down|\bgone\b|removed|deprecated|\bdead\b|taken down|switched off|no longer (available|sold|offered|callable)",
         "status", lambda value: value == "withdrawn", r"no longer"),
        (r"still (be )?(available|sold|offered|works?|exists?|called|used|online|there|on sale)|\bavailable\b|can be (bought|ordered|called)|for sale",
         "status", lambda value: value != "withdrawn", ""),
        (r"negative prompts?", "negative_prompt", _says_yes, ""),
        (r"\bmasks?\b|inpaint\w*", "mask_input", _says_yes, ""),
        (r"search\w* the (web|internet)|web[\s-]?search|ground(s|ed|ing)\b", "grounding_search", _says_yes, ""),
        (r"\bgated\b|(accept|agree to) (the|its|a) (licence|terms)|log ?in|hub token|access token", "gated", _says_yes, ""),
        (r"(picture|image|photo)s? as (an )?(input|prompt)|(picture|image) prompt", "image_prompt", _says_yes, ""),
        (r"smallest .{0,20}(family|convnexts?)", "smallest_of_family", _says_yes, ""),
    )
)  # fmt: skip
_LOCAL = re.compile(
    r"download\w*|open[\s-]weights?|(run|runs|use|used|work|works)\b.{0,25}\b(locally|offline|at home|own (machine|computer|gpu|pc)|without (a |the )?(network|internet))|self[\s-]?host\w*|weights are (public|open|published)"
)
_HOSTED = re.compile(r"\bhosted\b|only (through|over|via|by) (an? |the )?api|api only|cloud only")
_JOBS = (
    (r"\b(edit|retouch|change)\w*\b.{0,25}\b(picture|image|photo)|\bedits?\b|\bediting\b|image to image|(picture|image|photo)s? as (an )?input", "edit"),
    (r"generat\w+|text[\s-]to[\s-]image|pictures from words|makes? (pictures|images)|draws?\b", "generate"),
    (r"classif\w+|recogni[sz]\w+", "classify"),
    (r"outpaint\w*|uncrop\w*|beyond the (edge|frame)", "outpainting"),
    (r"(train|teach)\w*\b.{0,20}\b(lora|subject)|dreambooth|personali[sz]\w+", "personalize"),
)  # fmt: skip
_COSTLESS = re.compile(
    r"\bfree\b(?! (for|of charge below|software|licence|to use commercial))|costs? nothing|without paying|no (cost|fee)"
)
_ABLE = re.compile(
    r"\b(can|cannot|can't|able|unable|does|do|supports?|takes?|accepts?|lets|needs?)\b"
)


=======
>>>>>>> recommend
def worded(
    ctx: Context, card: Card, statement: Statement, ranked: Sequence[Fact]
) -> Judgement | None:
    """What the words of a statement about one system come to; none if they say nothing known.

    Args:
        ctx: the context.
        card: the system.
        statement: what is claimed.
        ranked: its facts, those first that the claim is most likely about.
    """
    found = _repeated(statement, ranked)
    for judge in (licensed, free_of_charge, permitted, placed):
        found = found or judge(card, statement, ranked)
    said = telling(statement.words)
    return (
        found
        or able(card, statement, ranked, said, telling)
        or _free_text(ctx, card, statement, ranked)
    )


def _repeated(statement: Statement, ranked: Sequence[Fact]) -> Judgement | None:
    """A claim in words that somebody made before, and that was refuted or could not be verified."""
    said = telling(statement.words)
    for fact in ranked:
        doubtful = isinstance(fact, Claim) and fact.verdict in ("refuted", "unverifiable")
        if doubtful and isinstance(fact, Claim) and isinstance(fact.value, str):
            if _denies(fact, said) or _is_outright(fact, statement):
                return Judgement(turned(statement, False), (fact,), fact.note)
            if _repeats(fact, said) and not statement.negated:
                verdict = None if fact.verdict == "unverifiable" else False
                return Judgement(verdict, (*_stated(fact, ranked), fact), fact.note)
    return None


<<<<<<< HEAD
def _licensed(
    ctx: Context, card: Card, statement: Statement, ranked: Sequence[Fact]
) -> Judgement | None:
    facts = believed([fact for fact in ranked if fact.property == "licence"])
    named = [right for asked, right in _LICENCES if re.search(rf"(?:{asked})", statement.words)]
    if (
        not facts
        or not named
        or (
            named == [r"\bmit\b"]
            and "licen" not in statement.words
            and "under" not in statement.words
            and "is mit" not in statement.words
        )
    ):
        return None
    holds = any(re.search(pattern, str(facts[0].value).lower()) for pattern in named)
    return Judgement(_turned(statement, holds), (facts[0],))


def _costless(
    ctx: Context, card: Card, statement: Statement, ranked: Sequence[Fact]
) -> Judgement | None:
    """Free of charge: a price says no; commercial terms are another question."""
    if not _COSTLESS.search(statement.words) or re.search(
        r"commercial|business|sell", statement.words
    ):
        return None
    prices = [fact for fact in ranked if fact.property in ("price", "price_edit", "price_month")]
    wrong = [f for f in prices if isinstance(f, Claim) and f.verdict == "refuted"]
    if not prices or card.kind == "weights":
        return None
    return Judgement(_turned(statement, False), (*(wrong or believed(prices)[:1]),))
=======
def _denies(claim: Claim, said: set[str]) -> bool:
    """Whether the right value says outright that there is none of what is said."""
    right = str(claim.right).lower()
    return any(re.search(rf"\bno {re.escape(word)}\b", right) for word in said)


def _is_outright(claim: Claim, statement: Statement) -> bool:
    value = str(claim.value)
    return claim.verdict == "refuted" and len(value) > _ENOUGH and value.lower() in statement.words
>>>>>>> recommend


def _repeats(claim: Claim, said: set[str]) -> bool:
    """Whether a statement shares enough telling words with the claim, and none with the truth."""
    shared = said & telling(f"{claim.value} {claim.at}")
    right = said & (telling(str(claim.right)) - telling(str(claim.value)))
    return len(shared) >= max(_ENOUGH, _SHARED * len(said)) and not right


<<<<<<< HEAD
def _permitted(
    card: Card, statement: Statement, topic: _Topic, facts: Sequence[Fact], value: str
) -> Judgement:
    """Leave to use: conditions count as leave, but not as leave without any."""
    denials = len(topic.denied.findall(statement.words)) if topic.denied else 0
    holds = topic.holds(value)
    unlimited = re.search(
        r"unconditional\w*|without (any )?(conditions?|limits?|restrictions?)|any company|no matter|whatever",
        statement.words,
    )
    if value == "conditions" and unlimited:
        holds = False
    denied = statement.negated != bool(denials % 2 and "not allowed" not in statement.words)
    note = "Its licence sets conditions." if value == "conditions" else ""
    return Judgement(holds != denied, (facts[0],), note)


def _placed(
    ctx: Context, card: Card, statement: Statement, ranked: Sequence[Fact]
) -> Judgement | None:
    """Whether it runs on one's own machine, or is hosted."""
    own = card.kind in ("weights", "pocket", "repository")
    where = [f for f in ranked if f.property in ("repository", "publisher", "status")]
    where = sorted(believed(where), key=lambda fact: fact.property != "repository")
    if not where:
        return None
    if _LOCAL.search(statement.words):
        return Judgement(_turned(statement, own), (where[0],), _KIND[own])
    if _HOSTED.search(statement.words):
        return Judgement(_turned(statement, not own), (where[0],), _KIND[own])
    return None


_KIND = {True: "You run it yourself.", False: "It is hosted: no weights of it can be had."}


def _able(
    ctx: Context, card: Card, statement: Statement, ranked: Sequence[Fact]
) -> Judgement | None:
    """Whether the card lists the job."""
    stated = believed([fact for fact in ranked if fact.property == "publisher"])
    if not stated or not _ABLE.search(statement.words):
        return None
    for pattern, job in _JOBS:
        if re.search(pattern, statement.words):
            can = job in card.tasks or any(c.id == job for c in card.capabilities)
            listed = "; ".join(capability.title for capability in card.capabilities)
            return Judgement(_turned(statement, can), (stated[0],), f"Its card lists: {listed}.")
    return None
=======
def _stated(claim: Claim, ranked: Sequence[Fact]) -> Sequence[Fact]:
    """The fact that somebody states with the right value."""
    same = (f for f in believed(ranked) if f.property == claim.property and f.value == claim.right)
    return tuple(same)[:1]
>>>>>>> recommend


def _free_text(
    ctx: Context, card: Card, statement: Statement, ranked: Sequence[Fact]
) -> Judgement | None:
    """Compares telling words with the value, and with what the same property is elsewhere."""
    said = telling(statement.words) | _others(ctx, statement)
    for fact in believed(ranked)[:_LOOKED_AT]:
        if fact.property in _FREE_TEXT and isinstance(fact.value, str):
            same = believed([other for other in ranked if other.property == fact.property])
            right = set().union(*(telling(str(other.value)) for other in same))
            asked = set().union(*(telling(phrase) for phrase in properties()[fact.property].asks))
            other = (said & _elsewhere(ctx, fact.property)) - right - telling(card.name)
            wrong = other if fact == ranked[0] else other - asked
            if wrong and len(said & right) <= len(wrong):
                return Judgement(turned(statement, False), (fact,))
            if (said & right) - (asked - right):
                return _held(statement, said, same)
    return None


def _held(statement: Statement, said: set[str], same: Sequence[Fact]) -> Judgement:
    """The statement holds by the value that shares most with it, unless that one denies it."""
    holder = max(same, key=lambda one: len(said & telling(str(one.value))))
    value = str(holder.value).lower()
    shared = said & telling(value)
    denied = any(re.search(rf"\b(?:not?|not an?) {re.escape(word)}", value) for word in shared)
    holds = not denied and not value.startswith(("no ", "not "))
    return Judgement(turned(statement, holds), (holder,))


def _others(ctx: Context, statement: Statement) -> set[str]:
    """Telling words of the further systems that are named: "replaced by", "made by"."""
    cards = [ctx.catalog.get(system) for system in statement.systems[1:]]
    return set().union(*(telling(f"{card.name} {card.id}") for card in cards if card))


def _elsewhere(ctx: Context, name: str) -> set[str]:
    """Telling words of the values of a property over all cards."""
    found: set[str] = set()
    for card in ctx.catalog.cards.values():
        for claim in card.claims:
            if claim.property == name and isinstance(claim.value, str):
                found |= telling(claim.value)
    return found


def telling(text: str) -> set[str]:
    """Words that tell things apart: no stand-ins, no common words, no plural endings."""
    words = re.findall(r"[a-z]+[\d.]*\w*|\d+[a-z]+|\d+", text.lower())
    plain = {word.strip(".").removesuffix("s") if len(word) > 3 else word for word in words}
    return {w for w in plain if w not in _common() and not w.startswith(STAND_IN) and len(w) > 1}


@cache
def _common() -> frozenset[str]:
    words = vocabulary("claims")["common"]
    return frozenset((*words, *(word.removesuffix("s") for word in words)))
