"""Servers that lie: one clear line each, no number that cannot be true, nothing that moves the cursor, no key lost."""

import json
from pathlib import Path

import msgspec
import pytest
from llmtop.estimator.monitor import Monitor
from llmtop.probes.engines import source as sources
from llmtop.probes.engines.believable import believable
from llmtop.probes.engines.contract import Endpoint
from llmtop.probes.engines.source import EngineSource
from llmtop.probes.process import Process
from llmtop.probes.sample import Engine, Gone, ModelFacts, Sample, Total
from llmtop.tui.cli import main

from ..engines.conftest import Emulate, emulate
from ..probes.conftest import Serve, serve

__all__ = ["emulate", "serve"]  # fixtures

DATA = Path(__file__).parent.parent / "data" / "llama-server"
PROPS = (DATA / "idle.props.json").read_bytes()
SLOTS = (DATA / "decoding.slots.json").read_bytes()
DEEP = b'{"unknown":' + b"[" * 100_000
NO_TEXT = b'{"data":[{"id":"\xff\xfe"}]}'
URL = "http://127.0.0.1:8000"
VLLM = Process(2**22, ("vllm", "serve", "m"), "vllm")
VERSION, MODELS = b'{"version":"0.32.0"}', b'{"data":[{"id":"m","owned_by":"vllm"}]}'


@pytest.mark.parametrize("body", [DEEP, NO_TEXT])
@pytest.mark.parametrize("path", ["/version", "/v1/models", "/props", "/slots", "/api/ps", "/metrics"])
def test_json_that_breaks_a_decoder_is_one_clear_line(serve: Serve, body: bytes, path: str) -> None:
    """Nested too deep, or no UTF-8: msgspec raises what is no DecodeError of its own."""
    for server, process in (
        ("llama.cpp", Process(2**22, ("llama-server",), "llama-server")),
        ("uvicorn", VLLM),
        ("", Process(2**22, ("ollama", "serve"), "ollama")),
    ):
        answers: dict[str, bytes | str] = {
            "/version": VERSION if server else "404 Not Found",
            "/v1/models": MODELS,
            "/props": PROPS,
            "/slots": SLOTS,
            "/api/version": VERSION,
            "/api/ps": b'{"models":[]}',
            path: body,
        }
        url = serve.paths(answers, server=server).url
        for explicit in (True, False):
            reading = EngineSource(Endpoint(url, process, explicit), interval=1.0).read()
            assert reading is None or isinstance(reading, Gone | Engine)
            if isinstance(reading, Engine):
                assert "\n" not in (reading.problem or "")
                assert reading.problem or reading.status in {"ok", "idle"}


def test_json_too_deep_from_a_stranger_is_no_row(serve: Serve) -> None:
    url = serve.paths({"/version": VERSION, "/v1/models": DEEP}).url
    assert isinstance(EngineSource(Endpoint(url), interval=1.0).read(), Gone)


def test_names_that_would_move_the_cursor_reach_no_output(emulate: Emulate, capsys: pytest.CaptureFixture[str]) -> None:
    name = "\x1b[2J\x1b]0;x\x07\nm\u202e" + "y" * 1_000_000
    models = json.dumps({"data": [{"id": name, "owned_by": "vllm"}]}).encode()
    engine = emulate(
        "vLLM", {"/version": VERSION, "/v1/models": models, "/metrics": b"vllm:generation_tokens_total 7\n"}
    )
    reading = engine.read()
    assert reading.model is not None
    assert reading.model.name.isprintable()
    assert len(reading.model.name) <= 300
    assert main(["engines", "--url", engine.url, "--no-discover"]) == 0
    assert "\x1b" not in capsys.readouterr().out
    engine.sources.append(engine.sources[0])  # `llmtop engines` has asked once, too


@pytest.mark.parametrize("value", ["-5", "1e18", "1e308", "-1e308"])
def test_gauges_and_counters_that_cannot_be_true_are_unknown(emulate: Emulate, value: str) -> None:
    names = ("generation_tokens_total", "num_requests_running", "num_requests_waiting", "kv_cache_usage_perc")
    metrics = "".join(f"vllm:{name} {value}\n" for name in names).encode()
    reading = emulate("vLLM", {"/version": VERSION, "/v1/models": MODELS, "/metrics": metrics}).read()
    shown = (reading.decode_tokens, reading.requests_running, reading.requests_waiting, reading.kv_cache_usage)
    assert shown == (None, None, None, None)
    assert reading.problem is not None
    assert "cannot be true" in reading.problem


