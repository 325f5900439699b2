"""The simulated machine, read as llmtop reads any: by the probe of its engine, and through the simulated NVML."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from llmtop.estimator.tuning.meter import Meter
from llmtop.probes.engines.contract import Endpoint
from llmtop.probes.engines.source import EngineSource
from llmtop.probes.hardware.nvidia.probe import NvidiaProbe
from llmtop.probes.sample import Engine, Sample
from llmtop.probes.sampler import Sampler

from ..hardware.simulated import SimulatedNvml
from .curve import curve
from .world import World


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "nvml.txt"


def gpu(state: Path) -> dict[str, str]:
    """The first GPU of the file."""
    whole = state.read_text().split("gpu 1\n")[0]
    return dict(line.split(" ", 1) for line in whole.splitlines())


def read(world: World) -> Engine:
    reading = EngineSource(Endpoint(url=world.url, explicit=True), interval=0.2).read()
    assert isinstance(reading, Engine), reading
    return reading


def rate(source: EngineSource, seconds: float) -> float:
    """Tokens/s from the first reading that knows more than where it began to the last."""
    found: list[tuple[float, float]] = []
    while not found or found[-1][0] - found[0][0] < seconds:
        reading = source.read()
        assert isinstance(reading, Engine) and reading.decode_tokens is not None, reading
        found.append((time.monotonic(), reading.decode_tokens))
        time.sleep(0.1)
    return (found[-1][1] - found[0][1]) / (found[-1][0] - found[0][0])


def until(holds: Callable[[], object], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_it_is_taken_for_a_llama_server(state: Path) -> None:
    with World(state) as world:
        reading = read(world)
        assert (reading.engine, reading.status, reading.liveness) == ("llama.cpp", "idle", "token")
        assert reading.model is not None and reading.model.name == "simulated-27b.gguf"
        assert reading.slots == 4
        assert gpu(state)["name"] == "NVIDIA GeForce RTX 4090" and gpu(state)["power"] == "25000"


@pytest.mark.parametrize("limit_w", [450.0, 260.0])
def test_speed_and_draw_are_those_published(state: Path, limit_w: float) -> None:
    published = curve("4090 decode x1").at(limit_w)
    with World(state, load="own", noise=0.0, scale=4.0) as world:
        world.set_limit(limit_w)
        source = EngineSource(Endpoint(url=world.url, explicit=True), interval=0.2)
        assert rate(source, 2.0) == pytest.approx(4 * published.tps, rel=0.05)
        facts = gpu(state)
        assert int(facts["power"]) / 1000 == pytest.approx(published.draw_w, rel=0.02)
        assert facts["reasons"] == ("4" if published.draw_w > 0.97 * limit_w else "0")
        assert facts["limit_default"] == "450000"


def test_what_may_happen(state: Path) -> None:
    with World(state, load="own", gpus=2) as world:
        until(lambda: world.busy() == 1)
        world.change(vanish=1)
        until(lambda: "error * 15" in state.read_text())
        world.change(load="off")
        until(lambda: world.busy() == 0)
        world.change(die=True)
        until(lambda: psutil.Process(world.pid).status() == psutil.STATUS_ZOMBIE)
        assert EngineSource(Endpoint(url=world.url, explicit=True), interval=0.2).read() is not None
        world.kill()
        world.start()
        assert read(world).status in {"ok", "idle"}


def measure(world: World, gpus: int, seconds: float) -> Meter:
    """Both probes, in real time."""
    meter = Meter(world.url, [f"nvidia{index}" for index in range(gpus)], settle_s=1.0, block_s=0.5)
    samples: list[Sample] = []
    sampler = Sampler(samples.append)
    sampler.add(EngineSource(Endpoint(url=world.url, explicit=True), interval=0.1))
    sampler.add(NvidiaProbe(period=0.1))
    time.sleep(seconds)
    sampler.stop()
    for sample in samples[: len(samples)]:
        meter.feed(sample)
    return meter


def test_the_meter_on_it(state: Path, nvml: SimulatedNvml) -> None:
    assert nvml.state == state
    published = curve("4090 decode x1").at(290.0)
    with World(state, load="own", scale=4.0, gpus=2, noise=0.005) as world:
        world.set_limit(290.0)
        meter = measure(world, 2, 5.0)
    point = meter.point
    assert point is not None and point.decode is not None and point.decode.error_tps is not None
    assert meter.stay.limits_w == (290.0, 290.0)
    assert point.decode.tps == pytest.approx(4 * published.tps, rel=0.03)
    assert point.power_w == pytest.approx(2 * published.draw_w, rel=0.03)
    assert point.throttled_share == 1.0 and point.streams == pytest.approx(1.0, abs=0.1)
    assert meter.remarks == ()
    assert (meter.unevenness or 1.0) < 0.1


def test_an_uneven_load_shows(state: Path, nvml: SimulatedNvml) -> None:
    assert nvml.state == state
    with World(state, load="uneven", scale=4.0, seed=3) as world:
        meter = measure(world, 1, 9.0)
    assert meter.point is not None and (meter.point.idle_share or 0.0) > 0.1
    assert (meter.unevenness or 0.0) > 0.3
