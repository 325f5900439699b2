"""One thread a source: a slow one delays no other, and nothing is read twice at once."""

import threading
import time

from llmtop.probes.sample import Gone, Host, Reading, Sample
from llmtop.probes.sampler import Sampler


class Slow:
    """A probe whose readings take their time."""

    def __init__(self, name: str, period: float, takes: float, says: Reading | None = None) -> None:
        self.name, self.period = name, period
        self._takes, self._says = takes, says
        self.at_once = self.most_at_once = self.readings = 0

    def read(self) -> Reading | None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(self._takes)
        self.at_once -= 1
        self.readings += 1
        return self._says


def test_a_slow_source_delays_no_other_and_never_piles_up() -> None:
    taken: list[Sample] = []
    sampler = Sampler(taken.append)
    slow, quick = Slow("slow", 0.05, 0.4, Host(name="s", os="")), Slow("quick", 0.05, 0.0, Host(name="q", os=""))
    sampler.add(slow)
    sampler.add(quick)
    time.sleep(1.0)
    sampler.stop()
    assert sum(sample.source == "quick" for sample in taken) >= 10
    assert 1 <= slow.readings <= 3
    assert slow.most_at_once == 1


def test_stopping_waits_for_nobody_and_what_hangs_says_nothing_more() -> None:
    taken: list[Sample] = []
    sampler = Sampler(taken.append)
    sampler.add(Slow("hangs", 1.0, 0.5, Host(name="h", os="")))
    started = time.monotonic()
    sampler.stop()
    assert time.monotonic() - started < 0.1
    time.sleep(0.7)
    assert taken == []


def test_nothing_to_say_is_no_sample_and_gone_is_the_last() -> None:
    taken: list[Sample] = []
    sampler = Sampler(taken.append)
    mute, leaving = Slow("mute", 0.02, 0.0), Slow("leaving", 0.02, 0.0, Gone())
    sampler.add(mute)
    sampler.add(leaving).wait(1)
    time.sleep(0.3)
    sampler.stop()
    assert mute.readings > 3
    assert leaving.readings == 1
    assert [sample.source for sample in taken] == ["leaving"]


def test_a_name_is_read_once_and_waking_reads_now() -> None:
    sampler = Sampler(lambda _: None)
    probe = Slow("one", 60.0, 0.0)
    assert sampler.add(probe).wait(1)
    assert sampler.add(probe).is_set()
    assert sum(thread.name == "probe one" for thread in threading.enumerate()) == 1
    sampler.wake()
    deadline = time.monotonic() + 1
    while probe.readings < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    sampler.stop()
