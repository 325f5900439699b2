"""What counting a token costs the loop that makes it: python benchmarks/hook.py [TOKENS].

The time of each call in microseconds, clock included (its own cost is the row "nothing"), while a thread scrapes the
metrics ten times a second; and the mean of the same calls in a bare loop, less the loop.
"""

import gc
import os
import sys
from collections.abc import Callable
from threading import Event, Thread
from time import perf_counter_ns
from types import SimpleNamespace
from typing import Any
from urllib.request import urlopen

from llmtop import hook

LIMIT_US = 2.0
TOKENS = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000


def each(call: Callable[[], object]) -> list[float]:
    """Microseconds of each call, the shortest first."""
    times: list[int] = []
    for _ in range(TOKENS):
        start = perf_counter_ns()
        call()
        times.append(perf_counter_ns() - start)
    return sorted(time / 1e3 for time in times)


def mean(call: Callable[[], object]) -> float:
    """Microseconds of a call in a loop of them: the best of five, so that other programs do not count."""
    best = float("inf")
    for _ in range(5):
        start = perf_counter_ns()
        for _ in range(TOKENS // 5):
            call()
        called = perf_counter_ns()
        for _ in range(TOKENS // 5):
            pass
        best = min(best, (called - start) - (perf_counter_ns() - called))
    return best / (TOKENS // 5) / 1e3


def go_on(_: object) -> bool:
    """The user's own callback."""
    return False


def scrape(url: str, stopped: Event) -> None:
    """What a monitor that is in a hurry does."""
    while not stopped.wait(0.1):
        with urlopen(f"{url}/metrics", timeout=5) as answer:
            answer.read()


def ways(seen: hook.Generation) -> dict[str, Callable[[], object]]:
    """Every way that a token can come; the engines' own objects have the attributes that theirs have."""
    step, response = SimpleNamespace(is_last=False), SimpleNamespace(prompt_tokens=7, generation_tokens=0)
    called = hook.ctranslate2.callback(seen, go_on)
    streamer = hook.transformers.Streamer(seen)
    one: Any = SimpleNamespace(shape=(1,))
    streamer.put(SimpleNamespace(shape=(1, 7)))
    criterion, length = hook.llama_cpp.Criterion(seen), iter(range(1, 1 << 40))
    forever = hook.mlx_lm.responses(seen, iter(lambda: response, None))

    def mlx() -> None:
        response.generation_tokens += 1
        next(forever)

    return {
        "nothing": lambda: None,
        "seen.token()": seen.token,
        "seen.tokens(4)": lambda: seen.tokens(4),
        "ctranslate2.callback": lambda: called and called(step),
        "transformers.Streamer": lambda: streamer.put(one),
        "llama_cpp.Criterion": lambda: criterion(range(next(length)), None),
        "mlx_lm.responses": mlx,
    }


def row(name: str, times: list[float], bare: float) -> None:
    """One line of the table."""
    print(f"{name:24}{times[len(times) // 2]:8.2f}{times[len(times) * 99 // 100]:8.2f}{bare:8.2f}", flush=True)


def main() -> None:
    """Prints the table; fails where a way costs more than `LIMIT_US`, in the median or in the mean."""
    url = hook.publish()
    if url is None:
        raise SystemExit("the hook is off")
    stopped = Event()
    Thread(target=scrape, args=(url, stopped), daemon=True).start()
    gc.collect()
    print(f"{'':24}{'p50':>8}{'p99':>8}{'mean':>8}   microseconds a call, {TOKENS} calls, {os.cpu_count()} cores")
    worst = 0.0
    with hook.generation(engine="benchmark") as seen:
        for name, call in ways(seen).items():
            times, bare = each(call), mean(call)
            row(name, times, bare)
            worst = max(worst, times[len(times) // 2], bare)
    os.environ["LLMTOP_HOOK"] = "0"
    with hook.generation(engine="benchmark") as unseen:
        row("switched off", each(unseen.token), mean(unseen.token))
    stopped.set()
    if worst >= LIMIT_US:
        raise SystemExit(f"{worst:.2f} microseconds: more than {LIMIT_US:g}")


if __name__ == "__main__":
    main()
