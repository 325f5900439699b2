"""A measured memory bandwidth, kept per machine from one run to the next."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

import psutil
from msgspec import DecodeError, Struct, ValidationError
from msgspec.json import decode, encode
from msgspec.json import format as indented

from ..cpu.facts import cpu_facts, machine_words
from ..host.cgroup import usable_cores
from .other_work import disturbing

RESTLESS = 0.1
"""Spread above which a measurement is not trusted: a quiet machine stays below 5 %."""

Kept = TypeVar("Kept")


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
    """(p90 - p10) / median over the windows of the fastest reading, which lie at three moments of the measurement."""
    threads: int
    """With which reading was fastest."""
    buffer_bytes: int
    """All buffers together."""
    seconds: float
    """How long the whole measurement took."""
    gemm_tflops: float
    """float32 matrix product, all threads."""
    other_work: float | None = None
    """Share of all processors' time that other processes had meanwhile, 0-1; None where it was not looked at."""
    stolen: float | None = None
    """The same, that the host of a virtual machine gave to others."""

    @property
    def restless(self) -> bool:
        """Whether other work took so much of the machine that the figure is likely too low."""
        return self.spread > RESTLESS or (self.other_work or 0.0) + (self.stolen or 0.0) > disturbing()

    @property
    def remark(self) -> str | None:
        """One line when the machine was not quiet: what took it, and what to do."""
        if not self.restless:
            return None
        others = ((self.other_work, "other work took"), (self.stolen, "other virtual machines took"))
        parts = [f"{words} {share:.0%} of the CPU" for share, words in others if share and share >= 0.01]
        if not parts and self.other_work is not None:
            return (
                f"the memory was not equally fast throughout (spread {self.spread:.0%}) though nobody else worked: "
                "heat, clocks, or the host of a virtual machine may be why: measure again for a better figure"
            )
        parts.append(f"spread {self.spread:.0%}")
        return f"the machine was not quiet ({', '.join(parts)}): measure again for a better figure"

    def differs(self, known: "Measurement") -> str | None:
        """One line when both were quiet and are far apart all the same: each may be right for its time.

        A virtual machine whose host moves its processors between chiplets is such a case. On an EPYC 9005 two of them
        read 48 to 53 GB/s together while they share a chiplet's link to the memory, and 80 to 88 on two chiplets.
        """
        if self.restless or known.restless or abs(self.best_gbs / known.best_gbs - 1) <= RESTLESS:
            return None
        return (
            f"{self.best_gbs:.1f} GB/s now, {known.best_gbs:.1f} GB/s on {known.date[:10]}, both while it was quiet: "
            "clocks, the power plan, or in a virtual machine its place on the host may have changed"
        )

    def outlasts(self, newer: "Measurement") -> bool:
        """Whether this one tells more than a newer one: others' work lowers a figure, and spoilt only the newer."""
        return newer.restless and not self.restless and newer.best_gbs < self.best_gbs


def machine_key() -> str:
    """A fingerprint that survives a new host name and a kernel that takes some memory more.

    What a part of the processors reaches is not what all of them reach: a limit on them belongs to it.
    """
    memory_gib = round(psutil.virtual_memory().total / (1 << 30))
    threads, usable = psutil.cpu_count() or 1, usable_cores()
    limit = f", {usable:g} usable" if usable and usable < threads else ""
    return f"{machine_words(cpu_facts())} x{threads} {memory_gib} GiB{limit}"


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
    return write(measurement, path or cache_file())


def write(what: Struct, path: Path) -> Path:
    """Writes a structure as JSON, whole or not at all.

    Raises:
        OSError: The folder cannot be written, or the disk is full; `filename` says where.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(indented(encode(what), indent=2) + b"\n")
        return draft.replace(path)
    except OSError as error:  # a full disk is told of without a name
        raise OSError(error.errno, error.strerror, error.filename or str(path)) from None
    finally:
        with suppress(OSError):
            draft.unlink()


class CachedFile(Generic[Kept]):
    """Looks into a file again only when it has changed: a reading costs one `stat`."""

    def __init__(self, path: Callable[[], Path], load: Callable[[Path], Kept | None]) -> None:
        """`path` is asked for once, at the first reading."""
        self._where = path
        self._load = load
        self._path: Path | None = None
        self._stamp: tuple[int, int] | None = None
        self._value: Kept | None = None

    def read(self) -> Kept | None:
        """What `load` says of the file as it is now."""
        self._path = self._path or self._where()
        try:
            status = self._path.stat()
        except OSError:
            self._stamp = self._value = None
            return None
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp != self._stamp:
            self._stamp, self._value = stamp, self._load(self._path)
        return self._value


class CachedMeasurement(CachedFile[Measurement]):
    """The measurement of the main memory; a reading costs one `stat`."""

    def __init__(self, path: Path | None = None) -> None:
        super().__init__(lambda: path or cache_file(), load)
