"""A recording tells the same energy as the live machine did, however one comes to a place."""

from pathlib import Path

import pytest
from llmtop.estimator.monitor import Monitor
from llmtop.estimator.snapshot import Price, Snapshot
from llmtop.probes.recorder import Recorder, load
from llmtop.tui.replay import Replay

from ..estimator.test_energy_hour import second

PRICE = Price(per_kwh=0.30, currency="EUR")


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A minute and a half of eight GPUs and three engines."""
    path = tmp_path / "run.jsonl"
    recorder = Recorder(path, "0", 1.0)
    for at in range(91):
        for sample in second(at):
            recorder.add(sample)
    recorder.close()
    return path


def live(until: int) -> Snapshot:
    """What the monitor said then."""
    monitor = Monitor(price=PRICE)
    for at in range(until + 1):
        for sample in second(at):
            monitor.feed(sample)
    return monitor.snapshot()


def test_seeking_there_and_back_tells_what_was_told_live(recorded: Path) -> None:
    replay = Replay(load(recorded), price=PRICE)
    replay.paused = True
    for position in (60.0, 20.0, 90.0, 0.0, 61.0):
        replay.seek(position)
        found, told = replay.snapshot(), live(int(position))
        assert found.power == told.power
        assert found.idle_w == told.idle_w
        assert [view.session for view in found.engines] == [view.session for view in told.engines]
    watts = 8 * 430.0 + 90.0
    assert found.power.energy_j == pytest.approx(61 * watts)
    assert found.power.cost == pytest.approx(61 * watts / 3.6e6 * 0.30)
