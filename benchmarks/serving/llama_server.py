"""llama-server of llama.cpp, from the xllamacpp wheel."""

import json
from pathlib import Path
from typing import Any, ClassVar

from llmtop.tui.demo.model import write
from llmtop.tui.demo.shape import Shape

from .contract import INSIDE, PROMPT, Start, Through

SMALL = Shape(width=768, layers=12, heads=12, kv_heads=12, head_width=64, feed_forward=2048, context=8192)
"""134 M parameters: some hundred tokens a second on one core."""
SLOTS = 4


def gguf(folder: Path) -> Path:
    """Writes the model file."""
    path = folder / "small-Q4_0.gguf"
    write(path, SMALL, quantization="Q4_0")
    return path


class LlamaServer:
    name: ClassVar[str] = "llama-server"
    needs: ClassVar[tuple[str, ...]] = ("xllamacpp", "gguf")
    distribution: ClassVar[str] = "xllamacpp"
    unwanted: ClassVar[tuple[str, ...]] = ()
    through: ClassVar[Through] = "itself"
    window_s: ClassVar[float] = 10.0
    streams: ClassVar[int] = 2

    def start(self, python: Path, folder: Path, port: int) -> Start:
        script = str(INSIDE / "llama_server.py")
        flags = ("--model", str(gguf(folder)), "--port", str(port), "-c", "8192", "-np", str(SLOTS))
        return Start(command=(str(python), script, *flags), url=f"http://127.0.0.1:{port}", ready="/health")

    def question(self, number: int) -> tuple[str, dict[str, Any]]:
        return "/completion", {
            "prompt": f"{PROMPT} " * (1 + number),
            "n_predict": 1900,
            "ignore_eos": True,
            "stream": True,
            "cache_prompt": False,
        }

    def count(self, line: bytes, before: int) -> int:
        return before + (line.startswith(b"data: ") and bool(json.loads(line[6:]).get("content")))
