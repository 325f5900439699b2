"""The hook of this very process, read through its own server; and programs of their own where that is not enough."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from llmtop import hook

from ..publish.reading import metrics

SOURCES = str(Path(__file__).parents[2] / ".src")
Seen = Callable[[str], float]
"""A count of the row of this test: "generation_tokens_total"."""
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def model() -> str:
    """A name that no other test has."""
    return uuid4().hex


@pytest.fixture
def seen_of(model: str) -> Seen:
    """What the monitor would see of this test's model now."""

    def read(name: str) -> float:
        url = hook.publish()
        assert url is not None
        rows = metrics(url).get(f"llmtop_observed_{name}", [])
        return sum(value for labels, value in rows if labels["model"] == model)

    return read


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a program that may import llmtop.hook."""
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)

    def start(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONPATH": SOURCES, "XDG_RUNTIME_DIR": str(runtime), "HOME": str(tmp_path)} | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return start
