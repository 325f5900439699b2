"""MLC LLM: a text that is like Prometheus and is not, and decode steps by the size of their batch."""

import json
from pathlib import Path

import pytest
from llmtop.probes.engines.contract import UNAUTHORIZED
from llmtop.probes.engines.mlc_llm import MlcLlm, parse
from llmtop.probes.exposition import BadExposition
from llmtop.probes.exposition import parse as strict
from llmtop.probes.process import Process
from llmtop.probes.sample import ModelFacts

from .conftest import Body, Emulate, once
from .data import body

COMMAND = (
    *("python", "-m", "mlc_llm", "serve", "HF://mlc-ai/Llama-3-8B-Instruct-q4f16_1-MLC", "--mode", "server"),
    *("--overrides", "tensor_parallel_shards=2;max_num_sequence=32;context_window_size=4096"),
)


def metrics(name: str) -> bytes:
    return body("mlc_llm", f"0.20-{name}.metrics.txt")


def answers(metrics: Body) -> dict[str, Body]:
    return {"/v1/models": body("mlc_llm", "v1_models.json"), "/metrics": metrics}


@pytest.mark.parametrize(
    ("command", "claimed"),
    [
        (COMMAND, True),
        (("/opt/bin/mlc_llm", "serve", "m"), True),
        (("python3", "/opt/bin/mlc_llm", "serve", "m"), True),
        (("mlc_llm", "chat", "m"), False),
        (("mlc_llm", "compile", "m"), False),
        (("python", "-m", "mlc_llm.router"), False),
        ((), False),
    ],
)
def test_its_command_line(command: tuple[str, ...], claimed: bool) -> None:
    assert MlcLlm.claims(Process(1, command, "python")) is claimed


def test_its_text_is_not_what_prometheus_reads() -> None:
    name = "decode_time_by_batch_size_count"
    with pytest.raises(BadExposition):
        strict(metrics("busy"), {name})
    rows = parse(metrics("busy"), {name, "engine_decode_time_sum"}).get(name)
    assert rows == [({"batch_size": "1"}, 99), ({"batch_size": "2"}, 3), ({"batch_size": "4"}, 50)]


def test_each_step_counts_by_the_size_of_its_batch(emulate: Emulate) -> None:
    server = emulate("MLC LLM", answers(metrics("busy")))
    source = server.source(*COMMAND)
    reading = once(source)
    assert (reading.engine, reading.status, reading.problem) == ("MLC LLM", "ok", None)
    assert (reading.decode_tokens, reading.liveness, reading.about) == (99 * 1 + 3 * 2 + 50 * 4, "step", False)
    assert reading.decode_source == "GET /metrics batch_size x decode_time_by_batch_size_count"
    assert (reading.prefill_tokens, reading.prefill_liveness) == (100, "request")
    assert (reading.last_decode_tps, reading.last_prefill_tps) == (50.0, 2500.0)
    assert (reading.prefix_queries, reading.prefix_hits) == (120, 20)
    assert (reading.requests_running, reading.requests_waiting, reading.kv_cache_usage) == (None, None, None)
    assert (reading.tensor_parallel, reading.slots) == (2, 32)
    server.answers["/metrics"] = metrics("later")
    later = once(source)
    assert later.decode_tokens is not None
    assert reading.decode_tokens is not None
    assert later.decode_tokens - reading.decode_tokens == 32 * 4
    assert (later.requests_running, later.status) == (4.0, "ok")


def test_it_is_idle_when_no_step_was_made(emulate: Emulate) -> None:
    source = emulate("MLC LLM", answers(metrics("busy"))).source(*COMMAND)
    assert [once(source).status for _ in range(2)] == ["ok", "idle"]
    assert once(source).requests_running == 0.0


def test_before_its_first_request(emulate: Emulate) -> None:
    source = emulate("MLC LLM", answers(metrics("fresh"))).source(*COMMAND)
    reading = once(source)
    assert (reading.decode_tokens, reading.last_decode_tps, reading.last_prefill_tps) == (0, None, None)
    assert (reading.prefix_queries, reading.prefix_hits) == (0, 0)
    assert once(source).status == "idle"


def test_speculative_steps_do_not_tell_their_tokens(emulate: Emulate) -> None:
    reading = emulate("MLC LLM", answers(metrics("speculative"))).read(*COMMAND)
    assert (reading.decode_tokens, reading.liveness, reading.about) == (160, "request", False)
    assert reading.problem is not None
    assert "llmtop proxy" in reading.problem


def worked(text: bytes, seconds: float) -> bytes:
    """The same, after decode steps of that many seconds in all that were not counted."""
    return text.replace(b"decode_time_sum\t3.69375", f"decode_time_sum\t{3.69375 + seconds}".encode())


