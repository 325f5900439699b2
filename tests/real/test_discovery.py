"""Engines are found without being named, also when they start later."""

import time
from pathlib import Path

from llmtop.estimator.snapshot import EngineView
from llmtop.tui.live import Live

from .engine import Server


def row(live: Live, url: str) -> EngineView | None:
    return next((view for view in live.snapshot().engines if view.url == url), None)


def wait_for(live: Live, url: str, status: str, seconds: float) -> EngineView:
    deadline = time.monotonic() + seconds
    while (view := row(live, url)) is None or view.status != status:
        assert time.monotonic() < deadline, live.snapshot().engines
        time.sleep(0.05)
    return view


def test_an_engine_that_starts_later_appears_dies_and_comes_back(small_model: Path) -> None:
    live = Live([], interval=0.5)
    live.start()
    server = Server(small_model)
    try:
        assert row(live, server.url) is None
        server.start()
        found = wait_for(live, server.url, "idle", 5)
        assert found.pid == server.pid
        assert found.devices == ("cpu",)
        server.kill()
        wait_for(live, server.url, "unreachable", 3)
        server.start()
        wait_for(live, server.url, "idle", 5)
        deadline = time.monotonic() + 3
        while (back := row(live, server.url)) is None or back.pid != server.pid:
            assert time.monotonic() < deadline, "the process of now is not known"
            time.sleep(0.05)
    finally:
        server.kill()
        live.stop()


def test_a_named_engine_is_one_row_with_its_process(small_model: Path) -> None:
    with Server(small_model) as server:
        named = server.url.replace("127.0.0.1", "localhost")
        live = Live([named], interval=0.5)
        live.start()
        live.settle()
        time.sleep(1.5)
        live.stop()
        rows = [view for view in live.snapshot().engines if view.url.endswith(f":{server.port}")]
        assert [(view.url, view.pid) for view in rows] == [(named, server.pid)]
