"""Whether llmtop slows the inference job that it watches.

    python benchmarks/slowdown.py [--rounds 6] [--seconds 10] [--size 1b]

A real llama-server on one core decodes without a break; its clients count their tokens. Rounds with llmtop beside it
and rounds without take turns, A B B A, so that a machine whose speed drifts does not decide the answer.
"""

import argparse
import os
import pty
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / ".src"), str(ROOT)]

from llmtop.tui.demo.model import write  # noqa: E402
from llmtop.tui.demo.shape import SHAPES  # noqa: E402

from tests.real.engine import Clients, Server  # noqa: E402


class Monitor:
    """llmtop in a terminal that nobody looks at."""

    def __init__(self, url: str) -> None:
        self._terminal, inner = pty.openpty()
        os.set_blocking(self._terminal, True)
        environment = os.environ | {
            "PYTHONPATH": str(ROOT / ".src"),
            "TERM": "xterm-256color",
            "COLUMNS": "160",
            "LINES": "48",
        }
        command = [sys.executable, "-m", "llmtop", "--url", url]
        self._process = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner, env=environment)
        os.close(inner)
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self) -> None:
        try:
            while os.read(self._terminal, 1 << 16):
                pass
        except OSError:
            pass

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        os.close(self._terminal)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=6)
    options.add_argument("--seconds", type=float, default=10)
    options.add_argument("--size", choices=SHAPES, default="1b")
    asked = options.parse_args()
    rates: dict[bool, list[float]] = {True: [], False: []}
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.gguf"
        write(model, SHAPES[asked.size])
        with Server(model) as server, Clients(server, 1, tokens=100_000) as clients:
            clients.wait_for(10)
            for number in range(asked.rounds):
                for watched in (True, False) if number % 2 == 0 else (False, True):
                    monitor = Monitor(server.url) if watched else None
                    time.sleep(3)
                    start = time.monotonic()
                    time.sleep(asked.seconds)
                    rates[watched].append(clients.rate(start, time.monotonic()))
                    if monitor:
                        monitor.close()
    ratios = [beside / alone for beside, alone in zip(rates[True], rates[False], strict=True)]
    print(f"tokens/s alone {statistics.median(rates[False]):.2f}, beside llmtop {statistics.median(rates[True]):.2f}")
    print(f"ratio beside/alone, {len(ratios)} pairs: median {statistics.median(ratios):.4f}, ", end="")
    print(f"min {min(ratios):.4f}, max {max(ratios):.4f}")


if __name__ == "__main__":
    main()
