"""vLLM among other engines, as other servers that run it, and by names that are not in its captures.

The captures of a real server and its names by version are in tests/probes/test_vllm.py.
"""

import pytest
from llmtop.probes.engines.vllm import Vllm
from llmtop.probes.process import Process
from llmtop.probes.sample import Total

from .conftest import Body, Emulate, once
from .data import body

METAL = ("/Users/a/.venv-vllm-metal/bin/python3.12", "/Users/a/.venv-vllm-metal/bin/vllm", "serve", "org/m")
"""vllm-metal is a plugin: its command is that of vLLM, from a folder of its own."""

V1_FIRST = b"""\
# built from recorded facts of 0.8 with the V1 engine: label `engine`, `gpu_` in the names of both caches
vllm:num_requests_running{engine="0",model_name="m"} 1.0
vllm:num_requests_waiting{engine="0",model_name="m"} 0.0
vllm:gpu_cache_usage_perc{engine="0",model_name="m"} 0.5
vllm:gpu_prefix_cache_queries_total{engine="0",model_name="m"} 300.0
vllm:gpu_prefix_cache_queries_created{engine="0",model_name="m"} 1.7e+09
vllm:gpu_prefix_cache_hits_total{engine="0",model_name="m"} 100.0
vllm:prompt_tokens_total{engine="0",model_name="m"} 300.0
vllm:generation_tokens_total{engine="0",model_name="m"} 50.0
vllm:generation_tokens_created{engine="0",model_name="m"} 1.7e+09
vllm:iteration_tokens_total_sum{engine="0",model_name="m"} 350.0
vllm:iteration_tokens_total_count{engine="0",model_name="m"} 51.0
vllm:time_per_output_token_seconds_sum{engine="0",model_name="m"} 1.0
vllm:time_per_output_token_seconds_count{engine="0",model_name="m"} 49.0
"""

BOTH = V1_FIRST.replace(b"0.8 with the V1 engine", b"0.11") + (
    b'vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.5\n'
    b'vllm:prefix_cache_queries_total{engine="0",model_name="m"} 300.0\n'
    b'vllm:prefix_cache_hits_total{engine="0",model_name="m"} 100.0\n'
    b'vllm:external_prefix_cache_queries_total{engine="0",model_name="m"} 7.0\n'
    b'vllm:external_prefix_cache_hits_total{engine="0",model_name="m"} 7.0\n'
    b'vllm:mm_cache_queries_total{engine="0",model_name="m"} 9.0\n'
    b'vllm:inter_token_latency_seconds_sum{engine="0",model_name="m"} 1.0\n'
    b'vllm:inter_token_latency_seconds_count{engine="0",model_name="m"} 49.0\n'
)
"""With the old names shown beside the new ones, and two more caches."""


def sleeping(**states: int) -> bytes:
    """One rank after another, each with its state: how the code of today writes it."""
    lines: list[str] = ['vllm:generation_tokens_total{engine="0",model_name="m"} 50.0']
    for engine, (_, awake) in enumerate(states.items()):
        for state, value in (("awake", awake), ("weights_offloaded", 1 - awake), ("discard_all", 0)):
            lines.append(f'vllm:engine_sleep_state{{engine="{engine}",model_name="m",sleep_state="{state}"}} {value}.0')
    return "\n".join(lines).encode()


def answers(metrics: bytes) -> dict[str, Body]:
    return {
        "/version": body("vllm", "0.32.0-version.json"),
        "/v1/models": body("vllm", "0.32.0-v1_models.json"),
        "/metrics": metrics,
    }


def test_vllm_metal_is_read_as_vllm(emulate: Emulate) -> None:
    assert Vllm.claims(Process(1, METAL, "python3.12"))
    metal = answers(body("vllm", "0.32.0-busy.metrics.txt"))
    reading = emulate("vLLM", metal).read(*METAL)
    assert (reading.engine, reading.version, reading.decode_tokens) == ("vLLM", "0.32.0", 631)


