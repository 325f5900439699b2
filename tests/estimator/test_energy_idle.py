"""What a device draws when it does nothing."""

from llmtop.estimator.idle import Idle
from llmtop.probes.sample import Device


class Seen:
    """A device that is read every second."""

    def __init__(self) -> None:
        self.idle = Idle()
        self.time = 100.0

    def draws(self, *watts: float | None, utilization: float | None = 0.0, works: bool = False) -> float | None:
        for each in watts:
            self.time += 1.0
            device = Device(
                id="nvidia0", name="RTX 4090", vendor="NVIDIA", kind="gpu", utilization=utilization, power_w=each
            )
            self.idle.add(self.time, 1.0, device, works=works)
        return self.idle.watts


def test_it_is_unknown_until_it_was_seen_at_rest_for_some_seconds() -> None:
    seen = Seen()
    assert seen.draws(20.0, 20.0, 20.0, 20.0, 20.0) is None
    assert seen.draws(20.0) == 20.0


def test_the_lowest_steady_mean_counts_not_the_way_down_after_work() -> None:
    seen = Seen()
    assert seen.draws(120.0, 90.0, 60.0, 40.0, 30.0, 26.0) is None, "it still falls"
    assert seen.draws(25.0, 25.0, 24.0, 24.0, 25.0, 24.0) == 147.0 / 6
    assert seen.draws(21.0, 22.0, 21.0, 22.0, 21.0, 22.0) == 21.5
    assert seen.draws(30.0, 30.0, 30.0, 30.0, 30.0, 30.0) == 21.5


def test_work_is_no_rest() -> None:
    assert Seen().draws(*[20.0] * 20, utilization=0.02) is None
    assert Seen().draws(*[20.0] * 20, utilization=None) is None
    assert Seen().draws(*[20.0] * 20, works=True) is None


def test_a_stretch_ends_with_work_with_silence_and_with_a_hole() -> None:
    seen = Seen()
    seen.draws(20.0, 20.0, 20.0)
    seen.draws(300.0, utilization=0.9)
    assert seen.draws(20.0, 20.0, 20.0) is None
    seen.draws(None)
    assert seen.draws(20.0, 20.0, 20.0) is None
    seen.time += 60.0
    assert seen.draws(20.0, 20.0, 20.0) is None
    assert seen.draws(20.0, 20.0, 20.0) == 20.0
