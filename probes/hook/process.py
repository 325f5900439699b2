"""The hook of this process: one publisher, which starts with the first generation."""

import os
from contextlib import suppress
from threading import Thread

from ..publish.counts import Row
from ..publish.publisher import Publisher
from ..publish.request import Request
from .generation import Generation
from .naming import library, model_name, version_of
from .switch import SWITCH

_publisher = Publisher("hook")


def generation(
    *,
    engine: str,
    model: str | os.PathLike[str] = "",
    path: str | os.PathLike[str] = "",
    quantization: str = "",
    version: str = "",
    streams: int = 1,
) -> Generation:
    """Begins to count one call of an engine: the time to the first token runs from here.

    Args:
        engine: its name: "ctranslate2", "transformers", "mlx-lm", "llama-cpp-python", "exllamav2", "exllamav3",
            "deepspeed-mii", or any other.
        model: a name, or the folder or file of the weights: then the monitor reads its size there.
        path: of the weights, where `model` is another name.
        quantization: as the engine has loaded it: "int8_float16", "Q4_K_M".
        version: of the engine; that of the imported library where it is left out.
        streams: sequences that are generated together: the size of the batch.
    """
    if SWITCH.wanted:
        try:
            row = _row(engine, os.fspath(model), os.fspath(path))
            row.identify(quantization=quantization, version=version)
            return Generation(Request(row, max(streams, 1)))
        except Exception as error:  # noqa: BLE001  # whatever it is, it is not the user's
            SWITCH.off(error)
    return Generation(None)


def publish(port: int = 0) -> str | None:
    """Starts to publish before the first generation does, and tells where.

    Args:
        port: for a Prometheus that wants to know it; where it is taken, any other.

    Returns:
        The URL, whose `/metrics` has everything; None where the hook is off.
    """
    if not SWITCH.wanted:
        return None
    try:
        with suppress(OSError, OverflowError):
            _publisher.start(port)
        _publisher.start()
    except Exception as error:  # noqa: BLE001
        SWITCH.off(error)
        return None
    return _publisher.url


def _row(engine: str, model: str, path: str) -> Row:
    """Where it counts; what it counts is published from now on."""
    _publisher.start()
    known = library(engine)
    name, found = model_name(model)
    row = _publisher.counts.row(known.name, name)
    row.identify(path=path or found, version=version_of(known.module))
    return row


def _stop() -> None:
    """Ends the publishing without waiting for it."""
    Thread(target=_publisher.stop, name="llmtop", daemon=True).start()


SWITCH.then(_stop)
