"""The meter against arithmetic by hand: what a stay at one limit comes to."""

import gc
import tracemalloc
from collections.abc import Sequence

import pytest
from llmtop.estimator.tuning.meter import Meter
from llmtop.estimator.tuning.point import Point
from llmtop.probes.sample import Device, Devices, Engine, Liveness, Reading, Sample

URL = "http://127.0.0.1:8080"


class Story:
    """Readings one after the other, a second apart unless said otherwise."""

    def __init__(self, devices: Sequence[str] = ("nvidia0",), *, settle_s: float = 5.0) -> None:
        self.meter = Meter(URL, devices, settle_s=settle_s)
        self.names = devices
        self.time = 100.0
        self.asleep = 0.0
        self.tokens = self.joules = 0.0
        self.watts, self.limit = 300.0, 450.0
        self.reasons: tuple[str, ...] = ()
        self.counter = True
        self.pid = 7
        self.liveness: Liveness = "token"

    def sample(self, source: str, reading: Reading) -> None:
        wall = 1.7e9 + self.time + self.asleep
        self.meter.feed(Sample(source=source, time=self.time, wall=wall, period=1.0, reading=reading))

    def devices(self, **facts: object) -> None:
        known = {
            "power_w": self.watts,
            "power_limit_w": self.limit,
            "energy_j": self.joules if self.counter else None,
            "throttle_reasons": self.reasons,
            "sm_clock_mhz": 1500.0,
            "temperature_c": 60.0,
        }
        self.sample("nvidia", Devices(devices=tuple(_device(name, known | facts) for name in self.names)))

    def engine(self, **facts: object) -> None:
        known = {
            "status": "ok",
            "pid": self.pid,
            "decode_tokens": self.tokens,
            "liveness": self.liveness,
            "requests_running": 2.0,
            "context_tokens": 3000.0,
        }
        self.sample(URL, Engine(engine="llama.cpp", url=URL, **(known | facts)))  # type: ignore[arg-type]

    def go(self, seconds: int, tps: float, **facts: object) -> "Story":
        for _ in range(seconds):
            self.time += 1.0
            self.tokens += tps
            self.joules += self.watts
            self.devices()
            self.engine(**facts)
        return self

    @property
    def point(self) -> Point:
        point = self.meter.point
        assert point is not None
        return point


def _device(name: str, facts: dict[str, object]) -> Device:
    return Device(id=name, name="RTX 4090", vendor="NVIDIA", kind="gpu", **facts)  # type: ignore[arg-type]


def test_an_even_stay() -> None:
    story = Story().go(60, 50.0)
    point, meter = story.point, story.meter
    assert meter.settled
    assert meter.stay.began == 101.0 and meter.stay.measuring_since == 106.0  # 5 s to settle
    assert meter.stay.why == "first reading" and meter.stay.limits_w == (450.0,)
    assert point.decode is not None and point.decode.tps == pytest.approx(50.0)
    assert point.decode.blocks == 27  # 54 s from the first reading that counts to the last
    assert point.decode.error_tps == pytest.approx((1 / 6) ** 0.5 / 54)  # a count in whole tokens, read twice
    assert point.power_w == pytest.approx(300.0)
    assert point.joules_per_token == pytest.approx(6.0)
    assert (point.power_limit_w, point.started) == (450.0, 106.0)
    assert point.seconds == pytest.approx(54.0)
    assert (point.streams, point.context_tokens, point.idle_share) == (2.0, 3000.0, 0.0)
    assert (point.sm_clock_mhz, point.temperature_c, point.throttled_share) == (1500.0, 60.0, 0.0)
    assert meter.remarks == () and meter.missing == () and meter.quiet_s == 0.0


def test_nothing_is_measured_before_it_has_settled() -> None:
    story = Story().go(5, 50.0)
    assert not story.meter.settled
    assert story.point.decode is None
    assert (story.point.power_w, story.point.samples, story.point.seconds) == (300.0, 0, 0.0)


def test_nothing_is_known_without_a_limit() -> None:
    meter = Story().meter
    assert meter.point is None and meter.quiet_s is None and meter.silent_s is None


