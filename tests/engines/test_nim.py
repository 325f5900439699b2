"""NIM: names of vLLM without their prefix, or with it, and told apart from vLLM."""

import pytest
from llmtop.probes.engines.contract import UNAUTHORIZED
from llmtop.probes.engines.nim import Nim
from llmtop.probes.process import Process
from llmtop.probes.sample import Total

from .conftest import Body, Emulate, once
from .data import body

COMMAND = ("/opt/nim/llm/.venv/bin/python3", "-m", "vllm_nvext.entrypoints.openai.api_server")
FIRST = body("nim", "1.x.metrics.txt")
VLLM_VERSION = body("vllm", "0.32.0-version.json")


def answers(metrics: Body, path: str = "/v1/metrics") -> dict[str, Body]:
    return {"/v1/models": body("nim", "v1_models.json"), "/v1/metadata": body("nim", "metadata.json"), path: metrics}


@pytest.mark.parametrize(
    ("command", "claimed"),
    [
        (COMMAND, True),
        (("python3", "-m", "nim_llm_sdk.entrypoints.launch"), True),
        (("/opt/nim/start_server.sh",), True),
        (("python3", "-m", "vllm.entrypoints.openai.api_server"), False),
        (("nimble", "build"), False),
    ],
)
def test_its_command_line(command: tuple[str, ...], claimed: bool) -> None:
    assert Nim.claims(Process(1, command, "python3")) is claimed


def test_names_without_a_prefix(emulate: Emulate) -> None:
    reading = emulate("NIM", answers(FIRST)).read(*COMMAND)
    assert (reading.engine, reading.version, reading.status, reading.problem) == ("NIM", "1.10.1", "ok", None)
    assert (reading.decode_tokens, reading.liveness) == (1234, "step"), "no histogram of that name is a counter"
    assert reading.decode_source == "GET /v1/metrics generation_tokens_total"
    assert (reading.prefill_tokens, reading.requests_running, reading.requests_waiting) == (300, 2, 1)
    assert (reading.kv_cache_usage, reading.slots) == (0.25, 256)
    assert (reading.ttft, reading.tpot) == (Total(0.5, 4), Total(2.0, 200))
    assert reading.model is not None
    assert (reading.model.name, reading.model.context_length) == ("meta/llama-3.1-8b-instruct", 131072)


def test_the_first_versions_have_another_path(emulate: Emulate) -> None:
    server = emulate("NIM", answers(FIRST, "/metrics"))
    source = server.source(*COMMAND)
    assert [once(source).decode_tokens for _ in range(2)] == [1234, 1234]
    assert server.paths.count("/v1/metrics") == 1


def test_on_its_port_by_what_only_it_has(emulate: Emulate, monkeypatch: pytest.MonkeyPatch) -> None:
    server = emulate("NIM", answers(FIRST))
    monkeypatch.setattr(Nim, "ports", (int(server.url.rpartition(":")[2]),))
    assert server.read().decode_tokens == 1234


def test_vllm_inside_behind_nginx(emulate: Emulate) -> None:
    """All that vLLM says, `/version` too, and yet it is none."""
    inside = answers(body("nim", "2.0.metrics.txt"))
    inside |= {"/version": VLLM_VERSION, "/v1/models": body("nim", "2.0-v1_models.json")}
    reading = emulate("NIM", inside, server="nginx/1.24").read()
    assert (reading.engine, reading.version, reading.decode_tokens) == ("NIM", "1.10.1", 631)
    assert reading.decode_source == "GET /v1/metrics vllm:generation_tokens_total"
    assert reading.context_tokens is not None


def test_sglang_inside(emulate: Emulate) -> None:
    reading = emulate("NIM", answers(body("nim", "2.0-sglang.metrics.txt"))).read(*COMMAND)
    assert (reading.decode_source or "").startswith("GET /v1/metrics sglang:realtime_tokens_total")
    assert reading.decode_tokens


def test_vllm_is_not_asked_what_only_nim_has(emulate: Emulate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even on the port of both, by a process that nobody knows."""
    plain = emulate(
        "vLLM",
        {
            "/version": VLLM_VERSION,
            "/v1/models": body("vllm", "0.32.0-v1_models.json"),
            "/metrics": body("vllm", "0.32.0-busy.metrics.txt"),
        },
    )
    monkeypatch.setattr(Nim, "ports", (int(plain.url.rpartition(":")[2]),))
    assert plain.read().engine == "vLLM"


def test_vllm_behind_nginx_is_vllm(emulate: Emulate) -> None:
    """The path that only NIM has is the one question more; it answers 404."""
    said: dict[str, Body] = {
        "/version": VLLM_VERSION,
        "/v1/models": body("vllm", "0.32.0-v1_models.json"),
        "/metrics": body("vllm", "0.32.0-busy.metrics.txt"),
    }
    assert emulate("NIM", said, server="nginx").read().engine == "vLLM"


def test_a_restart_is_a_count_that_falls(emulate: Emulate) -> None:
    server = emulate("NIM", answers(FIRST))
    source = server.source(*COMMAND)
    before = once(source).decode_tokens
    server.answers["/v1/metrics"] = FIRST.replace(b"} 1234.0", b"} 4.0")
    assert (before, once(source).decode_tokens) == (1234, 4)


def test_a_key_guards_it_all(emulate: Emulate) -> None:
    locked: dict[str, Body] = dict.fromkeys(
        ["/version", "/v1/models", "/v1/metadata", "/v1/metrics"], "401 Unauthorized"
    )
    reading = emulate("NIM", locked).read(*COMMAND)
    assert (reading.status, reading.problem) == ("unauthorized", UNAUTHORIZED)


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (b"generation_tokens_total many\n", "its metrics are not Prometheus text"),
        ("500 Internal Server Error", "GET /v1/metrics answers 500"),
    ],
)
def test_wrong_metrics_are_one_clear_line(emulate: Emulate, wrong: Body, problem: str) -> None:
    reading = emulate("NIM", answers(wrong)).read(*COMMAND)
    assert (reading.status, reading.problem) == ("unsupported", problem)
