"""What a laptop draws from its battery.

Layout: Documentation/ABI/testing/sysfs-class-power in Linux. `uevent` holds all properties of a supply at once, so the
embedded controller is asked once: microwatts in POWER_NOW, or microamperes and microvolts.
"""

from pathlib import Path

from ..entries import entries
from ..files import ROOT, read_text

_MOST_W = 1_000.0


def battery_power_w(root: Path = ROOT) -> float | None:
    """Watts of the whole machine while it runs on battery alone; None otherwise, and when the battery does not tell.

    With the adapter plugged in a battery may still be emptied: the rest comes from the wall, and nobody counts it.
    """
    drawn: list[float | None] = []
    for folder in entries(root / "sys/class/power_supply", "*"):
        facts = _facts(folder)
        kind = facts.get("TYPE") or read_text(folder / "type")
        if kind in {"Mains", "USB", "Wireless"} and facts.get("ONLINE", "0") != "0":
            return None
        if kind == "Battery" and facts.get("SCOPE") != "Device" and facts.get("STATUS") == "Discharging":
            drawn.append(_power_w(facts))
    # Of two batteries one rests at 0 while the other is emptied, and both may say that they are.
    known = [watts for watts in drawn if watts]
    return sum(known) if known and None not in drawn else None


def _facts(folder: Path) -> dict[str, str]:
    lines = (read_text(folder / "uevent") or "").splitlines()
    pairs = (line.removeprefix("POWER_SUPPLY_").partition("=") for line in lines)
    return {name: value for name, _, value in pairs}


def _power_w(facts: dict[str, str]) -> float | None:
    """Some drivers count what leaves the battery as negative."""
    try:
        if "POWER_NOW" in facts:
            watts = abs(int(facts["POWER_NOW"])) / 1e6
        else:
            watts = abs(int(facts["CURRENT_NOW"])) * int(facts["VOLTAGE_NOW"]) / 1e12
    except (KeyError, ValueError):
        return None
    return watts if watts <= _MOST_W else None
