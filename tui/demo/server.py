"""A real llama-server in a process of its own: `python -m llmtop.tui.demo.server`."""

import argparse
import time
from importlib import import_module
from typing import Any

from .parent import follow_parent

READY = "ready"
"""What is printed when the engine answers, with its URL."""
_BATCH = 64
"""Prompt tokens in one step: a prompt then shows progress, and other streams wait a second instead of many."""

_WARNINGS = 2
"""Log level: a line for every request would fill the disk of who lets the demo run."""


def main() -> None:
    """Serves a model on the loopback address until the parent is gone."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", required=True)
    options.add_argument("--port", type=int, default=0, help="0 takes a free one")
    for name in ("threads", "parallel", "ctx"):
        options.add_argument(f"--{name}", type=int, required=True)
    serve(options.parse_args())


def serve(options: argparse.Namespace) -> None:
    """Returns only if the engine does not start, by SystemExit; the log says why."""
    follow_parent()
    engine: Any = import_module("xllamacpp")
    params = engine.CommonParams()
    params.model.path = options.model
    params.port = options.port
    params.n_ctx = options.ctx
    params.n_parallel = options.parallel
    params.n_batch = params.n_ubatch = _BATCH
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
    params.endpoint_metrics = params.endpoint_slots = True
    params.cache_ram_mib = 0
    params.ui = False
    params.verbosity = _WARNINGS
    try:
        server = engine.Server(params)
    except RuntimeError as error:
        raise SystemExit(str(error)) from None
    print(READY, server.listening_address, flush=True)  # noqa: T201 # the parent waits for it
    while server:
        time.sleep(3600)


if __name__ == "__main__":
    main()
