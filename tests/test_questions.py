"""Questions as data: what they expect exists."""

import json
from pathlib import Path
from typing import Any

from index.catalog import load
from tools.base import load_tools

ROUTING = Path(__file__).parent / "questions" / "routing.jsonl"


def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in ROUTING.read_text(encoding="utf-8").splitlines()]


def test_routing_questions_name_tools_and_their_arguments() -> None:
    tools = load_tools()
    for row in rows():
        if "steps" not in row:
            assert row["tool"] in (*tools, "none"), row
            continue
        assert row["outcome"] in ("run", "clarify", "decline"), row
        assert bool(row["steps"]) == (row["outcome"] == "run"), row
        for step in row["steps"]:
            assert set(step["arguments"]) <= set(tools[step["tool"]].parameters), row


def test_routing_questions_are_all_different() -> None:
    asked = [json.dumps({**row, "steps": [], "outcome": ""}) for row in rows()]
    assert len(asked) == len(set(asked)) > 2_000


def test_explained_systems_exist() -> None:
    for row in rows():
        for step in row.get("steps", ()):
            if step["tool"] in ("explain", "compare"):
                for system in step["arguments"].get("systems", ()):
                    made = system.startswith(("step:", "turn:"))
                    assert made or load().get(system), (row["text"], system)
