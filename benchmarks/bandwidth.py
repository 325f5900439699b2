"""The bandwidth measurement beside a compiled C loop, in turns.

    python benchmarks/bandwidth.py [--runs 10] [--pairs 20]

First the loops alone, in pairs of two seconds each, so that both meet the same neighbours: the median of the pairs'
ratios says how far the interpreter's loops are from C's. Then the whole measurement with C before and after it: the
last lines say how far the runs lie apart. The machine should be quiet; what was not is told. Wants a C compiler (cc).
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
SHORT = 3
Stream = Callable[[int, int], dict[str, float]]


def main() -> int:
    """Prints one line a pair and one a run, then the medians, their ratios and the spreads."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=10, metavar="N", help="whole measurements (default 10)")
    parser.add_argument("--pairs", type=int, default=20, metavar="N", help="short pairs (default 20)")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT / ".src"))
    with tempfile.TemporaryDirectory() as folder:
        stream = compiled(Path(folder))
        if options.pairs:
            pairs(stream, options.pairs)
        if options.runs:
            runs(stream, options.runs)
    return 0


def pairs(stream: Stream, count: int) -> None:
    """The same loops on the same number of threads, C and ours in turn; the best window of each."""
    from llmtop.probes.hardware.dimms.nodes import seats  # noqa: PLC0415
    from llmtop.probes.hardware.measured.bandwidth import arenas, free_bytes, teams  # noqa: PLC0415 - the checkout's own
    from llmtop.probes.hardware.measured.memory_kernels import BLOCK_BYTES, READS, WRITES, Kernel  # noqa: PLC0415
    from llmtop.probes.hardware.measured.race import race  # noqa: PLC0415

    threads = psutil.cpu_count(logical=False) or 1
    places = seats(threads)

    def best(kernel: Kernel) -> float:
        memory = arenas(threads, free_bytes())  # anew, as writing makes buffers unlike that readers compare
        rates = race(teams(memory, kernel, places), SHORT, places)
        return max(rates) * BLOCK_BYTES * kernel.streams / 1e9

    ratios: dict[str, list[float]] = {"read": [], "copy": [], "triad": []}
    print(f"pairs on {threads} threads, GB/s\npair  C: read   copy  triad   ours: read   copy    add")
    for pair in range(1, count + 1):
        c = stream(threads, SHORT)
        ours = {"read": max(map(best, READS)), "copy": best(WRITES[0]), "triad": best(WRITES[1])}
        for name, values in ratios.items():
            values.append(ours[name] / c[name])
        print(f"{pair:4}" + " ".join(f"{figure:9.1f}" for figure in (*c.values(), *ours.values())), flush=True)
    middle = ", ".join(f"{name} {median(values):.3f}" for name, values in ratios.items())
    print(f"ours / C, median of {count} pairs: {middle}\n")


def runs(stream: Stream, count: int) -> None:
    """Whole measurements."""
    from llmtop.probes.hardware.measured.bandwidth import Measurement, measure  # noqa: PLC0415

    ours: list[Measurement] = []
    theirs: list[dict[str, float]] = []
    print("run   C: read   copy  triad   ours: read   copy    add   read/C  threads  spread  others  stolen  seconds")
    for run in range(1, count + 1):
        threads = ours[-1].threads if ours else psutil.cpu_count(logical=False) or 1
        before = stream(threads, WINDOWS)
        mine = measure()
        after = stream(threads, WINDOWS)
        c = {kernel: max(before[kernel], after[kernel]) for kernel in before}
        ours.append(mine)
        theirs.append(c)
        print(
            f"{run:3}   {c['read']:7.1f} {c['copy']:6.1f} {c['triad']:6.1f}   "
            f"{mine.best_gbs:10.1f} {mine.kernels_gbs['copy']:6.1f} {mine.kernels_gbs['add']:6.1f}   "
            f"{mine.best_gbs / c['read']:6.3f}  {mine.threads:7}  {mine.spread:6.1%}  "
            f"{mine.other_work or 0:6.1%}  {mine.stolen or 0:6.1%}  {mine.seconds:7.1f}",
            flush=True,
        )
    quiet = sum(not run.restless for run in ours)
    c_reads, reads = [run["read"] for run in theirs], [run.best_gbs for run in ours]
    ratio = median(mine / c for mine, c in zip(reads, c_reads, strict=True))
    sums = median(mine.kernels_gbs["add"] / c["triad"] for mine, c in zip(ours, theirs, strict=True))
    print(f"median read: C {median(c_reads):.1f} GB/s, ours {median(reads):.1f}")
    print(f"ours / C, median of {count} runs: read {ratio:.3f}, triad {sums:.3f}")
    print(f"spread over the runs, (highest - lowest) / median: C {spread(c_reads):.1%}, ours {spread(reads):.1%}")
    print(f"runs that found the machine quiet: {quiet} of {count}")
    print(f"buffers {ours[-1].buffer_bytes >> 20} MiB, matrix product {median(m.gemm_tflops for m in ours):.3f} TFLOPS")


def compiled(folder: Path) -> Stream:
    """Builds the C loop; the result runs it with so many threads and windows, and tells the best window of each."""
    program = folder / "stream"
    subprocess.run([*COMPILE, "-o", program, SOURCE], check=True)

    def run(threads: int, windows: int) -> dict[str, float]:
        output = subprocess.check_output([program, str(threads), "256", str(windows)], text=True)
        rows = [line.split() for line in output.splitlines()]
        return {name: max(map(float, figures)) for name, *figures in rows}

    return run


def spread(values: Sequence[float]) -> float:
    """Relative distance of the extremes."""
    return (max(values) - min(values)) / median(values)


if __name__ == "__main__":
    sys.exit(main())
