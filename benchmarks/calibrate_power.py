"""Fits the law of power limits on published sweeps, cross-validates it, and writes the constants that ship.

    python benchmarks/calibrate_power.py [--write] [--check SWEEPS.csv]

Each sweep has a core share of its own; the four constants of the law are shared by all. Every row counts with the
watts that the card took. Left-out sweeps are scored twice: with the core share that suits them best, which tests the
shape of the law, and with the median of the other sweeps of the same phase, which tests what is known of a card and
model that nobody swept. `power_limits_unseen.csv`, or the file of `--check`, is scored too: sweeps that no constant
is fitted on.
"""

import argparse
import csv
import importlib
import statistics
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / ".src")]

from llmtop.estimator.power import COLLAPSE, SHIPPED, Phase, PowerCap  # noqa: E402

optimize: Any = importlib.import_module("scipy.optimize")  # it has no types
ROWS = ROOT / "estimator" / "data" / "power_limits.csv"
UNSEEN = Path(__file__).with_name("power_limits_unseen.csv")
"""Sweeps of other cards, which nothing was fitted on."""
TDP_W = {
    "RTX 3090": 350.0,
    "RTX 4090": 450.0,
    "RTX 5090": 575.0,
    "RTX 5060 Ti 16GB": 180.0,
    "RTX PRO 6000 Blackwell": 600.0,
    "Radeon AI PRO R9700": 300.0,
}
"""As in the catalogue of devices."""
FULL_CLOCK_MHZ = {"RTX 3090": 1980.0}
"""The highest clock in the published sweeps of the card."""
FITTED_FROM = 0.5
"""Share of a sweep's highest draw from which its rows count in the fit: below, the speed collapses."""
CLOCK_WEIGHT, DRAW_WEIGHT = 0.5, 0.3
HBM = PowerCap(
    standing=0.15,
    core=1.0,
    floor=0.7,
    knee=0.7,
    shares={"decode": 0.2, "batch": 0.45, "prefill": 0.65},
    basis="a prior: H200 decode draws 137-300 of 700 W (arXiv 2605.11999), H100 SXM 300 W at batch 1 and 600 W at "
    "batch 128 (ML.ENERGY benchmark v3, by arXiv 2603.17280); no published sweep of its speed",
)


class Sweep(Struct, frozen=True):
    """One model on one card in one phase under many limits."""

    name: str
    card: str
    phase: Phase
    limit_w: list[float]
    power_w: list[float]
    kept: list[float]
    clock: list[float] | None

    @property
    def tdp_w(self) -> float:
        return TDP_W[self.card]

    @property
    def free_w(self) -> float | None:
        """What it draws when nothing limits it; None where the highest limit still does."""
        top = max(range(len(self.limit_w)), key=self.limit_w.__getitem__)
        return self.power_w[top] if self.power_w[top] < 0.95 * self.limit_w[top] else None

    def deep(self, index: int) -> bool:
        return self.power_w[index] < COLLAPSE * max(self.power_w)


