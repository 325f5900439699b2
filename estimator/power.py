"""What a power limit costs: speed kept, watts drawn, joules per token.

    P(phi) = TDP x (standing + core x c x phi x v(phi)^2)      v = floor up to the knee, then rising to 1 at full clock
    r(phi) = 1 / ((1 - c) + c / phi)

`phi` is the core clock as a share of the full clock, `c` the share of a step's time that goes with the core clock (the
core share), `r` the share of the speed that is kept. Memory clocks stay up under a limit, so only the core share
slows down. The first line is the dynamic power of CMOS (activity x voltage^2 x frequency) with the voltage floor that
every chip has; below the standing draw of memory and leakage no clock can meet the limit and the speed collapses.
`benchmarks/calibrate_power.py` fits the four constants on published sweeps of RTX 3090 and RTX 4090 cards.
"""

from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from ..probes.sample import Device
from .silicon import shares_memory
from .snapshot import Band

Phase = Literal["decode", "batch", "prefill"]
SHIPPED = Path(__file__).with_name("power_constants.json")

LOWEST_CLOCK = 0.1
"""Share of the full clock below which cards do not go (210 MHz of 2 GHz)."""
LOWEST_SHARE, HIGHEST_SHARE = 0.05, 0.95
"""The core share outside which the law says nothing."""
UNSURE = 0.1
"""How far off the core share may be; twice as far where no sweep of the kind of card was published."""
LIMITED_FROM = 0.97
"""Share of the stock limit from which a measured draw shows the limit, not what the work would take."""
COLLAPSE = 0.6
"""Share of the draw below which a limit may stop the card almost wholly, and the band must be wide."""


class PowerCap(Struct, frozen=True, kw_only=True):
    """The law of one class of devices."""

    standing: float
    """Draw of memory and leakage while it works, as a share of the TDP."""
    core: float
    """Draw of the cores at full clock in a step that is all theirs, as a share of the TDP; above 1 on most cards."""
    floor: float
    """Lowest voltage as a share of that at full clock."""
    knee: float
    """Share of the full clock up to which the lowest voltage suffices."""
    shares: dict[Phase, float]
    """The core share that is typical of a phase, for where it is not known better."""
    basis: str

    def demand(self, core_share: float) -> float:
        """What a step would draw at full clock as a share of the TDP; above 1 it runs into the stock limit."""
        return self.standing + self.core * _inside(core_share)

    def retention(self, limit_w: float, draw_w: float, core_share: float, stock_w: float | None = None) -> float:
        """The share of the speed that is kept under a limit; above 1 where the stock limit was raised.

        Args:
            limit_w: the limit in watts.
            draw_w: what the phase draws at full clock, in watts. Where that is above the stock limit, say so in
                `stock_w`: then the speed under the stock limit counts as 1.
            core_share: share of the step's time that goes with the core clock, 0-1.
            stock_w: the limit whose speed counts as 1; none where the card is not limited otherwise.
        """
        limit, stock = min(limit_w, draw_w), min(stock_w or draw_w, draw_w)
        if limit == stock:
            return 1.0
        return self._speed(limit / draw_w, core_share) / self._speed(stock / draw_w, core_share)

    def limit_for(self, share: float, draw_w: float, core_share: float, stock_w: float | None = None) -> float:
        """The lowest limit in watts that keeps a share of the speed; the inverse of `retention`."""
        c = _inside(core_share)
        ceiling = min(draw_w, stock_w or draw_w)
        speed = min(share, 1.0) * self._speed(ceiling / draw_w, core_share)
        if speed <= 0.0:
            return self._standing_share(c) * draw_w
        slowed = 1.0 / speed - (1.0 - c)
        clock = min(max(c / slowed, LOWEST_CLOCK), 1.0)
        standing = self._standing_share(c)
        return min((standing + (1.0 - standing) * clock * self._voltage(clock) ** 2) * draw_w, ceiling)

    def clock(self, limit_w: float, draw_w: float, core_share: float) -> float:
        """The core clock under a limit as a share of the full clock."""
        standing = self._standing_share(_inside(core_share))
        power = (limit_w / draw_w - standing) / (1.0 - standing)
        if power >= 1.0:
            return 1.0
        if power <= self.knee * self.floor**2:
            return max(power / self.floor**2, LOWEST_CLOCK)
        clock, rise = 1.0, (1.0 - self.floor) / (1.0 - self.knee)
        for _ in range(6):  # Newton's method: convex, so it comes down to the root and stays above
            voltage = self._voltage(clock)
            clock -= (clock * voltage**2 - power) / (voltage**2 + 2.0 * clock * voltage * rise)
        return clock

    def _speed(self, power: float, core_share: float) -> float:
        c = _inside(core_share)
        return 1.0 / ((1.0 - c) + c / self.clock(power, 1.0, c))

    def _standing_share(self, core_share: float) -> float:
        return self.standing / (self.standing + self.core * core_share)

    def _voltage(self, clock: float) -> float:
        return self.floor + (1.0 - self.floor) * max(clock - self.knee, 0.0) / (1.0 - self.knee)


