"""What a limit of any kind is called, and what its vendor allows."""

from typing import ClassVar, Literal

from .contract import Address


class Named:
    """The part of a `Limit` that is known before a driver is asked."""

    KIND: ClassVar[Literal["nvml", "file"]]

    def __init__(
        self,
        at: str,
        device: str,
        name: str,
        *,
        min_w: float | None = None,
        max_w: float | None = None,
        default_w: float | None = None,
    ) -> None:
        """See `Address` and `Limit`."""
        self.address = Address(kind=self.KIND, at=at)
        self.device = device
        self.name = name
        self.min_w = min_w
        self.max_w = max_w
        self.default_w = default_w

    def allow(self, min_w: float, max_w: float) -> None:
        """The range that the driver tells now."""
        self.min_w, self.max_w = min_w, max_w
