"""A simulation: GPUs under one engine, as the simulated NVML tells them. They draw what a published sweep says."""

from pathlib import Path

from .curve import Curve, Noise

IDLE_W = 25.0
_POWER_CAP = 0x04
_LOST = 15
"""NVML's code for a GPU that has fallen off the bus."""


class Gpus:
    """Reads the limits that were set, and writes the state that the simulated NVML answers from."""

    def __init__(self, state: Path, curve: Curve, *, count: int, pid: int, noise: Noise, lag_s: float) -> None:
        self._state, self._limits = state, state.with_name(state.name + ".limits")
        self._curve, self._count, self._pid, self._noise, self._lag_s = curve, count, pid, noise, lag_s
        self._draw_w = [IDLE_W] * count
        self._joules = [0.0] * count
        self._celsius = [40.0] * count
        self.lost: set[int] = set()
        self.forbidden = False
        """Whether nobody may set a limit."""

    def limits_w(self) -> list[float]:
        """What each is limited to now: what somebody has set, else the stock limit."""
        found = [self._curve.stock_limit_w] * self._count
        try:
            lines = self._limits.read_text().splitlines()
        except OSError:
            lines = []
        for line in lines:
            index, milliwatts = line.split()
            if int(index) < self._count:
                found[int(index)] = int(milliwatts) / 1000
        return found

    def run(self, now: float, seconds: float, curve: Curve | None) -> None:
        """They work by that curve, or rest without one."""
        for index, limit_w in enumerate(self.limits_w()):
            aim = IDLE_W if curve is None else min(curve.at(limit_w).draw_w * self._noise.at(now), limit_w)
            before = self._draw_w[index]
            self._draw_w[index] += (aim - before) * (min(seconds / self._lag_s, 1.0) if self._lag_s else 1.0)
            self._joules[index] += (before + self._draw_w[index]) / 2 * seconds
            self._celsius[index] += (35.0 + self._draw_w[index] / 10 - self._celsius[index]) * min(seconds / 20, 1.0)

    def write(self, curve: Curve | None) -> None:
        """Makes this the state."""
        lines: list[str] = []
        for index, limit_w in enumerate(self.limits_w()):
            clock = curve.at(limit_w).clock_mhz or 2500.0 if curve else 210.0
            lines += [
                f"gpu {index}",
                f"name NVIDIA GeForce {self._curve.hardware}",
                f"limit {self._curve.stock_limit_w * 1000:.0f}",
                f"limit_default {self._curve.stock_limit_w * 1000:.0f}",
                f"limit_min {self._curve.steps[0].limit_w * 1000:.0f}",
                f"limit_max {max(self._curve.steps[-1].limit_w, self._curve.stock_limit_w) * 1000:.0f}",
                f"power {self._draw_w[index] * 1000:.0f}",
                f"energy {self._joules[index] * 1000 + 1e6:.0f}",
                f"temperature {self._celsius[index]:.0f}",
                f"sm_clock {clock:.0f}",
                f"memory_clock {9501 if curve else 405}",
                f"utilization {99 if curve else 0}",
                f"reasons {_POWER_CAP if curve and curve.binds(limit_w) else 0 if curve else 1}",
                f"memory_used {14 << 30}",
                f"compute {self._pid} {13 << 30}",
                f"busy {self._pid} {99 if curve else 0}",
                *([f"error * {_LOST}"] if index in self.lost else []),
                *(["error SetPowerManagementLimit 4"] if self.forbidden else []),
            ]
        draft = self._state.with_name(self._state.name + ".draft")
        draft.write_text("\n".join(lines) + "\n")
        draft.replace(self._state)
