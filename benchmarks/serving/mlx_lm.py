"""The server of mlx-lm; on Linux it runs on the CPU."""

from pathlib import Path
from typing import Any, ClassVar

from .contract import PROMPT, Start, Through, pieces
from .folder import write


class MlxLm:
    name: ClassVar[str] = "mlx-lm"
    needs: ClassVar[tuple[str, ...]] = ("mlx-lm", "mlx[cpu]; sys_platform == 'linux'")
    distribution: ClassVar[str] = "mlx-lm"
    unwanted: ClassVar[tuple[str, ...]] = ()
    through: ClassVar[Through] = "proxy"
    window_s: ClassVar[float] = 10.0
    streams: ClassVar[int] = 2

    def start(self, python: Path, folder: Path, port: int) -> Start:
        model = write(folder / "small")
        return Start(
            command=(str(python), "-m", "mlx_lm", "server", "--model", str(model), "--port", str(port)),
            url=f"http://127.0.0.1:{port}",
            settings={"HF_HUB_OFFLINE": "1"},
            ready="/health",
        )

    def question(self, number: int) -> tuple[str, dict[str, Any]]:
        return "/v1/completions", {
            "prompt": f"{PROMPT} " * (1 + number),
            "max_tokens": 3900,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }

    def count(self, line: bytes, before: int) -> int:
        return pieces(line, before)
