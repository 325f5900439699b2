"""A limit by its address."""

from .contract import Limit
from .file import FileLimit
from .journal import Entry
from .nvml import NvmlLimit


def opened(entry: Entry) -> Limit:
    """The limit that a journal tells of, in another process than the one that wrote it."""
    kind = NvmlLimit if entry.address.kind == "nvml" else FileLimit
    return kind(entry.address.at, entry.device, entry.name)
