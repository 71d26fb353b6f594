"""Judges plans against questions with their right plan, as people would: words by their sense."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assistant.plan import Asked, Clarify, Decline, Run, plan, steps_told
from assistant.routes import exchanges_of, files_of
from index.names import Names
from tools.base import load_tools

HELD = Path(__file__).parent / "questions" / "held.jsonl"
_WHOLE = ("query", "use_case", "topic")  # the message itself, or the part of it that matters
_FREE = ("prompt", "negative_prompt", "claim", "class_noun", "job", "layer", "prompts", "labels")
_ALIKE = 0.7  # F1 of the words from which two texts say the same
_ENGINES = {"onnx": "onnxruntime", "pytorch": "torch"}  # other names of the same
_OUTCOMES = {Run: "run", Clarify: "clarify", Decline: "decline"}

Row = Mapping[str, Any]


@dataclass
class Share:
    """How many of some questions were planned right."""

    asked: int = 0
    right_tool: int = 0
    right_arguments: int = 0
    declined: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        tool, arguments = self.right_tool / self.asked, self.right_arguments / self.asked
        return f"{self.asked:4} asked, tool {tool:.1%}, arguments too {arguments:.1%}"


def rows(path: Path = HELD) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def kind_of(row: Row) -> str:
    """The group that a question is counted in."""
    if row.get("language", "en") != "en":
        return str(row["language"])
    if row.get("history"):
        return "follow-up"
    if row["outcome"] != "run":
        return str(row["outcome"])
    return "several steps" if len(row["steps"]) > 1 else "one step"


def judged(asked: Sequence[Row], known: Names) -> dict[str, Share]:
    """The plans of questions against the right ones, by kind of question."""
    found: dict[str, Share] = {}
    for row in asked:
        share = found.setdefault(kind_of(row), Share())
        right, wrong = judge(row, known)
        share.asked += 1
        share.right_tool += right
        share.right_arguments += right and not wrong
        share.declined += wrong == ["declined"]
        if wrong:
            share.wrong.append(f"{row['text'][:100]!r}: {'; '.join(wrong)}")
    return found


def judge(row: Row, known: Names) -> tuple[bool, list[str]]:
    """Whether the tools of a plan are right, and what is wrong with it."""
    past = exchanges_of(row.get("history", ()), known, load_tools())
    asked = Asked(row["text"], files_of(row), past)
    made = plan(asked, known, load_tools())
    outcome = _OUTCOMES[type(made)]
    steps = steps_told(made.steps, asked) if isinstance(made, Run) else []
    tools, wanted = [step["tool"] for step in steps], [step["tool"] for step in row["steps"]]
    fair = tools == wanted or (len(tools) == 1 and tools[0] in row.get("also", ()))
    if outcome != row["outcome"] or not fair:
        return False, ["declined" if outcome == "decline" else f"{outcome} {tools} not {wanted}"]
    if tools != wanted:
        return True, []
    return True, [
        fault for pair in zip(steps, row["steps"], strict=True) for fault in _faults(*pair)
    ]


def _faults(step: Row, right: Row) -> list[str]:
    given, wanted = step["arguments"], right["arguments"]
    return [
        f"{step['tool']}.{name} {given.get(name)!r} not {wanted.get(name)!r}"
        for name in sorted({*given, *wanted})
        if not _same(name, given.get(name), wanted.get(name))
    ]


def _same(name: str, given: Any, wanted: Any) -> bool:
    if name in _WHOLE:
        return True
    if name == "expand":
        return set(given or ()) == set(wanted or ())
    if name == "properties":
        return bool(set(given or ()) & set(wanted or ())) or not wanted
    given, wanted = _alone(given), _alone(wanted)
    if name == "engine":
        given, wanted = _ENGINES.get(given, given), _ENGINES.get(wanted, wanted)
    if name in _FREE and given is not None and wanted is not None:
        return _overlap(given, wanted) >= _ALIKE
    if isinstance(given, str):
        given = re.sub(r"/image:\d+$", "", given)
    return bool(given == wanted)


def _alone(value: Any) -> Any:
    """A list of one as the one; an empty list as none; numbers in one form."""
    if isinstance(value, list | tuple):
        return _alone(value[0]) if len(value) == 1 else [_alone(item) for item in value] or None
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _overlap(one: Any, other: Any) -> float:
    """F1 of the words that two texts share; of the characters where there are no spaces."""
    left, right = Counter(_words(one)), Counter(_words(other))
    return 2 * sum((left & right).values()) / max(1, sum(left.values()) + sum(right.values()))


def _words(value: Any) -> list[str]:
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    text = text.lower().removesuffix(".0")
    return re.findall(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+", text)
