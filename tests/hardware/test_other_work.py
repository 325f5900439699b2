"""Other work is noticed, our own is not."""

import re
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import NamedTuple

import psutil
import pytest
from llmtop.probes.hardware.measured import other_work
from llmtop.probes.hardware.measured.other_work import OtherWork, Watch, disturbing, occupied

CORES = psutil.cpu_count() or 1


class Times(NamedTuple):
    """What Linux tells."""

    user: float = 1000.0
    nice: float = 1000.0
    system: float = 1000.0
    idle: float = 1000.0
    iowait: float = 1000.0
    irq: float = 1000.0
    softirq: float = 1000.0
    steal: float = 1000.0


class Own(NamedTuple):
    """What a process tells of itself."""

    user: float
    system: float = 0.0


@contextmanager
def busy(count: int) -> "Generator[None]":
    """So many processes that do nothing but work."""
    started = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        time.sleep(0.3)
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def seen(watch: Watch) -> OtherWork:
    """What others had, where the clocks are told."""
    others = watch.seen()
    assert others is not None
    return others


def test_the_work_of_others_is_seen() -> None:
    with busy(1):
        watch = Watch()
        time.sleep(1.0)
        assert seen(watch).share * CORES > 0.4, "a processor of work, or what a loaded machine leaves of it"


class Clocks:
    """Seconds of all processors together that pass when told, in the place of the machine's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times = Times()
        self.now = self.own = 500.0
        monkeypatch.setattr("psutil.cpu_times", lambda: self.times)
        monkeypatch.setattr("psutil.cpu_count", lambda: 4)
        monkeypatch.setattr("time.monotonic", lambda: self.now)
        monkeypatch.setattr("os.times", lambda: Own(self.own))

    def pass_(self, seconds: float, own: float = 0.0, **spent: float) -> None:
        self.now += seconds
        self.own += own
        self.times = self.times._replace(**{name: getattr(self.times, name) + more for name, more in spent.items()})


def test_our_own_work_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = Clocks(monkeypatch)
    watch = Watch()
    clocks.pass_(10.0, own=20.0, user=19.0, system=1.0, idle=20.0)
    assert (seen(watch).share, seen(watch).stolen) == (0, 0)


def test_shares_are_of_all_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = Clocks(monkeypatch)
    watch = Watch()
    clocks.pass_(10.0, own=12.0, user=20.0, nice=2.0, system=3.0, irq=1.0, softirq=2.0, steal=4.0, iowait=3.0, idle=5.0)
    assert seen(watch).share == pytest.approx((28 - 12) / 40)
    assert seen(watch).stolen == pytest.approx(4 / 40)


def test_clocks_that_tick_late_are_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = Clocks(monkeypatch)
    watch = Watch()
    clocks.pass_(0.5, own=1.99, user=1.95)
    assert seen(watch).share == 0


@pytest.mark.parametrize(("processors", "share"), [(1, 0.1), (2, 0.1), (10, 0.1), (16, 1 / 16), (64, 0.05)])
def test_one_processor_of_a_large_machine_disturbs(
    monkeypatch: pytest.MonkeyPatch, processors: int, share: float
) -> None:
    monkeypatch.setattr("psutil.cpu_count", lambda: processors)
    assert disturbing() == pytest.approx(share)


def test_a_machine_at_work_is_told_with_who_works() -> None:
    with busy(max(2, CORES // 10)):
        words = occupied() or ""
    assert words.startswith("other work takes ")
    assert re.search(rf" of {CORES} processors: \S+ \(pid \d+\)", words)


def test_a_little_work_is_no_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = Clocks(monkeypatch)

    def sleep(seconds: float) -> None:
        clocks.pass_(seconds, user=0.9 * seconds)

    monkeypatch.setattr("time.sleep", sleep)
    assert occupied() is None


def test_clocks_that_nobody_may_read_are_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied() -> None:
        raise PermissionError(13, "Permission denied", "/proc/stat")

    monkeypatch.setattr("psutil.cpu_times", denied)
    monkeypatch.setattr(other_work, "_LOOK_S", 0.0)
    assert Watch().seen() is None
    assert occupied() is None
