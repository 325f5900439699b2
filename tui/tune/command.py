"""`llmtop tune`: measures speed against the power limit, and says which limit to take."""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from ...estimator.tuning.steps import Measured
from ...probes.limits.contract import LimitError
from ...probes.limits.recovery import recover
from ..answer import width
from ..live import Live
from ..output import say
from ..refusal import Refusal, WrongUsage
from .bench import Bench
from .document import document
from .load import Load
from .progress import Progress
from .state import State
from .table import comma_separated, text
from .target import Target, chosen_engine, target
from .tuning import Tuning
from .wish import Wish

INTERVAL_S = 0.5
"""Between two readings of engine and devices."""
LOOK_S = 5.0
"""Seconds that an engine has to be found, and to answer."""
KEEPING_S = 5.0
COUNTS = frozenset({"token", "step", "interval"})
"""Engines that count while they work are believed before clients: others may ask there too."""


def tune(options: argparse.Namespace, api_key: str | None) -> int:
    """Runs the command.

    Raises:
        WrongUsage: it is not clear what is meant.
        Refusal: it cannot be done.
    """
    if options.restore:
        return restore()
    wish = _wish(options)
    live = Live([options.url] if options.url else [], interval=INTERVAL_S, api_key=api_key, discover=not options.url)
    try:
        live.start()
        about = _find(live, options)
        return _tune(live, about, wish, options, api_key)
    except LimitError as error:
        raise Refusal(str(error)) from None
    finally:
        live.stop()


def restore() -> int:
    """`llmtop tune --restore`."""
    said = recover(everything=True)
    print("\n".join(said) if said else "nothing was left changed")  # noqa: T201
    return 0


def _wish(options: argparse.Namespace) -> Wish:
    phases: tuple[Measured, ...] = ("decode", "prefill") if options.phase == "both" else (options.phase,)
    if options.streams != 1 and options.load != "generate":
        raise WrongUsage("--streams goes with --load generate: the load that runs is as it is")
    return Wish(
        keep=options.keep,
        steps=options.steps,
        settle_s=options.settle,
        measure_s=options.measure,
        phases=phases,
        generate=options.load == "generate",
        streams=options.streams,
    )


def _find(live: Live, options: argparse.Namespace) -> Target:
    """The devices and the engine, once both have spoken."""
    deadline = time.monotonic() + LOOK_S
    live.settle()
    while True:
        snapshot = live.snapshot()
        found = chosen_engine(snapshot, options.device)
        if found is not None or time.monotonic() > deadline:
            break
        time.sleep(INTERVAL_S)
    about = target(snapshot, options.device, found)
    if found is None:
        problems = [f"{view.engine} {view.url}: {view.problem or view.status}" for view in snapshot.engines]
        raise Refusal("; ".join(problems) or "no engine is found here: start one, or name it with --url")
    return about


def _tune(live: Live, about: Target, wish: Wish, options: argparse.Namespace, api_key: str | None) -> int:
    def load(bench: Bench, phase: str) -> Load:
        view = about.engine
        if view is None:
            raise LimitError("no engine to send requests to")
        return Load(
            view.url,
            streams=wish.streams,
            phase="prefill" if phase == "prefill" else "decode",
            api_key=api_key,
            engine=view.engine,
            on_tokens=None if view.liveness in COUNTS else bench.count,
            on_prompt=bench.prompt,
        )

    bench = Bench(about, wish, load if wish.generate else None)
    tuning = Tuning(about, bench)
    leave = live.listen(bench.take)
    stopped = False
    with _signals(), Progress(about, quiet=options.json or options.csv) as progress:
        with tuning:
            try:
                _go_through(tuning, progress, may_write=about.may_write)
                if options.keep_limit:
                    _keep(tuning)
            except KeyboardInterrupt:
                stopped = True
        leave()
    return _tell(tuning, options, stopped=stopped)


def _go_through(tuning: Tuning, progress: "Progress", *, may_write: bool | None) -> None:
    """Until the sweep has ended, or until Ctrl-C where somebody else must set the limits."""
    if may_write is not False:
        tuning.sweep()
        if _follow(tuning, progress, lambda state: state.doing in {"done", "stopped"}).points:
            return
    if not progress.interactive or may_write:
        raise Refusal(tuning.state.problem or _forbidden(tuning))
    progress.say(tuning.state.problem or _forbidden(tuning))
    progress.say("Set limits there, one after the other: each is measured. Ctrl-C ends it.")
    _follow(tuning, progress, lambda _: False)


def _forbidden(tuning: Tuning) -> str:
    limit = tuning.target.flat[0]
    watts = tuning.ladder.settings(round(0.9 * tuning.ladder.highest_w))[0]
    return (
        f"this user may not set the power limit of {limit.name}: run llmtop tune as root, "
        f"or set it in another terminal, as with {limit.command(watts)}"
    )


def _follow(tuning: Tuning, progress: "Progress", ends: Callable[[State], bool]) -> State:
    time.sleep(INTERVAL_S)
    while not ends(tuning.state):
        progress.show(tuning.state)
        time.sleep(INTERVAL_S)
    progress.show(tuning.state)
    return tuning.state


def _keep(tuning: Tuning) -> None:
    if tuning.state.chosen_w is None:
        return
    tuning.apply()
    tuning.keep()
    deadline = time.monotonic() + KEEPING_S
    while tuning.state.kept is None and time.monotonic() < deadline and tuning.state.problem is None:
        time.sleep(INTERVAL_S / 5)


def _tell(tuning: Tuning, options: argparse.Namespace, *, stopped: bool) -> int:
    state = tuning.state
    restored = not state.changed
    if options.json:
        body = document(tuning.target, state, restored=restored, wish_keep=options.keep)
        sys.stdout.buffer.write(body + b"\n")
    elif options.csv:
        print(comma_separated(state.choices))  # noqa: T201
    elif state.choices:
        print(text(state, width()))  # noqa: T201
        print("\n".join(["", *_ending(state)]))  # noqa: T201
    for remark in state.remarks if options.json or options.csv else ():
        say(remark)
    if stopped:
        return 130
    if state.problem:
        raise Refusal(state.problem)
    return 0


def _ending(state: State) -> list[str]:
    lines = [f"note: {remark}" for remark in state.remarks]
    if state.kept is not None:
        lines.append(f"The limit stays at {state.limit_w:.0f} W. This undoes it: {'; '.join(state.kept)}")
    elif state.changed:
        lines.append(f"The limit is at {state.limit_w:.0f} W; it was {state.original_w:.0f} W before.")
    else:
        lines.append(f"The limit is {state.original_w:.0f} W again, as before.")
    return lines


@contextmanager
def _signals() -> Generator[None]:
    """Whatever asks it to end ends it as Ctrl-C does: limits are put back first."""

    def leave(*_: object) -> None:
        raise KeyboardInterrupt

    caught = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    before = {each: signal.signal(each, leave) for each in caught}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
