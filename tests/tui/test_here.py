"""One look at the hardware, also where a source never answers."""

import time
from threading import Event

import pytest
from llmtop.probes.sample import Host
from llmtop.tui import here


class Stuck:
    """A probe whose read blocks until it is let go."""

    name = "stuck"
    period = 1.0

    def __init__(self) -> None:
        self.let_go = Event()

    def read(self) -> Host:
        self.let_go.wait(20)
        return Host(name="late", os="Linux")


class Prompt:
    """A probe that answers."""

    name = "host"
    period = 1.0

    def read(self) -> Host:
        return Host(name="box", os="Linux")


def test_who_never_answers_is_named_and_nobody_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = Stuck()

    def detect(_period: float) -> list[Stuck | Prompt]:
        return [stuck, Prompt()]

    monkeypatch.setattr(here, "detect", detect)
    monkeypatch.setattr(here, "SETTLE_S", 0.2)
    began = time.monotonic()
    try:
        found = here.look()
    finally:
        stuck.let_go.set()
    assert time.monotonic() - began < 5
    assert found.host == Host(name="box", os="Linux")
    assert found.notes == ("stuck: no answer within 0.2 s",)
