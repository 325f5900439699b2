"""Samples in, snapshots out, over the life of an engine."""

from llmtop.estimator.monitor import Monitor
from llmtop.estimator.trail import Trail
from llmtop.probes.sample import Bandwidth, Device, DeviceProcess, Devices, Engine, Gone, ModelFacts, Sample, Total
from msgspec.structs import replace

URL = "http://127.0.0.1:8080"
MODEL = ModelFacts(
    name="8B",
    source="GGUF header",
    parameters=8_000,
    weight_bytes=5_000_000_000,
    embedding_bytes=400_000_000,
    embedding_parameters=500,
    tied_embeddings=False,
    layers=32,
    kv_elements=65_536,
)
BUSY = Engine(
    engine="llama.cpp",
    url=URL,
    status="ok",
    pid=100,
    pids=(100, 101),
    model=MODEL,
    decode_tokens=0.0,
    liveness="token",
    requests_running=1.0,
    context_tokens=1000.0,
)
GPU = Device(
    id="nvidia0",
    name="RTX 4090",
    vendor="NVIDIA",
    kind="gpu",
    memory_total_bytes=24 << 30,
    memory_used_bytes=7 << 30,
    power_w=300.0,
    power_limit_w=450.0,
    architecture="8.9",
    memory_type="GDDR",
    bandwidth_gbs=Bandwidth(peak=1008.0),
    processes=(DeviceProcess(101, 6 << 30),),
)
CPU = Device(id="cpu", name="CPU", vendor="AMD", kind="cpu")


class Machine:
    """Feeds a monitor second by second."""

    def __init__(self) -> None:
        self.monitor = Monitor(interval=1.0)
        self.time = 1000.0

    def says(self, reading: Engine | Devices | Gone, source: str = URL, after: float = 0.0) -> None:
        self.time += after
        self.monitor.feed(Sample(source=source, time=self.time, wall=self.time, period=1.0, reading=reading))

    def runs(self, seconds: int, tps: float, start: float = 0.0, **facts: object) -> None:
        for second in range(seconds):
            self.says(Devices(devices=(GPU,)), "nvidia", after=1.0)
            self.says(Devices(devices=(CPU,)), "cpu")
            self.says(replace(BUSY, decode_tokens=start + tps * second, **facts))


def test_measured_expected_ceiling_watts_and_joules_on_one_row() -> None:
    machine = Machine()
    machine.runs(5, 60.0)
    (view,) = machine.monitor.snapshot().engines
    assert view.decode_tps == 60.0
    assert view.devices == ("nvidia0",)
    kv = 65_536 * 2 * 1000
    assert view.ceiling.decode_tps is not None
    assert abs(view.ceiling.decode_tps - 1008e9 / (4_600_000_000 + kv)) < 1e-6
    assert view.mbu == 60.0 / view.ceiling.decode_tps
    assert view.expected.decode_tps is not None
    assert view.power_w == 300.0
    assert view.joules_per_token == 5.0
    assert view.tpot_s == 1 / 60
    assert view.binds is not None and "reading weights binds" in view.binds


def test_an_engine_on_no_gpu_runs_on_the_cpu_and_a_stranger_nowhere() -> None:
    machine = Machine()
    machine.runs(3, 10.0, pids=(999,))
    assert machine.monitor.snapshot().engines[0].devices == ("cpu",)
    machine.runs(3, 10.0, pids=(), pid=None)
    assert machine.monitor.snapshot().engines[0].devices == ()
    machine.runs(3, 10.0, local=False)
    assert machine.monitor.snapshot().engines[0].devices == ()


def test_the_roof_is_that_of_the_heaviest_load_of_the_window() -> None:
    machine = Machine()
    machine.runs(4, 200.0, requests_running=4.0)
    machine.runs(1, 200.0, start=800.0, requests_running=1.0)
    four = machine.monitor.snapshot().engines[0].ceiling.decode_tps
    assert four is not None and four > 700


def test_requests_in_prefill_are_no_decoding_streams() -> None:
    machine = Machine()
    machine.runs(3, 10.0, requests_running=2.0, prefilling=1)
    view = machine.monitor.snapshot().engines[0]
    assert view.ceiling.decode_tps is not None and view.ceiling.decode_tps < 230
    assert view.binds is not None and "prefill of 1 of 2" in view.binds


def test_a_life_found_gone_back_restarted_and_taken_away() -> None:
    machine = Machine()
    machine.runs(3, 10.0)
    machine.says(Engine(engine="llama.cpp", url=URL, status="unreachable", problem="nothing listens there"), after=1.0)
    view = machine.monitor.snapshot().engines[0]
    assert (view.status, view.decode_tps) == ("unreachable", None)
    assert view.model is not None, "what it was stays on its row"
    machine.runs(3, 10.0)
    machine.says(replace(BUSY, decode_tokens=1.0), after=1.0)
    assert machine.monitor.snapshot().engines[0].decode_tps is None
    machine.says(Gone(), after=1.0)
    snapshot = machine.monitor.snapshot()
    assert snapshot.engines == ()
    assert [event.text.removeprefix("llama.cpp 127.0.0.1:8080 ") for event in snapshot.events] == [
        "found, ok",
        "is gone",
        "is back",
        "was restarted",
    ]


