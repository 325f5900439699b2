"""TGI: exact where each answer is an observation, about right where steps are multiplied by the size of the batch."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from llmtop.estimator.rate import Rate
from llmtop.probes.engines.contract import Endpoint, Seen
from llmtop.probes.engines.tgi import Tgi
from llmtop.probes.fetch import Fetch
from llmtop.probes.process import Process
from llmtop.probes.sample import Total

from .conftest import Body, Emulate, once
from .data import body

COMMAND = ("text-generation-launcher", "--model-id", "org/m", "--quantize", "awq", "--num-shard", "2", "--port", "3000")


def answers(version: str, metrics: bytes | None = None) -> dict[str, Body]:
    said: dict[str, Body] = {
        "/info": body("tgi", f"{version}-info.json"),
        "/metrics": body("tgi", f"{version}.metrics.txt") if metrics is None else metrics,
    }
    return said if version == "0.9.4" else said | {"/v1/models": body("tgi", "v1_models.json")}


@pytest.mark.parametrize(
    ("command", "claimed"),
    [
        (COMMAND, True),
        (("/usr/local/bin/text-generation-router", "--port", "3000"), True),
        (("text-generation-router-v2",), True),
        (("/opt/conda/bin/python3.11", "/opt/conda/bin/text-generation-server", "serve", "org/m"), False),
        (("text-generation-benchmark",), False),
        (("text-embeddings-router",), False),
        ((), False),
    ],
)
def test_its_command_line(command: tuple[str, ...], claimed: bool) -> None:
    assert Tgi.claims(Process(1, command, "x")) is claimed


def test_today_each_answer_of_a_step_is_counted(emulate: Emulate) -> None:
    reading = emulate("TGI", answers("3.3.7")).read(*COMMAND)
    assert (reading.engine, reading.version, reading.status, reading.problem) == ("TGI", "3.3.7", "ok", None)
    assert (reading.decode_tokens, reading.liveness, reading.about) == (1010, "step", False)
    assert reading.decode_source == "GET /metrics tgi_request_skipped_tokens sum + count"
    assert (reading.prefill_tokens, reading.prefill_liveness) == (2000, "request"), "they are counted on arrival"
    assert (reading.requests_running, reading.requests_waiting, reading.kv_cache_usage) == (4, 0, 0.25)
    assert (reading.ttft, reading.tpot) == (None, Total(6.25, 299))
    assert (reading.drafts, reading.accepted_tokens, reading.tensor_parallel) == (None, None, 2)
    assert reading.model is not None
    assert (reading.model.name, reading.model.quantization, reading.model.context_length) == ("org/m", "awq", 4096)


def test_with_speculation_a_step_brings_more(emulate: Emulate) -> None:
    reading = emulate("TGI", answers("2.0.4")).read(*COMMAND, "--speculate", "2")
    assert (reading.decode_tokens, reading.drafts, reading.accepted_tokens) == (1500, 800, 700)
    assert (reading.drafted_tokens, reading.tpot) == (1600, None)
    assert (reading.kv_cache_usage, reading.slots, reading.kv_bytes_per_element) == (0.25, 32, 2.0)


def test_an_old_one_is_sampled_and_says_so(emulate: Emulate) -> None:
    text = body("tgi", "0.9.4.metrics.txt")
    server = emulate("TGI", answers("0.9.4"))
    source = server.source(*COMMAND)
    first = once(source)
    assert (first.decode_tokens, first.about, first.liveness, first.version) == (0, True, "step", "0.9.4")
    assert first.decode_source == "GET /metrics tgi_batch_inference_count x tgi_batch_current_size, sampled"
    server.answers["/metrics"] = text.replace(b'count{method="decode"} 100', b'count{method="decode"} 150')
    assert once(source).decode_tokens == 50 * 4
    changed = text.replace(b'count{method="decode"} 100', b'count{method="decode"} 160')
    server.answers["/metrics"] = changed.replace(b"current_size 4", b"current_size 2")
    assert once(source).decode_tokens == 200 + 10 * 3, "the mean of both sizes"
    assert first.kv_cache_usage == 8000 / 32000


def test_a_batch_that_has_ended_between_two_readings_counts_by_its_size(emulate: Emulate) -> None:
    """The trap: the size is 0 between two batches, though steps were made."""
    text = body("tgi", "0.9.4.metrics.txt")
    server = emulate("TGI", answers("0.9.4"))
    source = server.source(*COMMAND)
    once(source)
    ended = text.replace(b'count{method="decode"} 100', b'count{method="decode"} 110')
    ended = ended.replace(b"current_size 4", b"current_size 0").replace(b"queue_size 2", b"queue_size 0")
    server.answers["/metrics"] = ended
    reading = once(source)
    assert (reading.decode_tokens, reading.status, reading.requests_running) == (40, "idle", 0)


@pytest.mark.parametrize("version", ["0.9.4", "2.0.4", "3.3.7"])
def test_a_restart_is_a_count_that_falls_or_stands_and_never_a_rate_below_zero(emulate: Emulate, version: str) -> None:
    text = body("tgi", f"{version}.metrics.txt")
    server = emulate("TGI", answers(version))
    source = server.source(*COMMAND)
    rate = Rate(window=10.0)
    more = text.replace(b'count{method="decode"} 300', b'count{method="decode"} 310')
    more = more.replace(b'count{method="decode"} 100', b'count{method="decode"} 110')
    more = more.replace(b"tokens_count 800", b"tokens_count 840").replace(b"tokens_count 1010", b"tokens_count 1050")
    fresh = text.replace(b'count{method="decode"} 300', b'count{method="decode"} 1')
    fresh = fresh.replace(b'count{method="decode"} 100', b'count{method="decode"} 1')
    fresh = fresh.replace(b"tokens_count 800", b"tokens_count 4").replace(b"tokens_count 1010", b"tokens_count 4")
    rates: list[float | None] = []
    for second, each in enumerate([text, more, fresh, fresh]):
        server.answers["/metrics"] = each
        rate.add(float(second), once(source).decode_tokens)
        rates.append(rate.per_second)
    assert rates[1] == 40.0
    assert rates[3] == 0.0


def test_a_prefill_that_runs_is_work_though_no_batch_is_there_yet(emulate: Emulate) -> None:
    text = body("tgi", "3.3.7.metrics.txt").replace(b"current_size 4", b"current_size 0")
    assert emulate("TGI", answers("3.3.7", text)).read(*COMMAND).status == "idle"
    begun = text.replace(b'count{method="prefill"} 5', b'count{method="prefill"} 6')
    assert emulate("TGI", answers("3.3.7", begun)).read(*COMMAND).status == "ok"


def test_before_its_first_request_there_are_no_metrics(emulate: Emulate) -> None:
    reading = emulate("TGI", answers("3.3.7", b"tgi_batch_max_total_tokens 20000\n")).read(*COMMAND)
    assert (reading.status, reading.decode_tokens, reading.problem) == ("idle", None, None)


def test_another_backend_counts_ended_requests_only(emulate: Emulate) -> None:
    reading = emulate("TGI", answers("3.3.7", body("tgi", "3.3.7-trtllm.metrics.txt"))).read(*COMMAND)
    assert (reading.decode_tokens, reading.liveness) == (900, "request")
    assert reading.problem is not None
    assert "llmtop proxy" in reading.problem


@pytest.fixture
def router(tmp_path: Path) -> Iterator[int]:
    """The pid of a process called as the router, started by one that is called as the launcher and has its options."""
    for name in ("text-generation-launcher", "text-generation-router"):
        (tmp_path / name).symlink_to(sys.executable)
    waiting = "import sys; sys.stdin.read()"
    starting = f"import subprocess, sys; child = subprocess.Popen([sys.argv[1], '-c', {waiting!r}]); print(child.pid)"
    launcher = subprocess.Popen(
        [
            tmp_path / "text-generation-launcher",
            *("-c", f"{starting}; sys.stdout.flush(); child.wait()", tmp_path / "text-generation-router"),
            *("--quantize", "awq", "--num-shard", "2"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert launcher.stdout is not None
    yield int(launcher.stdout.readline())
    launcher.communicate()  # closes what both of them read


def test_the_launcher_knows_what_its_router_does_not(emulate: Emulate, router: int) -> None:
    server = emulate("TGI", answers("3.3.7"))
    process = Process(router, ("text-generation-router", "--port", "3000"), "text-generation-r")
    endpoint, fetch = Endpoint(url=server.url, process=process), Fetch(server.url)
    adapter = Tgi.match(Seen(endpoint, fetch), fetch)
    assert adapter is not None
    reading = adapter.read()
    assert (reading.pid, reading.tensor_parallel) == (router, 2)
    assert reading.model is not None
    assert reading.model.quantization == "awq"


EMBEDDINGS = b'{"model_id":"org/m","max_concurrent_requests":512,"max_input_length":512,"version":"1.6"}'
"""`/info` of text-embeddings-inference."""


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("TGI", answers("3.3.7")),
        ("TGI", answers("2.0.4")),
        ("OpenAI-compatible", answers("3.3.7") | {"/info": EMBEDDINGS}),
        ("OpenAI-compatible", answers("3.3.7") | {"/info": "404 Not Found"}),
    ],
)
def test_one_far_away_is_known_by_a_model_that_owns_itself_and_by_its_info(
    emulate: Emulate, engine: str, said: dict[str, Body]
) -> None:
    server = emulate(engine if engine == "TGI" else "TGI", said, server=None)
    assert server.read().engine == engine


def test_a_stranger_is_not_asked_for_its_info(emulate: Emulate) -> None:
    models = body("tgi", "v1_models.json").replace(b'"owned_by": "org/m"', b'"owned_by": "org"')
    server = emulate("OpenAI-compatible", answers("3.3.7") | {"/v1/models": models})
    assert server.read().engine == "OpenAI-compatible"


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (b"tgi_queue_size many\n", "its metrics are not Prometheus text"),
        ("500 Internal Server Error", "GET /metrics answers 500"),
    ],
)
def test_wrong_metrics_are_one_clear_line(emulate: Emulate, wrong: Body, problem: str) -> None:
    reading = emulate("TGI", answers("3.3.7") | {"/metrics": wrong}).read(*COMMAND)
    assert (reading.status, reading.problem, reading.version) == ("unsupported", problem, "3.3.7")
