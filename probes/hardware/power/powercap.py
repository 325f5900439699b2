"""The zones of the processor that Linux counts energy of and limits (RAPL).

Layout: Documentation/power/powercap/powercap.rst in Linux and drivers/powercap/intel_rapl_common.c.
`class/powercap/intel-rapl:N` is a top zone and `intel-rapl:N:M` a part of it, with N and M in hexadecimal. `name` is
"package-0", "package-0-die-1" where each die counts for itself, or "psys" ("psys-1"), the whole platform, which one
package of a machine counts. Parts are "core" and "uncore", which the package has counted already, and "dram", which
it has not. `intel-rapl-mmio:N` is the same package through other registers: its counter is the same, its limits are
further ones. AMD processors since Zen have a package and "core" under the same names, and no limits.
"""

import re
from pathlib import Path

from msgspec import Struct

from ..files import ROOT, read_number, read_text
from .energy_counter import Counter

PACKAGE_CEILING_W = 1_000.0
"""The largest packages are allowed 500 W (AMD EPYC 9965, Intel Xeon 6980P)."""
CLIENT_CEILING_W = 2_000.0
SERVER_CEILING_W = 20_000.0
"""Of the whole platform."""


class Zone(Struct, frozen=True):
    """One zone."""

    folder: Path
    name: str
    """"package-0", "dram", "psys"."""
    parent: str | None = None
    """The name of the zone that it is a part of."""


class Powercap(Struct, frozen=True, kw_only=True):
    """The zones of one machine, each that can be told from its duplicates."""

    packages: tuple[Zone, ...] = ()
    memories: tuple[Zone, ...] = ()
    platforms: tuple[Zone, ...] = ()
    mmio: tuple[Zone, ...] = ()
    hidden: bool = False
    """Whether the names of zones are there and their folders are not, as in a container that masks them."""


def powercap(root: Path = ROOT) -> Powercap:
    """Looks at the names of all zones: some files a package."""
    base = root / "sys/class/powercap"
    try:
        folders = sorted(path for path in base.iterdir() if path.name.startswith("intel-rapl") and ":" in path.name)
    except OSError:
        return Powercap()
    names = {folder: read_text(folder / "name") for folder in folders}
    tops = [Zone(folder, name) for folder in folders if (name := names[folder]) and folder.name.count(":") == 1]
    mmio = tuple(zone for zone in tops if "mmio" in zone.folder.name and zone.name.startswith("package"))
    packages = [zone for zone in tops if "mmio" not in zone.folder.name and zone.name.startswith("package")]
    if any("-die-" in zone.name for zone in packages) and _of_amd(root):
        packages = _one_a_package(packages)
    parents = {zone.folder.name: zone.name for zone in packages}
    memories = [
        Zone(folder, "dram", parents[parent])
        for folder in folders
        if (parent := folder.name.rpartition(":")[0]) in parents and names[folder] == "dram"
    ]
    return Powercap(
        packages=tuple(packages) or mmio,
        memories=tuple(memories),
        platforms=tuple(zone for zone in tops if zone.name.startswith("psys")),
        mmio=mmio if packages else (),
        hidden=bool(folders) and not any(names.values()),
    )


def counters(zones: tuple[Zone, ...], *, ceiling_w: float, restless: bool) -> tuple[Counter, ...]:
    """The energy counters of zones."""
    return tuple(
        Counter(
            file=zone.folder / "energy_uj",
            range_uj=read_number(zone.folder / "max_energy_range_uj") or None,
            ceiling_w=ceiling_w,
            restless=restless,
        )
        for zone in zones
    )


def _of_amd(root: Path) -> bool:
    """Whether each die shows the counter of its whole package.

    Linux 6.10 and 6.11 list one zone a die on AMD and Hygon, all of them the same register (mended since: see
    rapl_msrs_are_pkg_scope in intel_rapl_common.c).
    """
    text = read_text(root / "proc/cpuinfo") or ""
    return bool(re.search(r"^vendor_id\s*: *(AuthenticAMD|HygonGenuine)", text, re.MULTILINE))


def _one_a_package(zones: list[Zone]) -> list[Zone]:
    first = {zone.name.partition("-die-")[0]: zone for zone in reversed(zones)}
    return [zone for zone in zones if zone in first.values()]
