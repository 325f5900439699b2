"""Made-up moments of a tuning: a published sweep of an RTX 4090, measured with a little noise."""

from pathlib import Path

from llmtop.estimator.tuning.choice import Choice, choose
from llmtop.estimator.tuning.point import Point, Rate
from llmtop.probes.limits.file import FileLimit
from llmtop.tui.tune.ladder import ladder
from llmtop.tui.tune.sight import curve as sight
from llmtop.tui.tune.state import Doing, Progress, State
from llmtop.tui.tune.target import Target
from llmtop.tui.widgets.power_words import Moment
from msgspec.structs import replace

from ..tune.curve import curve
from .scenes import gpu, llama

SWEEP = curve("4090 decode x1")
KEEP = 0.97
STOCK_W = 450.0


class Told(FileLimit):
    """A limit of which only the command is asked; there is no such file."""

    def read(self) -> float:
        return STOCK_W

    def command(self, watts: float) -> str:
        return f"sudo nvidia-smi -i 0 -pl {watts:g}"


LIMIT = Told(str(Path("/nowhere/power1_cap")), "nvidia0", "RTX 4090", min_w=150.0, max_w=600.0, default_w=STOCK_W)
ABOUT = Target(devices=(gpu(),), limits=((LIMIT,),), engine=llama(), may_write=True)
RUNGS = ladder(ABOUT.limits, (STOCK_W,))


def point(limit_w: float, at: int = 0, error: float = 0.0015, *, prompts: bool = False) -> Point:
    """A stay of 20 s at this limit."""
    step = SWEEP.at(limit_w)
    off = 1.0 + error * (0.7, -0.4, 0.1, -0.9, 0.5)[at % 5]
    tps = step.tps * off
    return Point(
        power_limit_w=limit_w,
        power_w=step.draw_w,
        decode=Rate(tps=tps, error_tps=error * tps, blocks=10),
        prefill=Rate(tps=2100.0 * min(limit_w / 430.0, 1.0) ** 0.6, error_tps=4.0, blocks=10) if prompts else None,
        joules_per_token=step.draw_w / tps,
        sm_clock_mhz=round(2745.0 * step.tps / SWEEP.at(STOCK_W).tps),
        memory_clock_mhz=10501.0,
        temperature_c=44.0 + step.draw_w / 20.0,
        throttled_share=1.0 if SWEEP.binds(limit_w) else 0.0,
        streams=1.0,
        context_tokens=2900.0,
        idle_share=0.0,
        started=100.0 + 25.0 * at,
        seconds=20.0,
        samples=20,
    )


def moment(*limits_w: float, doing: Doing = "watching", progress: Progress | None = None, **more: object) -> Moment:
    """After stays at these limits, the last of which goes on."""
    both = bool(more.pop("prompts", False))
    points = tuple(point(limit_w, at, prompts=both) for at, limit_w in enumerate(limits_w))
    choices: tuple[Choice, ...] = (choose(points, KEEP, "decode"),) if points else ()
    choices += (choose(points, KEEP, "prefill"),) if both else ()
    now = points[-1] if points else replace(point(STOCK_W), decode=None, joules_per_token=None, seconds=0.0)
    ahead = sight(ABOUT, RUNGS, "decode", choices[0] if choices else None, now)
    state = State(
        doing=doing,
        limit_w=now.power_limit_w,
        original_w=STOCK_W,
        lowest_w=RUNGS.lowest_w,
        highest_w=RUNGS.highest_w,
        top_w=RUNGS.top_w,
        changed=now.power_limit_w != STOCK_W,
        borrowed=not more.get("forbidden"),
        keep=KEEP,
        now=now,
        points=points[:-1],
        curve=ahead.guesses,
        refitted=ahead.refitted,
        choices=choices,
        progress=progress,
    )
    fields = {name: more.pop(name) for name in list(more) if name in State.__struct_fields__}
    bare = Moment(
        about=ABOUT,
        state=replace(state, **fields),
        stock_w=STOCK_W,
        wanted_w=None,
        live_tps=51.2,
        trouble=None,
        generates=False,
        forbidden=False,
        commands=(),
    )
    return bare._replace(**more)  # type: ignore[arg-type]


DOWN = (450.0, 405.0, 360.0, 315.0, 450.0, 270.0, 225.0)
MOMENTS = {
    "before": moment(),
    "steps": moment(450.0, 400.0, 375.0),
    "sweep": moment(
        *DOWN[:4],
        doing="measuring",
        progress=Progress(stay=4, least=9, most=20, left_s=380.0),
        remarks=("the driver made 316 W of 315 W",),
    ),
    "swept": moment(*DOWN, 300.0, 310.0, 450.0, doing="done", remarks=("the engine was restarted once: left out",)),
    "both": moment(*DOWN, 300.0, 450.0, doing="done", prompts=True),
    "kept": moment(*DOWN, 300.0, 310.0, 320.0, kept=("sudo nvidia-smi -i 0 -pl 450",)),
    "forbidden": moment(
        450.0,
        forbidden=True,
        commands=((5.0, LIMIT.command(445.0)), (25.0, LIMIT.command(425.0))),
    ),
    "refused": moment(450.0, 400.0, problem="RTX 4090: the driver does not take 395 W, 150 to 600 W"),
    "idle": moment(trouble="waiting for the load: the engine has nothing to do", live_tps=0.0),
}