class Kept(Struct, frozen=True, kw_only=True):
    """The share of the speed that a limit leaves, with its band, and what it rests on."""

    value: float
    low: float
    high: float
    limit_w: float
    """The limit that was reckoned with: never below the lowest that the card takes."""
    draw_w: float
    """What it draws then."""
    problem: str | None = None
    """What to know about it: below what the card takes, or so low that the speed collapses."""
    basis: str = ""


@cache
def laws() -> dict[str, PowerCap]:
    """The shipped laws, by class of device: "GDDR" and "HBM"."""
    return msgspec.json.decode(SHIPPED.read_bytes(), type=dict[str, PowerCap])


def law(device: Device) -> PowerCap | None:
    """The law of a device; None for CPUs and chips that share the memory with one."""
    if device.kind != "gpu" or shares_memory(device):
        return None
    return laws()["HBM" if device.memory_type == "HBM" else "GDDR"]


def draw_w(device: Device, phase: Phase, core_share: float | None = None) -> Band | None:
    """Watts that a device draws in a phase under its present limit, or under the stock limit.

    None where its TDP is not known, and for CPUs and chips that share the memory with one: no law was fitted for them.
    """
    stock, found = _stock(device), law(device)
    if stock is None or found is None:
        return None
    limit = device.power_limit_w or stock
    c, spread = found.shares[phase] if core_share is None else core_share, _spread(device)
    at = [min(found.demand(share) * stock, limit) for share in (c, c - spread, c + spread)]
    return Band(value=at[0], low=at[1], high=at[2])


def kept(
    device: Device, limit_w: float, phase: Phase, core_share: float | None = None, measured_w: float | None = None
) -> Kept | None:
    """The share of the speed at the stock limit that a limit leaves in a phase; None where `draw_w` says None.

    Args:
        device: its `power_limit_default_w` is the stock limit, `power_limit_min_w` the lowest it takes.
        limit_w: the limit in watts.
        phase: what it does.
        core_share: see `retention`; what is typical of the phase where None.
        measured_w: watts that it was measured to draw in this phase at its stock limit, where that is known.
    """
    stock, found = _stock(device), law(device)
    if stock is None or found is None:
        return None
    c = found.shares[phase] if core_share is None else core_share
    lowest = device.power_limit_min_w or 0.0
    limit = max(limit_w, lowest)
    free = measured_w if measured_w is not None and measured_w < LIMITED_FROM * stock else None
    deep = limit < COLLAPSE * min(free or found.demand(c) * stock, stock)
    spread = _spread(device) * (2.0 if deep else 1.0)

    def at(share: float) -> float:
        return found.retention(limit, free or found.demand(share) * stock, share, stock)

    tried = [at(c), at(c - spread), at(c + spread)]
    problem = None
    if limit_w < lowest:
        problem = f"{device.name} takes no limit below {lowest:.0f} W"
    elif deep:
        problem = f"{limit:.0f} W is less than {COLLAPSE:.0%} of what it draws: the speed may collapse"
    return Kept(
        value=tried[0],
        low=min(tried),
        high=max(tried),
        limit_w=limit,
        draw_w=min(limit, free or found.demand(c) * stock),
        problem=problem,
        basis=found.basis,
    )


def joules_per_token(power_w: float, tps: float) -> float | None:
    """Joules that a token takes at a power and a rate; None when nothing is made."""
    return power_w / tps if tps > 0.0 else None


CLOCKED = {"core": 1.0, "batch": 0.4, "matrix": 0.6, "attention": 0.6, "layers": 0.3, "weights": 0.15}
"""Share of a term of a step that goes with the core clock. Arithmetic goes with it wholly; that of large batches and
prompts also waits for memory. Starting a layer's kernels is partly the host's work. Priors, not a fit."""
PROMPT_LAYERS = 0.6
"""The same for the layers of a prompt: the host's work is hidden behind the device's."""


def core_share(seconds: dict[str, float]) -> float:
    """The core share of a step or a prompt from the seconds of its terms, by name (see `terms`)."""
    total = sum(seconds.values())
    if total <= 0.0:
        return LOWEST_SHARE
    clocked = CLOCKED | {"layers": PROMPT_LAYERS} if "matrix" in seconds else CLOCKED
    return _inside(sum(clocked.get(name, 0.0) * each for name, each in seconds.items()) / total)


def _stock(device: Device) -> float | None:
    return device.power_limit_default_w or device.power_limit_max_w


def _spread(device: Device) -> float:
    return UNSURE if device.vendor == "NVIDIA" and device.memory_type != "HBM" else 2 * UNSURE


def _inside(share: float) -> float:
    return min(max(share, LOWEST_SHARE), HIGHEST_SHARE)
