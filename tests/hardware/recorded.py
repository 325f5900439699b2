"""Machines as their files were found: tests/data/hardware/power, a line a file, `path = content`."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

_FOLDER = Path(__file__).parent.parent / "data/hardware/power"


class Machine:
    """A root with the files of one machine, and a clock."""

    def __init__(self, root: Path, name: str | None = None) -> None:
        self.root = root
        self.now = 5_000.0
        lines = (_FOLDER / f"{name}.txt").read_text("utf-8").splitlines() if name else []
        for line in lines:
            if line and not line.startswith("#"):
                path, _, content = line.partition(" =")
                self.put(path, content.strip().replace("\\n", "\n"))

    def clock(self) -> float:
        """Its time."""
        return self.now

    def put(self, path: str, content: str) -> Path:
        """Writes one file."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content + "\n", "utf-8")
        return file

    def pass_time(self, seconds: float, **joules: float) -> None:
        """Lets time go by; `joules` are spent by zones, named as `z0`, `z0_1`, `z1`, `mmio0`."""
        self.now += seconds
        for zone, spent in joules.items():
            name = zone.replace("mmio", "intel-rapl-mmio:").replace("z", "intel-rapl:").replace("_", ":")
            folder = self.root / "sys/class/powercap" / name
            spent_uj = round(spent * 1e6)
            range_uj = int((folder / "max_energy_range_uj").read_text())
            energy_uj = int((folder / "energy_uj").read_text())
            # The counter says its range at most, then 0 (Documentation/power/powercap/powercap.rst).
            (folder / "energy_uj").write_text(f"{(energy_uj + spent_uj) % range_uj}\n")


class Told(Protocol):
    """What tells watts and joules."""

    @property
    def power_w(self) -> float | None:
        """Watts."""

    @property
    def energy_j(self) -> float | None:
        """Joules."""


def told(found: Told) -> tuple[float | None, float | None]:
    """Watts and joules, to the millionth."""
    return _rounded(found.power_w), _rounded(found.energy_j)


def forbidding(*names: str, read: Callable[..., str] = Path.read_text) -> Callable[..., str]:
    """`read` for everybody but root: tests may run as root, whom no mode keeps out."""

    def guarded(path: Path, *arguments: str) -> str:
        if path.name in names:
            raise PermissionError(13, "Permission denied", str(path))
        return read(path, *arguments)

    return guarded


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
