"""`llmtop proxy` before an engine, as a process of its own."""

import sys

from .contract import HERE, Start

ROOT = HERE.parent.parent


def before(upstream: Start, port: int) -> Start:
    """How to run it; it is ready once the engine's own answer comes through."""
    listen = f"127.0.0.1:{port}"
    command = (sys.executable, "-m", "llmtop", "proxy", "--upstream", upstream.url, "--listen", listen)
    return Start(
        command=command,
        url=f"http://{listen}",
        settings={"PYTHONPATH": str(ROOT / ".src")},
        ready=upstream.ready,
    )