def test_a_changed_limit_begins_anew() -> None:
    story = Story().go(20, 50.0)
    before = story.meter.stay.number
    story.limit = 350.0
    story.go(1, 40.0)
    assert story.meter.stay.number == before + 1
    assert story.meter.stay.why == "the power limit changed" and story.meter.stay.limits_w == (350.0,)
    assert story.point.decode is None
    story.go(20, 40.0)
    assert story.point.power_limit_w == 350.0
    assert story.point.decode is not None and story.point.decode.tps == pytest.approx(40.0)


def test_limits_that_waver_below_half_a_watt_are_the_same() -> None:
    story = Story().go(20, 50.0)
    story.limit += 0.4
    assert story.go(1, 50.0).meter.stay.number == 1


def test_its_owner_may_begin_anew() -> None:
    story = Story().go(20, 50.0)
    story.meter.begin(story.time)
    assert (story.meter.stay.why, story.meter.settled) == ("asked", False)
    story.go(12, 30.0)
    assert story.point.decode is not None and story.point.decode.tps == pytest.approx(30.0)


def test_it_waits_until_the_draw_is_steady() -> None:
    story = Story()
    for watts in (420, 410, 400, 390, 380, 370, 360, 350, 350, 350):
        story.watts = watts
        story.go(1, 50.0)
    story.go(1, 50.0)
    assert not story.meter.settled  # 370, 360, 350 against 350: 2.8 %
    story.go(1, 50.0)
    assert story.meter.settled  # 360, 350, 350 against 350: 1 %
    assert story.meter.remarks == ()


def test_it_does_not_wait_for_ever() -> None:
    story = Story()
    for second in range(17):
        story.watts = 200.0 if second // 3 % 2 else 400.0
        story.go(1, 50.0)
    assert story.meter.stay.measuring_since == 116.0  # three times 5 s
    assert story.meter.remarks == ("the draw did not become steady: measured as it was",)


def test_a_restart_begins_anew() -> None:
    story = Story().go(20, 50.0)
    story.tokens, story.pid = 0.0, 8
    story.go(20, 20.0)
    assert story.meter.stay.why == "the engine was restarted"
    assert story.point.decode is not None and story.point.decode.tps == pytest.approx(20.0)


def test_a_count_that_falls_is_a_restart() -> None:
    story = Story().go(20, 50.0)
    story.tokens = 0.0
    story.go(1, 20.0)
    assert story.meter.stay.why == "the engine was restarted" and story.meter.stay.number == 2


def test_seconds_without_the_engine_are_left_out() -> None:
    """20 s at 50, then 30 s in which it does not answer and makes nothing, then on."""
    story = Story().go(26, 50.0)
    for _ in range(30):
        story.time += 1.0
        story.joules += 25.0
        story.devices(power_w=25.0)
        story.engine(status="unreachable", decode_tokens=None)
    assert story.meter.silent_s == 30.0
    story.go(26, 50.0)
    assert story.point.decode is not None and story.point.decode.tps == pytest.approx(50.0)
    assert story.point.seconds == pytest.approx(40.0)
    assert story.point.power_w == pytest.approx(300.0) and story.point.joules_per_token == pytest.approx(6.0)
    assert story.meter.remarks == ("nothing was heard of the engine once, 31 s in all: left out",)


def test_a_machine_that_slept() -> None:
    """The monotonic clock stands still, and what was generated meanwhile is nobody's."""
    story = Story().go(26, 50.0)
    story.asleep = 600.0
    story.go(26, 50.0)
    assert story.meter.stay.number == 1
    assert story.meter.remarks == ("nothing was heard of the engine once, 601 s in all: left out",)
    assert story.point.seconds == pytest.approx(20.0 + 20.0)


def test_time_that_jumps_leaves_a_hole() -> None:
    story = Story().go(26, 50.0)
    story.time += 60.0
    story.go(26, 50.0)
    assert story.meter.remarks == ("nothing was heard of the engine once, 61 s in all: left out",)
    assert story.point.power_w == pytest.approx(300.0)


