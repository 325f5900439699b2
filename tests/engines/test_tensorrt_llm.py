"""TensorRT-LLM: counts at the end of a request, an estimate before it, and a path that must not be asked."""

import pytest
from llmtop.probes.engines import tensorrt_llm
from llmtop.probes.engines.contract import UNAUTHORIZED
from llmtop.probes.engines.tensorrt_llm import TensorRtLlm
from llmtop.probes.process import Process
from llmtop.probes.sample import Total

from .conftest import Body, Emulate, once
from .data import body

COMMAND = (
    *("/usr/bin/python3", "/usr/local/bin/trtllm-serve", "/models/Qwen3-8B", "--host", "0.0.0.0"),
    *("--tp_size", "2", "--max_batch_size", "64", "--max_seq_len", "8192", "--kv_cache_dtype", "fp8"),
)
STEPS = body("tensorrt_llm", "iterations.metrics.txt")
FIRST = body("tensorrt_llm", "1.1.metrics.txt")


def answers(metrics: Body) -> dict[str, Body]:
    return {
        "/version": b'{"version":"1.3.0"}',
        "/v1/models": body("tensorrt_llm", "v1_models.json"),
        "/prometheus/metrics": metrics,
        "/metrics": b"[] and whoever waits for these rows has lost them",
        "/perf_metrics": b"[] as well",
    }


@pytest.mark.parametrize(
    ("command", "claimed"),
    [
        (COMMAND, True),
        (("trtllm-serve", "serve", "m"), True),
        (("python3", "-m", "tensorrt_llm.commands.serve", "m"), True),
        (("trtllm-serve", "disaggregated", "-c", "c.yaml"), False),
        (("trtllm-bench", "throughput"), False),
        (("python3", "-m", "vllm.entrypoints.openai.api_server"), False),
    ],
)
def test_its_command_line(command: tuple[str, ...], claimed: bool) -> None:
    assert TensorRtLlm.claims(Process(1, command, "python3")) is claimed


def test_what_empties_a_queue_is_not_on_its_list() -> None:
    assert {"/prometheus/metrics"} == TensorRtLlm.PATHS


def test_the_last_step_gives_an_estimate(emulate: Emulate) -> None:
    server = emulate("TensorRT-LLM", answers(STEPS))
    source = server.source(*COMMAND)
    first = once(source)
    assert (first.engine, first.version, first.status, first.problem) == ("TensorRT-LLM", "1.3.0", "ok", None)
    assert (first.decode_tokens, first.decode_tps) == (None, None), "one step may be long ago"
    server.answers["/prometheus/metrics"] = STEPS.replace(b"} 0.02", b"} 0.04")
    reading = once(source)
    assert reading.decode_tps == pytest.approx(4 * 2.5 / 0.04), "four requests, 2.5 tokens of each, in 40 ms"
    assert (reading.liveness, reading.about) == ("interval", True)
    assert (reading.requests_running, reading.requests_waiting, reading.prefilling) == (5, 2, 1)
    assert (reading.kv_cache_usage, reading.context_tokens) == (0.125, 3200)
    assert (reading.ttft, reading.tpot) == (Total(0.5, 4), Total(0.04, 4))
    assert (reading.prefix_queries, reading.prefix_hits) == (400, 100)
    assert (reading.drafted_tokens, reading.accepted_tokens) == (300, 150)
    assert (reading.prefill_tokens, reading.prefill_liveness) == (400, "request")
    assert (reading.slots, reading.tensor_parallel, reading.kv_bytes_per_element) == (64, 2, 1.0)
    assert reading.model is not None
    assert (reading.model.name, reading.model.path) == ("Qwen3-8B", "/models/Qwen3-8B")
    assert reading.model.context_length == 8192


def test_gauges_that_stay_are_those_of_the_last_step(emulate: Emulate, monkeypatch: pytest.MonkeyPatch) -> None:
    server = emulate("TensorRT-LLM", answers(STEPS))
    source = server.source(*COMMAND)
    once(source)
    still = once(source)
    assert (still.decode_tps, still.status) == (0.0, "ok"), "a step may take a second"
    monkeypatch.setattr(tensorrt_llm, "STALE_S", 0.0)
    after = once(source)
    assert (after.decode_tps, after.status, after.requests_running) == (0.0, "idle", None)


def test_counts_at_request_end_are_no_rate(emulate: Emulate) -> None:
    reading = emulate("TensorRT-LLM", answers(body("tensorrt_llm", "requests.metrics.txt"))).read(*COMMAND)
    assert (reading.decode_tokens, reading.liveness, reading.decode_tps) == (900, "request", None)
    assert "llmtop proxy" in (reading.problem or "")


def test_the_first_version_has_no_prefix(emulate: Emulate) -> None:
    reading = emulate("TensorRT-LLM", answers(FIRST)).read(*COMMAND)
    assert (reading.ttft, reading.tpot) == (Total(0.5, 4), Total(0.04, 4))
    assert (reading.decode_tokens, reading.liveness, reading.requests_running) == (None, None, None)
    assert "llmtop proxy" in (reading.problem or "")


def test_without_metrics_it_says_what_switches_them_on(emulate: Emulate) -> None:
    reading = emulate("TensorRT-LLM", answers("404 Not Found")).read()
    assert (reading.engine, reading.status) == ("TensorRT-LLM", "ok")
    assert "return_perf_metrics" in (reading.problem or "")


def test_a_restart_is_a_count_that_falls(emulate: Emulate) -> None:
    text = body("tensorrt_llm", "requests.metrics.txt")
    server = emulate("TensorRT-LLM", answers(text))
    source = server.source(*COMMAND)
    before = once(source).decode_tokens
    server.answers["/prometheus/metrics"] = text.replace(b"} 900.0", b"} 9.0")
    assert (before, once(source).decode_tokens) == (900, 9)


def test_a_key_guards_it_all(emulate: Emulate) -> None:
    locked: dict[str, Body] = dict.fromkeys(["/version", "/v1/models", "/prometheus/metrics"], "401 Unauthorized")
    reading = emulate("TensorRT-LLM", locked).read(*COMMAND)
    assert (reading.status, reading.problem) == ("unauthorized", UNAUTHORIZED)


def test_wrong_metrics_are_one_clear_line(emulate: Emulate) -> None:
    reading = emulate("TensorRT-LLM", answers(b"trtllm_generation_tokens_total many\n")).read(*COMMAND)
    assert (reading.status, reading.problem) == ("unsupported", "its metrics are not Prometheus text")
