"""What the tune screen asks before it acts, and the words for it."""

from collections.abc import Sequence

from ...estimator.snapshot import EngineView
from ...estimator.tuning.steps import Measured
from ...estimator.tuning.sweep import Sweep
from ..format import address, duration, percent, watts
from ..tune.state import State
from ..tune.tuning import Tuning
from ..widgets.row import Span
from .agree import Agree
from .choice import Option

ALL = "all of them"
PHASES: dict[str, tuple[Measured, ...]] = {
    "decode": ("decode",),
    "prefill": ("prefill",),
    "both": ("decode", "prefill"),
}
PHASE_WORDS = {
    "decode": "tokens written; bound by memory, so it needs less power",
    "prefill": "prompts read in; bound by arithmetic, so it feels the limit sooner",
    "both": "one after the other; the limit that is chosen suits both",
}


def devices(found: Sequence[tuple[str, str]]) -> list[Option]:
    """Each of them; and all together where they are alike."""
    alike = len(found) > 1 and len({name for _, name in found}) == 1
    return [*([(ALL, f"{len(found)} x {found[0][1]}, in step")] if alike else []), *found]


def trouble(view: EngineView | None) -> str | None:
    """Why nothing can be measured now; None while it works."""
    if view is None:
        return "the engine is gone"
    if view.status in {"unreachable", "unauthorized", "unsupported", "loading", "sleeping"}:
        return f"{view.engine}: {view.problem or view.status}"
    resting = view.status == "idle" or (not view.decode_tps and not view.prefill_tps and view.requests_running == 0)
    return "waiting for the load: the engine has nothing to do" if resting else None


def longest_s(tuning: Tuning) -> float:
    """Seconds that a sweep takes at most."""
    wish, ladder = tuning.wish, tuning.ladder
    runs: list[tuple[Measured, ...]] = [(phase,) for phase in wish.phases] if tuning.bench.generates else [wish.phases]
    stays = sum(
        Sweep(
            ladder.lowest_w,
            ladder.highest_w,
            steps=wish.steps,
            keep=wish.keep,
            measure_s=wish.measure_s,
            phases=phases,
        ).left.most
        for phases in runs
    )
    return stays * (wish.measure_s + wish.settle_s)


def sweeping(tuning: Tuning) -> Agree:
    """Before a sweep."""
    state, about = tuning.state, tuning.target
    several = f" of each of the {len(about.devices)} devices, in step" if len(about.devices) > 1 else ""
    what = (
        f"Sets the power limit of {about.name} to one value after the other, from {watts(state.highest_w)} "
        f"down to {watts(state.lowest_w)} at the lowest{several}, and measures what each leaves of the speed."
    )
    words: list[Span] = [
        (what, "text"),
        (f"It takes {duration(longest_s(tuning))} at most, mostly less, and can be stopped at any time.", "text"),
        (f"▲ The engine is slower meanwhile. The limit is put back to {watts(state.original_w)} at the end.", "warn"),
    ]
    if tuning.bench.generates and about.engine:
        words.append((f"▲ llmtop sends requests to {about.engine.engine} meanwhile, as you asked with g.", "warn"))
    else:
        words.append(("Keep the load the same all the time: only then does the speed tell of the limit.", "dim"))
    return Agree("measure limit after limit", words, "begin")


def keeping(state: State) -> Agree:
    """Before a limit is left as it is."""
    words: list[Span] = [
        (f"{watts(state.limit_w)} stays after llmtop has ended. It was {watts(state.original_w)} before.", "text"),
        ("Nothing puts it back then but a person, or the driver when it starts anew.", "text"),
        ("The command that undoes it is shown as soon as it is kept; r puts it back as long as this is open.", "dim"),
    ]
    return Agree(
        "keep this limit", words, f"keep {watts(state.limit_w)}", f"back to {watts(state.original_w)} at the end"
    )


def loading(tuning: Tuning) -> Agree:
    """Before requests are sent."""
    view = tuning.target.engine
    name = f"{view.engine} {address(view.url)}" if view else "the engine"
    words: list[Span] = [
        (f"llmtop then sends requests of its own to {name} while a sweep runs: made-up words.", "text"),
        ("▲ They take their share of the engine from whoever else uses it.", "warn"),
        ("Nothing is sent before a sweep begins, and nothing after it. Points of before are left out.", "dim"),
    ]
    return Agree("let llmtop make the load", words, "make it")


def leaving(state: State) -> Agree:
    """Before a sweep is left."""
    words: list[Span] = [
        ("A sweep runs. Leaving stops it, and its points are lost.", "text"),
        (f"The limit is put back to {watts(state.original_w)}; {percent(state.keep)} was to be kept.", "dim"),
    ]
    return Agree("leave the sweep", words, "leave", "go on")
