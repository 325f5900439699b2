"""A power limit that can be set: what every writer offers."""

from typing import Literal, Protocol

from msgspec import Struct


class Address(Struct, frozen=True, kw_only=True):
    """What finds a limit again, from another process and after a restart of the machine."""

    kind: Literal["nvml", "file"]
    at: str
    """The UUID of the GPU; else the file, by the path of the device it belongs to."""


class LimitError(Exception):
    """A limit could not be read or set; the text is one line for a person: what, where, and what to do."""


class Forbidden(LimitError):
    """This user may not set it."""


class Vanished(LimitError):
    """The device is gone, or does not answer."""


class Limit(Protocol):
    """One power limit of one device. One thread at a time may use it."""

    address: Address
    device: str
    """The id of its device: "nvidia0"."""
    name: str
    """The device and, where it has several, the limit, for a person: "RTX 4090", "EPYC 9354 package 1"."""
    min_w: float | None
    max_w: float | None
    default_w: float | None

    def read(self) -> float:
        """The limit in watts, as the device tells it now.

        Raises:
            Vanished: the device is gone.
            LimitError: it cannot be read.
        """
        ...

    def write(self, watts: float) -> float:
        """Sets the limit, and returns what the device says it is now: drivers round, and some refuse in silence.

        Raises:
            Forbidden: this user may not.
            Vanished: the device is gone.
            LimitError: it is outside the range that the vendor allows, or the device took another value.
        """
        ...

    def command(self, watts: float) -> str:
        """What a person types to set it: "sudo nvidia-smi -i 0 -pl 350"."""
        ...
