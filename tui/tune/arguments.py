"""What `llmtop tune` can be asked."""

import argparse
from collections.abc import Callable

KEEP = 0.97
SETTLE_S, MEASURE_S = 5.0, 40.0
FEWEST, MOST = 3, 60
"""Limits of a sweep."""


def tune_options(to: argparse.ArgumentParser, positive: Callable[[str], float]) -> None:
    """Adds them; `positive` reads a number above 0."""
    to.add_argument(
        "--device",
        action="append",
        default=[],
        metavar="ID",
        help="GPU or CPU, by id or name; once for each that serves the engine, which move in step (default: its own)",
    )
    to.add_argument("--url", metavar="URL", help="the engine whose speed answers (default: the one that works here)")
    to.add_argument(
        "--keep",
        type=_share,
        default=KEEP,
        metavar="SHARE",
        help="of the speed that must be left, as 0.97 or 97%% (default 0.97)",
    )
    to.add_argument("--steps", type=_steps, metavar="N", help="limits of an even grid (default: as few as tell)")
    to.add_argument(
        "--settle", type=positive, default=SETTLE_S, metavar="S", help="seconds before each measurement (default 5)"
    )
    to.add_argument(
        "--measure",
        type=positive,
        default=MEASURE_S,
        metavar="S",
        help="seconds at each limit at most; less where the error is small sooner (default 40)",
    )
    to.add_argument(
        "--load",
        choices=("own", "generate"),
        default="own",
        help="the load that runs (own, default), or requests that llmtop sends to the engine",
    )
    to.add_argument("--streams", type=_streams, default=1, metavar="N", help="requests at once of --load generate")
    phase = to.add_mutually_exclusive_group()
    phase.add_argument("--decode", dest="phase", action="store_const", const="decode", help="only decode (default)")
    phase.add_argument(
        "--prefill", dest="phase", action="store_const", const="prefill", help="only prefill; with --load generate"
    )
    phase.add_argument("--both", dest="phase", action="store_const", const="both", help="both, one after the other")
    to.set_defaults(phase="decode")
    to.add_argument("--keep-limit", action="store_true", help="leave the limit that was found; prints what undoes it")
    to.add_argument("--restore", action="store_true", help="only put back what a run that was cut off has left")
    form = to.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--csv", action="store_true", help="print CSV")
    to.add_argument(
        "--api-key-env", metavar="NAME", help="variable that holds the key of the engine (default LLMTOP_API_KEY)"
    )
    to.set_defaults(command="tune")


def _share(text: str) -> float:
    number = text.removesuffix("%")
    try:
        value = float(number) / (100.0 if number != text else 1.0)
    except ValueError:
        value = 0.0
    if not (len(text) < 12 and 0.5 <= value < 1.0):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no share of the speed: write 0.97 or 97%, from 0.5 up")
    return value


def _steps(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 4 and FEWEST <= int(text) <= MOST):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number of limits: {FEWEST} to {MOST}")
    return int(text)


def _streams(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 5 and 1 <= int(text) <= 1024):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number of requests: 1 to 1024")
    return int(text)
