"""A measured memory bandwidth, kept per machine from one run to the next."""

import os
from pathlib import Path

import psutil
from msgspec import DecodeError, Struct, ValidationError
from msgspec.json import decode, encode
from msgspec.json import format as indented

from .cpu_facts import cpu_facts, machine_words

RESTLESS = 0.1
"""Spread above which a measurement is not trusted: a quiet machine stays below 5 %."""


class Measurement(Struct, frozen=True, kw_only=True):
    """What the main memory of one machine sustained. GB/s are 1e9 bytes a second, as the kernels name them."""

    machine: str
    """Tells machines apart without naming them: see `machine_key`."""
    date: str
    """ISO 8601, UTC."""
    kernels_gbs: dict[str, float]
    """The best window of each kernel: read (1 stream), copy (2), add (3)."""
    best_gbs: float
    """The best sustained reading, for decoding reads. Copy and add may be higher: writes have a way of their own."""
    spread: float
    """(p90 - p10) / median over the last windows of reading."""
    threads: int
    """With which reading was fastest."""
    buffer_bytes: int
    """All buffers together."""
    seconds: float
    """How long the whole measurement took."""
    gemm_tflops: float
    """float32 matrix product, all threads."""

    @property
    def restless(self) -> bool:
        """Whether other work took so much of the machine that the figure is likely too low."""
        return self.spread > RESTLESS


def machine_key() -> str:
    """A fingerprint that survives a new host name and a kernel that takes some memory more."""
    memory_gib = round(psutil.virtual_memory().total / (1 << 30))
    return f"{machine_words(cpu_facts())} x{psutil.cpu_count()} {memory_gib} GiB"


def cache_file() -> Path:
    """Where the measurement of this user is kept."""
    from platformdirs import user_cache_path  # noqa: PLC0415 - only who looks for the file pays for it

    return user_cache_path("llmtop") / "bandwidth.json"


def load(path: Path | None = None) -> Measurement | None:
    """The measurement of this machine; None when there is none, or it is damaged or another machine's."""
    try:
        found = decode((path or cache_file()).read_bytes(), type=Measurement)
    except (OSError, DecodeError, ValidationError):
        return None
    return found if found.machine == machine_key() and found.best_gbs > 0 else None


def save(measurement: Measurement, path: Path | None = None) -> Path:
    """Writes it whole or not at all, and returns where.

    Raises:
        OSError: The folder cannot be written.
    """
    path = path or cache_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_bytes(indented(encode(measurement), indent=2) + b"\n")
    return draft.replace(path)


class CachedMeasurement:
    """Looks at the file again only when it has changed: a reading costs one `stat`."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._value: Measurement | None = None

    def read(self) -> Measurement | None:
        """What `load` says of the file as it is now."""
        self._path = self._path or cache_file()
        try:
            status = self._path.stat()
        except OSError:
            self._stamp = self._value = None
            return None
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp != self._stamp:
            self._stamp, self._value = stamp, load(self._path)
        return self._value
