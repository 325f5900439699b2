"""Tokens and joules of one engine over a session, by hand arithmetic."""

import pytest
from llmtop.estimator.monitor import Monitor
from llmtop.estimator.snapshot import EngineSession, EngineView
from llmtop.probes.sample import Bandwidth, Device, DeviceProcess, Devices, Engine, Sample
from msgspec.structs import replace

URL, OTHER = "http://127.0.0.1:8080", "http://127.0.0.1:8081"
ENGINE = Engine(
    engine="llama.cpp",
    url=URL,
    status="ok",
    pid=100,
    pids=(100,),
    decode_tokens=0.0,
    prefill_tokens=0.0,
    liveness="token",
    requests_running=1.0,
)
REST = replace(ENGINE, status="idle", requests_running=0.0)
GPU = Device(
    id="nvidia0", name="RTX 4090", vendor="NVIDIA", kind="gpu", power_w=300.0, processes=(DeviceProcess(100, 6 << 30),)
)
SECOND = replace(GPU, id="nvidia1", power_w=100.0)


class Machine:
    """Feeds a monitor every second."""

    def __init__(self) -> None:
        self.monitor = Monitor()
        self.time = 500.0

    def says(self, engine: Engine | None, *devices: Device, after: float = 1.0) -> EngineSession:
        self.time += after
        if devices:
            self._feed("nvidia", Devices(devices=devices))
        if engine is not None:
            self._feed(engine.url, engine)
        return self.session()

    def runs(self, seconds: int, tps: float, start: float, *devices: Device, engine: Engine = ENGINE) -> EngineSession:
        for second in range(1, seconds + 1):
            self.says(replace(engine, decode_tokens=start + tps * second), *devices)
        return self.session()

    def view(self, url: str = URL) -> EngineView:
        return next(view for view in self.monitor.snapshot().engines if view.id == url)

    def session(self) -> EngineSession:
        views = self.monitor.snapshot().engines
        return views[0].session if views else EngineSession()

    def _feed(self, source: str, reading: Devices | Engine) -> None:
        self.monitor.feed(Sample(source=source, time=self.time, wall=self.time, period=1.0, reading=reading))


def test_joules_of_all_its_devices_over_its_tokens() -> None:
    session = Machine().runs(11, 50.0, 1000.0, GPU, SECOND)
    assert session.tokens == 500.0
    assert (session.joules, session.seconds, session.gap_s) == (4000.0, 10.0, 0.0)
    assert session.joules_per_token == 8.0
    assert session.idle_joules == 0.0


def test_a_counter_of_the_device_is_taken_before_its_watts() -> None:
    machine = Machine()
    for second in range(11):
        device = replace(GPU, energy_j=7000.0 + 250.0 * second)
        machine.says(replace(ENGINE, decode_tokens=100.0 * second), device)
    session = machine.session()
    assert (session.joules, session.joules_per_token) == (2500.0, 2.5)


def test_rest_and_prompts_are_paid_by_the_tokens_that_were_generated() -> None:
    machine = Machine()
    machine.runs(11, 50.0, 0.0, GPU)
    session = machine.runs(10, 0.0, 550.0, replace(GPU, power_w=20.0), engine=REST)
    falls = (300.0 + 20.0) / 2
    assert session.joules == 3000.0 + falls + 9 * 20.0
    assert session.idle_joules == 9 * 20.0
    assert session.joules_per_token == pytest.approx((3000.0 + falls + 9 * 20.0) / 500.0)


def test_it_pays_the_time_that_a_shared_gpu_worked_for_it() -> None:
    shared = replace(GPU, processes=(DeviceProcess(100, 6 << 30, 0.24), DeviceProcess(200, 6 << 30, 0.56)))
    session = Machine().runs(11, 10.0, 0.0, shared)
    assert session.joules == pytest.approx(0.30 * 3000.0)
    assert session.joules_per_token == pytest.approx(9.0)


def test_time_of_which_nobody_knows_whose_it_was_is_left_out_with_its_tokens() -> None:
    machine = Machine()
    machine.runs(11, 10.0, 0.0, GPU)
    unknown = replace(GPU, processes=(DeviceProcess(100, 6 << 30), DeviceProcess(200, 6 << 30)))
    machine.runs(20, 99.0, 110.0, unknown)
    session = machine.runs(11, 10.0, 5000.0, GPU)
    assert session.tokens == 5000.0 + 110.0 - 10.0
    assert (session.joules, session.joules_per_token) == (6000.0, 30.0)
    assert (session.seconds, session.gap_s) == (20.0, 21.0)


