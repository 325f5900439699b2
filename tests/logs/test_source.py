"""A log as a source: a real llama-server that tells its speed there only, and logs that tell little."""

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from llmtop.estimator.snapshot import EngineView
from llmtop.probes.logs.source import LogSource
from llmtop.tui.live import Live

from ..real.conftest import small_model
from ..real.engine import Clients, Server
from .test_reports import LLAMA, VLLM

__all__ = ["small_model"]


def until(live: Live, holds: Callable[[list[EngineView]], bool], seconds: float) -> EngineView:
    deadline = time.monotonic() + seconds
    while not holds(views := list(live.snapshot().engines)):
        assert time.monotonic() < deadline, views
        time.sleep(0.1)
    return views[0]


def test_a_server_without_slots_and_metrics_is_read_by_its_log(small_model: Path, tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    with Server(small_model, "noslots", "nometrics", log=log) as server, Clients(server, 2, tokens=3000) as clients:
        live = Live([server.url], interval=0.5, discover=False, logs=[str(log)])
        live.start()
        try:
            view = until(live, lambda views: len(views) == 1 and bool(views[0].decode_tps), 20)
            now = time.monotonic()
            told = clients.rate(now - 3.5, now)
        finally:
            live.stop()
    assert (view.engine, view.url, view.liveness) == ("llama.cpp", server.url, "interval")
    assert view.decode_source == "log tg_3s"
    assert view.decode_tps == pytest.approx(told, rel=0.25)  # two windows of 3 s that do not end together
    assert view.problem is None
    assert view.model is not None
    assert view.model.path == str(small_model)


def test_the_log_of_an_engine_that_tells_more_by_itself_is_no_second_row(small_model: Path, tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    with Server(small_model, log=log) as server, Clients(server, 1, tokens=3000):
        live = Live([server.url], interval=0.5, discover=False, logs=[f"{server.url}={log}"])
        live.start()
        try:
            time.sleep(4.5)
            (view,) = live.snapshot().engines
        finally:
            live.stop()
    assert (view.liveness, view.url) == ("token", server.url)


def test_a_log_whose_writer_is_unknown_has_a_row_of_its_own(tmp_path: Path) -> None:
    log = tmp_path / "some.log"
    log.touch()
    source = LogSource(str(log), interval=1.0)
    assert source.read().problem == "no line with a rate yet"
    log.write_text(LLAMA)
    reading = source.read()
    assert (reading.engine, reading.url) == ("llama.cpp", f"log {log}")
    assert reading.decode_tps == pytest.approx(245.87)


def test_a_log_that_is_not_there_says_so(tmp_path: Path) -> None:
    source = LogSource(f"http://127.0.0.1:8000={tmp_path}/none.log", interval=1.0)
    reading = source.read()
    assert (reading.status, reading.upstream) == ("unreachable", "http://127.0.0.1:8000")
    assert reading.problem is not None
    assert "No such file" in reading.problem


def journalctl(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts a program of that name before the real one, which needs a running systemd."""
    program = folder / "journalctl"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_a_unit_of_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = tmp_path / "asked"
    journalctl(tmp_path, f'echo "$@" > {asked}\necho "{VLLM}"\nexec sleep 60', monkeypatch)
    source = LogSource("journal:vllm", interval=1.0)
    try:
        deadline = time.monotonic() + 10
        while (reading := source.read()).decode_tps is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        source.stop()
    assert (reading.engine, reading.decode_tps, reading.requests_running) == ("vLLM", 45.5, 2)
    assert "_SYSTEMD_UNIT=vllm.service + _SYSTEMD_USER_UNIT=vllm.service" in asked.read_text()


def test_a_journal_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journalctl(tmp_path, "echo No journal files were opened due to insufficient permissions. >&2; exit 1", monkeypatch)
    source = LogSource("journal:vllm", interval=1.0)
    deadline = time.monotonic() + 10
    while (reading := source.read()).status != "unreachable":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert reading.problem == "journal:vllm: No journal files were opened due to insufficient permissions."


@pytest.mark.parametrize("coloured", ["\x1b[1;36m45.5\x1b[0m", "\\u001b[1;36m45.5\\u001b[0m"])
def test_colours_are_no_part_of_a_number(tmp_path: Path, coloured: str) -> None:
    log = tmp_path / "some.log"
    log.touch()
    source = LogSource(str(log), interval=1.0)
    source.read()
    log.write_text("vllm-1  | \x1b[32mINFO\x1b[0m " + VLLM.replace("45.5", coloured) + "\x1b[0m\r\n")
    assert source.read().decode_tps == 45.5
