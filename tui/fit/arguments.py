"""What `llmtop fit` can be asked."""

import argparse
from collections.abc import Callable

TASKS = ("chat", "code", "vision", "reasoning", "embed")
TOP = 15
CONTEXT = 8192


def fit_options(to: argparse.ArgumentParser, tokens: Callable[[str], int], positive: Callable[[str], float]) -> None:
    """Adds them; `tokens` and `positive` read a number of tokens and one above 0."""
    to.add_argument("model", nargs="?", metavar="MODEL", help="one model in depth: a name, a file or a folder")
    to.add_argument(
        "--hardware",
        action="append",
        default=[],
        metavar="NAME",
        help="another machine: 'RTX 4090', '2x RTX 3090 + 64GB RAM', 'M4 Max 40c 64GB' (default: this one)",
    )
    to.add_argument(
        "--compare",
        nargs="+",
        metavar="MACHINE",
        help="machines side by side: 'RTX 5090' 'M3 Ultra 80c 256GB'; one alone against this one; MODEL may follow",
    )
    to.add_argument("--price-a", type=positive, metavar="N", help="what the first machine costs, in any money")
    to.add_argument("--price-b", type=positive, metavar="N", help="what the second machine costs")
    to.add_argument(
        "--price", type=positive, action="append", default=[], metavar="N", help="the same, once for each machine"
    )
    to.add_argument("--context", type=tokens, default=CONTEXT, metavar="N", help="tokens of context it must hold")
    to.add_argument(
        "--min-tps", type=positive, metavar="N", help="tokens/s that are enough (default: as fast as one reads)"
    )
    to.add_argument("--max-memory", type=positive, metavar="GIB", help="leave out what needs more")
    to.add_argument("--task", choices=TASKS, help="only models made for it")
    to.add_argument("--quant", metavar="Q", help="only this quantisation")
    to.add_argument("--engine", default="llama.cpp", metavar="E", help="default llama.cpp")
    to.add_argument("--kv", default="f16", metavar="TYPE", help="format of the KV cache (default f16)")
    to.add_argument("--threads", type=_count, metavar="N", help="threads of a CPU (default: all cores)")
    to.add_argument("--top", type=_count, default=TOP, metavar="N", help=f"models to list (default {TOP})")
    to.add_argument("--all", action="store_true", help="every model in every quantisation, also what does not fit")
    form = to.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--csv", action="store_true", help="print CSV")
    form.add_argument("--markdown", action="store_true", help="print a table to paste into a forum")
    to.set_defaults(command="fit")


def _count(text: str) -> int:
    if not (len(text) < 6 and text.isascii() and text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no whole number above 0")
    return int(text)
