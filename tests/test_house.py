"""The house rules that a machine can check."""

import ast
import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.fit import check_fit
from tests import readme
from tools.base import load_tools

ROOT = Path(__file__).parents[1]
LAYERS = {"app": 3, "assistant": 2, "tools": 1, "index": 0}
HEAVY = ("torch", "timm", "gradio", "transformers", "sentence_transformers", "matplotlib")
BANNED = re.compile(r"utils|helpers?|common|manager|handler", re.IGNORECASE)
SECRETIVE = re.compile(r"/work/|/root/|/home/\w+/|shared/research|TODO|FIXME|XXX|pypi\.org/simple")


def sources() -> list[Path]:
    """Every Python file that is not a test or a migration."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    found = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    paths = [ROOT / line for line in found.stdout.split() if (ROOT / line).is_file()]
    return [path for path in paths if "tests" not in path.parts and "versions" not in path.parts]


SOURCES = sources()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body, its docstring not counted."""
    told = ast.get_docstring(node, clean=False)
    first = node.body[1 if told is not None and len(node.body) > 1 else 0]
    return (node.end_lineno or 0) - first.lineno + 1


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", SOURCES, ids=module)
def test_imports_point_down(path: Path) -> None:
    own = LAYERS[path.relative_to(ROOT).parts[0].removesuffix(".py")]
    for name in imported(path):
        assert LAYERS.get(name.partition(".")[0], -1) <= own, f"{path}: {name}"


def test_no_import_cycle() -> None:
    graph = {module(path): set(imported(path)) for path in SOURCES}
    edges = {name: {n for n in names if n in graph and n != name} for name, names in graph.items()}
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, f"cycle: {' -> '.join((*above, name))}"
        if name not in done:
            for following in edges[name]:
                if not name.startswith(f"{following}."):
                    visit(following, (*above, name))
            done.add(name)

    for name in edges:
        visit(name, ())


def test_no_tool_imports_another() -> None:
    tools = set(load_tools())
    for name in tools:
        for used in imported(ROOT / "tools" / f"{name}.py"):
            parts = used.split(".")
            assert not (parts[0] == "tools" and len(parts) > 1 and parts[1] in tools - {name}), used


@pytest.mark.parametrize(
    ("name", "heavy"),
    [
        ("assistant", HEAVY),
        ("assistant.__main__", (*HEAVY, "numpy", "scipy", "rich")),  # `--help` comes at once
        ("assistant.wiring", HEAVY),
    ],
)
def test_importing_loads_nothing_heavy(name: str, heavy: tuple[str, ...]) -> None:
    code = f"import {name}, sys; print([m for m in {heavy} if m in sys.modules])"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"


def test_only_the_page_imports_gradio() -> None:
    for path in SOURCES:
        if "page" not in path.parts:
            assert not any(name.partition(".")[0] == "gradio" for name in imported(path)), path


@pytest.mark.parametrize("path", SOURCES, ids=module)
def test_files_and_functions_are_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 350
    long = {node.name: length(node) for node in functions(path) if length(node) > 45}
    assert not long


def test_most_functions_are_very_small() -> None:
    lengths = [length(node) for path in SOURCES for node in functions(path)]
    assert statistics.median(lengths) <= 8


@pytest.mark.parametrize("path", SOURCES, ids=module)
def test_files_say_what_they_are(path: Path) -> None:
    assert ast.get_docstring(tree(path))
    assert not BANNED.search(path.stem)


def test_data_classes_are_frozen() -> None:
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef):
                for decorator in node.decorator_list:
                    told = ast.unparse(decorator)
                    assert told != "dataclass", f"{path}: {node.name} is not frozen"
                    assert not told.startswith("dataclass(") or "frozen=True" in told, node.name


def test_a_tool_is_one_file_with_its_questions() -> None:
    for name, tool in load_tools().items():
        assert tool.call.__name__ == name
        asked = ROOT / "tests" / "questions" / f"{name}.toml"
        rows = tomllib.loads(asked.read_text(encoding="utf-8"))["question"]
        assert {row["tool"] for row in rows} == {name}
        assert len(tool.card.examples) >= 5


def test_the_fourteen_tools_are_there() -> None:
    assert set(load_tools()) == {
        "help", "explain", "recommend", "compare", "verify", "classify", "embed", "finetune",
        "export", "benchmark", "generate", "edit", "personalize", "jobs",
    }  # fmt: skip


def test_the_fit_belongs_to_the_questions() -> None:
    assert check_fit() == ""


def test_the_readme_is_generated_from_the_code() -> None:
    text = readme.README.read_text(encoding="utf-8")
    assert readme.generated(text) == text, "run `python -m tests.readme`"


def test_nothing_private_is_told() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for line in listed.stdout.split("\n"):
        path = ROOT / line
        if path.suffix in {".py", ".toml", ".md", ".lock", ".txt"} and path.name != "test_house.py":
            found = SECRETIVE.search(path.read_text(encoding="utf-8"))
            assert not found, f"{line}: {found and found[0]}"


def test_locks_carry_hashes_and_no_address() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in text
        assert "index-url" not in text.replace("--no-emit-index-url", "")


def test_vulnerable_versions_are_not_locked() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    versions = dict(re.findall(r"^([a-z0-9-]+)==([0-9.]+)", text, flags=re.MULTILINE))
    assert int(versions["pillow"].split(".")[0]) >= 13
    assert tuple(map(int, versions["gradio"].split(".")[:2])) >= (6, 31)
