"""`llmtop fit FILE` beside the very file in a real llama-server: memory, and speed where this machine is quiet."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from llmtop.tui.demo.model import write
from llmtop.tui.demo.shape import SHAPES, Shape

from ..measured import keep_measurement
from .engine import Server
from .usage import EXPERTS, decode_tps, memory_bytes

ROOT = Path(__file__).parents[2]
QUIET = 0.15
"""Share of the processor that others may have while it is measured."""


def llmtop(folder: Path, *arguments: str) -> Any:  # noqa: ANN401  # JSON
    """With its own measurement, and without what ties numpy to the instructions of another CPU."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS_")}
    done = subprocess.run(
        [sys.executable, "-m", "llmtop", *arguments],
        env=kept | {"PYTHONPATH": str(ROOT / ".src"), "XDG_CACHE_HOME": str(folder)},
        stdout=subprocess.PIPE,
        timeout=120,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("shape", "quantization"),
    [(SHAPES["0.3b"], "Q4_0"), (SHAPES["0.3b"], "Q8_0"), (EXPERTS, "Q4_0")],
    ids=["repacked", "mapped", "experts"],
)
def test_memory_is_what_the_process_takes(tmp_path: Path, shape: Shape, quantization: str) -> None:
    file = tmp_path / "model.gguf"
    write(file, shape, quantization=quantization)
    keep_measurement(tmp_path)
    (row,) = llmtop(tmp_path, "fit", str(file), "--json")["models"]
    with Server(file, "slots=1") as server:
        taken = memory_bytes(server, file)
    assert row["memory_bytes"] == pytest.approx(taken, rel=0.1)


def test_speed_is_inside_its_band(tmp_path: Path) -> None:
    """Tokens a second of processor time, 1000 tokens deep; the measurement counts only if it had the machine."""
    llmtop(tmp_path, "probe", "--measure", "--force", "--json")
    measured = json.loads((tmp_path / "llmtop/bandwidth.json").read_bytes())
    if measured["other_work"] is None or measured["other_work"] > QUIET or measured["spread"] > QUIET:
        others, spread = measured["other_work"] or 0.0, measured["spread"]
        pytest.skip(f"not quiet: others had {others:.0%} of the processor, the bandwidth moved by {spread:.0%}")
    file = tmp_path / "model.gguf"
    write(file, SHAPES["0.3b"], quantization="Q8_0")
    (row,) = llmtop(tmp_path, "fit", str(file), "--threads", "1", "--json")["models"]
    with Server(file, "slots=1") as server:
        rate = decode_tps(server, 1024, 64)
    assert row["decode_tps"]["low"] <= rate <= row["decode_tps"]["high"]
