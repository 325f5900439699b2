"""One file per engine, over one contract."""

from .contract import EngineAdapter, HostAdapter
from .llamacpp import LlamaCpp
from .vllm import Vllm

ENGINES: tuple[type[EngineAdapter], ...] = (
    LlamaCpp,
    Vllm,
)
"""Every engine that can be read; the first that matches an endpoint has it."""

HOSTS: tuple[type[HostAdapter], ...] = ()
"""Those of them that start others and stand before them."""
