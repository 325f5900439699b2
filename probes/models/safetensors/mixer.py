"""What moves information between the tokens in one layer: attention, or what stands in its place."""

from msgspec import Struct


class Mixer(Struct, frozen=True, kw_only=True):
    """What it comes to."""

    parameters: int
    width: int = 0
    """Query heads x head dimension; 0 where it looks back over no cache."""
    cached: int = 0
    """Elements that a token leaves in its cache."""
    window: int | None = None
    """Tokens that it looks back over; None for all."""
    state: int = 0
    """Elements that one stream keeps, however long it is."""
