"""Whether llmtop slows the inference job that it watches.

    python benchmarks/slowdown.py [--pairs 40] [--seconds 2] [--size 0.3b]

A real llama-server on one core decodes without a break, and its client notes the moment of each token. llmtop is made
to stand still (SIGSTOP) and to go on (SIGCONT) by turns, A B B A, for many short slices: a machine whose speed drifts
does not decide the answer. Pairs in which a request ended are left out. The ratio is given with its standard error.
"""

import argparse
import math
import os
import pty
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / ".src"), str(ROOT)]

from llmtop.tui.demo.model import write  # noqa: E402
from llmtop.tui.demo.shape import SHAPES  # noqa: E402

from tests.real.engine import Clients, Server  # noqa: E402

HOLE_S = 0.15


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

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        os.close(self._terminal)


def speed(moments: list[float], start: float, end: float) -> float | None:
    """Tokens/s from the first to the last token of a slice: whole steps, so that its edges cost nothing.

    None when a request ended in it, which leaves a hole.
    """
    inside = [moment for moment in moments if start <= moment <= end]
    if len(inside) < 3 or max(after - before for before, after in pairwise(inside)) > HOLE_S:
        return None
    return (len(inside) - 1) / (inside[-1] - inside[0])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pairs", type=int, default=40)
    options.add_argument("--seconds", type=float, default=2)
    options.add_argument("--size", choices=SHAPES, default="0.3b")
    asked = options.parse_args()
    ratios: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.gguf"
        write(model, SHAPES[asked.size])
        with Server(model) as server, Clients(server, 1, tokens=3500) as clients:
            clients.wait_for(10)
            monitor = Monitor(server.url)
            time.sleep(5)
            for number in range(asked.pairs):
                found: dict[bool, float | None] = {}
                for watched in (True, False) if number % 2 == 0 else (False, True):
                    monitor.signal(signal.SIGCONT if watched else signal.SIGSTOP)
                    time.sleep(0.3)
                    start = time.monotonic()
                    time.sleep(asked.seconds)
                    found[watched] = speed(clients.moments, start, time.monotonic())
                beside, alone = found[True], found[False]
                if beside and alone:
                    ratios.append(beside / alone)
            monitor.signal(signal.SIGCONT)
            monitor.close()
    error = statistics.stdev(ratios) / math.sqrt(len(ratios))
    print(f"speed beside llmtop / alone, {len(ratios)} pairs of {asked.seconds:g} s: ", end="")
    print(f"mean {statistics.mean(ratios):.4f} +- {error:.4f}, median {statistics.median(ratios):.4f}")


if __name__ == "__main__":
    main()
