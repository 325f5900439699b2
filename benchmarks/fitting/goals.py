"""What the estimates are held to, and how far they come on rows whose device the fit never saw."""

from collections.abc import Callable, Sequence
from statistics import median

from llmtop.estimator.accuracy import Answer, Score, metric, quantile, score
from msgspec import Struct

from .cases import Case

Choice = Callable[[Case], bool]


class Goal(Struct, frozen=True, kw_only=True):
    """One quantity with the worst value that is accepted, and the one that is wanted."""

    name: str
    choice: Choice
    figure: Callable[[Score], float | None]
    must: tuple[float, float]
    """Lowest and highest that is accepted, as shares."""
    target: tuple[float, float]


def _decode(case: Case) -> bool:
    return _alone(case) and _family(case) == "llama.cpp" and not case.user and _single(case)


def _alone(case: Case) -> bool:
    """One stream that decodes."""
    return metric(case.row) == "decode_tps" and case.setup.streams <= 1


def _single(case: Case) -> bool:
    return case.row.n_devices == 1


def _family(case: Case) -> str:
    return case.setup.software.engine.kin


def _at_most(name: str, choice: Choice, must: float, target: float) -> Goal:
    return Goal(name=name, choice=choice, figure=lambda of: of.median_error, must=(0.0, must), target=(0.0, target))


GOALS: tuple[Goal, ...] = (
    _at_most("decode, llama.cpp: median error", _decode, 0.09, 0.06),
    Goal(
        name="decode, llama.cpp: p90 error",
        choice=_decode,
        figure=lambda of: of.p90_error,
        must=(0.0, 0.30),
        target=(0.0, 0.22),
    ),
    Goal(
        name="decode, llama.cpp: within 20 %",
        choice=_decode,
        figure=lambda of: of.within_20,
        must=(0.80, 1.0),
        target=(0.90, 1.0),
    ),
    _at_most("decode, mixture of experts", lambda case: _decode(case) and case.experts, 0.12, 0.08),
    _at_most("decode, context above 4k", lambda case: _decode(case) and case.depth > 4096, 0.12, 0.08),
    _at_most(
        "decode, user-submitted (llamafile, Ollama)",
        lambda case: _alone(case) and case.user,
        0.20,
        0.15,
    ),
    _at_most(
        "decode, other engines",
        lambda case: _alone(case) and _family(case) != "llama.cpp",
        0.30,
        0.15,
    ),
    _at_most("prefill", lambda case: metric(case.row) == "prefill_tps", 0.22, 0.15),
    _at_most(
        "throughput of several streams, dense",
        lambda case: metric(case.row) != "prefill_tps" and case.setup.streams > 1 and not case.experts,
        0.20,
        0.12,
    ),
    Goal(
        name="measurements inside the band",
        choice=lambda _: True,
        figure=lambda of: of.in_band,
        must=(0.75, 0.88),
        target=(0.78, 0.84),
    ),
)


def goals(cases: Sequence[Case], answers: Sequence[Answer]) -> list[str]:
    """A table in Markdown: each goal by rows, and with each device counted once."""
    lines = [
        "| | accepted | wanted | by rows | each device once | |",
        "|---|---|---|---|---|---|",
    ]
    for goal in GOALS:
        chosen = [answer for answer, case in zip(answers, cases, strict=True) if goal.choice(case)]
        whole = goal.figure(score(chosen)) or 0.0
        lines.append(
            f"| {goal.name} | {_range(goal.must)} | {_range(goal.target)} | {100 * whole:.1f} % "
            f"| {100 * _by_device(goal, chosen):.1f} % | {_verdict(goal, whole)} |"
        )
    return lines


def _by_device(goal: Goal, chosen: Sequence[Answer]) -> float:
    """The figure where every device counts as one measurement: the one of median error."""
    devices: dict[str, list[Answer]] = {}
    for answer in chosen:
        devices.setdefault(answer.row.hardware, []).append(answer)
    if goal.name.endswith("within 20 %"):
        return sum((score(own).median_error or 0.0) <= 0.2 for own in devices.values()) / len(devices)
    if goal.name.endswith("p90 error"):
        return quantile(sorted(score(own).median_error or 0.0 for own in devices.values()), 0.9)
    return median(goal.figure(score(own)) or 0.0 for own in devices.values())


def _verdict(goal: Goal, value: float) -> str:
    if goal.target[0] <= value <= goal.target[1]:
        return "as wanted"
    return "accepted" if goal.must[0] <= value <= goal.must[1] else "**missed**"


def _range(ends: tuple[float, float]) -> str:
    low, high = ends
    if low == 0.0:
        return f"<= {100 * high:.0f} %"
    return f">= {100 * low:.0f} %" if high == 1.0 else f"{100 * low:.0f}-{100 * high:.0f} %"
