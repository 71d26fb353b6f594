"""What a use case asks for: the typed limits, and what only its words say."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from index.gloss import gloss
from index.quantities import Quantity, quantities
from tools.base import Context

TASKS = ("classify", "generate", "edit", "inpaint", "personalize", "embed", "finetune")
PICTURE_TASKS = ("generate", "edit", "inpaint")  # tasks that make pictures
CLASSIFIER_TASKS = ("classify", "embed", "finetune")

# --- tasks, the first that the words tell
_TASK_WORDS = (
    ("personalize", r"\bloras?\b|dreambooth|trainers?\b|textual inversion"
     r"|(teach|train|learn)\w*\b.{0,40}\b(subject|style|character|face|dog|cat|child|product|mascot)"
     r"|\b(pictures|portraits|images) of (my|our) (own )?(dog|cat|face|self|child|daughter|son|baby|mascot)"),
    ("finetune", r"fine[\s-]?tun\w*|transfer[\s-]learning|backbone|(own|my|our|labell?ed) (classes|labels|categories)"
     r"|train\w* (a|my|our|the)?\s*(own )?(classifier|network|model)"),
    ("embed", r"look[\s-]?alikes?|similar|duplicates?|embedd\w*|feature vectors?|cluster\w*|visual search"
     r"|group\w* .{0,20}(photos|pictures|images|scans)|reverse image"),
    ("inpaint", r"\bmask\w*|inpaint\w*|paint(ing)? over|brush over|fill(s|ed)? (it|the hole|in)\b"),
    ("generate", r"text[\s-](to|2)[\s-]im\w*|text2\w+|generat\w+|illustrat\w+|posters?|\bdraw\w*|\blogos?\b"
     r"|\bicons?\b|book covers?|comics?|wallpapers?|concept art|make art|ai for (images|pictures)"
     r"|(images|pictures|photos|art) for (my|our|the|a)\b|from (a )?(prompt|words|text)|motifs?|renderings?|photo[\s-]?real\w*|portraits?\b(?! of (my|our))"),
    ("edit", r"\bedit\w*|retouch\w*|restor\w+|uncrop\w*|outpaint\w*|nicer|beautif\w+|backgrounds?"
     r"|(remove|take away|take out|erase|swap|replace|combine|recolou?r|restyle|chang(e|ing))\b"
     r"|turn .{0,30}(photo|picture|sketch)\w* into"),
    ("classify", r"classif\w*|recogni[sz]\w*|identif\w*|\bsort\w*|\btag\w*|what('s| is) (in|on)\b|tells? (me )?(if|whether|what)"
     r"|say (if|whether|what)|(type|kind|species|breed|sort) of|categori\w+|inspect\w*|defects?|detect\w*|spot\w*|(which|what) (animal|plant|bird)"
     r"|\btell\w* .{0,40}\bfrom\b|\bspecies\b|feeder|vision transformer|\bcnns?\b|conv(net|olution)\w*|good\W{1,3}bad"),
)  # fmt: skip

# --- what no system here does, and what kind of system would
ABSENT = (
    (r"\bbox(es)?\b.{0,20}(around|round)|bounding[\s-]box\w*|object[\s-]detect\w*|\bcount(s|ing)?\b.{0,25}"
     r"(cars?|people|persons?|objects?|animals|vehicles|them|every|all|how many|items|sheep|birds|bees|trees|boxes|products)"
     r"|\btrack(ing)?\b.{0,20}(cars?|people|players|vehicles|objects)|\bwhere in the (picture|image|frame)",
     "finding and counting objects in a picture",
     "an object detector such as YOLO or RT-DETR", "a classifier here can only serve as its backbone"),
    (r"up[\s-]?scal\w*|super[\s-]?resolution|(increase|raise) the resolution|enlarge\w* .{0,30}without",
     "faithful upscaling",
     "a super-resolution model such as Real-ESRGAN or SwinIR",
     "the editors here paint a picture anew, so that details change"),
    (r"segment(ation|ing)?\b|pixel[\s-]?(accurate|precise|level|wise|exact)|\bmasks? of (the |each |every |all )?\w+s\b"
     r"|outlines? of (each|every|all|the) |per[\s-]pixel",
     "segmentation", "a segmentation model such as nnU-Net or SAM",
     "a classifier here can serve as its encoder"),
    (r"\b(type|typing|words?|text|sentence|description|describe)\b.{0,60}\b(find|get|search|retriev\w+)\b.{0,40}"
     r"(photo|picture|image|library|album|archive)"
     r"|\b(find|search|retriev\w+)\b.{0,40}(photo|picture|image|album|archive)s?.{0,30}\bby (words?|text|description|typing|a sentence)"
     r"|text[\s-]to[\s-]image (search|retrieval)|\bsearch\b.{0,30}\b(with|in) (plain|natural) (words|language)",
     "searching pictures by words", "a text-image embedding model such as CLIP or SigLIP",
     "the embeddings here compare picture with picture only"),
    (r"\bocr\b|(read|extract|transcrib\w+)\b.{0,40}\b(text|letters|numbers?|plates?|receipts?|invoices?|handwriting|serial)"
     r"|licen[cs]e plates?|number plates?",
     "reading text in pictures", "a text recogniser such as PaddleOCR or Tesseract",
     "the classifiers here name what a picture shows, not what is written in it"),
    (r"caption\w*\b(?!.{0,30}\blora).{0,30}(photo|picture|image)|(describe|alt[\s-]text)\b.{0,40}(photos?|pictures?|images?)"
     r"|alt[\s-]texts?|(question|ask)\w*.{0,20}about (a |my |the )?(photo|picture|image)s?",
     "describing a picture in sentences", "a vision-language model such as Qwen-VL or BLIP",
     "the classifiers here name one of their classes"),
    (r"\bvideos? of\b|\bfor (making )?videos?\b|\bvideos?\b.{0,20}(from|out of|of a|generat\w+|clips?)|(generat\w+|make|create|animat\w+)\b.{0,25}\b(videos?|clips?|movies?|animations?|gifs?)"
     r"|(image|picture|photo|text)[\s-]to[\s-]video",
     "making video", "a video model such as Wan or HunyuanVideo", "the models here make still pictures"),
    (r"\b3[\s-]?d[\s-](models?|mesh\w*|objects?|scans?|print\w*)|point clouds?|gaussian splat\w*|photogrammetry",
     "making three-dimensional models", "a reconstruction model such as TRELLIS or Hunyuan3D",
     "the models here make flat pictures"),
    (r"(face|facial)[\s-](recognition|identification|verification)|recogni[sz]e (faces|people by|who)|\bwho is (in|on) (the|a|my|each)",
     "telling who a person is", "a face recognition system such as InsightFace, if the law lets you",
     "the classifiers here know kinds of things, not persons"),
    (r"\bdepth (estimation|maps? from)|estimat\w+ (the )?(depth|distance|pose)|pose estimation|skeletons? of|keypoints?",
     "estimating depth or pose", "a depth or pose model such as Depth Anything or RTMPose",
     "the control models here use such maps but are no measuring instrument"),
    (r"(transcrib\w+|recogni[sz]\w*|synthesi[sz]\w*)\b.{0,15}\b(speech|voice|audio)|speech[\s-]to|text[\s-]to[\s-]speech|\bmusic\b.{0,20}(generat|compos)\w*",
     "sound and speech", "a speech or music model", "the systems here work on pictures"),
)  # fmt: skip

# --- what the words ask of a system beside the typed limits
_FLAGS = {
    "mask": r"\bmask\w*|inpaint\w*|(paint|brush)(ing)? over",
    "outpaint": r"uncrop\w*|outpaint\w*|(extend|expand|widen|enlarg\w+|continue)\w*\b.{0,30}\b(edges?|frame|canvas|borders?|format|picture|photo|image|scene)"
    r"|beyond (the|its) (edge|frame|border)|wider (format|canvas|frame)",
    "negative": r"negative prompts?",
    "web search": r"search\w* the (web|internet)|web[\s-]?search|ground\w+ (in|on) (the )?(web|current)|current (products|events|news)",
    "plain data": r"image[\s-]?net[\s-]?1k\b.{0,12}\b(alone|only|solely|just|exclusively)|(only|alone|just|nothing but)\b.{0,30}\bimage[\s-]?net[\s-]?1k"
    r"|\bno (extra|additional|external|other) (training )?data|without (extra|additional|external) (training )?data|no (image[\s-]?net[\s-]?)?(21|22|12)k",
    "web page": r"web[\s-]?(page|ui|interface)|\bgui\b|graphical|in the browser|(start|watch)\w* jobs|do not want to (type|write) commands|no command line|(without|no) (coding|terminal)",
    "trainer": r"\brepos?(itory)?\b|trainers?\b|training (tool|script|suite|software|program|code)|which (tool|software|program|script)",
    "control": r"\bcanny\b|depth maps?|(keep|follow|same)\w*\b.{0,25}\b(edges|outlines|lines|structure|layout)|line (drawing|art)s?|floor plans?",
    "variation": r"variations? of (a|my|our|the|this)|siblings of",
    "own fine-tune": r"fine[\s-]?tune id|id of (a|my) fine[\s-]?tune|existing fine[\s-]?tune|finetune_id",
    "weak": r"raspberry|\bpi (3|4|5|zero)|\brpi\b|phones?\b|android|iphone|ipad|mobile app|micro[\s-]?controller|esp32|smart ?watch|arduino|embedded|wearable|tablet",
    "accuracy": r"(best|most|highest|top|max\w*|better) accura\w+|accura\w+ (over|counts|matters|first|as high|is (all|key|most))|most accurate|quality (counts|matters) most|strong(est)?\b|size is no concern|best quality|as accurate",
    "speed": r"\bfast\w*|\bquick\w*|real[\s-]?time|\blive\b|interactive|instant\w*|low latency|no delay|in a hurry|high volume|millions? of|throughput",
    "quality": r"(best|top|highest|finest|great) (picture |image |possible )?(quality|results?|pictures|images)|quality (is|matters|counts|first)|final assets?|flagship|gallery|hero (shots?|pictures?|images?)|money is no|squeeze out|\bclients?\b|professional\w*",
    "cheap": r"cheap\w*|\bfree\b(?! (of|from) )|low(est)? (price|cost)|price .{0,10}(everything|matters|counts)|not (too )?expensive|inexpensive|budget|without paying|costs? (nothing|little)|for nothing",
    "few pictures": r"\bfew\b.{0,20}(photos|pictures|images|labels|examples)|small (data ?set|set)|\b\d{1,3} (labell?ed )?(photos|pictures|images|examples)",
    "messy": r"mixed quality|messy|noisy|blurr\w+|mixed archive|varied|user[\s-](generated|uploaded)|unusual",
    "self-made": r"\bhost (it|the model|them)? ?(our|my)sel\w+|self[\s-]?host\w*|(we|i) host\b|on (my|our) own (machine|computer|server|pc|hardware)|stays? on my|\blocal(ly)?\b|open[\s-](weights?|source)|at home|without internet|no internet|may not leave|not leave (our|my|the)|no calls to outside|no cloud",
    "hosted": r"\b(over|via|through|by|from|use|using) an? api\b|\bhosted\b(?! (by )?(our|my)sel)|\bendpoint|in the cloud|picture api|image api|\bapi (call|only|access)|no gpu of (my|our) own|\bsaas\b|no hardware",
    "not quantised": r"(refuse|no|not|without|never|avoid|don't want|do not want|hate)\b.{0,20}quanti[sz]\w*|full precision|unquanti[sz]ed",
    "quantised": r"quanti[sz]\w*|\bfp8\b|\bint8\b|\bnf4\b|\bgguf\b|[48][\s-]?bit",
    "small business": r"(freelanc\w+|self[\s-]employed|one[\s-](man|person|woman)|two[\s-]person|small (shop|studio|business|firm))",
}  # fmt: skip
_FLAG = {name: re.compile(pattern) for name, pattern in _FLAGS.items()}
_SLIPS = {"license": "licence", "color": "colour"}
_MACHINE = re.compile(r"\b(rtx \d{4}|h100|h200|a100|b200|l20|l40s|t4|i7-12700h|i9-10940x)\b")
_RANGE = re.compile(
    r"(\d+(?:\.\d+)?)\s?(?:m|million)?\s?(?:to|-|\N{EN DASH}|and)\s?(\d+(?:\.\d+)?)\s?(?:m|million)\b"
)
_TOP1 = re.compile(
    r"(\d{2}(?:\.\d+)?)\s?(?:%|percent)[^.]{0,25}(?:top[\s-]?1|accura|imagenet|right)|(?:top[\s-]?1|accura\w+)[^.\d]{0,25}(\d{2}(?:\.\d+)?)\s?(?:%|percent)"
)
_BITS = (("int8", 1), ("8-bit", 1), ("8 bit", 1), ("fp16", 2), ("half precision", 2), ("bf16", 2))
_REFERENCES = re.compile(
    r"(\d+)\s+(?:\w+\s+){0,2}?(?:reference|input|source)?\s?(?:photo|picture|image|reference|shot)s?\b"
)
_TOGETHER = re.compile(
    r"\breferences?\b|combin\w+|merg\w+|into (one|a single)|in the same (output|picture|scene)|together"
)
_TARGETS = ("klein", "flux.2", "flux.1", "sdxl", "stable diffusion 3", "stable diffusion", "flux")
_REVENUE = re.compile(
    r"(?:turnover|revenue|income|sales|make|earn)\w*\b[^.\d$]{0,25}\$?\s?(\d+(?:\.\d+)?)\s?(k|thousand|m|million|bn|billion)?"
)
_SALES = re.compile(
    r"(\d+(?:\.\d+)?)\s?(k|thousand|m|million|bn|billion)?\s?(?:dollars?|usd|euros?)?\s?(?:of |in |a year )?(?:yearly |annual )?(?:turnover|revenue|sales)"
)
_SCALE = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9}


@dataclass(frozen=True)
class Needs:
    """What a use case asks for.

    Attributes:
        words: the use case in plain English, lower case.
        task: one of TASKS; empty if the words tell none.
        inferred: whether the task was read from the words.
        limits: the typed limits that were given, by argument name, and the amounts that only the
            words tell (`min_top1`, `max_file_mb`, `references`, `megapixels` ...).
        flags: what the words ask for, by name.
        machine: the processor or graphics card that the words name.
        targets: what a trainer must train, or the family of a base.
        absent: what is asked for that no system here does, with what would; empty if nothing.
    """

    words: str
    task: str
    inferred: bool
    limits: Mapping[str, Any]
    flags: frozenset[str] = frozenset()
    machine: str = ""
    targets: tuple[str, ...] = ()
    absent: tuple[str, ...] = field(default=())

    def limit(self, name: str) -> Any:
        """The value of a limit; none if it was not given."""
        return self.limits.get(name)

    @property
    def place(self) -> str:
        """Where it shall run: `hosted`, `local`, or empty if that is open."""
        local = self.limits.get("offline") or "self-made" in self.flags
        if local or self.limits.get("device_memory_gib") is not None:
            return "local"
        if "hosted" in self.flags or (self.limits.get("max_price_usd") and not self.local_machine):
            return "hosted"
        return ""

    @property
    def local_machine(self) -> bool:
        """Whether a machine of the person's own was told."""
        return any(self.limits.get(name) is not None for name in ("device", "device_memory_gib"))

    def without(self, *names: str) -> "Needs":
        """The needs with some limits or flags dropped."""
        limits = {name: value for name, value in self.limits.items() if name not in names}
        flags = self.flags - set(names)
        if "quantised" in names:
            flags = flags - {"not quantised"}
        return Needs(
            self.words, self.task, self.inferred, limits, flags, self.machine, self.targets,
            self.absent,
        )  # fmt: skip


