"""`llmtop tune`: measures speed against the power limit, and says which limit to take."""

import argparse
import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from ...estimator.snapshot import Snapshot
from ...estimator.tuning.steps import Measured
from ...probes.address import Address
from ...probes.limits.contract import LimitError
from ...probes.limits.left import journals_left
from ...probes.limits.recovery import recover
from ..live import Live
from ..refusal import Refusal, WrongUsage
from .answer import tell
from .bench import Bench
from .opening import loads
from .progress import Progress
from .state import State
from .target import WORKS, Target, chosen_engine, target, unmeasured
from .tuning import Tuning
from .wish import Wish

INTERVAL_S = 0.5
"""Between two readings of engine and devices."""
LOOK_S = 5.0
"""Seconds that an engine has to be found, and to answer."""
OBEY_S = 15.0
"""Seconds that an order may take: the driver is asked for it."""
HANG_S = 60.0
"""Seconds after which a driver counts as one that never answers; a GPU that wakes up takes some."""


def tune(options: argparse.Namespace, api_key: str | None) -> int:
    """Runs the command.

    Raises:
        WrongUsage: it is not clear what is meant.
        Refusal: it cannot be done.
    """
    if options.restore:
        return restore()
    wish = _wish(options)
    try:
        live = Live(
            [options.url] if options.url else [], interval=INTERVAL_S, api_key=api_key, discover=not options.url
        )
    except ValueError as error:
        raise WrongUsage(str(error)) from None
    try:
        live.start()
        about = _find(live, options)
        if why := unmeasured(about.engine, generate=wish.generate):
            raise Refusal(why)
        return _tune(live, about, wish, options, api_key)
    except LimitError as error:
        raise Refusal(str(error)) from None
    finally:
        live.stop()


def restore() -> int:
    """`llmtop tune --restore`."""
    said = recover(everything=True)
    if said and journals_left():
        raise Refusal("; ".join(said))
    print("\n".join(said) if said else "nothing is left changed")  # noqa: T201
    return 0


def _wish(options: argparse.Namespace) -> Wish:
    phases: tuple[Measured, ...] = ("decode", "prefill") if options.phase == "both" else (options.phase,)
    if options.streams != 1 and options.load != "generate":
        raise WrongUsage("--streams goes with --load generate: the load that runs is as it is")
    if options.url:
        try:
            Address.parse(options.url)
        except ValueError as error:
            raise WrongUsage(str(error)) from None
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
        late = time.monotonic() > deadline
        try:
            found = chosen_engine(snapshot, options.device, named=bool(options.url))
            about = target(snapshot, options.device, found)
        except (Refusal, WrongUsage):
            if late or not snapshot.notes:  # a driver that is slow to load says nothing yet
                raise
        else:
            if found is not None:
                return about
            if late:
                raise Refusal(_none_found(snapshot))
        time.sleep(INTERVAL_S)


def _none_found(snapshot: Snapshot) -> str:
    """Why no engine is meant."""
    problems = [
        f"{view.url} runs on {', '.join(view.devices)}: name it with --url, or another --device"
        if view.status in WORKS
        else f"{view.url}: {view.problem or view.status}"
        for view in snapshot.engines
    ]
    return "; ".join(problems) or "no engine is found here: start one, or name it with --url"


def _tune(live: Live, about: Target, wish: Wish, options: argparse.Namespace, api_key: str | None) -> int:
    bench = Bench(about, wish, loads(about, wish, api_key) if wish.generate else None)
    tuning = Tuning(about, bench)
    leave = live.listen(bench.take)
    stopped = watched = False
    with _signals(), Progress(about, quiet=options.json or options.csv) as progress:
        with tuning:
            try:
                watched = not _sweep(tuning, progress)
                if watched:
                    _watch(tuning, progress)
                elif options.keep_limit:
                    _keep(tuning)
            except KeyboardInterrupt:
                stopped = not watched
        leave()
    return tell(tuning, options, stopped=stopped, watched=watched)


def _sweep(tuning: Tuning, progress: Progress) -> bool:
    """Returns at its end; False where somebody else has to set the limits, and may do so now.

    Raises:
        Refusal: nothing was measured.
    """
    if tuning.target.may_write is not False:
        tuning.sweep()
        state = _follow(tuning, progress, lambda state: state.progress is None)
        if state.points:
            return True
        if not state.denied:
            raise Refusal(state.problem or "nothing was measured")
    words = tuning.state.problem or _forbidden(tuning)
    if not progress.interactive:
        raise Refusal(words)
    progress.say(words)
    return False


def _watch(tuning: Tuning, progress: Progress) -> None:
    """Until Ctrl-C: measures what somebody else sets."""
    tuning.keep_busy()
    progress.say("Set limits there, one after the other: each is measured. Ctrl-C ends it.")
    _follow(tuning, progress, lambda _: False)


def _forbidden(tuning: Tuning) -> str:
    limit = tuning.target.flat[0]
    watts = tuning.ladder.settings(tuning.ladder.within(round(0.9 * tuning.ladder.highest_w)))[0]
    return (
        f"this user may not set the power limit of {limit.name}: run llmtop tune as root, "
        f"or set it in another terminal, as with {limit.command(watts)}"
    )


def _follow(tuning: Tuning, progress: Progress, ends: Callable[[State], bool]) -> State:
    """Shows what happens until then, or until it ends by itself."""
    while True:
        idle, state, silent_s = tuning.idle, tuning.state, tuning.silent_s
        if silent_s > HANG_S:
            raise Refusal(f"the driver has not answered for {silent_s:.0f} s; the power limit is put back when it does")
        progress.show(state, silent_s)
        if idle and ends(state):
            return state
        time.sleep(INTERVAL_S)


def _keep(tuning: Tuning) -> None:
    """Leaves the limit that was chosen, where it is another than before."""
    for order in (tuning.apply, tuning.keep):
        if tuning.state.chosen_w is None or (order == tuning.keep and not tuning.state.changed):
            return
        order()
        deadline = time.monotonic() + OBEY_S
        while not tuning.idle and time.monotonic() < deadline:
            time.sleep(INTERVAL_S / 5)


@contextmanager
def _signals() -> Generator[None]:
    """Whatever asks it to end ends it as Ctrl-C does: limits are put back first. What is ignored stays so (nohup)."""

    def leave(*_: object) -> None:
        raise KeyboardInterrupt

    names = (signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))
    before = {each: handler for each in names if (handler := signal.getsignal(each)) is not signal.SIG_IGN}
    for each in before:
        signal.signal(each, leave)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
