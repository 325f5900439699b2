"""Engines and number formats by the names that people give them; where one is unknown, what there is."""

from collections.abc import Iterable

from ..estimator.catalogue.formats import Format, KvFormat, kv_formats
from ..estimator.catalogue.formats import kv_format as known_kv_format
from ..estimator.catalogue.names import UnknownName
from ..estimator.format_names import common, meant
from ..estimator.software import ENGINES, Engine
from ..estimator.software import engine as known_engine
from .refusal import WrongUsage


def asked_engine(name: str) -> Engine:
    """The engine of `--engine`. Raises WrongUsage."""
    try:
        return known_engine(name)
    except UnknownName as unknown:
        raise _unknown(unknown, "there are", ENGINES) from None


def asked_format(quant: str, runs: Engine) -> Format:
    """The format of `--quant`, as this engine's people call it. Raises WrongUsage."""
    if not quant.strip():
        raise WrongUsage("--quant names no quantisation: it is empty")
    try:
        return meant(quant, runs)
    except UnknownName as unknown:
        raise _unknown(unknown, f"common in {runs.name}:", common(runs)) from None


def asked_kv(name: str) -> KvFormat:
    """The format of `--kv`. Raises WrongUsage."""
    try:
        return known_kv_format(name)
    except UnknownName as unknown:
        raise WrongUsage(f"{unknown.brief}; there are {', '.join(kv_formats())}") from None


def _unknown(unknown: UnknownName, words: str, names: Iterable[str]) -> WrongUsage:
    """The nearest names, or else all."""
    near = str(unknown)
    return WrongUsage(near if near != unknown.brief else f"{near}; {words} {', '.join(names)}")
