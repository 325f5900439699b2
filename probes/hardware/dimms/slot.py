"""A place for memory, as whoever knows of it tells it."""

from msgspec import Struct


class MemorySlot(Struct, frozen=True, kw_only=True):
    """One slot, or one soldered chip."""

    device: str
    """Its name in the firmware: "DIMM_A1", "PROC 1 DIMM 3"."""
    bank: str = ""
    """The firmware's second name: "BANK 0", "P0 CHANNEL A"."""
    size_bytes: int | None = None
    """0 when it is empty; None when there is something of unknown size."""
    type: str | None = None
    """"DDR5", "LPDDR5"."""
    mts: int | None = None
    """Mega-transfers a second, as configured."""
    rated_mts: int | None = None
    """What the module says it can do without overclocking; with it, on some boards."""
    bits: int = 0
    """Width of its data, 0 when it is not told."""
    module: bool = True
    """Whether it can be taken out (DIMM, SODIMM), so that an empty one can be filled."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it."""
        return self.size_bytes == 0

    @property
    def speed_mts(self) -> int | None:
        """As configured, else as rated."""
        return self.mts or self.rated_mts

    @property
    def width_bits(self) -> int:
        """Data bits a transfer. A module is 64 wide, also where DDR5's two halves of 32 are told (JESD79-5)."""
        if self.module or not 0 < self.bits <= 64:
            return 64
        return self.bits
