"""The bandwidth measurement beside a compiled C loop: ten turns of each, one after the other.

    python benchmarks/bandwidth.py [--runs 10]

The machine should be quiet: the last lines say how far the runs of each lie apart. Wants a C compiler called cc.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import psutil

ROOT = Path(__file__).parents[1]
SOURCE = Path(__file__).with_name("stream.c")
COMPILE = ("cc", "-O3", "-march=native", "-ffast-math", "-pthread")
WINDOWS = 15
"""As many of 0.1 s as the measurement gives to its best kernel."""


def main() -> int:
    """Prints one line a run, then the medians, their ratio and the spreads."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=10, metavar="N")
    runs: int = parser.parse_args().runs
    sys.path.insert(0, str(ROOT / ".src"))
    from llmtop.probes.hardware.bandwidth import Measurement, measure  # noqa: PLC0415 - the checkout's own

    ours: list[Measurement] = []
    theirs: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        stream = compiled(Path(folder))
        print("run   C: read   copy  triad   ours: read   copy    add   read/C  threads  spread  seconds")
        for run in range(1, runs + 1):
            threads = ours[-1].threads if ours else psutil.cpu_count(logical=False) or 1
            before = stream(threads)
            mine = measure()
            after = stream(threads)
            c = {kernel: max(before[kernel], after[kernel]) for kernel in before}
            ours.append(mine)
            theirs.append(c)
            print(
                f"{run:3}   {c['read']:7.1f} {c['copy']:6.1f} {c['triad']:6.1f}   "
                f"{mine.best_gbs:10.1f} {mine.kernels_gbs['copy']:6.1f} {mine.kernels_gbs['add']:6.1f}   "
                f"{mine.best_gbs / c['read']:6.3f}  {mine.threads:7}  {mine.spread:6.1%}  {mine.seconds:7.1f}",
                flush=True,
            )
    c_reads = [run["read"] for run in theirs]
    reads = [run.best_gbs for run in ours]
    ratio = median(reads) / median(c_reads)
    print(f"median read: C {median(c_reads):.1f} GB/s, ours {median(reads):.1f}, ratio {ratio:.3f}")
    print(f"spread over the runs, (highest - lowest) / median: C {spread(c_reads):.1%}, ours {spread(reads):.1%}")
    print(f"buffers {ours[-1].buffer_bytes >> 20} MiB, matrix product {median(m.gemm_tflops for m in ours):.3f} TFLOPS")
    return 0


def compiled(folder: Path) -> Callable[[int], dict[str, float]]:
    """Builds the C loop; the result runs it with so many threads and tells the best window of each kernel."""
    program = folder / "stream"
    subprocess.run([*COMPILE, "-o", program, SOURCE], check=True)

    def run(threads: int) -> dict[str, float]:
        output = subprocess.check_output([program, str(threads), "256", str(WINDOWS)], text=True)
        rows = [line.split() for line in output.splitlines()]
        return {name: max(map(float, windows)) for name, *windows in rows}

    return run


def spread(values: Sequence[float]) -> float:
    """Relative distance of the extremes."""
    return (max(values) - min(values)) / median(values)


if __name__ == "__main__":
    sys.exit(main())
