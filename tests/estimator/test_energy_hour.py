"""An hour of readings in seconds: nothing grows, and the sums are those of hand arithmetic."""

import tracemalloc
from collections.abc import Iterator

import pytest
from llmtop.estimator.monitor import Monitor
from llmtop.probes.sample import Device, DeviceProcess, Devices, Engine, Gone, Host, ModelFacts, Sample
from msgspec.structs import replace

GPUS, ENGINES = 8, 3
MODEL = ModelFacts(name="8B", source="GGUF header", parameters=8 * 10**9, weight_bytes=5 * 10**9, layers=32)
GPU = Device(
    id="nvidia0",
    name="NVIDIA H100 80GB HBM3",
    vendor="NVIDIA",
    kind="gpu",
    utilization=0.9,
    processes=tuple(DeviceProcess(100 + engine, 20 << 30, 0.3) for engine in range(ENGINES)),
)
CPU = Device(id="cpu", name="EPYC", vendor="AMD", kind="cpu")
ENGINE = Engine(
    engine="vLLM", url="http://127.0.0.1:8000", status="ok", model=MODEL, liveness="step", requests_running=4.0
)


def second(at: int) -> Iterator[Sample]:
    """All readings of one second: eight GPUs of 430 W, a CPU of 90 W, three engines of 50 tokens/s each."""

    def sample(source: str, reading: Host | Devices | Engine | Gone) -> Sample:
        return Sample(source=source, time=1000.0 + at, wall=1e9 + at, period=1.0, reading=reading)

    cards = [replace(GPU, id=f"nvidia{card}", power_w=430.0, energy_j=430.0 * at) for card in range(GPUS)]
    yield sample("host", Host(name="box", os="Linux"))
    yield sample("nvidia", Devices(devices=tuple(cards)))
    yield sample("cpu", Devices(devices=(replace(CPU, power_w=90.0),)))
    for number in range(ENGINES):
        url, pid = f"http://127.0.0.1:{8000 + number}", 100 + number
        yield sample(url, replace(ENGINE, url=url, pid=pid, pids=(pid,), decode_tokens=50.0 * at))


def test_an_hour_of_eight_gpus_and_three_engines_takes_no_more_memory() -> None:
    monitor = Monitor()
    tracemalloc.start()
    try:
        held: dict[int, int] = {}
        for at in range(3601):
            for sample in second(at):
                monitor.feed(sample)
            if at % 60 == 0:
                monitor.snapshot()
            if at in {900, 3600}:
                held[at] = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held[3600] < held[900] * 1.05 + 20_000
    snapshot = monitor.snapshot()
    assert snapshot.power.energy_j == pytest.approx(3600 * (8 * 430.0 + 90.0))
    assert (snapshot.power.seconds, snapshot.power.gap_s) == (3600.0, 0.0)
    assert snapshot.power.energy_basis == "mixed"
    for view in snapshot.engines:
        assert view.session.tokens == 180_000.0
        assert view.session.joules == pytest.approx(3600 * 8 * 430.0 / 3)
        assert view.session.joules_per_token == pytest.approx(8 * 430.0 / 3 / 50.0)