def test_tokens_that_come_at_the_end_of_a_request_add_up() -> None:
    machine, request_end = Machine(), replace(ENGINE, liveness="request")
    for second in range(41):
        made = 200.0 * (second // 10)
        machine.says(replace(request_end, decode_tokens=made), GPU)
    session = machine.session()
    assert machine.view().decode_tps is None
    assert (session.tokens, session.joules, session.joules_per_token) == (800.0, 12_000.0, 15.0)


def test_a_restart_begins_anew_and_takes_nothing_away() -> None:
    machine = Machine()
    machine.runs(11, 50.0, 10_000.0, GPU)
    born = replace(ENGINE, pid=101, pids=(101,))
    held = replace(GPU, processes=(DeviceProcess(101, 6 << 30),))
    machine.says(Engine(engine="llama.cpp", url=URL, status="unreachable"), GPU)
    machine.says(replace(born, status="loading", decode_tokens=None), held)
    session = machine.runs(11, 50.0, 0.0, held, engine=born)
    assert session.tokens == 1000.0
    assert (session.joules, session.joules_per_token) == (6000.0, 6.0)
    assert (session.seconds, session.gap_s) == (20.0, 3.0)


def test_a_count_that_falls_without_a_word_is_a_restart_too() -> None:
    machine = Machine()
    machine.runs(11, 50.0, 10_000.0, GPU)
    session = machine.runs(10, 50.0, 0.0, GPU)
    assert session.tokens == 500.0 + 450.0
    assert (session.joules, session.joules_per_token) == (3000.0 + 2700.0, 6.0)


def test_an_engine_that_is_out_of_reach_for_a_while_tells_what_it_did_when_it_is_back() -> None:
    machine = Machine()
    machine.runs(11, 50.0, 0.0, GPU)
    for _ in range(30):
        machine.says(Engine(engine="llama.cpp", url=URL, status="unreachable"), GPU)
    session = machine.says(replace(ENGINE, decode_tokens=550.0 + 31 * 50.0), GPU)
    assert (session.tokens, session.joules, session.gap_s) == (2050.0, 41 * 300.0, 0.0)
    assert session.joules_per_token == 6.0


def test_a_hole_in_which_its_share_changed_is_left_out() -> None:
    machine = Machine()
    machine.runs(11, 50.0, 0.0, GPU)
    shared = replace(GPU, processes=(DeviceProcess(100, 6 << 30, 0.24), DeviceProcess(200, 6 << 30, 0.56)))
    for _ in range(30):
        machine.says(Engine(engine="llama.cpp", url=URL, status="unreachable"), GPU)
    session = machine.says(replace(ENGINE, decode_tokens=2100.0), shared)
    assert (session.joules, session.seconds, session.gap_s) == (3000.0, 10.0, 31.0)


def test_a_device_that_was_silent_settles_the_stretch_by_its_counter_or_leaves_it_out() -> None:
    counted = replace(GPU, energy_j=0.0)
    machine = Machine()
    machine.says(replace(ENGINE, decode_tokens=0.0), counted)
    for second in range(1, 20):
        machine.says(replace(ENGINE, decode_tokens=10.0 * second))
    session = machine.session()
    assert session.joules is None and session.tokens == 190.0
    session = machine.says(replace(ENGINE, decode_tokens=200.0), replace(counted, energy_j=4000.0))
    assert (session.joules, session.joules_per_token, session.gap_s) == (4000.0, 20.0, 0.0)

    machine = Machine()
    machine.runs(11, 10.0, 0.0, GPU)
    for second in range(12, 31):
        machine.says(replace(ENGINE, decode_tokens=10.0 * second))
    machine.says(replace(ENGINE, decode_tokens=310.0), GPU)
    session = machine.says(replace(ENGINE, decode_tokens=320.0), GPU)
    assert (session.joules, session.joules_per_token) == (3300.0, 30.0)
    assert session.gap_s == 20.0


def test_devices_that_are_read_at_another_pace_lose_nothing() -> None:
    machine = Machine()
    for tick in range(81):
        devices = (replace(GPU, energy_j=75.0 * tick),) if tick % 4 == 0 else ()
        machine.says(replace(ENGINE, decode_tokens=5.0 * tick), *devices, after=0.25)
    session = machine.session()
    assert (session.joules, session.joules_per_token) == (6000.0, 15.0)


def test_tokens_are_counted_where_no_power_is_known() -> None:
    session = Machine().runs(11, 50.0, 0.0, replace(GPU, power_w=None))
    assert (session.tokens, session.joules, session.joules_per_token) == (500.0, None, None)
    assert (session.seconds, session.gap_s) == (0.0, 10.0)


def test_an_engine_without_a_count_has_no_tokens() -> None:
    machine = Machine()
    for _ in range(11):
        machine.says(replace(ENGINE, decode_tokens=None, prefill_tokens=None, decode_tps=50.0), GPU)
    assert machine.session() == EngineSession(gap_s=10.0)


def test_prompts_are_counted_beside() -> None:
    machine = Machine()
    for second in range(11):
        machine.says(replace(ENGINE, decode_tokens=50.0 * second, prefill_tokens=400.0 + 1000.0 * second), GPU)
    assert machine.session().prefill_tokens == 10_000.0


def test_two_engines_on_a_gpu_that_tells_them_apart_pay_all_of_it() -> None:
    shared = replace(GPU, processes=(DeviceProcess(100, 6 << 30, 0.6), DeviceProcess(200, 6 << 30, 0.2)))
    machine, other = Machine(), replace(ENGINE, url=OTHER, pid=200, pids=(200,))
    for second in range(11):
        machine.says(replace(ENGINE, decode_tokens=30.0 * second), shared)
        machine.says(replace(other, decode_tokens=10.0 * second), after=0.0)
    one, two = machine.view().session, machine.view(OTHER).session
    assert (one.joules, two.joules) == pytest.approx((2250.0, 750.0))
    assert machine.monitor.snapshot().power.energy_j == 3000.0


@pytest.mark.parametrize(
    ("first", "second", "peaks", "mean"),
    [
        (0.8, 0.4, (3000.0, 1000.0), 0.7),
        (0.8, 0.4, (3000.0, None), 0.6),
        (0.8, None, (3000.0, 1000.0), None),
        (None, None, (3000.0, 1000.0), None),
    ],
)
def test_the_measured_share_of_the_roof_is_that_of_all_devices(
    first: float | None, second: float | None, peaks: tuple[float, float | None], mean: float | None
) -> None:
    machine = Machine()
    machine.runs(
        2,
        50.0,
        0.0,
        replace(GPU, bandwidth_utilization=first, bandwidth_gbs=Bandwidth(peak=peaks[0])),
        replace(SECOND, name="own", bandwidth_utilization=second, bandwidth_gbs=Bandwidth(peak=peaks[1])),
    )
    found = machine.view().bandwidth_utilization
    assert found == (None if mean is None else pytest.approx(mean))
