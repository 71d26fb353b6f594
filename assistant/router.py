"""Which tool a question is for, which words are its arguments, and where a second step begins.

One small network (`index.reader`) answers all three: a head over the mean of what it reads, the
plain features of the situation and hashed words gives the tool; a head over its tokens gives the
role of each word. Joint intent and slots after Chen et al., https://arxiv.org/abs/1902.10909.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any

import numpy as np
from scipy.special import log_softmax, softmax

from index.encoder import Vectors, gelu
from index.gloss import Gloss, engine
from index.grams import hashed
from index.names import Names
from index.reader import Reader, load_reader
from index.topics import Topic, topic_of

TOOLS = (
    "benchmark", "classify", "compare", "edit", "embed", "explain", "export", "finetune",
    "generate", "help", "jobs", "personalize", "recommend", "verify",
)  # fmt: skip
# No tool does it; the tool of the step before, once more; several steps in one question.
NONE, AGAIN, SEVERAL = "none", "again", "several"
LABELS = (*TOOLS, NONE, AGAIN, SEVERAL)
SPANS = ("prompt", "negative_prompt", "class_noun", "token", "claim", "job")  # roles of words
ROLES = (
    "", *SPANS, "size", "steps",
    "seed", "count", "guidance", "strength", "epochs", "learning_rate", "batch_size",
    "image_size", "runs", "threads", "top_k", "rank", "resolution", "prior_images", "opset",
    "device_memory_gib", "max_latency_ms", "min_fps", "max_parameters", "max_price_usd",
)  # fmt: skip
# Arguments with few values, each with the values that it may have; the first says nothing of it.
CHOICES: Mapping[str, tuple[Any, ...]] = {
    "action": ("list", "watch", "cancel", "pause", "resume", "retry"),
    "task": (None, "classify", "generate", "edit", "inpaint", "personalize", "embed", "finetune"),
    "mode": (
        None, "img2img", "inpaint", "outpaint", "instruct", "reference", "canny", "depth",
        "variation",
    ),
    "method": (None, "lora", "full", "embedding"),
    "commercial": (None, True, False),
    "offline": (None, True),
    "freeze": (None, True, False),
    "before": (None, True),  # whether the systems that were talked about are meant
}  # fmt: skip
_SIGNS = {
    "question mark": r"\?",
    "size": r"\d\s?x\s?\d|\bpx\b|pixel",
    "memory": r"\d\s?g(i?b|igs?)?\b",
    "speed": r"\bfps\b|per second|\bms\b|millisecond",
    "price": r"[$€]|cents?\b|dollar|price|cheap|cost",
    "seed": r"\bseed\b",
    "epochs": r"\bepochs?\b",
    "format": r"\bonnx|openvino|tflite|litert|core\s?ml|tensorrt|executorch|pt2\b",
    "asks": r"^(what|which|how|is|are|does|do|can|could|why|when|where|who|will)\b",
    "points": r"\b(it|this|that|these|those|them|same|again|one|ones|instead|other|previous)\b",
}


@dataclass(frozen=True)
class Situation:
    """What is known beside the words.

    Attributes:
        images: pictures attached to the question.
        masks: masks attached.
        archives: zip files attached.
        tables: CSV files attached.
        others: other files attached.
        before: pictures and archives of earlier turns.
        last: the tool of the step before; empty if there is none.
        later: whether the words are a later part of one question.
        asked: whether the assistant had asked something back.
        said: the gloss of what the person said before; empty if nothing.
        kinds: engines of the systems that the question names, each system once.
    """

    images: int = 0
    masks: int = 0
    archives: int = 0
    tables: int = 0
    others: int = 0
    before: int = 0
    last: str = ""
    later: bool = False
    asked: bool = False
    said: str = ""
    kinds: tuple[str, ...] = ()

    @property
    def before_it(self) -> str:
        """The step and the words before, as the network reads them; empty if there are none."""
        return f"{self.last}: {self.said}" if self.said else ""


def situated(files: Sequence[str], before: int, last: str, answer: str, said: str) -> Situation:
    """What is known beside the words of a question, but for the systems that it names.

    Args:
        files: kinds of the files that came with it.
        before: how many files came with earlier turns.
        last: the tool of the step before; empty if there is none.
        answer: what the assistant said last.
        said: the gloss of what the person said before it.
    """
    images, masks, archives, tables = map(files.count, ("image", "mask", "zip", "csv"))
    return Situation(
        images=images,
        masks=masks,
        archives=archives,
        tables=tables,
        others=len(files) - images - masks - archives - tables,
        before=before,
        last=last,
        asked=answer.rstrip().endswith("?"),
        said=said,
    )


# What people ask for that no tool here does, by the kind of system that would do it.
ELSEWHERE: Mapping[str, str] = {
    "video": r"\bvideos?\b|\bgifs?\b|\banimat\w*|\bclips?\b|\bfilm\b|\bfootage\b",
    "detection": r"\bdetect\w*|\bbounding|\bbox(?:es)?\b|\bcount\b|\bhow many \w+ (?:are|do|can)\b"
    r"|\byolo\w*",
    "segmentation": r"\bsegment\w*|\bsilhouettes?\b|\balpha (?:mask|channel)\b|\bmask of\b",
    "ocr": r"\bread (?:the|out|me|what|this)\b|\bocr\b|\btranscri\w*|\bwritten\b|\bsays on\b"
    r"|\bhandwrit\w*|\bqr\b|\bbar\s?code",
    "caption": r"\bcaption (?:this|for|it|these)\b|\bdescribe\b|\balt[\s-]?text\b",
    "upscale": r"\bupscal\w*|\bsuper[\s-]?resolution\b|\b\d\s?x (?:bigger|larger|sharper)\b"
    r"|\bsharper\b|\bsharpen\b|\bdeblur\w*|\bunblur\b|\besrgan\b",
    "speech": r"\bspeech\b|\bvoices?\b|\bsongs?\b|\bmusic\b|\baudio\b|\bsing\b|\bwhisper\b"
    r"|\bsound\b|\bpodcast\b",
    "text": r"\bllms?\b|\bgpt\b|\bchatgpt\b|\bessay\b|\bpoem\b|\bsummari[sz]e\b|\bletter\b"
    r"|\bllama\b|\breviews\b|\bcode\b|\bpython\b",
    "translate": r"\btranslat\w*",
    "face": r"\bwho is (?:this|that|he|she|it|in|on)\b"
    r"|\bface (?:recognition|match\w*|search|unlock)|\bsame person\b"
    r"|\bidentify (?:him|her|the (?:man|woman|person))",
    "depth": r"\bdepth map\b|\bhow far away\b|\bpoint cloud\b",
    "3d": r"\b3\s?d\b|\bstl\b|\bmesh\b|\bblender\b",
    "search": r"\bweather\b|\bnews\b|\bforecast\b|\bfootball\b|\brecipe\b|\bcapital of\b"
    r"|\bstock price\b|\bbuy\b|\bshop for\b",
}  # fmt: skip
_KINDS = ("convnet", "flux", "stable_diffusion", "bfl", "training", "none")
FEATURES = (
    "image", "two images", "three images", "many images", "mask", "archive", "table", "other",
    "before", "later", "asked", "first", "short", "long", "named", "two named", "foreign",
    *_SIGNS, *ELSEWHERE, *_KINDS, *TOOLS, NONE,
)  # fmt: skip


def features(gloss: Gloss, situation: Situation) -> Vectors:
    """The plain features of a question, shape (features,)."""
    text, words = gloss.text, len(gloss.text.split())
    named = len({mention.system for mention in gloss.mentions})
    plain = [
        situation.images > 0, situation.images > 1, situation.images > 2, situation.images > 5,
        situation.masks > 0, situation.archives > 0, situation.tables > 0, situation.others > 0,
        situation.before > 0, situation.later, situation.asked, not situation.last,
        words <= 6, words > 20, named > 0, named > 1, gloss.language != "en",
        *(re.search(sign, text) is not None for sign in _SIGNS.values()),
        *(re.search(sign, text) is not None for sign in ELSEWHERE.values()),
        *(kind in situation.kinds for kind in _KINDS),
        *(situation.last == tool for tool in (*TOOLS, NONE)),
    ]  # fmt: skip
    return np.array(plain, np.float32)


def kinds(asked: Gloss, names: Names) -> tuple[str, ...]:
    """The engines of the systems that a question names, each once."""
    return tuple(dict.fromkeys(engine(names, mention) for mention in asked.mentions))


@dataclass(frozen=True)
class Reading:
    """What the network makes of a question.

    Attributes:
        tools: log-probability of each of LABELS, shape (labels,).
        roles: probability of each of ROLES for each token, shape (tokens, roles).
        starts: probability that a token begins a later step, shape (tokens,).
        spans: first character and the one after the last of each token in the gloss.
        choices: probability of each value of an argument with few values.
        topic: what it is after.
    """

    tools: Vectors
    roles: Vectors
    starts: Vectors
    spans: tuple[tuple[int, int], ...]
    choices: Mapping[str, Vectors]
    topic: Topic


@dataclass(frozen=True)
class Router:
    """The heads that tell what to do about a question.

    Attributes:
        network: the fitted network.
    """

    network: Reader

    def read(self, asked: Gloss, situation: Situation) -> Reading:
        """Reads one question."""
        read, heads = self.network.read(asked.text, situation.before_it), self.network.heads
        mixed = np.concatenate([read.mean, features(asked, situation)])
        inner = mixed @ heads["inner.weight"].T + heads["inner.bias"]
        both = np.concatenate([gelu(inner), mixed])
        logits = both @ heads["tool.weight"].T + heads["tool.bias"]
        logits = logits + heads["words"][list(hashed(asked.text))].mean(axis=0)
        if not situation.last:
            logits[LABELS.index(AGAIN)] = -1e9
        marked = read.hidden @ heads["token.weight"].T + heads["token.bias"]
        starts = 1 / (1 + np.exp(-marked[:, -1]))
        chosen = np.split(both @ heads["choice.weight"].T + heads["choice.bias"], choice_ends())
        return Reading(
            log_softmax(logits),
            softmax(marked[:, :-1], axis=1),
            starts,
            read.tokens.spans,
            {name: softmax(part) for name, part in zip(CHOICES, chosen, strict=True)},
            topic_of(asked.text, read.mean, heads),
        )


def choice_ends() -> list[int]:
    """Where the logits of each of CHOICES end in one row of all, but for the last."""
    return list(accumulate(len(values) for values in CHOICES.values()))[:-1]


@cache
def load_router() -> Router:
    """Loads the fitted heads, once a process."""
    return Router(load_reader())