def test_a_source_that_falls_silent_is_said_to_be_silent() -> None:
    machine = Machine()
    machine.runs(3, 10.0)
    machine.says(Devices(devices=(CPU,)), "cpu", after=60.0)
    snapshot = machine.monitor.snapshot()
    assert snapshot.engines[0].status == "unreachable"
    assert snapshot.engines[0].problem == "no word for 60 s"
    assert snapshot.devices[0].problem is not None and snapshot.devices[0].power_w is None


def test_throttling_and_a_changed_limit_are_events_once() -> None:
    machine = Machine()
    hot = replace(GPU, throttle_reasons=("power cap",), power_limit_w=300.0)
    for device in (GPU, hot, hot, GPU):
        machine.says(Devices(devices=(device,)), "nvidia", after=1.0)
    assert [event.text for event in machine.monitor.snapshot().events] == [
        "RTX 4090 is held down: power cap",
        "RTX 4090: power limit 450 W -> 300 W",
        "RTX 4090 runs freely again",
        "RTX 4090: power limit 300 W -> 450 W",
    ]


def test_trails_have_one_value_an_interval_and_holes() -> None:
    machine = Machine()
    machine.runs(3, 10.0)
    machine.says(replace(BUSY, decode_tokens=50.0), after=3.0)
    trail = machine.monitor.snapshot().decode_trails[URL]
    assert trail[-5:] == (10.0, 10.0, None, None, trail[-1])


def test_a_trail_begins_at_an_even_interval() -> None:
    for first in (10.0, 11.0):
        trail = Trail(1.0)
        for second in range(4):
            trail.add(first + second, float(second))
        assert trail.values == ((0.0, 1.0, 2.0, 3.0) if first == 10.0 else (1.0, 2.0, 3.0))


def test_means_come_from_sums_and_counts() -> None:
    machine = Machine()
    machine.runs(1, 10.0, ttft=Total(1.0, 2.0))
    machine.runs(1, 10.0, ttft=Total(1.9, 5.0))
    view = machine.monitor.snapshot().engines[0]
    assert view.ttft_s is not None and abs(view.ttft_s - 0.3) < 1e-9


def test_a_hundred_engines_cost_little() -> None:
    machine = Machine()
    for number in range(256):
        machine.says(replace(BUSY, url=f"http://127.0.0.1:{number}"), f"engine{number}")
    assert len(machine.monitor.snapshot().engines) == 256


def test_a_gpu_of_two_that_falls_silent_leaves_a_gap_and_no_cheaper_engine() -> None:
    machine = Machine()
    other = replace(GPU, id="nvidia1")
    for second in range(30):
        silent = 10 <= second < 20
        both = (GPU, other.lasting("its driver does not answer") if silent else other)
        machine.says(Devices(devices=both), "nvidia", after=1.0)
        machine.says(replace(BUSY, decode_tokens=100.0 * second))
        (view,) = machine.monitor.snapshot().engines
        assert view.devices == ("nvidia0", "nvidia1")
        assert view.power_w == (None if silent else 600.0)
        assert view.session.joules_per_token in {None, 6.0}
    session = machine.monitor.snapshot().engines[0].session
    assert (session.joules, session.gap_s) == (600.0 * 18, 11.0)


def test_a_silence_is_told_once_and_which_of_several_it_is() -> None:
    machine = Machine()
    other = replace(GPU, id="nvidia1")
    machine.says(Devices(devices=(GPU, replace(other, throttle_reasons=("power cap",)))), "nvidia")
    for second in range(1, 120):
        silent = other.lasting(f"its driver has not answered for {second} s")
        machine.says(Devices(devices=(GPU, silent)), "nvidia", after=1.0)
    machine.says(Devices(devices=(GPU, other)), "nvidia", after=1.0)
    told = [event.text for event in machine.monitor.snapshot().events]
    assert told == ["RTX 4090 (nvidia1): its driver has not answered for 1 s", "RTX 4090 (nvidia1) answers again"]


def test_what_holds_several_gpus_down_is_said_once() -> None:
    machine = Machine()
    pair = tuple(replace(GPU, id=f"nvidia{n}", throttle_reasons=("power cap",)) for n in range(2))
    for second in range(4):
        machine.says(Devices(devices=pair), "nvidia", after=1.0)
        machine.says(replace(BUSY, decode_tokens=60.0 * second))
    (view,) = machine.monitor.snapshot().engines
    assert (view.binds or "").count("held down by power cap") == 1
    assert "2 x RTX 4090 held down" in (view.binds or "")
