"""What somebody has measured is not impossible, and what llama.cpp says that it takes is what is needed."""

import pytest
from llmtop.estimator import memory
from llmtop.estimator.accuracy import question
from llmtop.estimator.catalogue.formats import format as known_format
from llmtop.estimator.catalogue.models import model
from llmtop.estimator.catalogue.names import UnknownName
from llmtop.estimator.fit import Box, Wish, fit
from llmtop.estimator.measurements import SHIPPED, load
from llmtop.estimator.terms import Unanswerable

Combination = tuple[str, str, str]
GIB, MIB = 1 << 30, 1 << 20
SPILLED = (
    "8.4 GiB of weights on a card of 8: Windows' driver puts the rest into the RAM, at a third of the speed or less"
)
UNHEEDED = (
    "a 2.9 GB build for chat of May 2023; the 1.3 GiB beside the weights that are taken for MLC are vLLM's of today"
)
EXCEPTIONS: dict[Combination, str] = {
    ("RTX 4090", "Llama-3.1-70B", "Q4_K_M"): "40 GiB on a card of 24 at 3.1 tok/s: Ollama gave a part to the CPU",
    ("RTX 3060 Ti", "Qwen2.5-14B", "Q4_K_M"): SPILLED,
    ("RTX 4060 Ti 8GB", "Qwen2.5-14B", "Q4_K_M"): SPILLED,
    ("RTX 3070", "Qwen2.5-14B", "Q4_K_M"): SPILLED,
    (
        "RTX 3080 Laptop",
        "Qwen2.5-14B",
        "Q4_K_M",
    ): "sold with 16 GB, too (NVIDIA, 2021-01); 28 tok/s on one of 8 are too many, so it seems to be that",
    ("RX 470 4GB", "Vicuna-7B", "q3f16"): UNHEEDED,
    ("Radeon Pro 5300M", "Vicuna-7B", "q3f16"): UNHEEDED,
}
"""Rows do not say when a part was left to the CPU; these say it by their speed."""


def impossible() -> tuple[set[Combination], int]:
    """What `fit` calls impossible of all that was measured on one device, and how many rows were asked about.

    Of many streams one is asked for: an engine takes as many at once as it holds, and the others wait.
    """
    found: set[Combination] = set()
    asked_about = 0
    for row in load(SHIPPED):
        if row.n_devices != 1:
            continue
        try:
            asked = question(row)
            device = asked.devices[0]
            if device.memory_total_bytes is None:
                continue
            box = Box(cpu=device) if device.kind == "cpu" else Box(gpus=(device,))
            tokens = asked.longest if row.batch == 1 else asked.prompt + asked.generate
            wish = Wish(
                engine=asked.software.engine,
                context=tokens,
                prompt=asked.prompt,
                generate=asked.generate,
                kv_bytes_per_element=asked.kv_bytes_per_element,
            )
            placed = fit(asked.facts, box, wish)
        except (UnknownName, Unanswerable):
            continue
        asked_about += 1
        if placed.runs_on is None:
            found.add((row.hardware, row.model, row.quant))
    return found, asked_about


def test_nothing_that_was_measured_is_called_impossible() -> None:
    found, asked_about = impossible()
    assert asked_about > 2000
    assert not found - EXCEPTIONS.keys(), "measured, but called impossible"
    assert not EXCEPTIONS.keys() - found, "no exception any more"


def test_weights_are_as_large_as_the_rows_say_that_the_files_are() -> None:
    """Files of up to 24 GiB, within 1 GB; the largest difference is that of files whose layers differ in format."""
    sizes: dict[tuple[str, str, float], float] = {}
    for row in load(SHIPPED):
        if row.weight_gib is None or row.weight_gib > 24.0:
            continue
        try:
            known = model(row.model).facts(known_format(row.quant)).weight_bytes
        except UnknownName:
            continue
        if known is not None:
            sizes[row.model, row.quant, row.weight_gib] = known
    assert len(sizes) > 30
    assert {key: known for key, known in sizes.items() if abs(known - key[2] * GIB) > 1e9} == {}


def test_the_whole_is_what_llama_cpp_logs() -> None:
    """Llama 3.1 8B, Q4_K_M, 2048 tokens: "CUDA0 model buffer size" 4403.49 MiB, KV 256.00, compute 258.50."""
    needed = memory.needed(model("Llama-3.1-8B").facts(known_format("Q4_K_M")), context=2048)
    assert needed is not None
    logged = (4403.49 + 256.0 + 258.5) * MIB
    assert needed.total_bytes - needed.context_bytes == pytest.approx(logged, rel=0.02)
    assert needed.total_bytes == pytest.approx(logged, abs=1e9)
