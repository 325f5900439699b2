"""The command line. Textual is imported last, and only where a screen is opened."""

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..probes import VERSION
from . import crash
from .arguments import KEY_VARIABLE, parser
from .output import output, say
from .refusal import Refusal, WrongUsage

if TYPE_CHECKING:
    from ..estimator.snapshot import Snapshot
    from ..probes.sample import Sample
    from .feed import Feed

LEAVING_S = 3.0
"""Seconds that the screen has to put the terminal back when it is told to end."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs llmtop.

    Returns:
        0 done, 1 it could not be done (one line on stderr says why), 2 wrong usage, 130 interrupted.
    """
    crash.install()
    try:
        with output():
            options = _options(sys.argv[1:] if arguments is None else arguments)
            _recover()
            return COMMANDS["completion" if options.print_completion else options.command](options)
    except Refusal as refusal:
        return _say(str(refusal), 1)
    except WrongUsage as wrong:
        return _say(str(wrong), 2)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    """What the arguments ask for. argparse makes an empty list of the value of "--model=--"."""
    empty = next((each for each in arguments if each.startswith("--") and each.endswith("=--")), None)
    if empty:
        raise WrongUsage(f"{empty[:40]!r} has no value")
    return parser().parse_args(arguments)


def _recover() -> None:
    """Puts back power limits that an llmtop left which was cut off together with its watchdog; nearly always none."""
    from ..probes.limits.left import journals_left

    if journals_left():
        from ..probes.limits.recovery import recover

        for sentence in recover():
            say(sentence)


def _completion(options: argparse.Namespace) -> int:
    """`llmtop --print-completion SHELL`."""
    import shtab

    print(shtab.complete(parser(), shell=options.print_completion))  # noqa: T201
    return 0


def _monitor(options: argparse.Namespace) -> int:
    """`llmtop`: the live monitor, one look at it, or a recording."""
    if options.replay:
        return _replay(options)
    once = options.once or options.json
    with _recording(options.record, options.interval) as record:
        from .live import Live

        interval = options.interval
        live = Live(
            options.url,
            interval=min(interval / 2, 1.0) if once else interval,
            window=interval if once else None,
            api_key=_key(options.api_key_env),
            discover=not options.no_discover,
            logs=options.log,
            record=record,
            price=options.price,
        )
        try:
            if not once:
                return _screen(live, _key(options.api_key_env))
            live.start()
            live.settle()
            if live.watches_engines():
                time.sleep(interval + 0.05)
            return _print(live.snapshot(), as_json=options.json)
        finally:
            live.stop()


def _replay(options: argparse.Namespace) -> int:
    from ..probes.recorder import BadRecording, load
    from .replay import Replay

    if options.record or options.url:
        raise WrongUsage("a recording is played as it is: --replay goes with neither --record nor --url")
    try:
        replay = Replay(load(options.replay), price=options.price)
    except BadRecording as bad:
        raise Refusal(str(bad)) from None
    if options.once or options.json:
        replay.paused = True
        replay.seek(replay.duration)
        return _print(replay.snapshot(), as_json=options.json)
    return _screen(replay)


def _demo(options: argparse.Namespace) -> int:
    """`llmtop demo`: an engine, a load, and the monitor on both."""
    from ..probes.hardware.measured.measurement import load
    from .demo import Demo, DemoError
    from .measure import measure_cpu

    def measure_once() -> None:
        known = load()
        if known is None or known.restless:
            measure_cpu("measuring the memory bandwidth, for the ceiling")

    if options.replay:
        raise WrongUsage("demo runs an engine: it does not go with --replay")
    try:
        with Demo(
            size=options.size, streams=options.streams, threads=options.threads, before_load=measure_once
        ) as demo:
            options.url.append(demo.url)
            return _monitor(options)
    except DemoError as error:
        raise Refusal(str(error)) from None


