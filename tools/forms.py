"""The forms in which weights lie in a folder or a repository.

A classifier is one network, in timm's form. A pipeline has a sub-folder for each of its parts, in
the form of diffusers; its transformer may also be one file of GGUF, in fewer bits. Only these,
safetensors and the text files beside them belong to a form: pickled weights and Python files could
run code.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from index.card import Engine

CONFIG, WEIGHTS = "config.json", "model.safetensors"
MODEL_INDEX = "model_index.json"
_PROCESSOR = "preprocessor_config.json"
_NETWORKS = (WEIGHTS, "diffusion_pytorch_model.safetensors")  # as transformers and diffusers save
_INDEXES = tuple(f"{name}.index.json" for name in _NETWORKS)
# Other names are variants in other precisions, which no loader here asks for.
_LOADED = re.compile(r"(diffusion_pytorch_model|model)(-\d+-of-\d+)?\.safetensors")
_PACKED, _GGUF = "transformer", ".gguf"  # the part that may be in fewer bits, and how it ends
_TEXTS = (".json", ".txt", ".model", ".jinja")
_NO_PARTS = f"parts that a readable {MODEL_INDEX} names"
_HALF, _SINGLE = 2, 4  # bytes of a number
_LONGEST_HEADER = 100_000_000  # bytes, as the library that writes the files allows
# By the class of a part: the sets of files of which one must be there. All else is a network.
_KINDS = (
    (re.compile("Scheduler$"), (("scheduler_config.json",),)),
    (
        re.compile("Tokenizer(Fast)?$"),
        (
            ("tokenizer.json",), ("vocab.json", "merges.txt"), ("spiece.model",),
            ("tokenizer.model",), ("vocab.txt",),
        ),
    ),
    (
        re.compile("(Processor|FeatureExtractor)(Fast)?$"),
        ((_PROCESSOR,), ("processor_config.json",)),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Form:
    """A form of weights.

    Attributes:
        does: what a model of this form does, after "a model that".
        marker: the file by which a folder or repository of this form is known.
        wanted: the names that belong to it, of those of a folder or repository; the marker lies in
            the folder that is given.
        lacks: the first file that is not among the names; empty if all are there.
        halved: devices on which its loader makes half precision of the weights, elsewhere single.
    """

    does: str
    marker: str
    wanted: Callable[[Path, Collection[str]], tuple[str, ...]]
    lacks: Callable[[Path, Collection[str]], str]
    halved: tuple[str, ...]


def of(folder: Path) -> Form | None:
    """The form of a folder that has no card, by its marker."""
    return next((form for form in _BY_MARKER if (folder / form.marker).is_file()), None)


def lacks(form: Form, folder: Path) -> str:
    """The first file that a folder of a form lacks; empty if it is whole."""
    return form.lacks(folder, _names(folder)) if (folder / form.marker).is_file() else form.marker


def weights(form: Form, folder: Path) -> tuple[Path, ...]:
    """The files of weights of a folder that the loader of its form reads."""
    wanted = form.wanted(folder, _names(folder))
    return tuple(folder / name for name in wanted if is_weights(name))


def written(form: Form, folder: Path) -> tuple[int, ...]:
    """When each file of weights was written, ns: by this a folder that has changed is known."""
    return tuple(path.stat().st_mtime_ns for path in weights(form, folder))


def is_weights(name: str) -> bool:
    """Whether a file holds weights."""
    return name.endswith((".safetensors", _GGUF))


def packed(folder: Path) -> Path | None:
    """The transformer of a pipeline where it is one file of GGUF; none where it is not."""
    name = _packed(_inside(_PACKED, _names(folder)))
    return folder / _PACKED / name if name else None


def memory(form: Form, parameters: Mapping[str, int], device: str) -> int:
    """Bytes that weights take once they are loaded.

    Args:
        form: their form.
        parameters: how many there are of each type of the safetensors format.
        device: `cpu`, `cuda` or `mps`.
    """
    width = _HALF if device in form.halved else _SINGLE
    return sum(count * (_whole_width(kind) or width) for kind, count in parameters.items())


def parameters(form: Form, folder: Path) -> Mapping[str, int]:
    """How many parameters of each type lie in a folder, as the headers of its files say.

    A damaged file counts as single precision: its loader says what is wrong with it.
    """
    found: Counter[str] = Counter()
    for path in weights(form, folder):
        if path.suffix == _GGUF:  # its numbers stay as they are
            found["I8"] += path.stat().st_size
            continue
        try:
            found.update(_parameters(path))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            found["F32"] += path.stat().st_size // _SINGLE
    return found


def _parameters(path: Path) -> Mapping[str, int]:
    """From the header of a file: its length in 8 bytes, then a table of the tensors in JSON."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > _LONGEST_HEADER:
            raise ValueError(length)
        header = json.loads(file.read(length))
    found: Counter[str] = Counter()
    for name, tensor in header.items():
        if name != "__metadata__":
            found[tensor["dtype"]] += math.prod(tensor["shape"])
    return found