def sweeps(path: Path) -> list[Sweep]:
    groups: dict[tuple[str, str, str, Phase], list[dict[str, str]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            phase: Phase = "prefill" if row["prefill_tps"] else "batch" if row["batch"] not in {"", "1"} else "decode"
            groups.setdefault((row["hardware"], row["model"], row["engine"], phase), []).append(row)
    return [_sweep(*key, rows) for key, rows in groups.items()]


def _sweep(card: str, model: str, engine: str, phase: Phase, rows: list[dict[str, str]]) -> Sweep:
    rates = [float(row["prefill_tps"] or row["decode_tps"]) for row in rows]
    power = [float(row["actual_w"] or row["power_limit_w"]) for row in rows]
    top = statistics.median(rate for rate, watts in zip(rates, power, strict=True) if watts >= 0.98 * max(power))
    full = FULL_CLOCK_MHZ.get(card)
    clocks = [float(row["sm_clk_mhz"]) for row in rows if row["sm_clk_mhz"]]
    return Sweep(
        name=f"{card}, {model}{'' if engine == 'llama.cpp' else ' ' + engine}, {phase}",
        card=card,
        phase=phase,
        limit_w=[float(row["power_limit_w"]) for row in rows],
        power_w=power,
        kept=[rate / top for rate in rates],
        clock=[each / full for each in clocks] if full and len(clocks) == len(rows) else None,
    )


def predicted(law: PowerCap, sweep: Sweep, share: float) -> list[float]:
    demand, top = law.demand(share) * sweep.tdp_w, max(sweep.power_w)
    return [law.retention(watts, demand, share, top) for watts in sweep.power_w]


def fit(train: list[Sweep]) -> tuple[PowerCap, list[float]]:
    """The law, and the core share of each sweep."""

    def law(values: Any) -> PowerCap:  # noqa: ANN401  # numpy
        standing, core, floor, knee = (float(value) for value in values[:4])
        return PowerCap(standing=standing, core=core, floor=floor, knee=knee, shares={}, basis="")

    def residuals(values: Any) -> Any:  # noqa: ANN401  # numpy
        found, errors = law(values), list[float]()
        for sweep, share in zip(train, (float(value) for value in values[4:]), strict=True):
            demand = found.demand(share) * sweep.tdp_w
            used = [i for i, watts in enumerate(sweep.power_w) if watts >= FITTED_FROM * max(sweep.power_w)]
            weight = len(used) ** -0.5
            kept = predicted(found, sweep, share)
            errors += [weight * (kept[i] - sweep.kept[i]) for i in used]
            if sweep.clock:
                clocks = [found.clock(watts, demand, share) for watts in sweep.power_w]
                errors += [CLOCK_WEIGHT * weight * (clocks[i] - sweep.clock[i]) for i in used]
            if sweep.free_w:
                errors.append(DRAW_WEIGHT * (demand / sweep.free_w - 1.0))
        return np.array(errors)

    start = [0.4, 1.5, 0.7, 0.7] + [0.4] * len(train)
    bounds = ([0.05, 0.3, 0.4, 0.4] + [0.05] * len(train), [0.6, 3.0, 0.95, 0.9] + [0.95] * len(train))
    values = optimize.least_squares(residuals, start, bounds=bounds, loss="soft_l1", f_scale=0.02, diff_step=1e-4).x
    return law(values), [float(value) for value in values[4:]]


def best_share(law: PowerCap, sweep: Sweep) -> float:
    def error(share: float) -> float:
        return sum(abs(a - b) for a, b in zip(predicted(law, sweep, share), sweep.kept, strict=True))

    return float(optimize.minimize_scalar(error, bounds=(0.05, 0.95), method="bounded").x)


def typical(found: list[Sweep], shares: list[float], phase: Phase) -> float:
    """The median core share of the sweeps of a phase; a batch decodes too, and its own sweeps are few."""
    kin: dict[Phase, set[Phase]] = {"decode": {"decode"}, "batch": {"decode", "batch"}, "prefill": {"prefill"}}
    same = [share for sweep, share in zip(found, shares, strict=True) if sweep.phase in kin[phase]]
    return statistics.median(same or shares)


def errors(law: PowerCap, sweep: Sweep, share: float, *, deep: bool) -> list[float]:
    """Points of retention."""
    pairs = enumerate(zip(predicted(law, sweep, share), sweep.kept, strict=True))
    return [100.0 * abs(a - b) for i, (a, b) in pairs if sweep.deep(i) == deep]


def line(name: str, law: PowerCap, sweep: Sweep, share: float, other: float | None) -> tuple[list[float], list[float]]:
    def figures(found: list[float]) -> str:
        return f"{np.median(found):6.2f}{np.quantile(found, 0.9):7.2f}" if found else f"{'-':>6}{'-':>7}"

    shape, known = errors(law, sweep, share, deep=False), [] if other is None else errors(law, sweep, other, deep=False)
    draw = f"{min(law.demand(share) * sweep.tdp_w, 9999):5.0f}{sweep.free_w or 0:6.0f}" if sweep.free_w else f"{'':11}"
    print(f"{name:58}{share:6.2f}{figures(shape)}{figures(errors(law, sweep, share, deep=True))}{figures(known)}{draw}")
    return shape, known


def table(title: str, rows: list[tuple[Sweep, PowerCap, float | None]]) -> None:
    print(f"\n{title}\n{'':58} share    >= 60 %       below 60 %    typical share  draw W: law, measured")
    scored = [line(sweep.name, law, sweep, best_share(law, sweep), other) for sweep, law, other in rows]
    for label, index in (("all rows, best share", 0), ("all rows, typical share", 1)):
        found = [each for pair in scored for each in pair[index]]
        medians = [float(np.median(pair[index])) for pair in scored if pair[index]]
        if found:
            print(
                f"{label:58}median {np.median(found):.2f}, p90 {np.quantile(found, 0.9):.2f} points; "
                f"median of the sweeps' medians {statistics.median(medians):.2f}"
            )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--write", action="store_true", help="write the constants that ship")
    options.add_argument("--check", type=Path, default=UNSEEN, help="sweeps to score that nothing is fitted on")
    asked = options.parse_args()
    found = sweeps(ROWS)
    law, shares = fit(found)
    phases: tuple[Phase, ...] = ("decode", "batch", "prefill")
    law = msgspec.structs.replace(
        law,
        **{name: round(getattr(law, name), 3) for name in ("standing", "core", "floor", "knee")},
        shares={phase: round(typical(found, shares, phase), 2) for phase in phases},
        basis=f"{len(found)} published sweeps of {' and '.join(sorted({sweep.card for sweep in found}))} cards",
    )
    print(f"standing {law.standing}, core {law.core}, floor {law.floor}, knee {law.knee}; typical {law.shares}")
    table("fitted on all", [(sweep, law, law.shares[sweep.phase]) for sweep in found])
    for title, left_out in (
        ("each sweep left out", [[sweep] for sweep in found]),
        (
            "each card left out",
            [[sweep for sweep in found if sweep.card == card] for card in sorted({s.card for s in found})],
        ),
    ):
        rows: list[tuple[Sweep, PowerCap, float | None]] = []
        for out in left_out:
            train = [sweep for sweep in found if sweep not in out]
            other, trained = fit(train)
            rows += [(sweep, other, typical(train, trained, sweep.phase)) for sweep in out]
        table(title, rows)
    table(
        "sweeps that nothing was fitted on",
        [(sweep, law, law.shares[sweep.phase]) for sweep in sweeps(asked.check)],
    )
    if asked.write:
        SHIPPED.write_bytes(msgspec.json.format(msgspec.json.encode({"GDDR": law, "HBM": HBM}), indent=2) + b"\n")


if __name__ == "__main__":
    main()