def read_needs(ctx: Context, use_case: str, limits: Mapping[str, Any]) -> Needs:
    """The needs of a use case.

    Args:
        ctx: the context.
        use_case: the person's words, in any of the languages.
        limits: the typed arguments of the tool; none where nothing was said.
    """
    words = plain(ctx, use_case)
    given = {name: value for name, value in limits.items() if value is not None and name != "task"}
    task = limits.get("task") or _task(ctx, words)
    flags = frozenset(name for name, pattern in _FLAG.items() if pattern.search(words))
    if task == "inpaint":
        flags |= {"mask"}
    machine = _MACHINE.search(words)
    return Needs(
        words=words,
        task=task,
        inferred=limits.get("task") is None,
        limits={**dict(_amounts(words, task)), **given},
        flags=flags,
        machine=machine[0] if machine else "",
        targets=_targets(words),
        absent=_absent(words),
    )


def plain(ctx: Context, text: str) -> str:
    """A text in English words, lower case; names of systems stay as they are."""
    mentions = ctx.index.names.mentions(text)
    names = {found.system: text[found.start : found.end].lower() for found in mentions}
    words = gloss(text, mentions, names).text.lower()
    for wrong, right in _SLIPS.items():
        words = words.replace(wrong, right)
    return words


_HITS, _SAYS_SOMETHING = 20, 0.9  # hits that vote for a task, and from which score


