"""What copying inside a GPU's memory reached, kept per GPU from one run to the next."""

import re
from collections.abc import Callable
from pathlib import Path

from msgspec import DecodeError, Struct, ValidationError
from msgspec.json import decode
from msgspec.structs import replace

from ...sample import Bandwidth
from .measurement import RESTLESS, CachedFile, cache_file, write


class DeviceMeasurement(Struct, frozen=True, kw_only=True):
    """What the memory of one GPU sustained. GB/s are 1e9 bytes a second."""

    uuid: str
    """The GPU's own, or of one instance of it."""
    name: str
    date: str
    """ISO 8601, UTC."""
    copy_gbs: float
    """The best window of copies from the memory into itself: each byte counts twice, as it is read and written.

    Decoding mostly reads. The bus of a memory loses time when it turns round between reading and writing, so that a
    kernel that only reads may reach somewhat more than a copy: this is what software has reached on this very GPU, and
    the peak on paper stays the roof.
    """
    spread: float
    """(p90 - p10) / median over the windows."""
    buffer_bytes: int
    """Both buffers together."""
    seconds: float
    """How long the copies took, with warming up."""
    driver: str | None = None

    @property
    def restless(self) -> bool:
        """Whether other work took so much of the GPU that the figure is likely too low."""
        return self.spread > RESTLESS


def with_measured(known: Bandwidth, measurement: DeviceMeasurement | None) -> Bandwidth:
    """The figures of a GPU with the measured one and its origin; the peak stays."""
    if measurement is None:
        return known
    words = f"measured {measurement.date[:10]}: device-to-device copy, spread {measurement.spread:.0%}"
    basis = f"{known.basis}; {words}" if known.basis else words
    return replace(known, measured=measurement.copy_gbs, basis=basis)


def device_file(uuid: str, folder: Path | None = None) -> Path:
    """Where the measurement of one GPU is kept: beside the CPU's."""
    name = re.sub(r"[^0-9A-Za-z-]", "_", uuid)[:100]
    return (folder or cache_file().parent) / f"bandwidth-{name}.json"


def save_device(measurement: DeviceMeasurement, folder: Path | None = None) -> Path:
    """Writes it whole or not at all, and returns where.

    Raises:
        OSError: The folder cannot be written.
    """
    return write(measurement, device_file(measurement.uuid, folder))


class DeviceMeasurements:
    """The newest measurement of each GPU; a reading costs one `stat`."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` holds the files; None means the user's own."""
        self._folder = folder
        self._files: dict[str, CachedFile[DeviceMeasurement]] = {}

    def read(self, uuid: str | None) -> DeviceMeasurement | None:
        """None when there is none, or it is damaged or another GPU's."""
        if uuid is None:
            return None
        if uuid not in self._files:
            self._files[uuid] = CachedFile(lambda: device_file(uuid, self._folder), _loader(uuid))
        return self._files[uuid].read()


def _loader(uuid: str) -> Callable[[Path], DeviceMeasurement | None]:
    def load(path: Path) -> DeviceMeasurement | None:
        try:
            found = decode(path.read_bytes(), type=DeviceMeasurement)
        except (OSError, DecodeError, ValidationError):
            return None
        return found if found.uuid == uuid and found.copy_gbs > 0 else None

    return load
