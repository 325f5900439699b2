"""What can be asked on the command line."""

import argparse
from pathlib import Path

from ..probes import VERSION

KEY_VARIABLE = "LLMTOP_API_KEY"
EPILOG = "Keys of engines that ask for one are read from the environment variable LLMTOP_API_KEY."


def parser() -> argparse.ArgumentParser:
    """The whole command line; also read by shell completion."""
    top = argparse.ArgumentParser(
        prog="llmtop",
        description="top for LLM inference: the tokens/s of the engines that run here, beside what the hardware allows",
        epilog=EPILOG,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"llmtop {VERSION}")
    top.add_argument("--print-completion", choices=("bash", "zsh", "tcsh"), help="print a completion script")
    _monitor_options(top)
    top.set_defaults(command="monitor")
    commands = top.add_subparsers(title="commands", metavar="")
    demo = commands.add_parser(
        "demo",
        help="run a real engine with a made-up model and watch it",
        description="Writes a random-weight model, serves it with a real llama.cpp, keeps some streams going, and "
        "opens the monitor on it. Needs the extra: pip install 'llmtop-tui[demo]'",
        allow_abbrev=False,
    )
    _monitor_options(demo)
    demo.add_argument("--size", metavar="NAME", help="size of the model: 0.3B, 0.6B, 1B, 3B (default: by free memory)")
    demo.add_argument("--streams", type=_count, default=2, metavar="N", help="clients at once (default 2)")
    demo.add_argument("--threads", type=_count, metavar="N", help="threads of the engine (default: half of the cores)")
    demo.set_defaults(command="demo")
    probe = commands.add_parser(
        "probe", help="what this machine is: devices, bandwidth, power limits", allow_abbrev=False
    )
    probe.add_argument("--measure", action="store_true", help="measure the memory bandwidth: all cores, about 10 s")
    probe.add_argument("--json", action="store_true", help="print JSON")
    probe.set_defaults(command="probe")
    return top


def _monitor_options(to: argparse.ArgumentParser) -> None:
    to.add_argument("--url", action="append", default=[], metavar="URL", help="an engine to watch; may be repeated")
    to.add_argument("--no-discover", action="store_true", help="watch only the engines named with --url")
    to.add_argument(
        "--interval", type=_interval, default=1.0, metavar="SECONDS", help="time between readings (default 1)"
    )
    to.add_argument("--once", action="store_true", help="sample for one interval, print a table and exit")
    to.add_argument("--json", action="store_true", help="like --once, but print JSON")
    to.add_argument("--record", type=Path, metavar="FILE", help="write all samples to a new file")
    to.add_argument("--replay", type=Path, metavar="FILE", help="play a recording instead of watching this machine")
    to.add_argument(
        "--api-key-env",
        metavar="NAME",
        help=f"environment variable that holds the key of the engines (default {KEY_VARIABLE})",
    )


def _interval(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = float("nan")
    if not 0.1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds between 0.1 and 3600")
    return seconds


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 256:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number between 1 and 256")
    return int(text)
