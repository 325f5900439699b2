"""The server of llama-cpp-python. It is compiled when it is installed; a second request ends the first one's answer."""

from pathlib import Path
from typing import Any, ClassVar

from .contract import PROMPT, Start, Through, pieces
from .llama_server import gguf


class LlamaCppPython:
    name: ClassVar[str] = "llama-cpp-python"
    needs: ClassVar[tuple[str, ...]] = ("llama-cpp-python[server]",)
    distribution: ClassVar[str] = "llama-cpp-python"
    unwanted: ClassVar[tuple[str, ...]] = ()
    through: ClassVar[Through] = "proxy"
    window_s: ClassVar[float] = 10.0
    streams: ClassVar[int] = 1

    def start(self, python: Path, folder: Path, port: int) -> Start:
        flags = ("--n_ctx", "8192", "--n_threads", "1", "--port", str(port))
        return Start(
            command=(str(python), "-m", "llama_cpp.server", "--model", str(gguf(folder)), *flags),
            url=f"http://127.0.0.1:{port}",
        )

    def question(self, number: int) -> tuple[str, dict[str, Any]]:
        del number
        return "/v1/completions", {"prompt": PROMPT, "max_tokens": 7500, "temperature": 0, "stream": True}

    def count(self, line: bytes, before: int) -> int:
        return pieces(line, before)
