"""What can be asked on the command line."""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..probes import VERSION
from .fit.arguments import fit_options
from .tune.arguments import tune_options

if TYPE_CHECKING:
    from ..estimator.snapshot import Price

KEY_VARIABLE = "LLMTOP_API_KEY"
MOST_TOKENS = 10_000_000
MOST_STREAMS = 4096
_MONTH = re.compile(r"\b20[12]\d[-.](\d{1,2})\b")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?", re.ASCII)
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
    probe.add_argument(
        "--measure",
        action="store_true",
        help="measure the memory bandwidth: all cores, about 10 s; then each NVIDIA GPU, about 3 s",
    )
    probe.add_argument("--force", action="store_true", help="measure also beside the work of others, which it slows")
    form = probe.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--markdown", action="store_true", help="print tables to paste into a forum")
    probe.set_defaults(command="probe")
    engines = commands.add_parser(
        "engines",
        help="every engine that can be read, how, and what runs on this machine",
        description="Looks for engines once, says what was found and why something is not read, and lists all engines "
        "that can be read.",
        allow_abbrev=False,
    )
    _place_options(engines)
    engines.add_argument("--json", action="store_true", help="print JSON")
    engines.set_defaults(command="engines")
    _predict_options(
        commands.add_parser(
            "predict",
            help="how fast a model would run, on this machine or on any other",
            description="Predicts tokens/s with a range, the ceiling, memory and power for one model on some hardware.",
            epilog="Example: llmtop predict --hardware 'RTX 4090' --model Qwen3-8B --quant q4_K_M --explain",
            allow_abbrev=False,
        )
    )
    fit_options(
        commands.add_parser(
            "fit",
            help="what this machine, or any other, can run, and how fast",
            description="Lists the models that fit, each in the quantisation to take, with its speed and its range. "
            "Offline: no network is used.",
            epilog="Example: llmtop fit --hardware 'RTX 3060 12GB + 32GB RAM'",
            allow_abbrev=False,
        ),
        _some_tokens,
        _positive,
    )
    tune_options(
        commands.add_parser(
            "tune",
            help="what a lower power limit costs: measures, finds the limit to take, and puts the old one back",
            description="Measures the speed of a running engine under one power limit after another, and says which is "
            "the lowest that keeps enough of it. The limit is put back in the end, however that comes.",
            epilog="Example: llmtop tune --keep 0.97",
            allow_abbrev=False,
        ),
        _positive,
    )
    _accuracy_options(
        commands.add_parser(
            "accuracy",
            help="how far predictions lie from published measurements",
            description="Predicts each measurement of a CSV file and prints how far off that is, by class.",
            allow_abbrev=False,
        )
    )
    _proxy_options(
        commands.add_parser(
            "proxy",
            help="relay to an engine that publishes no live count, and count",
            description="Relays every byte between clients and an engine as it is, counts the tokens that pass, and "
            "publishes the counts on loopback, where the monitor finds them. No text is kept.",
            epilog="Example: llmtop proxy --upstream http://127.0.0.1:1234",
            allow_abbrev=False,
        )
    )
    return top


def _proxy_options(to: argparse.ArgumentParser) -> None:
    to.add_argument("--upstream", required=True, metavar="URL", help="the engine")
    to.add_argument(
        "--listen", default="127.0.0.1:8484", metavar="HOST:PORT", help="for clients (default 127.0.0.1:8484)"
    )
    to.add_argument(
        "--metrics", default="127.0.0.1:0", metavar="HOST:PORT", help="for the counts (default: any free port)"
    )
    to.set_defaults(command="proxy")


def _predict_options(to: argparse.ArgumentParser) -> None:
    to.add_argument(
        "--model", required=True, metavar="NAME", help="name in the catalogue, a store's name, file or folder"
    )
    to.add_argument(
        "--hardware",
        action="append",
        default=[],
        metavar="NAME",
        help="a device, or a machine: 'RTX 4090', '2x RTX 3090 + 64GB RAM', 'M4 Max 40c 64GB' (default: this one)",
    )
    to.add_argument("--devices", type=_count, metavar="K", help="how many of each (default 1; here: all)")
    to.add_argument(
        "--quant", metavar="Q", help="quantisation (default: as the name says, else the engine's usual one)"
    )
    to.add_argument("--weights", type=_positive, metavar="GIB", help="size of the file, where it is known better")
    to.add_argument("--engine", default="llama.cpp", metavar="E", help="default llama.cpp")
    to.add_argument("--backend", metavar="B", help="cuda, metal, rocm, vulkan, sycl, cpu (default: the device's own)")
    to.add_argument(
        "--build", type=_build, metavar="DATE", help="when the engine was built, as 2024-05 (default: lately)"
    )
    to.add_argument("--prompt", type=_tokens, default=512, metavar="N", help="tokens of each prompt (default 512)")
    to.add_argument("--gen", type=_some_tokens, default=128, metavar="N", help="tokens to generate (default 128)")
    to.add_argument("--batch", type=_batch, default=1, metavar="B", help="streams at once, or max (default 1)")
    to.add_argument(
        "--context",
        type=_tokens,
        metavar="N",
        help="tokens in each stream's cache while it decodes (default: prompt and half of the answer)",
    )
    to.add_argument("--kv", default="f16", metavar="FORMAT", help="format of the KV cache (default f16)")
    to.add_argument(
        "--power-limit", type=_positive, metavar="W", help="limit of each device (default: the stock limit)"
    )
    to.add_argument("--threads", type=_count, metavar="N", help="threads of a CPU (default: all cores)")
    to.add_argument("--json", action="store_true", help="print JSON")
    to.add_argument("--explain", action="store_true", help="what it is made of, and what would change it")
    to.set_defaults(command="predict")


