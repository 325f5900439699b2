"""Imports go one way: probes, then estimator, then tui; and what must be quick to start loads nothing heavy."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "probes": {"probes"},
    "estimator": {"probes", "estimator"},
    "tui": {"probes", "estimator", "tui"},
}
SOURCES = sorted(path for layer in MAY_IMPORT for path in (ROOT / layer).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """The layers that a file imports from, and "llmtop" for an import that is not relative."""
    inside = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = inside[: len(inside) - node.level + 1]
            target = (*base, *(node.module or "").split("."))
            names = [alias.name for alias in node.names]
            yield target[0] or names[0]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "llmtop":
            yield "llmtop"
        elif isinstance(node, ast.Import):
            yield from ("llmtop" for alias in node.names if alias.name.split(".")[0] == "llmtop")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down_only(path: Path) -> None:
    layer = path.relative_to(ROOT).parts[0]
    assert set(imported(path)) <= MAY_IMPORT[layer]


@pytest.mark.parametrize("module", ["llmtop.probes", "llmtop.estimator", "llmtop.tui.cli", "llmtop.tui.live"])
def test_what_must_start_quickly_loads_nothing_heavy(module: str) -> None:
    heavy = ("textual", "numpy", "rich", "pynvml", "cpuinfo", "prometheus_client", "gguf", "xllamacpp")
    program = f"import sys, {module}; print([name for name in {heavy!r} if name in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT / ".src"), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "[]"