RUST = b"""\
# HELP vllm:generation_tokens Number of generation tokens processed.
# TYPE vllm:generation_tokens counter
vllm:generation_tokens_total{model_name="org/m",engine="0"} 50
# TYPE vllm:iteration_tokens_total histogram
vllm:iteration_tokens_total_sum{model_name="org/m",engine="0"} 350.0
# TYPE vllm:prompt_tokens_by_source counter
vllm:prompt_tokens_by_source_total{model_name="org/m",engine="0",source="local_compute"} 300
vllm:num_requests_running{model_name="org/m",engine="0"} 1
vllm:num_requests_waiting{model_name="org/m",engine="0"} 0
vllm:kv_cache_usage_perc{model_name="org/m",engine="0"} 0.5
vllm:prefix_cache_queries_total{model_name="org/m",engine="0"} 400
vllm:prefix_cache_hits_total{model_name="org/m",engine="0"} 100
vllm:inter_token_latency_seconds_sum{model_name="org/m",engine="0"} 1.0
vllm:inter_token_latency_seconds_count{model_name="org/m",engine="0"} 49
# EOF
"""
"""OpenMetrics text, by rust/src/metrics/src of vLLM."""


@pytest.mark.parametrize(
    ("command", "claimed"),
    [
        (("vllm-rs", "serve", "org/m"), True),
        (("/Users/a/.cargo/bin/vllm-rs", "frontend", "--handshake-address", "tcp://127.0.0.1:62100"), True),
        (("vllm-rs", "--help"), False),
    ],
)
def test_its_frontend_in_rust_by_the_command_line(command: tuple[str, ...], claimed: bool) -> None:
    assert Vllm.claims(Process(1, command, "vllm-rs")) is claimed


@pytest.mark.parametrize("command", [("vllm-rs", "serve", "/models/m", "--tensor-parallel-size", "2"), ()])
def test_its_frontend_in_rust(emulate: Emulate, command: tuple[str, ...]) -> None:
    said: dict[str, Body] = {
        "/version": b'{"version":"0.32.0","rust_frontend_version":"0.1.0"}',
        "/v1/models": b'{"object":"list","data":[{"id":"org/m","object":"model","created":0,'
        b'"owned_by":"vllm-frontend-rs"}]}',
        "/metrics": RUST,
    }
    reading = emulate("vLLM", said, server=None).read(*command)
    assert (reading.version, reading.decode_tokens, reading.prefill_tokens) == ("0.32.0", 50, 300)
    assert (reading.prefix_queries, reading.prefix_hits, reading.tpot) == (400, 100, Total(1.0, 49))
    assert reading.model is not None
    assert (reading.model.name, reading.model.path) == ("org/m", "/models/m" if command else None)


@pytest.mark.parametrize("text", [V1_FIRST, BOTH], ids=["0.8", "0.11"])
def test_both_spellings_of_the_caches_and_never_their_sum(emulate: Emulate, text: bytes) -> None:
    reading = emulate("vLLM", answers(text)).read(*METAL)
    assert (reading.prefix_queries, reading.prefix_hits) == (300, 100)
    assert (reading.kv_cache_usage, reading.tpot) == (0.5, Total(1.0, 49))
    assert (reading.decode_tokens, reading.prefill_tokens) == (50, 300), "neither a histogram nor a date is a count"


@pytest.mark.parametrize(
    ("states", "status"),
    [({"a": 1}, "ok"), ({"a": 0}, "sleeping"), ({"a": 0, "b": 0}, "sleeping"), ({"a": 0, "b": 1}, "ok")],
)
def test_it_sleeps_when_all_of_its_ranks_do(emulate: Emulate, states: dict[str, int], status: str) -> None:
    assert emulate("vLLM", answers(sleeping(**states))).read(*METAL).status == status


def test_a_restart_of_one_rank_is_a_count_that_falls(emulate: Emulate) -> None:
    both = V1_FIRST + b'vllm:generation_tokens_total{engine="1",model_name="m"} 70.0\n'
    server = emulate("vLLM", answers(both))
    source = server.source(*METAL)
    first = once(source).decode_tokens
    server.answers["/metrics"] = both.replace(b"} 70.0", b"} 0.0")
    assert (first, once(source).decode_tokens) == (120, 50)


def test_tensor_parallel_and_slots_are_of_the_command_line(emulate: Emulate) -> None:
    reading = emulate("vLLM", answers(V1_FIRST)).read(
        *METAL, "-tp", "4", "--max-num-seqs=16", "--kv-cache-dtype", "fp8"
    )
    assert (reading.tensor_parallel, reading.slots, reading.kv_bytes_per_element) == (4, 16, 1.0)
