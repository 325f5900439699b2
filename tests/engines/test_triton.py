"""Triton: clients ask one port, the metrics stand at another."""

import socket

import pytest
from llmtop.probes.engines.triton import Triton
from llmtop.probes.process import Process
from llmtop.probes.sample import Engine, Total

from .conftest import Body, Emulate, Emulated, once
from .data import body

ABOUT: dict[str, Body] = {"/v2": body("triton", "v2.json")}
GAUGES = body("triton", "trt_llm.metrics.txt")


def command(metrics: Emulated) -> tuple[str, ...]:
    port = metrics.url.rpartition(":")[2]
    return ("/opt/tritonserver/bin/tritonserver", "--model-repository=/models", f"--metrics-port={port}")


def read(emulate: Emulate, metrics: Body) -> Engine:
    server = emulate("Triton", ABOUT, server=None)
    return server.read(*command(emulate("Triton", {"/metrics": metrics}, server=None)))


@pytest.mark.parametrize(
    ("line", "claimed"),
    [
        (("tritonserver", "--model-repository=/m"), True),
        (("/opt/tritonserver/bin/tritonserver",), True),
        (("/opt/tritonserver/backends/python/triton_python_backend_stub", "model.py"), False),
        (("python3", "tritonserver.py"), False),
    ],
)
def test_its_command_line(line: tuple[str, ...], claimed: bool) -> None:
    assert Triton.claims(Process(1, line, line[0].rpartition("/")[2])) is claimed


def test_labels_tell_its_gauges_apart(emulate: Emulate) -> None:
    reading = read(emulate, GAUGES)
    assert (reading.engine, reading.version, reading.status, reading.problem) == ("Triton", "2.60.0", "ok", None)
    assert (reading.requests_running, reading.requests_waiting, reading.prefilling, reading.slots) == (4, 1, 1, 512)
    assert (reading.kv_cache_usage, reading.context_tokens) == (0.125, 6400), "used / max, whatever `fraction` says"
    assert reading.model is not None
    assert reading.model.name == "tensorrt_llm"


def test_steps_times_requests_stand_in_for_tokens(emulate: Emulate) -> None:
    server, metrics = emulate("Triton", ABOUT), emulate("Triton", {"/metrics": GAUGES})
    source = server.source(*command(metrics))
    first = once(source)
    metrics.answers["/metrics"] = GAUGES.replace(b"} 1000\n", b"} 1040\n").replace(
        b'"generation_requests",model="tensorrt_llm",version="1"} 3',
        b'"generation_requests",model="tensorrt_llm",version="1"} 5',
    )
    reading = once(source)
    assert (first.decode_tokens, reading.decode_tokens) == (0, 160), "40 steps of 4 requests in the mean"
    assert (reading.about, reading.liveness) == (True, "step")
    assert (reading.decode_source or "").endswith("sampled")


def test_counts_at_request_end_are_no_rate(emulate: Emulate) -> None:
    reading = read(emulate, body("triton", "ended.metrics.txt"))
    assert (reading.decode_tokens, reading.liveness, reading.prefill_tokens) == (640, "request", 320)
    assert "llmtop proxy" in (reading.problem or "")


def test_the_backend_of_vllm_has_its_names(emulate: Emulate) -> None:
    reading = read(emulate, body("triton", "vllm.metrics.txt"))
    assert (reading.engine, reading.decode_tokens, reading.liveness, reading.about) == ("Triton", 123, "step", False)
    assert (reading.ttft, reading.tpot, reading.kv_cache_usage) == (Total(0.5, 4), Total(1.0, 119), 0.5)
    assert reading.model is not None
    assert reading.model.name == "vllm_model"


def test_a_server_that_has_no_language_model(emulate: Emulate) -> None:
    reading = read(emulate, b'nv_inference_count{model="resnet",version="1"} 9\n')
    assert (reading.engine, reading.decode_tokens, reading.liveness) == ("Triton", None, None)
    assert reading.problem is not None


def test_without_metrics_it_says_what_may_be_the_matter(emulate: Emulate) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    reading = emulate("Triton", ABOUT).read("tritonserver", f"--metrics-port={port}")
    assert (reading.status, reading.decode_tokens) == ("ok", None)
    assert "--allow-metrics=false" in (reading.problem or "")


def test_its_other_ports_are_no_engines(emulate: Emulate) -> None:
    metrics = emulate("Triton", {"/metrics": GAUGES})
    assert not isinstance(metrics.source("tritonserver", explicit=False).read(), Engine)


def test_another_server_of_that_protocol_is_another(emulate: Emulate, monkeypatch: pytest.MonkeyPatch) -> None:
    other = emulate("Triton", {"/v2": b'{"name":"mlserver","version":"1.6"}'})
    monkeypatch.setattr(Triton, "ports", (int(other.url.rpartition(":")[2]),))
    assert other.read().engine == "unknown"
    assert "/v2" in other.paths


def test_wrong_metrics_are_one_clear_line(emulate: Emulate) -> None:
    reading = read(emulate, b"nv_trt_llm_request_metrics{ many\n")
    assert (reading.status, reading.problem) == ("unsupported", "its metrics are not Prometheus text")