def test_batches_that_are_too_large_to_be_counted_are_no_standstill(emulate: Emulate) -> None:
    server = emulate("MLC LLM", answers(metrics("busy")))
    source = server.source(*COMMAND)
    once(source)
    server.answers["/metrics"] = worked(metrics("busy"), 0.9)
    assert once(source).decode_tokens == 305, "once: it may be the first step of a size, which it leaves out"
    server.answers["/metrics"] = worked(metrics("busy"), 1.8)
    reading = once(source)
    assert (reading.decode_tokens, reading.liveness, reading.decode_source) == (None, None, None)
    assert reading.problem is not None
    assert "more than 64" in reading.problem


def test_a_restart_is_a_count_that_falls(emulate: Emulate) -> None:
    server = emulate("MLC LLM", answers(metrics("busy")))
    source = server.source(*COMMAND)
    assert once(source).decode_tokens == 305
    server.answers["/metrics"] = metrics("fresh")
    reading = once(source)
    assert (reading.decode_tokens, reading.problem) == (0, None)


def test_its_name_holds_the_quantization_where_its_files_are_not_here(emulate: Emulate) -> None:
    reading = emulate("MLC LLM", answers(metrics("busy"))).read(*COMMAND)
    assert reading.model == ModelFacts(
        name="Llama-3-8B-Instruct-q4f16_1-MLC", source="GET /v1/models", quantization="MLC q4f16_1", context_length=4096
    )


def test_files_that_it_has_downloaded_are_found(
    emulate: Emulate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLC_LLM_HOME", str(tmp_path))
    place = tmp_path / "model_weights" / "hf" / "mlc-ai" / "Llama-3-8B-Instruct-q4f16_1-MLC"
    place.mkdir(parents=True)
    shape = {
        "hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4, "num_key_value_heads": 2,
        "num_hidden_layers": 2, "vocab_size": 100,
    }  # fmt: skip
    config = {"model_type": "llama", "quantization": "q4f16_1", "model_config": shape, "context_window_size": 8192}
    (place / "mlc-chat-config.json").write_text(json.dumps(config))
    weights = [{"name": "model.layers.0.mlp.gate_up_proj.q_weight", "nbytes": 8192}]
    (place / "ndarray-cache.json").write_text(json.dumps({"records": [{"records": weights}]}))
    reading = emulate("MLC LLM", answers(metrics("busy"))).read(*COMMAND)
    assert reading.model is not None
    assert (reading.model.path, reading.model.layers, reading.model.context_length) == (str(place), 2, 4096)
    assert reading.model.quantization == "MLC q4f16_1"


def test_a_key_leaves_its_metrics_open(emulate: Emulate) -> None:
    reading = emulate("MLC LLM", answers(metrics("busy")) | {"/v1/models": "401 Unauthorized"}).read(*COMMAND)
    assert (reading.status, reading.decode_tokens) == ("ok", 305)
    locked = emulate("MLC LLM", answers("401 Unauthorized") | {"/v1/models": "401 Unauthorized"}).read(*COMMAND)
    assert (locked.status, locked.problem) == ("unauthorized", UNAUTHORIZED)


def test_one_far_away_is_known_by_the_owner_of_its_models(emulate: Emulate) -> None:
    assert emulate("MLC LLM", answers(metrics("busy"))).read().decode_tokens == 305


NOT_ITS = "its metrics are not those of MLC LLM"


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (b"", NOT_ITS),
        (b"<html>", NOT_ITS),
        (b"engine_decode_time_sum\tmuch\n", NOT_ITS),
        (b'vllm:generation_tokens_total{model_name="m"} 3.0\n', NOT_ITS),
        (b"engine_decode_time_sum\t1.0\n" * 30_000, "its metrics are too long to be true"),
        ("404 Not Found", "GET /metrics answers 404"),
    ],
)
def test_wrong_metrics_are_one_clear_line(emulate: Emulate, wrong: Body, problem: str) -> None:
    reading = emulate("MLC LLM", answers(wrong)).read(*COMMAND)
    assert (reading.status, reading.problem) == ("unsupported", problem)


@pytest.mark.parametrize("odd", [b"{batch_size}", b"{batch_size=}", b"{=4}", b"{batch_size=x}", b"{", b"{}"])
def test_odd_labels_count_for_nothing(emulate: Emulate, odd: bytes) -> None:
    text = b"engine_decode_time_sum\t1.0\ndecode_time_by_batch_size_count" + odd + b"\t5\n"
    reading = emulate("MLC LLM", answers(text)).read(*COMMAND)
    assert (reading.status, reading.decode_tokens) == ("ok", 0)
