"""Arguments that are words of a closed list: formats, precisions, devices, outputs."""

import re
from collections.abc import Collection, Mapping
from typing import Any

# Parameter -> value -> pattern of a gloss; the first that matches wins.
_WORDS: Mapping[str, Mapping[Any, str]] = {
    "format": {
        "executorch": r"\bexecu\s?torch\b|\bpte\b",
        "tensorrt": r"\btensor\s?rt\b|\btrt\b",
        "pt2": r"\bpt2\b|\btorch\.?\s?export\b|\baoti\b|\bexported program\b",
        "onnx": r"\bonn?xx?\b(?!\s?runtime)",
        "openvino": r"\bopen\s?vino\b",
        "coreml": r"\bcore\s?ml\b|\bml\s?model\b|\bmlpackage\b",
        "litert": r"\blite\s?rt\b|\btf\s?lite\b|\btensorflow lite\b",
    },
    "platform": {
        "coreml": r"\biphones?\b|\bipads?\b|\bios\b|\bapple\b|\bxcode\b|\bapp store\b"
        r"|\bmac\b[\w ]* app\b|\bswift\b",
        "litert": r"\bandroid\b|\bplay store\b|\bpixel (?:app|phone|\d)|\bsamsung\b|\bgalaxy\b"
        r"|\bmicro\s?controllers?\b|\bcoral\b",
        "openvino": r"\bintel\b",
        "tensorrt": r"\bjetson\b|\bnvidia\b",
        "onnx": r"\bonnx\s?runtime\b|\bort\b|\bbrowser\b|\bweb\s?(?:page|site)\b",
    },
    "engine": {
        "onnxruntime": r"\bonnx\s?runtime\b|\bort\b|\bonnx\b",
        "openvino": r"\bopen\s?vino\b",
        "litert": r"\blite\s?rt\b|\btf\s?lite\b",
        "tensorrt": r"\btensor\s?rt\b|\btrt\b",
        "coreml": r"\bcore\s?ml\b",
        "executorch": r"\bexecu\s?torch\b",
        "pt2": r"\bpt2\b",
        "torch": r"\bpytorch\b|\btorch (?:engine|itself)\b|\bengine torch\b",
    },
    "precision": {
        "int8": r"\bint\s?-?8\b|\b8[\s-]?bits?\b|\bi8\b|\bquanti[sz]\w*(?! to)",
        "nf4": r"\bnf4\b|\b4[\s-]?bits?\b",
        "fp8": r"\bfp8\b|\bfloat8\b",
        "bf16": r"\bbf16\b|\bbfloat\s?16\b",
        "fp16": r"\bfp\s?-?16\b|\bfloat\s?16\b|\bhalf[\s-]precision\b|\b16[\s-]?bits?\b|\bf16\b",
        "fp32": r"\bfp\s?-?32\b|\bfloat\s?32\b|\bfull[\s-]precision\b|\b32[\s-]?bits?\b|\bf32\b",
    },
    "device": {
        "cpu": r"\bno (?:gpu|graphics)|\bwithout (?:an? )?(?:gpu|graphics)|\bcpus?\b"
        r"|\bprocessors?\b|\braspberry\b",
        "cuda": r"\bcuda\b|\bgpus?\b|\bnvidia\b|\brtx\b|\bgtx\b|\bgeforce\b|\bgraphics? cards?\b"
        r"|\bvideo cards?\b|\b[ahl]\d{2,3}\b|\b[2345]0[6789]0(?:\s?ti)?\b|\btesla\b|\bquadro\b",
        "mps": r"\bmps\b|\bmetal\b|\bapple (?:silicon|chip|m\d)\b|\bm[1-5](?: (?:pro|max|ultra))?\b"
        r"|\bmacbooks?\b|\bmac(?: (?:mini|studio|pro))?\b|\bimac\b",
    },
    "output": {
        "csv": r"\bcsv\b|\bexcel\b|\bspread\s?sheets?\b",
        "json": r"\bjson\b",
        "table": r"\b(?:as|in) (?:a )?table\b|\ba table (?:is|of|with|please|will)\b"
        r"|, (?:a )?table$",
    },
    "dynamic_batch": {
        False: r"\b(?:fixed|static|no|without (?:a )?)\s?(?:dynamic|flexible|variable)?\b"
        r"[\s\w-]*\bbatch|\b(?:one|1|single) (?:picture|image|photo) at a time"
        r"|\bbatch\w*[\s\w]{0,12}\b(?:fixed|static)\b|\bbatch (?:size )?(?:of )?(?:1|one)\b",
        True: r"\bdyn batch|\bbatch size (?:that )?(?:isn't|is not|not) fixed"
        r"|\bdynamic\b[\s\w-]*(?:\bbatch|\baxes\b)|\b(?:flexible|variable|any|free"
        r"|dynamic) batch|\bbatch\w*[\s\w]{0,25}\b(?:dynamic|vary|varies|vari\w+|flexible"
        r"|free|open|any size)\b|\bdynamic (?:axis|axes|shape)",
    },
    "train_text_encoder": {
        False: r"\b(?:not|don'?t|without|no|freeze|frozen|off|leave)\b[^.,;]*\btext[\s-]?encoder"
        r"|\btext[\s-]?encoder\b[^.,;]*\b(?:frozen|off|alone|not|untouched)\b"
        r"|\bunet only\b|\bonly (?:the )?unet\b",
        True: r"\btext[\s-]?encoders?\b",
    },
    "licence": {
        "apache-2.0": r"\bapache\b",
        "mit": r"\bmit\b(?= licen| or|,|\.|$| only)",
        "openrail": r"\bopen\s?rail\b",
        "permissive": r"\bpermissive\b",
    },
}  # fmt: skip
_PROPERTIES: Mapping[str, str] = {
    "price": r"\bpric\w*|\bcosts?\b|\bcheap\w*|\bexpensive\b|\bmoney\b|\bcents?\b|\bdollars?\b"
    r"|\bbudget\b|\bbill\b",
    "licence": r"\blicen[cs]\w*|\bcommercial\w*|\blegal\w*|\ballowed\b|\bsell\b",
    "memory": r"\bv?ram\b|\bmemory\b|\bgigs?\b|\bgb\b",
    "speed": r"\bspeed\w*|\bfast\w*|\bquick\w*|\bslow\w*|\blatency\b|\bthroughput\b|\bfps\b"
    r"|\bseconds?\b|\bmilliseconds?\b|\bms\b|\btime\b|\bimages per second\b",
    "accuracy": r"\baccura\w*|\btop[\s-]?[15]\b|\bimagenet\b|\bscores?\b|\berrors?\b|\bprecise\b",
    "parameters": r"\bparam\w*|\bweights\b",
    "size": r"\bsiz\w*|\bsmall\w*|\bbig\w*|\blight\w*|\bheav\w*|\bmegabytes?\b|\bmb\b|\bdisk\b"
    r"|\bdownload\b|\blarger?\b",
    "resolution": r"\bresolution\b|\bmegapixels?\b",
    "steps": r"\bsteps\b",
        "quality": r"\bquality\b|\bbeautiful\b|\bprettier\b",
}  # fmt: skip


