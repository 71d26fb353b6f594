"""Judges what a statement says in words: licence, commercial use, status, abilities, makers."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from index.card import Card
from index.evidence import Claim, Fact
from index.properties import properties
from tools import wording
from tools.base import Context
from tools.judging import Judgement, believed
from tools.statements import STAND_IN, Statement

_DENIED = re.compile(r"non[\s-]?commercial|forbid\w*|forbidden|prohibit\w*|banned|illegal|not allowed|verb[io]\w+|interdi\w*|proh[ií]b\w*|запре\w*|禁止")
_LICENCES = (
    (r"apache", r"apache"), (r"\bmit\b", r"\bmit\b"), (r"\bbsd\b", r"\bbsd\b"),
    (r"a?gpl", r"gpl"), (r"open\s?rail\S*|\brail\b", r"rail"), (r"cc[\s-]by\S*|creative commons", r"cc-by"),
    (r"community licen[cs]e", r"community"), (r"non[\s-]?commercial licen[cs]e", r"non-commercial|-nc"),
    (r"open[\s-]?source|free software", r"apache|\bmit\b|bsd|gpl"),
)  # fmt: skip
_FREE_TEXT = (
    "publisher", "text_encoder", "training_data", "method", "trains", "architecture", "token",
    "framework", "logger", "weights_format", "successor", "trainable_models", "positioning",
    "auth_header", "output_formats", "precision", "checkpoints", "prior_images", "interface",
    "training_base", "comparison", "quantisation", "transfer_learning", "resume", "guidance_cost",
    "mask_input", "pricing", "family_sizes", "reference_method", "preprocessing", "stage_widths",
    "depths", "result_delivery", "error_codes", "task_statuses", "known_issue", "repository",
    "service_terms", "duties", "documentation", "licence", "smallest_of_family", "output_sizes",
)  # fmt: skip
_COMMON = frozenset(
    "a an and the of on in at to with for is are was were be been has have had it its by as or than"
    " that this from one two into only no not does do did can cannot needs need uses use used made"
    " model models picture pictures image images works work all any some more most very also then"
    " fine tuned trained training train learning new old good better best which who what there"
    " under over about same both between while when without within per each own real really yes"
    " text encoder weights data released release created developed by built base takes take".split()
)
_PLAIN = _COMMON | {word.removesuffix("s") for word in _COMMON}
_SHARED, _ENOUGH = 0.5, 2  # share and number of words by which a statement repeats a claim


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
_LOCAL = re.compile(r"download\w*|open[\s-]weights?|(run|runs|use|used|work|works)\b.{0,25}\b(locally|offline|at home|own (machine|computer|gpu|pc)|without (a |the )?(network|internet))|self[\s-]?host\w*|weights are (public|open|published)")
_HOSTED = re.compile(r"\bhosted\b|only (through|over|via|by) (an? |the )?api|api only|cloud only")
_JOBS = (
    (r"\b(edit|retouch|change)\w*\b.{0,25}\b(picture|image|photo)|\bedits?\b|\bediting\b|image to image|(picture|image|photo)s? as (an )?input", "edit"),
    (r"generat\w+|text[\s-]to[\s-]image|pictures from words|makes? (pictures|images)|draws?\b", "generate"),
    (r"classif\w+|recogni[sz]\w+", "classify"),
    (r"outpaint\w*|uncrop\w*|beyond the (edge|frame)", "outpainting"),
    (r"(train|teach)\w*\b.{0,20}\b(lora|subject)|dreambooth|personali[sz]\w+", "personalize"),
)  # fmt: skip
_COSTLESS = re.compile(r"\bfree\b(?! (for|of charge below|software|licence|to use commercial))|costs? nothing|without paying|no (cost|fee)")
_ABLE = re.compile(r"\b(can|cannot|can't|able|unable|does|do|supports?|takes?|accepts?|lets|needs?|makes?)\b")


def worded(ctx: Context, card: Card, statement: Statement, ranked: Sequence[Fact]) -> Judgement | None:
    """What the words of a statement about one system come to; none if they say nothing known.

    Args:
        ctx: the context.
        card: the system.
        statement: what is claimed.
        ranked: its facts, those first that the claim is most likely about.
    """
    judges = (_repeated, _licensed, _costless, _topical, _placed, _able, _free_text)
    for judge in judges:
        if judgement := judge(ctx, card, statement, ranked):
            return judgement
    return None


def _turned(statement: Statement, holds: bool) -> bool:
    return holds != statement.negated


def _repeated(
    ctx: Context, card: Card, statement: Statement, ranked: Sequence[Fact]
) -> Judgement | None:
    """A claim in words that somebody made before, and that was refuted or could not be verified."""
    said = _telling(statement.words)
    for fact in ranked:
        if not isinstance(fact, Claim) or fact.verdict not in ("refuted", "unverifiable"):
            continue
        if not isinstance(fact.value, str):
            continue
        if any(re.search(rf"\bno {re.escape(word)}\b", str(fact.right).lower()) for word in said):
            return Judgement(_turned(statement, False), (fact,), fact.note)
        shared = said & _telling(f"{fact.value} {fact.at}")
        outright = len(fact.value) > _ENOUGH and fact.value.lower() in statement.words
        if outright and fact.verdict == "refuted":
            return Judgement(_turned(statement, False), (fact,), fact.note)
        if len(shared) < _ENOUGH or len(shared) < _SHARED * len(said):
            continue
        right = said & (_telling(str(fact.right)) - _telling(str(fact.value)))
        if right or statement.negated:
            continue
        verdict = None if fact.verdict == "unverifiable" else False
        same = [f for f in believed(ranked) if f.property == fact.property and f.value == fact.right]
        return Judgement(verdict, (*same[:1], fact), fact.note)
    return None


def _licensed(
    ctx: Context, card: Card, statement: Statement, ranked: Sequence[Fact]
) -> Judgement | None:
    facts = believed([fact for fact in ranked if fact.property == "licence"])
    named = [right for asked, right in _LICENCES if re.search(rf"(?:{asked})", statement.words)]
    if not facts or not named or (named == [r"\bmit\b"] and "licen" not in statement.words and "under" not in statement.words and "is mit" not in statement.words):
        return None
    holds = any(re.search(pattern, str(facts[0].value).lower()) for pattern in named)
    return Judgement(_turned(statement, holds), (facts[0],))


def _costless(
    ctx: Context, card: Card, statement: Statement, ranked: Sequence[Fact]
) -> Judgement | None:
    """Free of charge: a price says no; commercial terms are another question."""
    if not _COSTLESS.search(statement.words) or re.search(r"commercial|business|sell", statement.words):
        return None
    prices = [fact for fact in ranked if fact.property in ("price", "price_edit", "price_month")]
    wrong = [f for f in prices if isinstance(f, Claim) and f.verdict == "refuted"]
    if not prices or card.kind == "weights":
        return None
    return Judgement(_turned(statement, False), (*(wrong or believed(prices)[:1]),))


def _topical(
    ctx: Context, card: Card, statement: Statement, ranked: Sequence[Fact]
) -> Judgement | None:
    for topic in _TOPICS:
        facts = believed([fact for fact in ranked if fact.property == topic.property])
        if not facts or not topic.asked.search(statement.words):
            continue
        value = wording.shown(facts[0])
        holds = topic.holds(value)
        if topic.property in ("commercial_use", "output_use"):
            return _permitted(card, statement, topic, facts, value)
        if topic.denied and topic.denied.search(statement.words):
            return Judgement(holds, (facts[0],))  # "no longer" is part of what is asked
        return Judgement(_turned(statement, holds), (facts[0],))
    return None


def _permitted(
    card: Card, statement: Statement, topic: _Topic, facts: Sequence[Fact], value: str
) -> Judgement:
    """Leave to use: conditions count as leave, but not as leave without any."""
    denials = len(topic.denied.findall(statement.words)) if topic.denied else 0
    holds = topic.holds(value)
    unlimited = re.search(r"unconditional\w*|without (any )?(conditions?|limits?|restrictions?)|any company|no matter|whatever", statement.words)
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
    said = _telling(statement.words)
    for capability in card.capabilities:
        parts = _telling(capability.id.replace("-", " "))
        if parts and parts <= said:
            note = f"{capability.title}: {capability.summary}"
            return Judgement(_turned(statement, True), (stated[0],), note)
    for pattern, job in _JOBS:
        if re.search(pattern, statement.words):
            can = job in card.tasks or any(c.id == job for c in card.capabilities)
            listed = "; ".join(capability.title for capability in card.capabilities)
            return Judgement(_turned(statement, can), (stated[0],), f"Its card lists: {listed}.")
    return None


def _free_text(
    ctx: Context, card: Card, statement: Statement, ranked: Sequence[Fact]
) -> Judgement | None:
    """Compares telling words with the value, and with what the same property is elsewhere."""
    said = _telling(statement.words) | _others(ctx, statement)
    for fact in believed(ranked)[:_LOOKED_AT]:
        if fact.property not in _FREE_TEXT or not isinstance(fact.value, str):
            continue
        same = believed([other for other in ranked if other.property == fact.property])
        right = set().union(*(_telling(str(other.value)) for other in same))
        asked = set().union(*(_telling(phrase) for phrase in properties()[fact.property].asks))
        other = (said & _elsewhere(ctx, fact.property)) - right
        shared = said & right
        wrong = other - _telling(card.name) - (set() if fact == ranked[0] else asked)
        if wrong and (len(shared) <= len(wrong)):
            return Judgement(_turned(statement, False), (fact,))
        if shared - (asked - right):
            holder = max(same, key=lambda one: len(said & _telling(str(one.value))))
            holds = not str(holder.value).startswith(("no ", "not "))
            return Judgement(_turned(statement, holds), (holder,))
    return None


def _others(ctx: Context, statement: Statement) -> set[str]:
    """Telling words of the further systems that are named: "replaced by", "made by"."""
    cards = [ctx.catalog.get(system) for system in statement.systems[1:]]
    return set().union(*(_telling(f"{card.name} {card.id}") for card in cards if card))


_LOOKED_AT = 6  # facts, best first, that a statement in words may be about


def _elsewhere(ctx: Context, name: str) -> set[str]:
    """Telling words of the values of a property over all cards."""
    found: set[str] = set()
    for card in ctx.catalog.cards.values():
        for claim in card.claims:
            if claim.property == name and isinstance(claim.value, str):
                found |= _telling(claim.value)
    return found


def _telling(text: str) -> set[str]:
    """Words that tell things apart: no stand-ins, no common words, no plural endings."""
    words = re.findall(r"[a-z]+[\d.]*\w*|\d+[a-z]+|\d+", text.lower())
    plain = {word.strip(".").removesuffix("s") if len(word) > 3 else word for word in words}
    return {w for w in plain if w not in _PLAIN and not w.startswith(STAND_IN) and len(w) > 1}
