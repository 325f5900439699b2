"""SGLang: with its metrics, without them, and told apart from the many whose routes it answers as well."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from llmtop.probes.engines.contract import UNAUTHORIZED, Endpoint, EngineAdapter, Seen
from llmtop.probes.engines.lmdeploy import LMDeploy
from llmtop.probes.engines.mlc_llm import MlcLlm
from llmtop.probes.engines.sglang import SGLang
from llmtop.probes.engines.sglangload import LOADS, NO_METRICS, SERVER
from llmtop.probes.engines.tgi import Tgi
from llmtop.probes.engines.vllm import Vllm
from llmtop.probes.fetch import Fetch
from llmtop.probes.process import Process
from llmtop.probes.sample import Gone, ModelFacts, Total

from ..probes.test_vllm import checkpoint
from .conftest import Body, Emulate, Emulated, once
from .data import body

COMMAND = ("python3", "-m", "sglang.launch_server", "--model-path", "/models/m", "--tp", "2", "--port", "30000")
OLLAMA: dict[str, Body] = {"/": b"Ollama is running", "/api/tags": b'{"models":[]}', "/api/version": b'{"version":"0"}'}
"""Routes of Ollama, which it answers since 0.5.8."""


def answers(**more: Body) -> dict[str, Body]:
    """Of a server of today; without metrics unless they are given."""
    said: dict[str, Body] = {
        "/v1/models": body("sglang", "v1_models.json"),
        "/model_info": body("sglang", "model_info.json"),
        LOADS: body("sglang", "0.5.23-loads.json"),
        SERVER: body("sglang", "0.5.23-server_info.json"),
        **OLLAMA,
    }
    return said | {f"/{name}": value for name, value in more.items()}


def metrics(version: str) -> bytes:
    return body("sglang", f"{version}.metrics.txt")


@pytest.mark.parametrize(
    ("command", "claimed"),
    [
        (COMMAND, True),
        (("/opt/venv/bin/python", "/opt/venv/bin/sglang", "serve", "--model-path", "m"), True),
        (("python3", "/sgl/python/sglang/launch_server.py", "--model", "m"), True),
        (("sglang", "generate", "--model-path", "m"), False),
        (("python3", "-m", "sglang_router.launch_router", "--worker-urls", "http://a"), False),
        (("sglang::scheduler_TP0",), False),
        (("python3", "-m", "sglang.bench_serving"), False),
        (("vllm", "serve", "sglang"), False),
        ((), False),
    ],
)
def test_its_command_line(command: tuple[str, ...], claimed: bool) -> None:
    assert SGLang.claims(Process(1, command, "python3")) is claimed


def test_with_metrics_its_live_count_is_read_and_not_that_of_ended_requests(emulate: Emulate) -> None:
    server = emulate("SGLang", answers(metrics=metrics("0.5.8")))
    reading = server.read(*COMMAND)
    assert (reading.engine, reading.version, reading.status, reading.problem) == ("SGLang", "0.5.23", "ok", None)
    assert (reading.decode_tokens, reading.decode_tps, reading.liveness) == (1234, None, "step")
    assert reading.decode_source == 'GET /metrics sglang:realtime_tokens_total{mode="decode"}'
    assert (reading.prefill_tokens, reading.prefill_liveness) == (3000, "step")
    assert (reading.requests_running, reading.requests_waiting) == (2, 0)
    assert (reading.kv_cache_usage, reading.context_tokens) == (0.05, 512)
    assert (reading.ttft, reading.tpot) == (Total(1.5, 6), Total(12.0, 1200))
    assert (reading.prefix_queries, reading.prefix_hits) == (4000, 1000), "of the live count, not of ended requests"
    assert reading.tensor_parallel == 2
    assert reading.model is not None
    assert (reading.model.name, reading.model.path, reading.model.context_length) == ("org/m", "/models/m", 8192)
    assert SERVER not in server.paths, "its command line says it all"


def test_ranks_that_work_on_the_same_tokens_count_once_and_those_of_data_parallelism_are_summed(
    emulate: Emulate,
) -> None:
    reading = emulate("SGLang", answers(metrics=metrics("0.5.23-ranks"))).read(*COMMAND)
    assert (reading.decode_tokens, reading.prefill_tokens) == (1200, 500)
    assert (reading.prefix_queries, reading.prefix_hits) == (600, 100)
    assert (reading.requests_running, reading.requests_waiting) == (4, 1), "the parts by priority are in the sum"
    assert reading.kv_cache_usage == pytest.approx(0.3)
    assert reading.context_tokens == 1000
    assert reading.ttft == Total(2.5 + 5.5 + 1.0 + 3.0, 10), "streamed or not, and of every priority or none"
    assert (reading.drafts, reading.accepted_tokens) == (None, None), "0 is the length of no speculation"


def test_before_there_was_a_live_count_the_engine_tells_the_rate(emulate: Emulate) -> None:
    said = answers(metrics=metrics("0.4.1"), model_info="404 Not Found") | {LOADS: "404 Not Found"}
    reading = emulate("SGLang", said).read(*COMMAND)
    assert (reading.decode_tokens, reading.decode_tps, reading.liveness) == (None, 86.5, "interval")
    assert reading.decode_source == "GET /metrics sglang:gen_throughput"
    assert (reading.prefill_tokens, reading.prefill_liveness) == (4000, "request")
    assert (reading.requests_running, reading.requests_waiting, reading.kv_cache_usage) == (3, 1, 0.28)
    assert (reading.ttft, reading.tpot) == (Total(2.5, 10), Total(0.2, 10))
    assert (reading.prefix_queries, reading.prefix_hits, reading.version) == (4000, None, None)


def test_two_latencies_are_not_added_and_a_rate_without_requests_is_old(emulate: Emulate) -> None:
    reading = emulate("SGLang", answers(metrics=metrics("0.4.4"))).read(*COMMAND)
    assert reading.tpot == Total(16.0, 890)
    assert (reading.status, reading.decode_tps) == ("idle", 0.0)
    assert (reading.prefix_queries, reading.prefix_hits) == (4000, 1000)


def test_drafts_follow_from_the_tokens_and_the_length_that_a_step_brings(emulate: Emulate) -> None:
    server = emulate("SGLang", answers(metrics=metrics("0.5.8")))
    source = server.source(*COMMAND, "--speculative-num-draft-tokens", "4")
    assert once(source).drafts == 0
    server.answers["/metrics"] = metrics("0.5.8").replace(b"1234.0", b"1259.0")
    reading = once(source)
    assert (reading.drafts, reading.accepted_tokens, reading.drafted_tokens) == (10, 15, 30)


def test_a_restart_is_a_count_that_falls(emulate: Emulate) -> None:
    server = emulate("SGLang", answers(metrics=metrics("0.5.8")))
    source = server.source(*COMMAND)
    first = once(source)
    server.answers["/metrics"] = metrics("0.5.8").replace(b"1234.0", b"7.0")
    reading = once(source)
    assert (first.decode_tokens, reading.decode_tokens, reading.drafts) == (1234, 7, 0)


def test_without_metrics_its_load_is_read(emulate: Emulate) -> None:
    server = emulate("SGLang", answers())
    source = server.source(*COMMAND)
    reading = once(source)
    assert (reading.status, reading.problem, reading.version) == ("ok", None, "0.5.23")
    assert (reading.decode_tps, reading.decode_tokens, reading.liveness) == (121.75, None, "interval")
    assert reading.decode_source == f"GET {SERVER} last_gen_throughput"
    assert (reading.prefill_tokens, reading.prefill_liveness) == (1000, "interval")
    assert (reading.requests_running, reading.requests_waiting, reading.slots) == (4, 1, 96)
    assert reading.kv_cache_usage == pytest.approx(0.15)
    assert reading.context_tokens == 3000
    assert once(source) == reading
    assert server.paths.count("/metrics") == 1, "they do not come while it runs"
    assert server.paths.count(SERVER) == 1, "its scheduler has to answer that"


def test_without_metrics_and_requests_the_rate_of_the_last_one_is_not_shown(emulate: Emulate) -> None:
    server = emulate("SGLang", answers() | {LOADS: body("sglang", "0.5.23-idle.loads.json")})
    reading = server.read(*COMMAND)
    assert (reading.status, reading.decode_tps, reading.requests_running) == ("idle", 0.0, 0)
    assert SERVER not in server.paths


def test_a_version_that_writes_when_it_is_asked_is_not_asked(emulate: Emulate) -> None:
    """0.5.8 and 0.5.10 put their answer to /server_info into the settings that they run with."""
    server = emulate("SGLang", answers() | {LOADS: body("sglang", "0.5.8-loads.json")})
    reading = server.read()
    assert (reading.status, reading.version, reading.problem) == ("ok", "0.5.8", NO_METRICS)
    assert (reading.decode_tps, reading.liveness, reading.decode_source) == (None, None, None), "0.0 there is no rate"
    assert (reading.requests_running, reading.slots, reading.prefill_tokens) == (2, 64, None)
    assert SERVER not in server.paths


def test_an_old_one_without_metrics_tells_nothing_and_is_not_asked_where_it_warns(emulate: Emulate) -> None:
    said: dict[str, Body] = {
        "/v1/models": body("sglang", "v1_models.json"),
        "/get_model_info": b"{}",
        "/get_server_info": b"{}",
        "/get_load": b"[]",
    }
    reading = emulate("SGLang", said).read(*COMMAND)
    assert (reading.status, reading.problem) == ("ok", NO_METRICS)
    assert (reading.decode_tokens, reading.decode_tps, reading.requests_running) == (None, None, None)


def test_one_far_away_says_what_it_is_run_with(emulate: Emulate) -> None:
    reading = emulate("SGLang", answers(metrics=metrics("0.5.8"))).read()
    assert (reading.tensor_parallel, reading.kv_bytes_per_element) == (2, 1.0)
    assert reading.model == ModelFacts(
        name="org/m", source="GET /v1/models", path="/models/m", quantization="fp8", context_length=8192
    )
    assert "secret" not in repr(reading)


def test_its_files_are_read_where_they_are_here(emulate: Emulate, tmp_path: Path) -> None:
    place = checkpoint(tmp_path / "m")
    info = json.dumps({"model_path": str(place)}).encode()
    reading = emulate("SGLang", answers(metrics=metrics("0.5.8"), model_info=info)).read()
    assert reading.model is not None
    assert (reading.model.name, reading.model.weight_bytes) == ("org/m", None), "the server has made fp8 of them"
    local = emulate("SGLang", answers(metrics=metrics("0.5.8")))
    reading = local.read("sglang", "serve", f"--model-path={place}", "--kv-cache-dtype", "fp8_e5m2")
    assert reading.model is not None
    assert (reading.model.weight_bytes, reading.kv_bytes_per_element) == (3 * 12800, 1.0)


LOCKED = dict.fromkeys(["/version", "/v1/models", "/model_info", LOADS, SERVER], "401 Unauthorized")


def test_a_key_leaves_its_metrics_open(emulate: Emulate) -> None:
    server = emulate("SGLang", {**answers(metrics=metrics("0.5.8")), **LOCKED})
    reading = server.read(*COMMAND)
    assert (reading.status, reading.problem, reading.decode_tokens) == ("ok", None, 1234)
    assert reading.model is not None
    assert reading.model.name == "/models/m"
    bare = emulate("SGLang", {**answers(metrics=metrics("0.5.8")), **LOCKED})
    assert bare.read("python3", "-m", "sglang.launch_server").model == ModelFacts(name="org/m", source="GET /metrics")


def test_a_key_without_metrics_is_wanted(emulate: Emulate) -> None:
    reading = emulate("SGLang", {**answers(), **LOCKED}).read(*COMMAND)
    assert (reading.status, reading.problem) == ("unauthorized", UNAUTHORIZED)


def test_a_stranger_that_wants_a_key_is_asked_for_nothing_more(emulate: Emulate) -> None:
    server = emulate(None, {**answers(metrics=metrics("0.5.8")), **LOCKED})
    assert isinstance(server.source("nginx", explicit=False).read(), Gone)
    assert set(server.paths) <= {"/version", "/v1/models"}


def test_on_its_port_a_locked_one_is_known_by_its_metrics(emulate: Emulate, monkeypatch: pytest.MonkeyPatch) -> None:
    server = emulate("SGLang", {**answers(metrics=metrics("0.5.8")), **LOCKED})
    monkeypatch.setattr(SGLang, "ports", (int(server.url.rpartition(":")[2]),))
    assert server.read().decode_tokens == 1234


def test_its_router_is_not_a_server(emulate: Emulate) -> None:
    """It hands on the models of a server behind it, and has metrics of its own on another port."""
    router = emulate("OpenAI-compatible", answers())
    assert router.read("python3", "-m", "sglang_router.launch_router", "--port", "30000").engine == "OpenAI-compatible"


@pytest.mark.parametrize("owner", ["vllm", "lmdeploy", "library"])
def test_others_with_its_paths_are_others(emulate: Emulate, owner: str) -> None:
    models = body("sglang", "v1_models.json").replace(b'"sglang"', f'"{owner}"'.encode())
    engine = {"lmdeploy": "LMDeploy"}.get(owner, "OpenAI-compatible")
    said = {**answers(), "/v1/models": models, "/": b"", "/api/version": "404 Not Found"}
    assert emulate(engine, said).read("some", "server").engine == engine


KIN: tuple[type[EngineAdapter], ...] = (Vllm, SGLang, LMDeploy, MlcLlm, Tgi)
ALIKE: dict[str, dict[str, Body]] = {
    "vLLM": {
        "/version": body("vllm", "0.32.0-version.json"),
        "/v1/models": body("vllm", "0.32.0-v1_models.json"),
        "/metrics": body("vllm", "0.32.0-busy.metrics.txt"),
    },
    "SGLang": answers(metrics=metrics("0.5.8")),
    "LMDeploy": {"/v1/models": body("lmdeploy", "v1_models.json"), "/metrics": body("lmdeploy", "0.16.metrics.txt")},
    "MLC LLM": {"/v1/models": body("mlc_llm", "v1_models.json"), "/metrics": body("mlc_llm", "0.20-busy.metrics.txt")},
    "TGI": {
        "/v1/models": body("tgi", "v1_models.json"),
        "/metrics": body("tgi", "3.3.7.metrics.txt"),
        "/info": body("tgi", "3.3.7-info.json"),
    },
}
"""Five that answer with uvicorn's header or none, the paths of OpenAI and `/metrics`."""