def test_share_of_readings_under_the_cap() -> None:
    story = Story().go(7, 50.0)
    story.reasons = ("power cap", "too hot (software)")
    story.go(9, 50.0)
    story.reasons = ("power cap (short term)",)
    story.go(3, 50.0)
    story.reasons = ()
    story.go(4, 50.0)
    assert story.point.throttled_share == pytest.approx(12 / 17)  # the reading of 107 is the first that counts
    assert story.point.other_throttles == ("too hot (software)",)


def test_a_cpu_tells_nothing_of_throttling() -> None:
    story = Story()
    for _ in range(10):
        story.time += 1.0
        cpu = Device(id="nvidia0", name="CPU", vendor="AMD", kind="cpu", power_w=100.0, power_limit_w=200.0)
        story.sample("cpu", Devices(devices=(cpu,)))
    assert story.point.throttled_share is None


def test_energy_counts_are_believed_before_watts() -> None:
    story = Story()
    story.watts = 300.0
    story.go(6, 50.0)
    for _ in range(20):
        story.time += 1.0
        story.tokens += 50.0
        story.joules += 310.0
        story.devices()
        story.engine()
    assert story.point.power_w == pytest.approx(310.0)


def test_without_counts_watts_are_averaged() -> None:
    """250 and 350 W by turns, from one reading to the next: 300 W between them."""
    story = Story(settle_s=0.0)
    story.counter = False
    for second in range(21):
        story.watts = 250.0 if second % 2 else 350.0
        story.go(1, 50.0)
    assert story.point.power_w == pytest.approx(300.0)
    assert story.point.joules_per_token == pytest.approx(6.0)


def test_a_count_that_stands_still_is_none() -> None:
    story = Story()
    for _ in range(20):
        story.time += 1.0
        story.tokens += 50.0
        story.devices(energy_j=4711.0)
        story.engine()
    assert story.point.power_w == pytest.approx(300.0)


def test_a_count_that_is_renewed_every_third_reading() -> None:
    """310 W by the count; nothing is counted twice while it waits."""
    story = Story()
    for second in range(62):
        story.time += 0.5
        story.tokens += 25.0
        story.joules += 465.0 if second % 3 == 0 else 0.0
        story.devices(power_w=300.0)
        story.engine()
    assert story.point.power_w == pytest.approx(310.0, rel=0.02)


def test_two_devices_add_up() -> None:
    story = Story(("nvidia0", "nvidia1")).go(20, 50.0)
    assert story.point.power_w == pytest.approx(600.0) and story.point.joules_per_token == pytest.approx(12.0)
    assert story.meter.stay.limits_w == (450.0, 450.0)


def test_a_device_that_vanishes_is_said() -> None:
    story = Story(("nvidia0", "nvidia1")).go(20, 50.0)
    story.time += 1.0
    story.sample("nvidia", Devices(devices=(_device("nvidia0", {"power_w": 300.0, "power_limit_w": 450.0}),)))
    assert list(story.meter.missing) == ["RTX 4090 (nvidia1) is gone"]
    assert story.point.decode is not None  # what was measured stays
    story.time += 1.0
    story.devices()
    assert not story.meter.missing


def test_a_device_in_trouble_is_said() -> None:
    story = Story().go(20, 50.0)
    story.time += 1.0
    story.devices(problem="GPU is lost", power_w=None, power_limit_w=None, energy_j=None)
    assert story.meter.missing == ("RTX 4090 (nvidia0): GPU is lost",)
    assert story.point.power_limit_w == 450.0


def test_a_load_that_stops() -> None:
    story = Story().go(26, 50.0)
    story.go(20, 0.0, requests_running=0.0, status="idle")
    assert story.meter.quiet_s == 20.0
    assert story.point.idle_share == pytest.approx(0.5)
    assert story.point.decode is not None and story.point.decode.tps == pytest.approx(25.0)


def test_an_engine_that_tells_its_rate_only() -> None:
    story = Story().go(46, 0.0, decode_tokens=None, decode_tps=80.0)
    assert story.point.decode is not None and story.point.decode.tps == pytest.approx(80.0)
    assert story.meter.remarks == ()


