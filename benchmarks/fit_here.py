"""Whether `llmtop fit` is right on this machine: its answers beside models that run in a real llama.cpp.

    python benchmarks/fit_here.py [--keep-measurement]

Models of random weights (dense small, dense of 1B in two quantisations, a mixture of experts) run in a llama-server on
one thread. `llmtop probe --measure` measures the machine first, in a folder of its own. Then `llmtop fit FILE` says
what to expect of each, and its decode rate is held against the tokens a second of processor time, at the same depth in
the context, and its memory against that of the process. Processor time is what the machine would do with nothing else
to do; but a bandwidth that was measured beside the work of others is too low, and then the expectation is, too.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / ".src"), str(ROOT)]

from llmtop.tui.demo.model import write  # noqa: E402
from llmtop.tui.demo.shape import SHAPES  # noqa: E402

from tests.real.engine import Server  # noqa: E402
from tests.real.usage import EXPERTS, MIB, decode_tps, memory_bytes  # noqa: E402

MODELS = (
    ("dense 0.3B", SHAPES["0.3b"], "Q8_0"),
    ("dense 1B", SHAPES["1b"], "Q4_0"),
    ("dense 1B", SHAPES["1b"], "Q8_0"),
    ("1B, 4 of 16 experts", EXPERTS, "Q4_0"),
)
PROMPT, GENERATE = 1024, 256
"""What `llmtop fit` takes for typical."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--keep-measurement", action="store_true", help="use the one that is saved")
    options.add_argument("--generate", type=int, default=GENERATE, help=f"tokens of each model (default {GENERATE})")
    options.add_argument("--only", default="", metavar="WORD", help="models with this word in their name")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = plain(os.environ)
        if not asked.keep_measurement:
            environment["XDG_CACHE_HOME"] = folder
            llmtop(environment, "probe", "--measure", "--force", "--json")
        print("model                quant   measured  expected (band)         ratio  in band   memory  expected  ratio")
        for name, shape, quantization in MODELS:
            if asked.only not in name:
                continue
            path = Path(folder) / f"{name.replace(' ', '-').replace(',', '')}-{quantization}.gguf"
            write(path, shape, quantization=quantization)
            answer = llmtop(environment, "fit", str(path), "--threads", "1", "--json")
            (row,) = answer["models"]
            with Server(path, "slots=1") as server:
                measured = decode_tps(server, PROMPT, asked.generate)
                taken = memory_bytes(server, path)
            band, needs = row["decode_tps"], row["memory_bytes"]
            told = f"{band['value']:.1f} ({band['low']:.1f}-{band['high']:.1f})"
            inside = "yes" if band["low"] <= measured <= band["high"] else "NO"
            print(
                f"{name:21}{quantization:6}{measured:10.1f}  {told:22}{measured / band['value']:7.2f}{inside:>9}"
                f"{taken / MIB:9.0f}{needs / MIB:10.0f}{taken / needs:7.2f}",
                flush=True,
            )
            path.unlink()


def plain(environment: Mapping[str, str]) -> dict[str, str]:
    """Without what ties numpy's matrix product to the instructions of another CPU: llama.cpp does not know of it."""
    return {key: value for key, value in environment.items() if not key.startswith("OPENBLAS_")} | {
        "PYTHONPATH": str(ROOT / ".src")
    }


def llmtop(environment: dict[str, str], *arguments: str) -> Any:  # noqa: ANN401  # JSON
    command = [sys.executable, "-m", "llmtop", *arguments]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
