"""What reading the hardware costs: CPU time of one reading of all probes, and memory over an hour of readings.

    python benchmarks/probes.py [--gpus 8] [--readings 3600]

The probes of this machine and, in a child process, the real NVML binding over a simulated driver with Hopper GPUs. All
probes are read in turn as often as an hour at 1 Hz would, with a clock that runs as fast; CPU time is that of the
process with all its threads. Needs Linux and cc.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / ".src"), str(ROOT)]

from tests.hardware.simulated import compile_nvml, environment  # noqa: E402

HOPPER = """name NVIDIA H100 80GB HBM3
cc_major 9
cc_minor 0
memory_total 85899345920
bus_width 5120
compute 4711 64424509440
"""
QUARTERS = 4


def child(readings: int) -> None:
    """Reads in this process, and prints what that takes."""
    from llmtop.probes.hardware import detect  # noqa: PLC0415
    from llmtop.probes.hardware.nvidia.probe import NvidiaProbe  # noqa: PLC0415

    now = [0.0]
    probes = [probe for probe in detect() if not isinstance(probe, NvidiaProbe)]
    probes += [NvidiaProbe(clock=lambda: now[0])]
    devices = sum(len(getattr(probe.read(), "devices", ())) for probe in probes)
    print(f"{devices} devices, {len(probes)} probes: {', '.join(probe.name for probe in probes)}")

    def read(times: int) -> float:
        """CPU seconds of so many readings."""
        began = time.process_time()
        for _ in range(times):
            now[0] += 1.0
            for probe in probes:
                probe.read()
        return time.process_time() - began

    part = readings // QUARTERS
    spent_ms = [read(part) * 1e3 / part for _ in range(QUARTERS)]
    print("CPU of a reading, by quarter:", ", ".join(f"{each:.2f} ms" for each in spent_ms))
    tracemalloc.start()
    process = psutil.Process()
    print("readings  traced memory  RSS")
    for quarter in range(1, QUARTERS + 1):
        read(part)
        traced, rss = tracemalloc.get_traced_memory()[0] / 1024, process.memory_info().rss / 2**20
        print(f"{quarter * part:>8}  {traced:9.0f} KiB  {rss:5.1f} MiB", flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description="What reading the hardware costs.")
    options.add_argument("--gpus", type=int, default=8, help="simulated GPUs (16 at most)")
    options.add_argument("--readings", type=int, default=3600)
    options.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    asked = options.parse_args()
    if asked.child:
        child(asked.readings)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        library, state = compile_nvml("cc", folder), folder / "state.txt"
        state.write_text("".join(f"gpu {index}\n{HOPPER}" for index in range(asked.gpus)))
        command = [sys.executable, __file__, "--child", "--readings", str(asked.readings)]
        subprocess.run(
            command, env=environment(library, state) | {"PYTHONPATH": os.pathsep.join(sys.path[:2])}, check=True
        )


if __name__ == "__main__":
    main()