def _accuracy_options(to: argparse.ArgumentParser) -> None:
    to.add_argument("rows", nargs="?", type=Path, metavar="ROWS.csv", help="default: the rows that come with llmtop")
    to.add_argument("--out", type=Path, metavar="FILE", help="write each row with its prediction to a new CSV file")
    to.add_argument(
        "--by",
        choices=("class", "engine", "device", "source", "metric"),
        default="class",
        help="what is told apart (default class)",
    )
    to.add_argument("--json", action="store_true", help="print JSON")
    to.set_defaults(command="accuracy")


def _place_options(to: argparse.ArgumentParser) -> None:
    """Which engines."""
    to.add_argument("--url", action="append", default=[], metavar="URL", help="an engine; may be repeated")
    to.add_argument("--no-discover", action="store_true", help="only the engines named with --url")
    to.add_argument(
        "--api-key-env",
        metavar="NAME",
        help=f"environment variable that holds the key of the engines (default {KEY_VARIABLE})",
    )


def _monitor_options(to: argparse.ArgumentParser) -> None:
    _place_options(to)
    to.add_argument(
        "--log",
        action="append",
        default=[],
        type=_log,
        metavar="LOG",
        help="a log that tells an engine's speed: FILE, journal:UNIT, or URL=FILE; may be repeated",
    )
    to.add_argument(
        "--interval", type=_interval, default=1.0, metavar="SECONDS", help="time between readings (default 1)"
    )
    to.add_argument(
        "--price", type=_price, metavar="PRICE", help='of a kWh, as 0.30 or "0.30 EUR": shows what the session costs'
    )
    to.add_argument("--once", action="store_true", help="sample for one interval, print a table and exit")
    to.add_argument("--json", action="store_true", help="like --once, but print JSON")
    to.add_argument("--record", type=Path, metavar="FILE", help="write all samples to a new file")
    to.add_argument("--replay", type=Path, metavar="FILE", help="play a recording instead of watching this machine")


def _number(text: str) -> float:
    """NaN for what is none; Python's own reading takes "1_000", and the digits of all scripts."""
    return float(text) if _NUMBER.fullmatch(text) else float("nan")


def _build(text: str) -> str:
    month = _MONTH.search(text)
    if month and not 1 <= int(month[1]) <= 12:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no date: write it as 2024-05")
    return text


def _interval(text: str) -> float:
    seconds = _number(text)
    if not 0.1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number of seconds between 0.1 and 3600")
    return seconds


def _price(text: str) -> "Price":
    from .price import price  # noqa: PLC0415 # is seldom asked for

    try:
        return price(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _log(text: str) -> str:
    unit = text.removeprefix("journal:")
    if unit != text and not re.fullmatch(r"[\w@.:\\][\w@.:\\-]*", unit, re.ASCII):
        raise argparse.ArgumentTypeError(f"{unit!r} is no name of a systemd unit: journal:ollama is meant so")
    if not text:
        raise argparse.ArgumentTypeError("a file, or journal:UNIT, is wanted")
    return text


def _count(text: str) -> int:
    if not _is_whole(text) or not 1 <= int(text) <= 256:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no whole number between 1 and 256")
    return int(text)


def _is_whole(text: str) -> bool:
    return len(text) < 20 and text.isascii() and text.isdecimal()


def _positive(text: str) -> float:
    number = _number(text)
    if not 0.0 < number <= 1e6:
        most = " and up to 1000000" if number > 1e6 else ""
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number above 0{most}")
    return number


def _tokens(text: str) -> int:
    if not _is_whole(text) or int(text) > MOST_TOKENS:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number of tokens between 0 and {MOST_TOKENS}")
    return int(text)


def _some_tokens(text: str) -> int:
    if not _tokens(text):
        raise argparse.ArgumentTypeError("at least 1 token has to be generated")
    return _tokens(text)


def _batch(text: str) -> int | None:
    """None stands for as many as the memory holds."""
    if text == "max":
        return None
    if not _is_whole(text) or not 1 <= int(text) <= MOST_STREAMS:
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} is neither max nor a whole number between 1 and {MOST_STREAMS}"
        )
    return int(text)
