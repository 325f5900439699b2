"""A made-up answer of the fit screen: every kind of row that it must be able to show."""

from llmtop.estimator.fit import Box
from llmtop.estimator.snapshot import Band
from llmtop.probes.sample import Device
from llmtop.tui.fit.ask import Ask
from llmtop.tui.fit.asking import Answer
from llmtop.tui.fit.box import AskedBox
from llmtop.tui.fit.rows import Row

GIB = 2**30
GPU = Device(
    id="nvidia0",
    name="NVIDIA GeForce RTX 3060",
    vendor="NVIDIA",
    kind="gpu",
    memory_total_bytes=12 * GIB,
    memory_used_bytes=round(0.4 * GIB),
)
CPU = Device(
    id="cpu",
    name="AMD Ryzen 5 5600X",
    vendor="AMD",
    kind="cpu",
    memory_total_bytes=32 * GIB,
    memory_used_bytes=9 * GIB,
)


def band(value: float) -> Band:
    """With a tenth to both sides."""
    return Band(value=value, low=0.9 * value, high=1.1 * value)


def offered(model: str, quant: str, rate: float | None, gib: float, runs_on: str | None, **more: object) -> Row:
    """A row; what is not said is that of a plain model of 2026."""
    fields: dict[str, object] = {
        "model": model,
        "quant": quant,
        "chosen": True,
        "released": "2026-03",
        "tasks": ("chat",),
        "parameters": 8_200_000_000,
        "active_parameters": 8_200_000_000,
        "fits": runs_on is not None,
        "runs_on": runs_on,
        "gpu_share": 1.0 if runs_on == "gpu" else 0.0,
        "layers": 48,
        "gpu_layers": 48 if runs_on == "gpu" else 0,
        "fits_when_emptied": False,
        "memory_bytes": gib * GIB,
        "memory_free_bytes": 11.0 * GIB,
        "max_context": 40_960 if runs_on else None,
        "decode_tps": band(rate) if rate else None,
        "prefill_tps": band(1900.0) if runs_on else None,
        "ttft_s": band(0.54) if runs_on else None,
        "joules_per_token": 3.1 if runs_on == "gpu" else None,
        "ceiling_tps": 1.4 * rate if rate else None,
        "limit": "bandwidth" if runs_on else None,
        "basis": "made up" if runs_on else None,
    }
    return Row(**(fields | more))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


DISK = (offered("qwen3:8b-q4_K_M", "Q4_K_M", 44.0, 6.1, "gpu", store="Ollama", released=None, tasks=()),)
ROWS = (
    offered(
        "Mixture-30B-A3B",
        "Q4_K_M",
        31.0,
        19.0,
        "gpu+cpu",
        gpu_share=0.57,
        gpu_layers=27,
        parameters=30_500_000_000,
        active_parameters=3_300_000_000,
        tasks=("chat", "code"),
        max_context=8192,
    ),
    offered("Brisk-8B", "Q6_K", 35.2, 8.4, "gpu"),
    offered("A-Model-With-A-Name-That-Never-Seems-To-End-12B", "Q4_K_M", 27.0, 9.1, "gpu", tasks=("chat", "vision")),
    offered("Patient-14B", "Q4_K_M", 4.1, 11.9, "cpu", tasks=("chat", "reasoning")),
    offered("Giant-70B", "Q4_K_M", None, 43.0, None, parameters=70_600_000_000, fits_when_emptied=True),
    offered("Brisk-8B", "Q8_0", 29.4, 10.2, "gpu", chosen=False),
)
VECTORS = (offered("Embedder-0.6B", "Q8_0", None, 0.9, "gpu", tasks=("embed",), decode_tps=None),)
ABOUT = AskedBox(
    box=Box(gpus=(GPU,), cpu=CPU),
    words="NVIDIA GeForce RTX 3060 (12.0 GiB), AMD Ryzen 5 5600X (32.0 GiB)",
    local=True,
)
ANSWER = Answer(ask=Ask(), about=ABOUT, rows=ROWS, vectors=VECTORS, disk=DISK)
