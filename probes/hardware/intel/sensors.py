"""Energy, temperatures and power limits of Intel's discrete cards; integrated GPUs have none of these.

Layout: Documentation/ABI/testing/sysfs-driver-intel-i915-hwmon and sysfs-driver-intel-xe-hwmon in Linux. i915 has one
channel. xe has two, which `*_label` names: 1 is "card", 2 is "pkg", the GPU itself; which of them a card has depends on
card and kernel. `energyN_input` are microjoules; the driver adds up a register of 32 bits, so that its own count starts
again after centuries, and from 0 with the driver. Neither driver tells watts. `powerN_max` is the sustained limit and
`powerN_max_interval` the milliseconds that it is held against, `powerN_cap` the same for bursts, `powerN_crit` for
peaks; a limit of 0 is switched off. `tempN_label` is "pkg", "vram"…; the one of i915 has no label.
"""

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from ...sample import PowerLimit
from ..entries import entries
from ..files import read_measure, read_number, read_text, writable
from ..power.energy_counter import Counter, EnergyMeter

_CEILING_W = 1_200.0
"""Twice what the largest card may draw (Data Center GPU Max 1550)."""
_MOST_W, _LONGEST_S = 10_000.0, 3_600.0
"""Beyond what any limit says, for peaks as well."""
_LIMITS = (("max", "long term"), ("cap", "short term"), ("crit", "peak"))
_LIMITS_S = 10.0
"""Seconds between two looks at the limits: each asks the card's firmware, and somebody changes them now and then."""
_CHANNELS = {"1": "card", "2": "package"}
_WORDS = {"pkg": "package"}


class Sensed(Struct, frozen=True, kw_only=True):
    """One reading."""

    power_w: float | None = None
    energy_j: float | None = None
    temperature_c: float | None = None
    memory_temperature_c: float | None = None
    limits: tuple[PowerLimit, ...] = ()
    limit: PowerLimit | None = None
    """The one that people know the card by."""
    forbidden: Path | None = None
    """A counter that this user may not read."""


class IntelSensors:
    """Finds the sensors of one card once, then reads them."""

    def __init__(self, device: Path, driver: str, clock: Callable[[], float]) -> None:
        self._folder = _folder(device, driver)
        self._driver = driver
        self._clock = clock
        self._meter = EnergyMeter(clock)
        self._counter, self.counts = _energy(self._folder)
        self._package, self._vram = _temperatures(self._folder)
        self._limits: tuple[PowerLimit, ...] = ()
        self._limits_due = float("-inf")

    @property
    def has_temperature(self) -> bool:
        """Whether this kernel tells any."""
        return self._package is not None

    def begin_anew(self) -> None:
        """Forgets the count: the register may have been reset, as it is when a card slept."""
        self._meter = EnergyMeter(self._clock)

    def read(self) -> Sensed:
        """One reading. The power is that since the previous one."""
        spent = self._meter.read(self._counter)
        now = self._clock()
        if now >= self._limits_due:
            self._limits_due = now + _LIMITS_S
            self._limits = tuple(_limits(self._folder, self._driver))
        return Sensed(
            power_w=spent.power_w,
            energy_j=spent.energy_j,
            temperature_c=_degrees(self._package),
            memory_temperature_c=_degrees(self._vram),
            limits=self._limits,
            limit=self._known_limit(),
            forbidden=self._meter.forbidden,
        )

    def _known_limit(self) -> PowerLimit | None:
        """The sustained one, of what the energy is counted of if that has one."""
        lasting = [limit for limit in self._limits if limit.name.endswith("long term") and limit.value_w is not None]
        same = [limit for limit in lasting if limit.name.startswith(self.counts or "")]
        return next(iter(same or lasting), None)


def _folder(device: Path, driver: str) -> Path | None:
    """That of the whole card; i915 may have others for its parts ("i915_gt0")."""
    folders = entries(device / "hwmon", "hwmon*")
    return next((folder for folder in folders if read_text(folder / "name") == driver), None)


def _channels(folder: Path | None, pattern: str) -> dict[str, tuple[str, Path]]:
    """Files by what they measure: channel and path."""
    found: dict[str, tuple[str, Path]] = {}
    for file in entries(folder, pattern) if folder else ():
        stem = file.name.partition("_")[0]
        number = stem.lstrip("abcdefghijklmnopqrstuvwxyz")
        label = read_text(file.with_name(f"{stem}_label"))
        found.setdefault(_WORDS.get(label or "", label or _CHANNELS.get(number, number)), (number, file))
    return found


def _energy(folder: Path | None) -> tuple[tuple[Counter, ...], str | None]:
    """The counter of the whole card, else that of the package, and which of them it is."""
    found = _channels(folder, "energy*_input")
    for of in ("card", "package"):
        if of in found:
            return (Counter(file=found[of][1], ceiling_w=_CEILING_W),), of
    return (), None


def _temperatures(folder: Path | None) -> tuple[Path | None, Path | None]:
    """Of the GPU and of its memory."""
    found = {of: file for of, (_, file) in _channels(folder, "temp*_input").items()}
    return found.get("package") or found.get("card"), found.get("vram")


def _degrees(file: Path | None) -> float | None:
    value = read_number(file) if file else None
    return value / 1000 if value is not None and -50_000 < value < 150_000 and value else None


def _limits(folder: Path | None, driver: str) -> list[PowerLimit]:
    """All limits, of the card first; no value where one is switched off. Only xe tells a bound: what is rated."""
    found: list[PowerLimit] = []
    for of in _CHANNELS.values():
        for kind, words in _LIMITS:
            channel = _channels(folder, f"power*_{kind}").get(of)
            if channel is None:
                continue
            number, file = channel
            rated = file.with_name(f"power{number}_rated_max")
            rated_w = read_measure(rated, 1e6, _MOST_W) if kind == "max" else None
            window = file.with_name(f"power{number}_{kind}_interval")
            found.append(
                PowerLimit(
                    name=f"{of} {words}",
                    value_w=read_measure(file, 1e6, _MOST_W) or None,
                    max_w=(rated_w or None) if driver == "xe" else None,
                    default_w=rated_w or None,
                    window_s=read_measure(window, 1e3, _LONGEST_S) or None,
                    writable=writable(file),
                    where=str(file),
                )
            )
    return found
