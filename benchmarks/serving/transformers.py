"""`transformers serve`, on the CPU."""

from pathlib import Path
from typing import Any, ClassVar

from .contract import PROMPT, Start, Through, pieces
from .folder import write


class Transformers:
    name: ClassVar[str] = "transformers"
    needs: ClassVar[tuple[str, ...]] = ("transformers[serving]==5.19.0", "accelerate", "torch")
    distribution: ClassVar[str] = "transformers"
    unwanted: ClassVar[tuple[str, ...]] = ()
    through: ClassVar[Through] = "proxy"
    window_s: ClassVar[float] = 10.0
    streams: ClassVar[int] = 1

    def start(self, python: Path, folder: Path, port: int) -> Start:
        model = write(folder / "small")
        flags = ("--continuous-batching", "--device", "cpu", "--host", "127.0.0.1", "--port", str(port))
        return Start(
            command=(str(python), str(python.parent / "transformers"), "serve", *flags, str(model)),
            url=f"http://127.0.0.1:{port}",
            settings={"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(folder)},
            ready="/health",
        )

    def question(self, number: int) -> tuple[str, dict[str, Any]]:
        prompt = f"{PROMPT} " * (1 + number)
        return "/v1/completions", {"prompt": prompt, "max_tokens": 3900, "temperature": 0, "stream": True}

    def count(self, line: bytes, before: int) -> int:
        return pieces(line, before)
