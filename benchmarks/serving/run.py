"""Starts an engine, puts clients on it and llmtop beside it."""

import socket
from contextlib import ExitStack
from pathlib import Path

from .clients import Clients, Counted, wait_for
from .contract import Recipe
from .measure import Found, Watch
from .moments import Moments
from .proxy import before
from .server import Server

WARM = 40
"""Tokens that must have come before it is looked at: the first answers of some engines take their time."""


def compare(recipe: Recipe, python: Path, folder: Path, *, windows: int = 3, window_s: float | None = None) -> Found:
    """What llmtop says of this engine under load, beside what its clients count.

    Args:
        recipe: the engine.
        python: interpreter that has it.
        folder: for its model and its log.
        windows: how many windows, one after another; of 60 s there is one.
        window_s: seconds of a window; None means those of the engine.

    Raises:
        BadStartError: it does not come up.
        TimeoutError: it makes no tokens.
    """
    with ExitStack() as stack:
        start = recipe.start(python, folder, free_port())
        server = stack.enter_context(Server(start, folder))
        urls = [url for url in (start.url, *start.watched) if url]
        counted: Counted
        if recipe.through == "hook":
            counted = Moments(folder / "moments")
        else:
            asked = start.url
            if recipe.through == "proxy":
                proxy = stack.enter_context(Server(before(start, free_port()), folder, log="proxy.log"))
                asked = proxy.start.url
            counted = stack.enter_context(Clients(recipe, asked))
        wait_for(counted, WARM * recipe.streams)
        return Watch(urls, server.pid).compare(
            counted,
            window_s=window_s or recipe.window_s,
            windows=windows if recipe.window_s <= 10 else 1,
            discover=recipe.through != "itself",
        )


def free_port() -> int:
    """A port that nobody has, nor the one after it."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port
