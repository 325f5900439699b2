"""What llmtop costs: CPU time and memory of the running screen, and the time to its first frame.

    python benchmarks/overhead.py [--seconds 30] [--size 160x48]

Three real llama-servers (xllamacpp, made-up models, one of them working) and eight simulated GPUs are watched at 1 Hz
in tmux. Beside llmtop run, in the same minutes, a hello-world Textual app and whichever of btop, vllmstat and llmfit is
installed. CPU is utime + stime of the process tree in % of one core, from /proc. Needs Linux, tmux and cc.
"""

import argparse
import os
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / ".src"), str(ROOT)]

from llmtop.tui.demo.model import write  # noqa: E402
from llmtop.tui.demo.shape import Shape  # noqa: E402

from tests.hardware.simulated import compile_nvml  # noqa: E402
from tests.real.engine import Clients, Server  # noqa: E402

SHAPE = Shape(width=768, layers=12, heads=12, kv_heads=12, head_width=64, feed_forward=2048, context=8192)
HELLO = """
from textual.app import App
from textual.widgets import Static


class Hello(App[None]):
    def compose(self):
        yield Static("hello, world")


Hello().run()
"""
OTHERS = {"btop": "btop --utf-force", "vllmstat": "vllmstat", "llmfit": "llmfit --no-dashboard"}


class Screen:
    """A program in a tmux session of its own."""

    def __init__(self, name: str, command: str, size: str) -> None:
        self.name = f"bench-{name}-{os.getpid()}"
        columns, rows = size.split("x")
        tmux = ["tmux", "-f", "/dev/null", "new-session", "-d", "-s", self.name, "-x", columns, "-y", rows]
        self.started = time.perf_counter()
        subprocess.run([*tmux, f"export TERM=xterm-256color COLORTERM=truecolor; exec {command}"], check=True)

    def text(self) -> str:
        return subprocess.run(
            ["tmux", "capture-pane", "-p", "-t", self.name], capture_output=True, text=True, check=False
        ).stdout

    def first_frame(self, pattern: str, timeout: float = 20.0) -> float:
        """Seconds until the screen shows the pattern."""
        while not re.search(pattern, self.text()):
            if time.perf_counter() - self.started > timeout:
                raise SystemExit(f"{self.name} never showed {pattern!r}:\n{self.text()}")
            time.sleep(0.005)
        return time.perf_counter() - self.started

    def tree(self) -> list[psutil.Process]:
        pid = subprocess.run(
            ["tmux", "list-panes", "-t", self.name, "-F", "#{pane_pid}"], capture_output=True, text=True, check=True
        ).stdout
        root = psutil.Process(int(pid))
        return [root, *root.children(recursive=True)]

    def cost(self, seconds: float) -> tuple[float, float]:
        """CPU in % of one core and resident memory in MiB, over that time."""
        before, start = self._cpu(), time.perf_counter()
        time.sleep(seconds)
        share = (self._cpu() - before) / (time.perf_counter() - start)
        return 100 * share, sum(process.memory_info().rss for process in self.tree()) / 2**20

    def close(self) -> None:
        subprocess.run(["tmux", "kill-session", "-t", self.name], capture_output=True, check=False)

    def _cpu(self) -> float:
        return sum(sum(process.cpu_times()[:2]) for process in self.tree())


def simulated_gpus(folder: Path, count: int) -> dict[str, str]:
    """Builds the simulated NVML library and returns the settings that make it the driver's."""
    compile_nvml("cc", folder)
    state = folder / "gpus.txt"
    state.write_text("".join(f"gpu {number}\nname NVIDIA GeForce RTX 4090\n" for number in range(count)))
    return {"LD_LIBRARY_PATH": str(folder), "NVML_SIM": str(state)}


def first_frames(commands: dict[str, tuple[str, str]], size: str, rounds: int) -> dict[str, float]:
    """The best time to the first frame of each command, taken in turn."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, (command, pattern) in commands.items():
            screen = Screen(name, command, size)
            try:
                times[name].append(screen.first_frame(pattern))
            finally:
                screen.close()
            time.sleep(0.3)
    return {name: statistics.median(found) for name, found in times.items()}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=30)
    options.add_argument("--size", default="160x48")
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--streams", type=int, default=1, help="clients of the working server; 0 leaves all idle")
    asked = options.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        hello, model = folder / "hello.py", folder / "model.gguf"
        hello.write_text(HELLO)
        write(model, SHAPE)
        gpus = simulated_gpus(folder, 8)
        servers = [stack.enter_context(Server(model)) for _ in range(3)]
        settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in gpus.items())
        urls = " ".join(f"--url {server.url}" for server in servers)
        llmtop = f"env {settings} PYTHONPATH={ROOT / '.src'} {sys.executable} -m llmtop --no-discover {urls}"
        commands = {
            "hello": (f"{sys.executable} {hello}", "hello, world"),
            "llmtop": (llmtop, "engines"),
            "with data": (llmtop, "RTX 4090"),
        }
        frames = first_frames(commands, asked.size, asked.rounds)
        ratio = frames["llmtop"] / frames["hello"]
        print(f"first frame, median of {asked.rounds}: hello {frames['hello'] * 1e3:.0f} ms, ", end="")
        print(f"llmtop {frames['llmtop'] * 1e3:.0f} ms, ratio {ratio:.2f}; ", end="")
        print(f"with the first readings {frames['with data'] * 1e3:.0f} ms")
        del commands["with data"]
        if asked.streams:
            stack.enter_context(Clients(servers[0], asked.streams, tokens=500))
        print(f"{'':10} {'CPU %':>6} {'RSS MiB':>8}   ({asked.seconds:.0f} s, {asked.size}, 3 engines, 8 GPUs, 1 Hz)")
        others = {name: (command, r"\S") for name, command in OTHERS.items() if shutil.which(name)}
        for name, (command, pattern) in (commands | others).items():
            screen = Screen(name, command, asked.size)
            try:
                screen.first_frame(pattern)
                time.sleep(6)
                cpu, memory = screen.cost(asked.seconds)
                print(f"{name:10} {cpu:6.2f} {memory:8.1f}")
            finally:
                screen.close()


if __name__ == "__main__":
    main()
