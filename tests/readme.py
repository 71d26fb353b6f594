"""Writes the generated parts of README.md: `python -m tests.readme`; a test checks them."""

import ast
import re
import subprocess
from pathlib import Path

from index.catalog import load
from tools.base import load_tools

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
_OTHER = {
    "index/cards/": "one TOML file per system: facts, capabilities, claims with sources",
    "index/properties.toml": "what can be said of a system: unit, words that ask for it",
    "index/timm.csv": "timm's published results of every weight (aa4b585, 2026-08-08)",
    "index/routing/": "what is fitted to routing and ranking, made by `index fit`",
    "index/languages/": "glossaries of five languages into English, and what properties are called",
    "assistant/sentences.toml": "what the assistant says of itself, in six languages",
    "tools/pocket/weights/": "the pocket models, as safetensors with their measured figures",
    "tests/": "one test module per module, questions as data, the browser, benches, campaigns",
}


def tools_table() -> str:
    """One row per tool."""
    rows = [
        f"| `{tool.name}` | {'' if tool.card.built else '*Not built yet.* '}{tool.card.summary} "
        f"| {tool.card.examples[0]} |"
        for tool in load_tools().values()
    ]
    return "\n".join(["| tool | what it does | for example |", "|---|---|---|", *rows])


def files_table() -> str:
    """One line per file: what its docstring says first."""
    rows = [f"| `{path}` | {line} |" for path, line in sorted((_modules() | _OTHER).items())]
    return "\n".join(["| file | what it holds |", "|---|---|", *rows])


def counts() -> str:
    """How much the index knows."""
    catalog = load()
    claims = sum(len(card.claims) for card in catalog.cards.values())
    return (
        f"{len(catalog.cards)} systems have a card with {claims:,} sourced facts between them; "
        f"{len(catalog.timm):,} timm weights answer from their published results."
    )


def _modules() -> dict[str, str]:
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    found = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    paths = (Path(line) for line in found.stdout.split() if (ROOT / line).is_file())
    return {
        path.as_posix(): _first_line(ROOT / path)
        for path in paths
        if path.parts[0] != "tests" and "versions" not in path.parts
    }


def _first_line(path: Path) -> str:
    told = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return told.partition("\n")[0].replace("|", "\\|")


def generated(text: str) -> str:
    """The text of README.md with its generated parts made anew."""
    parts = {"tools": tools_table(), "files": files_table(), "counts": counts()}
    for name, part in parts.items():
        marked = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        text = re.sub(marked, rf"\g<1>{_escaped(part)}\n\g<2>", text, flags=re.DOTALL)
    return text


def _escaped(part: str) -> str:
    return part.replace("\\", r"\\")


if __name__ == "__main__":
    README.write_text(generated(README.read_text(encoding="utf-8")), encoding="utf-8")
