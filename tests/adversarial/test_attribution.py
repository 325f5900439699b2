"""Whose tokens, whose watts: nothing is counted for two, and what is not known is not shown as rest."""

import pytest
from llmtop.estimator.link import power, serving, share
from llmtop.estimator.monitor import Monitor
from llmtop.probes.engines.contract import Endpoint
from llmtop.probes.engines.source import EngineSource
from llmtop.probes.sample import Device, DeviceProcess, Devices, Engine, Liveness, Sample, Status

from ..probes.conftest import Serve, serve

__all__ = ["serve"]  # a fixture

GIB = 1 << 30
ONE, TWO = "http://127.0.0.1:8080", "http://127.0.0.1:8081"
CPU = Device(id="cpu", name="EPYC", vendor="AMD", kind="cpu", power_w=100.0)


def fed(monitor: Monitor, source: str, time: float, reading: Devices | Engine) -> None:
    monitor.feed(Sample(source=source, time=time, wall=time, period=1.0, reading=reading))


def proxy(port: int, count: float, liveness: Liveness = "token") -> Engine:
    url = f"http://127.0.0.1:{port}"
    return Engine(
        engine="unknown",
        url=url,
        status="ok",
        upstream=ONE,
        liveness=liveness,
        decode_tokens=count,
        decode_source=f"llmtop proxy {port}",
    )


def test_two_proxies_before_one_engine_are_not_mixed() -> None:
    """Their counts side by side in one row: 1000, 10, 1050, 15 would be a rate of a thousand."""
    monitor = Monitor()
    for i in range(12):
        fed(monitor, ONE, 10.0 + i, Engine(engine="mlx-lm", url=ONE, status="ok"))
        fed(monitor, "first", 10.1 + i, proxy(9000, 1000.0 + 50 * i))
        fed(monitor, "second", 10.4 + i, proxy(9001, 10.0 + 5 * i))
    (row,) = monitor.snapshot().engines
    assert row.decode_tps == pytest.approx(50.0)
    assert row.decode_source == "llmtop proxy 9000"


def test_a_proxy_takes_over_from_a_log_and_one_proxy_from_another_that_has_ended() -> None:
    monitor = Monitor()
    fed(monitor, ONE, 10.0, Engine(engine="mlx-lm", url=ONE, status="ok"))
    fed(monitor, "log", 10.0, proxy(1, 7.0, "interval"))
    fed(monitor, "first", 10.1, proxy(9000, 0.0))
    fed(monitor, "log", 10.2, proxy(1, 8.0, "interval"))
    assert monitor.snapshot().engines[0].decode_source == "llmtop proxy 9000"
    fed(monitor, "second", 30.0, proxy(9001, 0.0))
    assert monitor.snapshot().engines[0].decode_source == "llmtop proxy 9001"


@pytest.mark.parametrize(
    ("first", "second", "watts"),
    [("ok", "ok", (None, None)), ("ok", "idle", (100.0, None)), ("idle", "idle", (None, None))],
)
def test_the_power_of_a_cpu_that_serves_two_engines_is_given_to_none_twice(
    first: Status, second: Status, watts: tuple[float | None, float | None]
) -> None:
    monitor = Monitor()
    fed(monitor, "cpu", 10.0, Devices(devices=(CPU,)))
    fed(monitor, ONE, 10.0, Engine(engine="llama.cpp", url=ONE, status=first, pids=(7,)))
    fed(monitor, TWO, 10.0, Engine(engine="llama.cpp", url=TWO, status=second, pids=(8,)))
    assert tuple(view.power_w for view in monitor.snapshot().engines) == watts


def test_a_small_engine_beside_a_large_one_has_its_part_of_the_power() -> None:
    """1 GiB is less than a twentieth of 40, and yet more than a driver's context: 300 W are not 450."""
    held = (DeviceProcess(7, 40 * GIB, 0.5), DeviceProcess(8, GIB, 0.5))
    card = Device(id="nvidia0", name="A100", vendor="NVIDIA", kind="gpu", power_w=300.0, processes=held)
    large, small = (Engine(engine="vLLM", url=ONE, status="ok", pids=(pid,)) for pid in (7, 8))
    assert [share(each, card) for each in (large, small)] == [0.5, 0.5]
    assert sum(power(each, serving(each, [card])) or 0.0 for each in (large, small)) == 300.0


def test_hits_of_the_prefix_cache_beyond_its_queries_are_no_share() -> None:
    monitor = Monitor()
    for i in range(3):
        reading = Engine(engine="vLLM", url=ONE, status="ok", prefix_queries=10.0 * i, prefix_hits=1e9 * i)
        fed(monitor, ONE, 10.0 + i, reading)
    assert monitor.snapshot().engines[0].prefix_hit_rate is None


@pytest.mark.parametrize("metrics", ["false", "true"])
def test_a_server_that_tells_nothing_of_its_work_is_not_said_to_rest(serve: Serve, metrics: str) -> None:
    """llama-server with --no-slots, without --metrics."""
    props = f'{{"build_info":"b1","endpoint_slots":false,"endpoint_metrics":{metrics}}}'.encode()
    url = serve.paths({"/props": props, "/metrics": "501 Not Implemented"}, server="llama.cpp").url
    reading = EngineSource(Endpoint(url, explicit=True), interval=1.0).read()
    assert isinstance(reading, Engine)
    assert reading.status == "ok"
    assert reading.problem is not None and "--metrics" in reading.problem
