"""Whether the live rate is true and the ceiling is one.

    python benchmarks/decode.py [--seconds 5] [--streams 1 2 4]

Models of two sizes and two quantisations run in a real llama-server on one thread. For each, `llmtop --once --json` is
run beside its clients, and its decode_tps is held against the clients' own count over the same seconds, against the
ceiling, and its bytes_per_token against the sum over the tensor table as the gguf package reads it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / ".src"), str(ROOT)]

from gguf import GGUFReader  # noqa: E402
from llmtop.tui.demo.model import write  # noqa: E402
from llmtop.tui.demo.shape import SHAPES  # noqa: E402

from tests.real.engine import Clients, Server  # noqa: E402


def tensor_sum(path: Path, *, tied: bool) -> int:
    """Bytes of all tensors but the input embedding table, unless that is the output head too."""
    tensors = GGUFReader(path).tensors
    return sum(int(tensor.n_bytes) for tensor in tensors if tied or tensor.name != "token_embd.weight")


def look(url: str, seconds: float) -> Any:  # noqa: ANN401  # JSON
    command = [sys.executable, "-m", "llmtop", "--json", "--interval", str(seconds), "--url", url, "--no-discover"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / ".src")}
    document = json.loads(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
    return document["engines"][0]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=5)
    options.add_argument("--streams", type=int, nargs="+", default=[1, 2, 4])
    options.add_argument("--sizes", nargs="+", choices=SHAPES, default=["0.3b", "1b"])
    asked = options.parse_args()
    print("model      streams  clients  llmtop   error  ceiling  measured/ceiling  bytes/token = tensor table")
    with tempfile.TemporaryDirectory() as folder:
        for size in asked.sizes:
            for quantization in ("Q4_0", "Q8_0"):
                path = Path(folder) / f"{size}-{quantization}.gguf"
                write(path, SHAPES[size], quantization=quantization)
                with Server(path, "slots=4") as server:
                    for streams in asked.streams:
                        with Clients(server, streams, tokens=2000) as clients:
                            clients.wait_for(streams * 5)
                            engine = look(server.url, asked.seconds)
                            end = time.monotonic()
                        counted = clients.rate(end - asked.seconds, end)
                        seen, roof = engine["decode_tps"], engine["ceiling"]["decode_tps"]
                        same = engine["model"]["bytes_per_token"] == tensor_sum(path, tied=SHAPES[size].tied)
                        share = f"{seen / roof:.2f}" if roof else "-"
                        print(
                            f"{size:5}{quantization}  {streams:5}  {counted:8.2f}{seen:8.2f}{seen / counted - 1:8.1%}"
                            f"{roof or 0:9.1f}  {share:>10}  {'equal' if same else 'DIFFERENT':>22}"
                        )
                path.unlink()


if __name__ == "__main__":
    main()
