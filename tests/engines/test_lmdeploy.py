"""LMDeploy: a live counter beside gauges that are ten seconds old, by two generations of names."""

import pytest
from llmtop.probes.engines.contract import UNAUTHORIZED
from llmtop.probes.engines.lmdeploy import LMDeploy
from llmtop.probes.process import Process
from llmtop.probes.sample import Total

from .conftest import Body, Emulate, once
from .data import body

COMMAND = (
    *("/usr/bin/python3", "/opt/bin/lmdeploy", "serve", "api_server", "internlm/internlm3-8b"),
    *("--backend", "turbomind", "--tp", "2", "--quant-policy", "8", "--session-len", "8192", "--max-batch-size", "64"),
)


def answers(metrics: Body) -> dict[str, Body]:
    return {
        "/v1/models": body("lmdeploy", "v1_models.json"),
        "/metrics": metrics,
        "/is_sleeping": b'{"is_sleeping":false}',
        "/terminate": b"it has ended the server",
    }


OLD = body("lmdeploy", "0.9.2.metrics.txt")
NEW = body("lmdeploy", "0.16.metrics.txt")


@pytest.mark.parametrize(
    ("command", "claimed"),
    [
        (COMMAND, True),
        (("lmdeploy", "serve", "api_server", "m"), True),
        (("python", "-m", "lmdeploy", "serve", "api_server", "m"), True),
        (("python", "-m", "lmdeploy.cli", "serve", "api_server", "m"), True),
        (("lmdeploy", "serve", "proxy"), False),
        (("lmdeploy", "chat", "m"), False),
        (("docker", "run", "image", "lmdeploy-serve"), False),
        ((), False),
    ],
)
def test_its_command_line(command: tuple[str, ...], claimed: bool) -> None:
    assert LMDeploy.claims(Process(1, command, "lmdeploy")) is claimed


def test_the_first_version_with_metrics(emulate: Emulate) -> None:
    reading = emulate("LMDeploy", answers(OLD)).read(*COMMAND)
    assert (reading.engine, reading.status, reading.problem) == ("LMDeploy", "ok", None)
    assert (reading.decode_tokens, reading.prefill_tokens) == (320, 640), "no histogram of that name is a counter"
    assert (reading.liveness, reading.prefill_liveness, reading.about) == ("step", "step", False)
    assert reading.decode_source == "GET /metrics lmdeploy:generation_tokens_total"
    assert (reading.requests_running, reading.requests_waiting, reading.kv_cache_usage) == (2, 1, 0.125)
    assert (reading.ttft, reading.tpot) == (Total(0.75, 7), Total(6.5, 313))
    assert (reading.prefix_queries, reading.prefix_hits, reading.drafts) == (500, None, None)
    assert (reading.tensor_parallel, reading.slots, reading.kv_bytes_per_element) == (2, 64, 1.0)
    assert reading.model is not None
    assert (reading.model.name, reading.model.context_length) == ("internlm/internlm3-8b", 8192)


def test_the_version_of_today_with_two_ranks_and_drafts(emulate: Emulate) -> None:
    reading = emulate("LMDeploy", answers(NEW)).read()
    assert (reading.decode_tokens, reading.prefill_tokens) == (400, 700)
    assert (reading.drafts, reading.drafted_tokens, reading.accepted_tokens) == (40, 120, 60)
    assert (reading.prefix_queries, reading.prefix_hits) == (600, 150), "both of requests that have ended"
    assert (reading.ttft, reading.tpot) == (Total(1.0, 10), Total(6.0, 300))
    assert (reading.status, reading.kv_cache_usage) == ("idle", 0.0)


def test_no_drafts_are_not_drafts_of_nothing(emulate: Emulate) -> None:
    """The names are there without speculation as well."""
    text = NEW
    for drawn in (b"40.0", b"120.0", b"60.0"):
        for name in (b"drafts", b"draft_tokens", b"accepted_tokens"):
            start = b"lmdeploy:spec_decode_num_" + name + b'_total{engine="1",model_name="internlm/internlm3-8b"} '
            text = text.replace(start + drawn, start + b"0.0")
    reading = emulate("LMDeploy", answers(text)).read(*COMMAND)
    assert (reading.drafts, reading.drafted_tokens, reading.accepted_tokens) == (None, None, None)


def test_a_counter_that_moves_is_believed_before_a_gauge_of_ten_seconds_ago(emulate: Emulate) -> None:
    server = emulate("LMDeploy", answers(NEW))
    source = server.source(*COMMAND)
    assert (once(source).status, once(source).requests_running) == ("idle", 0)
    server.answers["/metrics"] = NEW.replace(b"} 320.0", b"} 350.0")
    reading = once(source)
    assert (reading.status, reading.decode_tokens, reading.requests_running) == ("ok", 430, None)
    assert once(source).status == "idle"


def test_a_restart_is_a_count_that_falls(emulate: Emulate) -> None:
    server = emulate("LMDeploy", answers(NEW))
    source = server.source(*COMMAND)
    before = once(source).decode_tokens
    server.answers["/metrics"] = OLD
    assert (before, once(source).decode_tokens) == (400, 320)


@pytest.mark.parametrize("backend", ["turbomind", "pytorch"])
def test_both_backends_are_read_alike(emulate: Emulate, backend: str) -> None:
    reading = emulate("LMDeploy", answers(OLD)).read("lmdeploy", "serve", "api_server", "/m", "--backend", backend)
    assert (reading.decode_tokens, reading.model and reading.model.path) == (320, "/m")


def test_asleep(emulate: Emulate) -> None:
    server = emulate("LMDeploy", answers(NEW) | {"/is_sleeping": b'{"is_sleeping":true}'})
    assert server.read(*COMMAND).status == "sleeping"
    old = emulate("LMDeploy", answers(NEW) | {"/is_sleeping": "404 Not Found"})
    assert old.read(*COMMAND).status == "idle"
    busy = emulate("LMDeploy", answers(OLD))
    busy.read(*COMMAND)
    assert "/is_sleeping" not in busy.paths


def test_without_metrics_it_says_what_switches_them_on(emulate: Emulate) -> None:
    reading = emulate("LMDeploy", answers("404 Not Found")).read(*COMMAND)
    assert (reading.status, reading.decode_tokens, reading.liveness) == ("ok", None, None)
    assert reading.problem is not None
    assert "--disable-metrics" in reading.problem and "--enable-metrics" in reading.problem


def test_a_key_guards_it_all(emulate: Emulate) -> None:
    locked: dict[str, Body] = dict.fromkeys(["/version", "/v1/models", "/metrics", "/is_sleeping"], "401 Unauthorized")
    reading = emulate("LMDeploy", locked).read(*COMMAND)
    assert (reading.status, reading.problem) == ("unauthorized", UNAUTHORIZED)


def test_its_proxy_has_the_same_owner_and_is_none(emulate: Emulate) -> None:
    proxy = emulate("OpenAI-compatible", {"/v1/models": body("lmdeploy", "v1_models.json"), "/nodes/status": b"{}"})
    reading = proxy.read("python3", "/opt/bin/lmdeploy", "serve", "proxy", "--server-port", "8000")
    assert reading.engine == "OpenAI-compatible"


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (b"lmdeploy:generation_tokens_total many\n", "its metrics are not Prometheus text"),
        ("500 Internal Server Error", "GET /metrics answers 500"),
    ],
)
def test_wrong_metrics_are_one_clear_line(emulate: Emulate, wrong: Body, problem: str) -> None:
    reading = emulate("LMDeploy", answers(wrong)).read(*COMMAND)
    assert (reading.status, reading.problem) == ("unsupported", problem)