def test_a_count_at_the_end_of_requests_is_no_rate() -> None:
    story = Story()
    story.liveness = "request"
    story.go(26, 50.0)
    assert story.point.decode is None
    assert story.meter.remarks == (
        "the engine counts at the end of a request only: no rate of now can be told from it",
    )


def test_a_count_published_every_ten_seconds() -> None:
    """Cut at its changes: seconds between two of them, whatever the readings say in between."""
    story = Story()
    story.liveness = "interval"
    for second in range(64):
        story.time += 1.0
        story.joules += 300.0
        story.tokens += 500.0 if second % 10 == 3 else 0.0
        story.devices()
        story.engine()
    assert story.point.decode is not None and story.point.decode.tps == pytest.approx(50.0)
    assert story.point.idle_share == 0.0 and story.point.seconds == pytest.approx(40.0)


def test_clients_count_instead_of_the_engine() -> None:
    story = Story()
    for _ in range(46):
        story.go(1, 50.0)
        story.meter.count(story.time, story.tokens * 0.9)
    assert story.point.decode is not None and story.point.decode.tps == pytest.approx(45.0)


def test_prompts_of_one_client() -> None:
    """1,500 tokens in 2 s, a second's pause, and so on: 750 tokens/s, for 300 W: 0.4 J a token."""
    story = Story()
    for second in range(46):
        story.go(1, 0.0, decode_tokens=None)
        if second % 3 == 2:
            story.meter.prompt(story.time, 1500.0, 2.0)
    assert story.point.prefill is not None and story.point.prefill.tps == pytest.approx(750.0)
    assert story.point.prefill.error_tps == pytest.approx(0.0, abs=0.02)
    assert story.point.joules_per_token == pytest.approx(0.4)


def test_prompts_at_the_same_time_share_the_engine() -> None:
    """Two of 1,500 tokens each, both in the same 4 s: 750 tokens/s together."""
    story = Story()
    for second in range(46):
        story.go(1, 0.0, decode_tokens=None)
        if second % 4 == 3:
            story.meter.prompt(story.time - 0.1, 1500.0, 3.9)
            story.meter.prompt(story.time, 1500.0, 4.0)
    assert story.point.prefill is not None and story.point.prefill.tps == pytest.approx(750.0)


def test_prompts_that_began_before_do_not_count() -> None:
    story = Story().go(7, 0.0)
    story.meter.prompt(story.time, 1500.0, 5.0)
    assert story.point.prefill is None


def test_what_the_engine_tells_of_prompts() -> None:
    story = Story().go(7, 50.0, last_prefill_tps=900.0, prefill_tokens=1000.0)
    story.go(2, 50.0, last_prefill_tps=1000.0, prefill_tokens=2000.0)  # one of 1,000 tokens in 1 s
    story.go(2, 50.0, last_prefill_tps=500.0, prefill_tokens=3000.0)  # one of 1,000 tokens in 2 s
    assert story.point.prefill is not None and story.point.prefill.tps == pytest.approx(2000 / 3)


def held() -> int:
    """Bytes that were allocated by the code that measures."""
    gc.collect()
    only = tracemalloc.Filter(inclusive=True, filename_pattern="*/tuning/meter*")
    return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces([only]).statistics("filename"))


def test_hours_take_no_more_memory_than_minutes() -> None:
    tracemalloc.start()
    story = Story().go(700, 50.0)
    before = held()
    story.go(20_000, 50.0)
    after = held()
    tracemalloc.stop()
    assert 0 < after < before + 20_000
    assert story.point.seconds == pytest.approx(20_694.0, abs=2.1)
    assert story.point.decode is not None and story.point.decode.tps == pytest.approx(50.0)


def test_prefill_alone() -> None:
    """The token that each prompt ends with is no decoding."""
    story = Story()
    story.meter = Meter(URL, story.names, phase="prefill")
    for second in range(46):
        story.go(1, 0.5)
        if second % 2:
            story.meter.prompt(story.time, 1500.0, 2.0)
    point = story.point
    assert point.decode is None and point.idle_share is None
    assert point.prefill is not None and point.prefill.tps == pytest.approx(750.0)
    assert point.joules_per_token == pytest.approx(0.4) and point.power_w == pytest.approx(300.0)
