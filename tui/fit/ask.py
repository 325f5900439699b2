"""The question of the fit screen."""

from msgspec import Struct

from .arguments import CONTEXT

CONTEXTS = (4096, 8192, 16384, 32768, 65536, 131072)
"""Tokens to choose from."""


class Ask(Struct, frozen=True):
    """What is to be reckoned."""

    hardware: str = ""
    """As a person describes it; empty for the machine of the monitor."""
    engine: str = "llama.cpp"
    context: int = CONTEXT
    kv: str = "f16"
    """Format of the KV cache."""
    least_tps: float | None = None
    """Decode rate that is enough; None for as fast as one reads."""
    task: str | None = None
    """What the models are to be made for; None for all that answer."""
    everything: bool = False
    """Whether all quantisations are wanted, and what does not fit."""