def test_what_can_be_true_is_left_as_it_is() -> None:
    facts = ModelFacts(name="m", source="s", path="/m", context_length=1 << 20, weight_bytes=10**12)
    reading = Engine(engine="vLLM", url=URL, status="ok", model=facts, kv_cache_usage=0.5, ttft=Total(1.0, 2.0))
    assert believable(reading) is reading
    assert believable(msgspec.structs.replace(reading, kv_cache_usage=1.001)).kv_cache_usage == 1.0


def test_a_model_of_endless_size_can_be_written_down() -> None:
    facts = ModelFacts(name="m\udcff", source="s", path="/m/\udcff", context_length=-1, weight_bytes=10**400)
    reading = believable(Engine(engine="vLLM", url=URL, status="ok", model=facts, slots=10**30))
    assert reading.model == ModelFacts(name="m?", source="s", path="/m/?")
    assert reading.slots is None
    assert msgspec.json.encode(reading)


def says(monitor: Monitor, time: float, **facts: object) -> float | None:
    reading = Engine(engine="vLLM", url=URL, status="ok", liveness="step", **facts)  # type: ignore[arg-type]
    monitor.feed(Sample(source=URL, time=time, wall=time, period=1.0, reading=reading))
    return monitor.snapshot().engines[0].decode_tps


def test_a_count_that_jumps_beyond_all_machines_tells_no_speed() -> None:
    monitor = Monitor()
    seen = [says(monitor, 10.0 + i, decode_tokens=count) for i, count in enumerate([0.0, 50.0, 1e15, 1e15 + 50])]
    assert seen == [None, 50.0, None, None]


@pytest.mark.parametrize("other", [{"pid": 2}, {"pid": 1, "decode_source": "another counter"}])
def test_no_rate_goes_from_the_count_of_one_to_that_of_another(other: dict[str, object]) -> None:
    """Another process on the same port, whose count is the larger one; or another counter of the same process."""
    monitor = Monitor()
    for i in range(3):
        says(monitor, 10.0 + i, decode_tokens=50.0 * i, pid=1, decode_source="a counter")
    assert says(monitor, 13.0, decode_tokens=90_000.0, **other) is None
    assert says(monitor, 14.0, decode_tokens=90_010.0, **other) == 10.0


def test_a_stranger_who_takes_the_port_of_an_engine_does_not_get_the_key(serve: Serve) -> None:
    server = serve.paths({"/version": b"hello"})
    watched = EngineSource(Endpoint(server.url, VLLM), interval=1.0, api_key="sk-secret")
    watched.read()
    assert any("sk-secret" in request for request in server.requests)
    server.requests.clear()
    watched.meet(Endpoint(server.url, Process(2**22 + 1, ("nginx",), "nginx")))
    watched.read()
    assert server.requests
    assert not any("sk-secret" in request for request in server.requests)


def test_a_page_of_counts_never_gets_the_key(serve: Serve) -> None:
    server = serve.paths({"/version": b"", "/metrics": b"llmtop_observed_generation_tokens_total 5\n"}, server="llmtop")
    EngineSource(Endpoint(server.url, VLLM, announced=True), interval=1.0, api_key="sk-secret").read()
    assert server.requests
    assert not any("sk-secret" in request for request in server.requests)


def test_an_engine_that_becomes_another_one_is_found_out(emulate: Emulate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a port of which no process is known, and between two readings."""
    monkeypatch.setattr(sources, "DOUBT_S", 0.0)
    answers: dict[str, bytes | str] = {"/version": VERSION, "/v1/models": MODELS}
    engine = emulate("vLLM", {**answers, "/metrics": b"vllm:generation_tokens_total 7\n"})
    watched = engine.source()
    engine.sources += [watched, watched]  # it is identified again
    first = watched.read()
    assert isinstance(first, Engine)
    assert first.engine == "vLLM"
    engine.answers = {"/v1/models": b'{"data":[{"id":"x","owned_by":"me"}]}', "/version": "404 Not Found"}
    watched.read()
    second = watched.read()
    assert isinstance(second, Engine)
    assert second.engine == "llama-cpp-python"