def _probe(options: argparse.Namespace) -> int:
    """`llmtop probe`: what this machine is."""
    from .here import look

    if options.force and not options.measure:
        raise WrongUsage("--force goes with --measure")
    code = 0
    if options.measure:
        from .measure import measure_all

        code = 0 if measure_all(force=options.force) else 1
    snapshot = look()
    if options.json:
        from .report import document

        sys.stdout.buffer.write(document(snapshot) + b"\n")
        return code
    from .machine import machine
    from .machine_print import columns, markdown, text

    sections = machine(snapshot)
    print(markdown(sections, VERSION) if options.markdown else text(sections, columns()))  # noqa: T201
    return code


def _predict(options: argparse.Namespace) -> int:
    """`llmtop predict`: one prediction from flags."""
    from .predict import predict

    return predict(options)


def _fit(options: argparse.Namespace) -> int:
    """`llmtop fit`: what a machine can run."""
    from .fit.command import fit

    return fit(options)


def _tune(options: argparse.Namespace) -> int:
    """`llmtop tune`: speed against the power limit."""
    from .tune.command import tune

    return tune(options, _key(options.api_key_env))


def _accuracy(options: argparse.Namespace) -> int:
    """`llmtop accuracy`: predictions against published measurements."""
    from .accuracy import accuracy

    return accuracy(options)


def _engines(options: argparse.Namespace) -> int:
    """`llmtop engines`: what can be read, and what is here."""
    from .engines import engines

    return engines(options, _key(options.api_key_env))


def _proxy(options: argparse.Namespace) -> int:
    """`llmtop proxy`: relays to an engine and counts what passes."""
    from .proxy import proxy

    return proxy(options)


def _screen(feed: "Feed", api_key: str | None = None) -> int:
    """Opens the monitor; the key is for requests that a person asks for there."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Refusal("the monitor needs a terminal; for a pipe or a file there is llmtop --once, or --json")
    from .app import LlmTop

    app = LlmTop(feed, version=VERSION, api_key=api_key)

    def leave(*_: object) -> None:
        """Ends as `q` does. Textual waits for ever to write to a terminal that is gone: it is not waited for."""
        app.exit()
        impatience = threading.Timer(LEAVING_S, os._exit, (128 + signal.SIGTERM,))
        impatience.daemon = True
        impatience.start()

    signal.signal(signal.SIGTERM, leave)
    app.run()
    if app.fault is not None:
        raise Refusal(crash.line(app.fault, crash.note(app.fault, "screen")))
    return app.return_code or 0


def _print(snapshot: "Snapshot", *, as_json: bool) -> int:
    from .report import document, table

    if as_json:
        sys.stdout.buffer.write(document(snapshot) + b"\n")
    else:
        print(table(snapshot))  # noqa: T201
    return 0


@contextmanager
def _recording(path: Path | None, interval: float) -> "Generator[Callable[[Sample], None] | None]":
    """What takes the samples to a file, if one was asked for."""
    if path is None:
        yield None
        return
    from ..probes.recorder import Recorder

    try:
        recorder = Recorder(path, VERSION, interval)
    except FileExistsError:
        raise Refusal(f"{path} is there already: recordings are never written over, give a new name") from None
    except OSError as error:
        raise Refusal(f"cannot write {path}: {error.strerror}") from None
    try:
        yield recorder.add
    finally:
        recorder.close()


def _key(name: str | None) -> str | None:
    """The key of the engines; a variable that was named must be set."""
    key = os.environ.get(name or KEY_VARIABLE)
    if name and not key:
        raise WrongUsage(f"--api-key-env {name}: no such variable in the environment, or it is empty")
    return key or None


def _say(line: str, code: int) -> int:
    say(line)
    return code


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "monitor": _monitor,
    "demo": _demo,
    "probe": _probe,
    "predict": _predict,
    "fit": _fit,
    "tune": _tune,
    "accuracy": _accuracy,
    "proxy": _proxy,
    "engines": _engines,
    "completion": _completion,
}
"""By the name that `parser` gives."""