# A format that is named, but not wanted.
_NO_FORMAT = re.compile(
    r"\b(?:not|no|instead of|rather than|than|from|every|my|our) (?:an? |the )?"
    r"(?:onnx|open\s?vino|tensor\s?rt|core\s?ml|tf\s?lite|lite\s?rt|execu\s?torch)\b"
)


def word(name: str, text: str) -> Any:
    """The value of an argument of a closed list; none if the gloss does not say it."""
    found = (value for value, pattern in _WORDS[name].items() if re.search(pattern, text))
    return next(found, None)


def words(text: str, wanted: Collection[str]) -> dict[str, Any]:
    """Every argument of a closed list that the gloss says, of those that a tool wants."""
    found = {name: word(name, text) for name in _WORDS if name in wanted}
    if "format" in wanted:
        found["format"] = next(iter(formats(text)), None) or word("platform", text)
    return {name: value for name, value in found.items() if value is not None}


def formats(text: str) -> tuple[str, ...]:
    """Every export format that a gloss asks for, in order."""
    return _in_order(_WORDS["format"], _NO_FORMAT.sub("", text))


def property_words(text: str) -> tuple[str, ...]:
    """The properties that a comparison is about, in order of mention."""
    return _in_order(_PROPERTIES, text)


def _in_order(patterns: Mapping[str, str], text: str) -> tuple[str, ...]:
    places = {
        name: match.start()
        for name, pattern in patterns.items()
        if (match := re.search(pattern, text))
    }
    return tuple(sorted(places, key=places.__getitem__))