@pytest.fixture
def alike(request: pytest.FixtureRequest) -> Iterator[Emulated]:
    emulated = Emulated(ALIKE[request.param], server="uvicorn", headers={})
    yield emulated
    emulated.close()


@pytest.mark.parametrize("everywhere", [False, True], ids=["on its own port", "on the port of all of them"])
@pytest.mark.parametrize(("alike", "name"), [(name, name) for name in ALIKE], indirect=["alike"])
def test_each_of_those_with_metrics_is_taken_by_itself_alone(
    alike: Emulated, name: str, everywhere: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for engine in KIN if everywhere else ():
        monkeypatch.setattr(engine, "ports", (int(alike.url.rpartition(":")[2]),))
    endpoint, fetch = Endpoint(url=alike.url), Fetch(alike.url)
    assert [engine.name for engine in KIN if engine.match(Seen(endpoint, fetch), fetch)] == [name]


@pytest.mark.parametrize("name", ALIKE)
def test_each_of_those_with_metrics_is_found_among_all_engines(emulate: Emulate, name: str) -> None:
    """And is asked for nothing that is not on its list."""
    assert emulate(name, ALIKE[name]).read().engine == name


@pytest.mark.parametrize("wrong", [b"", b"[]", b'{"loads":[{"num_running_reqs":"x"}]}', "500 Internal Server Error"])
def test_a_wrong_load_is_no_load(emulate: Emulate, wrong: Body) -> None:
    reading = emulate("SGLang", answers() | {LOADS: wrong}).read(*COMMAND)
    assert (reading.problem, reading.decode_tps, reading.requests_running) == (NO_METRICS, None, None)


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (b"sglang:token_usage much\n", "its metrics are not Prometheus text"),
        ("500 Internal Server Error", "GET /metrics answers 500"),
    ],
)
def test_wrong_metrics_are_one_clear_line(emulate: Emulate, wrong: Body, problem: str) -> None:
    reading = emulate("SGLang", answers(metrics=wrong)).read(*COMMAND)
    assert (reading.status, reading.problem) == ("unsupported", problem)
