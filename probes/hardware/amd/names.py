"""What AMD GPUs are called."""

from pathlib import Path

from ..drm.card import DrmCard
from ..files import read_text

_LISTS = ("usr/share/libdrm", "usr/local/share/libdrm", "opt/amdgpu/share/libdrm")
"""Where libdrm's list of names may be: "744C,	C8,	AMD Radeon RX 7900 XTX", by device and revision."""


def amd_names(root: Path) -> dict[tuple[str, int], str]:
    """Names by PCI id, as "1002:744c", and revision; empty where libdrm is not installed."""
    texts = (read_text(root / folder / "amdgpu.ids") for folder in _LISTS)
    found: dict[tuple[str, int], str] = {}
    for line in next(filter(None, texts), "").splitlines():
        parts = [part.strip() for part in line.split(",", 2)]
        if len(parts) == 3 and not line.startswith("#"):
            try:
                found.setdefault((f"1002:{int(parts[0], 16):04x}", int(parts[1], 16)), parts[2])
            except ValueError:
                continue
    return found


def amd_name(card: DrmCard, names: dict[tuple[str, int], str]) -> str:
    """What the card says of itself (Instinct and PRO cards), what libdrm calls it, or what it is on the bus."""
    own = read_text(card.folder / "product_name")
    if own and own.isprintable():
        return own if own.casefold().startswith("amd") else f"AMD {own}"
    listed = names.get((card.pci_id or "", card.revision or 0))
    if listed:
        return listed if listed.startswith("AMD") else f"AMD {listed}"
    return f"AMD GPU {card.pci_id}" if card.pci_id else "AMD GPU"