def _task(ctx: Context, words: str) -> str:
    """By the words; else by what the nearest capabilities are for."""
    for task, pattern in _TASK_WORDS:
        if re.search(pattern, words):
            return task
    votes = dict.fromkeys(TASKS, 0.0)
    for hit in ctx.index.search(words, _HITS):
        if hit.score < _SAYS_SOMETHING:
            continue
        card, _, inside = ctx.catalog.cards.get(hit.system), *hit.id.partition("#")[1:]
        for capability in card.capabilities if card else ():
            if capability.id == inside and capability.tool in votes:
                votes[capability.tool] += hit.score
    best = max(votes, key=lambda task: votes[task])
    return best if votes[best] else ""


def _absent(words: str) -> tuple[str, ...]:
    for pattern, *told in ABSENT:
        if re.search(pattern, words):
            return tuple(told)
    return ()


def _targets(words: str) -> tuple[str, ...]:
    found = [name for name in _TARGETS if re.search(rf"{re.escape(name)}(?![\w])", words)]
    return tuple(name for name in found if not any(name != o and name in o for o in found))


def _amounts(words: str, task: str) -> Iterator[tuple[str, float]]:
    """Amounts that no argument of the tool holds."""
    if task in CLASSIFIER_TASKS:
        yield from _classifier_amounts(words)
        return
    numbers = quantities(words)
    if area := [found.value for found in numbers if found.unit == "megapixels"]:
        yield "megapixels", max(area)
    if found := _REVENUE.search(words) or _SALES.search(words):
        yield "revenue", float(found[1]) * _SCALE.get(found[2] or "", 1.0)
    if task in ("edit", "generate") and (count := _references(words)):
        yield "references", count


def _references(words: str) -> float:
    """How many pictures go in at once; 0 if the words tell none."""
    if not _TOGETHER.search(words):
        return 0
    found = [float(match[1]) for match in _REFERENCES.finditer(words)]
    return max((count for count in found if 2 <= count <= 50), default=0)


def _classifier_amounts(words: str) -> Iterator[tuple[str, float]]:
    if share := _TOP1.search(words):
        yield "min_top1", float(share[1] or share[2])
    if span := _RANGE.search(words):
        yield "min_parameters", float(span[1]) * 1e6
        yield "max_parameters", float(span[2]) * 1e6
    if sizes := _file_sizes(quantities(words)):
        yield "max_file_mb", min(sizes)
        yield "bytes_per_weight", next((b for name, b in _BITS if name in words), 4)


def _file_sizes(numbers: Sequence[Quantity]) -> list[float]:
    return [found.value for found in numbers if found.unit == "MB" and found.value < 2000]