def _whole_width(kind: str) -> int:
    """Bytes of a whole number or truth value, which no loader changes; 0 for all else."""
    if kind.startswith(("F", "BF")):
        return 0
    bits = re.search(r"\d+", kind)
    return int(bits[0]) // 8 if bits else 1


def _names(folder: Path) -> frozenset[str]:
    """The files of a folder and of its sub-folders, relative to it."""
    found = (path for pattern in ("*", "*/*") for path in folder.glob(pattern))
    return frozenset(path.relative_to(folder).as_posix() for path in found if path.is_file())


# --- one network, in the form of timm or transformers
def _network(does: str, *files: str) -> Form:
    """The form of one network, which lies in these files; the first is its marker."""

    def wanted(_: Path, names: Collection[str]) -> tuple[str, ...]:
        return tuple(name for name in files if name in names)

    def lacks(_: Path, names: Collection[str]) -> str:
        return next((name for name in files if name not in names), "")

    return Form(does, files[0], wanted, lacks, ())


# --- a pipeline, in the form of diffusers
def _parts(folder: Path) -> Mapping[str, str]:
    """The parts of a pipeline with their classes; none if what names them cannot be read."""
    try:
        told = json.loads((folder / MODEL_INDEX).read_text(encoding="utf-8"))
        return {name: value[1] for name, value in told.items() if _is_part(value)}
    except (OSError, ValueError, AttributeError):
        return {}


def _is_part(value: object) -> bool:
    """Whether it is a library and a class; a part that is left out has neither."""
    return isinstance(value, list) and len(value) == 2 and isinstance(value[1], str)


def _of_pipeline(folder: Path, names: Collection[str]) -> tuple[str, ...]:
    parts = _parts(folder)
    found = [name for name in names if _belongs(*name.rpartition("/")[::2], parts)]
    if file := _packed(_inside(_PACKED, names)):
        found.append(f"{_PACKED}/{file}")
    return (MODEL_INDEX, *sorted(found))


def _belongs(part: str, file: str, parts: Collection[str]) -> bool:
    return part in parts and (file.endswith(_TEXTS) or bool(_LOADED.fullmatch(file)))


def _inside(part: str, names: Collection[str]) -> frozenset[str]:
    """The names in the folder of a part."""
    start = f"{part}/"
    return frozenset(name.removeprefix(start) for name in names if name.startswith(start))


def _packed(names: Collection[str]) -> str:
    """The file of GGUF that holds all weights of a part; empty where none does."""
    held = [name for name in names if is_weights(name)]
    return held[0] if len(held) == 1 and held[0].endswith(_GGUF) else ""


def _pipeline_lacks(folder: Path, names: Collection[str]) -> str:
    parts = _parts(folder)
    for part, kind in parts.items():
        if file := _part_lacks(folder / part, kind, _inside(part, names)):
            return f"{part}/{file}"
    return "" if parts else _NO_PARTS


def _part_lacks(folder: Path, kind: str, names: Collection[str]) -> str:
    sets = next((sets for pattern, sets in _KINDS if pattern.search(kind)), None)
    if sets is None:
        return next(_network_lacks(folder, names), "")
    if any(set(names).issuperset(files) for files in sets):
        return ""
    return next(file for file in sets[0] if file not in names)


def _network_lacks(folder: Path, names: Collection[str]) -> Iterator[str]:
    """What a network lacks; of shards, what an index that is here already names."""
    if CONFIG not in names:
        yield CONFIG
    is_packed = folder.name == _PACKED and _packed(names)
    if not is_packed and not set(names).intersection((*_NETWORKS, *_INDEXES)):
        shards = any(_LOADED.fullmatch(name) for name in names)
        yield "*.safetensors.index.json" if shards else "*.safetensors"
    for index in sorted(set(names).intersection(_INDEXES)):
        if (folder / index).is_file():
            yield from sorted(set(_shards(folder / index)) - set(names))


def _shards(index: Path) -> Collection[str]:
    """The shards that an index names; what cannot be there if it cannot be read."""
    try:
        found: Mapping[str, str] = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        return frozenset(found.values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return (f"shards that a readable {index.name} names",)


CLASSIFIER = _network("classifies pictures", CONFIG, WEIGHTS)
DEPTH = _network("estimates depth", CONFIG, _PROCESSOR, WEIGHTS)
PIPELINE = Form("makes pictures", MODEL_INDEX, _of_pipeline, _pipeline_lacks, ("cuda",))
FORMS: Mapping[Engine, Form] = MappingProxyType({"convnet": CLASSIFIER, "flux": PIPELINE})
_BY_MARKER = (PIPELINE, CLASSIFIER)  # a pipeline may have a config.json too
