"""CPU power from trees that look like `sys/class/powercap`."""

from collections.abc import Callable
from pathlib import Path

import pytest
from llmtop.probes.hardware.power.rapl import Rapl

RANGE_UJ = 262_143_328_850


class Powercap:
    """A root with package zones, and a clock."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.now = 50.0

    def zone(self, name: str, kind: str, energy_uj: int) -> Path:
        """Writes a zone and returns its folder."""
        folder = self.root / "sys/class/powercap" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "name").write_text(kind + "\n")
        (folder / "max_energy_range_uj").write_text(f"{RANGE_UJ}\n")
        (folder / "energy_uj").write_text(f"{energy_uj}\n")
        return folder

    def rapl(self) -> Rapl:
        """A reader of it."""
        return Rapl(self.root, lambda: self.now)


@pytest.fixture
def powercap(tmp_path: Path) -> Powercap:
    return Powercap(tmp_path)


def test_absence_is_quiet(powercap: Powercap) -> None:
    rapl = powercap.rapl()
    for _ in range(2):
        assert rapl.read() is None
        assert rapl.problem is None
        powercap.now += 1


def test_packages_are_summed_and_other_zones_are_not(powercap: Powercap) -> None:
    def spend(joules: float) -> None:
        microjoules = int(joules * 1e6)
        powercap.zone("intel-rapl:0", "package-0", 1000 + microjoules)
        powercap.zone("intel-rapl:1", "package-1", 9000 + microjoules)
        powercap.zone("intel-rapl:2", "psys", microjoules * 7)
        powercap.zone("intel-rapl:0:0", "core", microjoules * 5)
        powercap.zone("intel-rapl-mmio:0", "package-0", microjoules)

    rapl = powercap.rapl()
    spend(0)
    assert rapl.read() is None
    spend(120)
    powercap.now += 2
    assert rapl.read() == pytest.approx(120)


def test_counter_starts_again(powercap: Powercap) -> None:
    rapl = powercap.rapl()
    powercap.zone("intel-rapl:0", "package-0", RANGE_UJ - 10_000_000)
    rapl.read()
    powercap.zone("intel-rapl:0", "package-0", 20_000_000)
    powercap.now += 1
    assert rapl.read() == pytest.approx(30)


def test_two_readings_at_once_give_the_last_power(powercap: Powercap) -> None:
    rapl = powercap.rapl()
    powercap.zone("intel-rapl:0", "package-0", 0)
    rapl.read()
    powercap.zone("intel-rapl:0", "package-0", 40_000_000)
    powercap.now += 1
    assert rapl.read() == pytest.approx(40)
    powercap.now += 0.001
    assert rapl.read() == pytest.approx(40)


def test_forbidden_file_is_named_with_its_remedy(
    powercap: Powercap,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = powercap.zone("intel-rapl:0", "package-0", 0)
    rapl = powercap.rapl()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", forbidding("energy_uj", Path.read_text))
        assert rapl.read() is None
    assert rapl.problem
    assert "\n" not in rapl.problem
    assert str(folder / "energy_uj") in rapl.problem
    assert f"sudo chmod a+r {folder.parent}/intel-rapl:*/energy_uj" in rapl.problem
    powercap.now += 1
    assert rapl.read() is None
    assert rapl.problem is None
    powercap.zone("intel-rapl:0", "package-0", 5_000_000)
    powercap.now += 1
    assert rapl.read() == pytest.approx(5)


def forbidding(name: str, read: Callable[..., str]) -> Callable[..., str]:
    """`read` for everybody but root: tests may run as root, whom no mode keeps out."""

    def guarded(path: Path, *arguments: str) -> str:
        if path.name == name:
            raise PermissionError(13, "Permission denied", str(path))
        return read(path, *arguments)

    return guarded


def test_zone_that_vanishes_and_comes_back(powercap: Powercap) -> None:
    rapl = powercap.rapl()
    folder = powercap.zone("intel-rapl:0", "package-0", 0)
    rapl.read()
    (folder / "energy_uj").unlink()
    powercap.now += 1
    assert rapl.read() is None
    assert rapl.problem is None
    powercap.zone("intel-rapl:0", "package-0", 70_000_000)
    powercap.now += 1
    assert rapl.read() is None, "what was spent in the hole is not known"
    powercap.zone("intel-rapl:0", "package-0", 75_000_000)
    powercap.now += 1
    assert rapl.read() == pytest.approx(5)


@pytest.mark.parametrize("text", ["", "not a number", "12 13"])
def test_damaged_counter_is_quiet(powercap: Powercap, text: str) -> None:
    folder = powercap.zone("intel-rapl:0", "package-0", 0)
    (folder / "energy_uj").write_text(text)
    rapl = powercap.rapl()
    assert rapl.read() is None
    assert rapl.problem is None
