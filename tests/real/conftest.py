"""Model files for the real engine, made once a run."""

from pathlib import Path

import pytest
from llmtop.tui.demo.model import write
from llmtop.tui.demo.shape import Shape

SMALL = Shape(width=768, layers=12, heads=12, kv_heads=12, head_width=64, feed_forward=2048, context=8192)
"""134 M parameters: some hundred tokens a second on one core."""


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "small-Q4_0.gguf"
    write(path, SMALL, quantization="Q4_0")
    return path
