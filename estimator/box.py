"""The power of the whole machine: from a sensor that tells it, else the sum of the devices that tell theirs."""

from collections.abc import Iterable, Sequence

from ..probes.sample import Device, Host
from .energy import Energy, Method
from .snapshot import BoxPower, Price

JOULES_PER_KWH = 3.6e6


class Box:
    """Sums up one machine. While a sensor of the whole machine tells, the devices are not added."""

    def __init__(self, price: Price | None = None) -> None:
        self.energies: dict[str, Energy] = {}
        """By device; an instance of a GPU has none of its own."""
        self._price = price
        self._host = Energy()
        self._whole = False
        """Whether the sensor of the whole machine told something when it was last read."""
        self._joules = self._host_gap_s = 0.0
        self._gaps: dict[str, float] = {}
        """By device, in the time in which the devices were added."""
        self._since: float | None = None
        self._until = 0.0

    def add_host(self, time: float, period: float, host: Host) -> None:
        """Takes one reading of the machine."""
        told = host.power_w is not None or host.energy_j is not None
        if self._whole and not told:  # a laptop that is plugged in again: from here on the devices are added
            self._host_gap_s += time - (self._host.time or time)
            self._host.forget()
        self._whole = told
        piece = self._host.add(time, period, host.power_w, host.energy_j)
        self._joules += piece.joules
        self._host_gap_s += piece.gap_s
        if told:
            self._span(time)

    def add_devices(self, time: float, period: float, read: Iterable[Device], devices: Sequence[Device]) -> None:
        """Takes one reading of some devices; `devices` are all that the machine has."""
        whole = {device.id: device for device in read if device.parent is None}
        for device in whole.values():
            self.energies.setdefault(device.id, Energy())
        pieces = {
            name: self.energies[name].add(time, period, device.power_w, device.energy_j)
            for name, device in whole.items()
        }
        for device in () if self._whole else self._counted(devices):
            piece = pieces.get(device.id)
            if piece is not None:
                self._joules += piece.joules
                self._gaps[device.id] = self._gaps.get(device.id, 0.0) + piece.gap_s
                self._span(self.energies[device.id].time or time)

    def spent(self, device: Device) -> float | None:
        """Joules of one device in the time in which they are known."""
        energy = self.energies.get(device.id)
        return energy.joules if energy is not None and energy.seconds else None

    def power(self, now: float, host: Host | None, devices: Sequence[Device]) -> BoxPower:
        """What is known by now; a device that is silent has no power in `devices`."""
        counted = self._counted(devices)
        parts = [self._host] if self._whole else [self.energies[device.id] for device in counted]
        late = max((part.open_s(now) for part in parts), default=0.0)
        gap = self._host_gap_s + max((self._gaps.get(device.id, 0.0) for device in counted), default=0.0) + late
        elapsed = (now if late else self._until) - self._since if self._since is not None else 0.0
        methods: set[Method] = {part.method for part in parts if part.method}
        known = self._joules > 0.0 or bool(methods)
        kwh = self._joules / JOULES_PER_KWH if known else None
        watts, basis = self._now(now, host, devices, counted)
        return BoxPower(
            power_w=watts,
            basis=basis,
            energy_j=self._joules if known else None,
            energy_basis=methods.pop() if len(methods) == 1 else "mixed" if methods else None,
            kwh=kwh,
            seconds=max(elapsed - gap, 0.0),
            gap_s=gap,
            cost=kwh * self._price.per_kwh if self._price and kwh is not None else None,
            price=self._price.per_kwh if self._price else None,
            currency=self._price.currency if self._price else None,
        )

    def _span(self, time: float) -> None:
        self._since = time if self._since is None else self._since
        self._until = max(self._until, time)

    def _counted(self, devices: Sequence[Device]) -> list[Device]:
        """The devices that have told power, each watt in one of them only: no part of a device, and no chip twice."""
        telling = [device for device in devices if self._tells(device)]
        if any(device.kind == "apple" for device in telling):
            return [device for device in telling if device.kind != "cpu"]
        return [device for device in telling if not _within(device, telling)]

    def _tells(self, device: Device) -> bool:
        energy = self.energies.get(device.id)
        return energy is not None and energy.time is not None

    def _now(
        self, now: float, host: Host | None, devices: Sequence[Device], counted: Sequence[Device]
    ) -> tuple[float | None, str | None]:
        """Watts, and what is in them."""
        if host and host.power_w is not None and not self._host.open_s(now):
            return (
                host.power_w,
                f"the whole machine ({host.power_source})" if host.power_source else "the whole machine",
            )
        watts = [device.power_w for device in counted if device.power_w is not None]
        return (sum(watts), _words(devices, counted)) if watts else (None, None)


def _words(devices: Sequence[Device], counted: Sequence[Device]) -> str:
    """What is in the sum, and what is not."""
    told = [device.kind for device in counted if device.power_w is not None]
    boards = [device for device in devices if device.kind == "gpu" and device.parent is None]
    number, most = told.count("gpu"), sum(not _within(device, counted) for device in boards)
    gpus = "" if not number else "the GPU" if most == 1 else f"{number}{f' of {most}' if number < most else ''} GPUs"
    chip = "the chip" if "apple" in told else "the CPU package" if "cpu" in told else ""
    rest = "disks, fans, mainboard" if chip else "the CPU, disks, fans, mainboard"
    return f"{' and '.join(filter(None, (gpus, chip)))}; not {rest}"


def _within(device: Device, others: Sequence[Device]) -> bool:
    """Whether it is a GPU on the die of a CPU whose package tells its power: it is in there already."""
    if device.kind != "gpu" or not device.unified_memory:
        return False
    return any(other.kind == "cpu" and other.vendor == device.vendor for other in others)
