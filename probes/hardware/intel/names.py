"""What an Intel GPU is, by its PCI id.

Names: the PCI ID Repository. Families and which of them are integrated: include/drm/intel/pciids.h in Linux 7.0.
Architectures are called as the catalogue calls them.
"""

from msgspec import Struct

_NAMES = {
    "Arc A310": ("56a6",),
    "Arc A310E": ("56bb",),
    "Arc A350E": ("56bd",),
    "Arc A350M": ("5694",),
    "Arc A370E": ("56bc",),
    "Arc A370M": ("5693",),
    "Arc A380": ("56a5",),
    "Arc A380E": ("56ba",),
    "Arc A530M": ("5697",),
    "Arc A550M": ("5692",),
    "Arc A570M": ("5696",),
    "Arc A580": ("56a2",),
    "Arc A580E": ("56bf",),
    "Arc A730M": ("5691",),
    "Arc A750": ("56a1",),
    "Arc A750E": ("56be",),
    "Arc A770": ("56a0",),
    "Arc A770M": ("5690",),
    "Arc Pro A30M": ("56b0",),
    "Arc Pro A40/A50": ("56b1",),
    "Arc Pro A60": ("56b3",),
    "Arc Pro A60M": ("56b2",),
    "Arc B370": ("b081", "b083"),
    "Arc B390": ("b080", "b082"),
    "Arc B570": ("e20c",),
    "Arc B580": ("e20b",),
    "Arc Graphics": ("7d55",),
    "Arc Pro B370": ("b085", "b087"),
    "Arc Pro B390": ("b084", "b086"),
    "Arc Pro B50": ("e212",),
    "Arc Pro B60": ("e211",),
    "Arc Pro B65": ("e222",),
    "Arc Pro B70": ("e223",),
    "Data Center GPU Flex 140": ("56c1",),
    "Data Center GPU Flex 170": ("56c0",),
    "Data Center GPU Flex 170V": ("56c2",),
    "Data Center GPU Max 1100": ("0bd9", "0bda", "0bdb"),
    "Data Center GPU Max 1100C": ("0b6e",),
    "Data Center GPU Max 1350": ("0bd7", "0bd8"),
    "Data Center GPU Max 1450": ("0b69",),
    "Data Center GPU Max 1550": ("0bd5", "0bd6"),
    "Data Center GPU Max 1550VG": ("0bd4",),
    "Iris Xe Graphics": (
        *("46a6", "46a8", "46aa", "46b0", "46b1", "46b6", "46b8", "46ba", "46c1"),
        *("4908", "9a40", "9a49", "a7a0", "a7a1"),
    ),
    "Iris Xe MAX Graphics": ("4905",),
    "UHD Graphics 610": ("3e90", "3e93", "3e9c"),
    "UHD Graphics 620": ("5917",),
    "UHD Graphics 630": ("3e91", "3e92", "3e98", "3e9b", "9bc5", "9bc8"),
    "UHD Graphics 710": ("4693",),
    "UHD Graphics 730": ("4682", "4692", "4c8b"),
    "UHD Graphics 750": ("4c8a",),
    "UHD Graphics 770": ("4680", "4688", "4690", "a780"),
}
_BY_ID = {number: name for name, numbers in _NAMES.items() for number in numbers}
_BY_CORES = {
    "64a0": {7: "Arc 130V", 8: "Arc 140V"},
    "7d51": {7: "Arc 130T", 8: "Arc 140T"},
}
"""Products of one PCI id, told apart by their Xe cores (Intel's product data)."""
_FAMILIES = (
    ("Xe1", False, ("569", "56a", "56b", "56c")),
    ("Xe2", False, ("e2",)),
    ("Xe2", True, ("642", "64a", "64b")),
    ("Xe3", True, ("b08", "b09", "b0a", "b0b", "fd8")),
    ("Xe-HPC", False, ("0b6", "0bd", "0be")),
    ("Xe-LPG+", True, ("7d51", "7dd1")),
    ("Xe-LPG", True, ("7d", "b64")),
    ("Xe-LP", False, ("490",)),
    ("Xe-LP", True, ("9a", "4c8", "4c9", "46", "a7")),
)
"""Architecture, whether it is integrated, and how the ids begin; the longer beginnings first."""
_INTEGRATED_AT = "00:02.0"
"""Where every integrated GPU of Intel is on its bus."""


class IntelName(Struct, frozen=True, kw_only=True):
    """What can be told without asking the driver."""

    name: str
    architecture: str | None
    integrated: bool


def intel_name(pci_id: str | None, pci_address: str | None, cores: int | None = None) -> IntelName:
    """Of ids as "8086:56a0" and addresses as "0000:00:02.0"; `cores` are its Xe cores, where somebody counted them."""
    number = (pci_id or "").partition(":")[2]
    integrated = (pci_address or "").endswith(_INTEGRATED_AT)
    architecture = None
    for family, inside, beginnings in _FAMILIES:
        if number.startswith(beginnings):
            architecture, integrated = family, inside
            break
    name = _BY_CORES.get(number, {}).get(cores or 0) or _BY_ID.get(number)
    if name is None and number in _BY_CORES:
        name = "/".join(_BY_CORES[number].values()).replace("/Arc ", "/")
    if name is None:
        name = f"{'Graphics' if integrated else 'GPU'} {number}".rstrip()
    return IntelName(name=f"Intel {name}", architecture=architecture, integrated=integrated)
