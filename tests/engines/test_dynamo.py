"""Dynamo: its frontend counts each piece of a stream; three spellings of its gauges."""

import pytest
from llmtop.probes.engines.contract import UNAUTHORIZED
from llmtop.probes.engines.dynamo import Dynamo
from llmtop.probes.process import Process
from llmtop.probes.sample import Total

from .conftest import Body, Emulate, once
from .data import body

COMMAND = ("python3", "-m", "dynamo.frontend", "--http-port", "8000")
NOW = body("dynamo", "1.0.metrics.txt")


def answers(metrics: Body) -> dict[str, Body]:
    return {"/v1/models": body("dynamo", "v1_models.json"), "/metrics": metrics}


@pytest.mark.parametrize(
    ("command", "claimed"),
    [
        (COMMAND, True),
        (("python3", "/opt/venv/lib/python3.12/site-packages/dynamo/frontend/__main__.py"), True),
        (("python3", "-m", "dynamo.vllm", "--model", "m"), False),
        (("python3", "-m", "dynamo.planner"), False),
        (("dynamo-cli", "frontend"), False),
    ],
)
def test_its_command_line(command: tuple[str, ...], claimed: bool) -> None:
    assert Dynamo.claims(Process(1, command, "python3")) is claimed


@pytest.mark.parametrize("version", ["0.4", "1.0", "1.5"])
@pytest.mark.parametrize("command", [COMMAND, ()])
def test_three_spellings(emulate: Emulate, version: str, command: tuple[str, ...]) -> None:
    server = emulate("Dynamo", answers(body("dynamo", f"{version}.metrics.txt")), server=None)
    reading = server.read(*command)
    assert (reading.engine, reading.status, reading.problem) == ("Dynamo", "ok", None)
    assert (reading.decode_tokens, reading.liveness, reading.about) == (4500, "token", False)
    assert (reading.requests_running, reading.prefilling, reading.requests_waiting) == (4, 1, None), (
        "queued: no token yet"
    )
    assert (reading.prefill_tokens, reading.prefix_queries) == (800, 800)
    assert (reading.ttft, reading.tpot) == (Total(0.5, 8), Total(45, 4480))
    assert reading.model is not None
    assert reading.model.name == "Qwen/Qwen3-0.6B"
    if version != "0.4":
        assert (reading.prefix_hits, reading.slots, reading.model.context_length) == (200, 256, 40960)


def test_idle(emulate: Emulate) -> None:
    quiet = NOW.replace(b'inflight_requests{model="qwen/qwen3-0.6b"} 4', b'inflight_requests{model="q"} 0')
    assert emulate("Dynamo", answers(quiet)).read(*COMMAND).status == "idle"


def test_a_fresh_one_has_no_model_and_no_count(emulate: Emulate) -> None:
    fresh = b"# TYPE dynamo_frontend_disconnected_clients gauge\ndynamo_frontend_disconnected_clients 0\n"
    reading = emulate("Dynamo", {"/v1/models": b'{"object":"list","data":[]}', "/metrics": fresh}).read(*COMMAND)
    assert (reading.status, reading.decode_tokens, reading.model) == ("ok", None, None)


def test_the_same_owner_without_its_metrics_is_another(emulate: Emulate) -> None:
    other = emulate("Dynamo", {"/v1/models": body("dynamo", "v1_models.json")})
    assert other.read().engine == "OpenAI-compatible"


def test_a_restart_is_a_count_that_falls(emulate: Emulate) -> None:
    server = emulate("Dynamo", answers(NOW))
    source = server.source(*COMMAND)
    before = once(source).decode_tokens
    server.answers["/metrics"] = NOW.replace(b"} 4500", b"} 5")
    assert (before, once(source).decode_tokens) == (4500, 5)


def test_a_key_in_the_way(emulate: Emulate) -> None:
    server = emulate("Dynamo", answers(NOW))
    source = server.source(*COMMAND)
    once(source)
    server.answers["/metrics"] = "401 Unauthorized"
    reading = once(source)
    assert (reading.status, reading.problem) == ("unauthorized", UNAUTHORIZED)


def test_wrong_metrics_are_one_clear_line(emulate: Emulate) -> None:
    reading = emulate("Dynamo", answers(b"dynamo_frontend_output_tokens_total many\n")).read(*COMMAND)
    assert (reading.status, reading.problem) == ("unsupported", "its metrics are not Prometheus text")
