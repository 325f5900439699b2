"""What a second of monitoring costs in the first and in the last quarter of an hour, or of a day.

    python benchmarks/hour.py [--hours 1]

Feeds the readings of eight GPUs and three engines, one set a second of their own clock, and takes a snapshot each time.
Prints the median CPU time of a second, and the memory that is held after a quarter and at the end.
"""

import argparse
import statistics
import sys
import time
import tracemalloc
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / ".src"), str(ROOT)]

from llmtop.estimator.monitor import Monitor  # noqa: E402

from tests.estimator.test_energy_hour import second  # noqa: E402

WARM_S = 60


def costs_us(length: int) -> list[float]:
    """CPU time of each second, without the making of the samples."""
    monitor, costs = Monitor(), [0.0] * length
    for at in range(length):
        samples = list(second(at))
        started = time.thread_time_ns()
        for sample in samples:
            monitor.feed(sample)
        monitor.snapshot()
        costs[at] = (time.thread_time_ns() - started) / 1e3
    return costs


def held_bytes(length: int) -> tuple[int, int]:
    """Bytes that are held after a quarter of the time, and at the end."""
    monitor, quarter = Monitor(), 0
    tracemalloc.start()
    for at in range(length):
        for sample in second(at):
            monitor.feed(sample)
        monitor.snapshot()
        if at == length // 4:
            quarter = tracemalloc.get_traced_memory()[0]
    end = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return quarter, end


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--hours", type=float, default=1.0)
    length = max(round(options.parse_args().hours * 3600), 8 * WARM_S)
    costs, quarter = costs_us(length), length // 4
    first, last = statistics.median(costs[WARM_S:quarter]), statistics.median(costs[-quarter:])
    print(f"CPU time of a second: {first:.0f} us in the first quarter, {last:.0f} us in the last: x{last / first:.3f}")
    early, late = held_bytes(length)
    print(f"memory held: {early / 1024:.0f} KiB after a quarter, {late / 1024:.0f} KiB at the end")


if __name__ == "__main__":
    main()
