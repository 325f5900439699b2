"""vLLM: captures of a real 0.32.0, and bodies built from recorded facts of older versions, by a real local server."""

import json
import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from llmtop.probes.engines.contract import UNAUTHORIZED, Endpoint, Seen
from llmtop.probes.engines.vllm import Vllm
from llmtop.probes.fetch import Fetch, FetchError
from llmtop.probes.process import Process
from llmtop.probes.sample import Engine, ModelFacts, Total
from msgspec.structs import replace

if TYPE_CHECKING:
    from .conftest import Serve, Server

DATA = Path(__file__).parents[1] / "data" / "vllm"
VERSION = (DATA / "0.32.0-version.json").read_bytes()
MODELS = (DATA / "0.32.0-v1_models.json").read_bytes()
METRICS = {name: (DATA / f"0.32.0-{name}.metrics.txt").read_bytes() for name in ("idle", "busy", "after", "whole")}
COMMAND = ("/usr/bin/python3", "/opt/bin/vllm", "serve", "org/model", "--port", "8000")

V0 = b"""\
# built from recorded facts of 0.8 with the V0 engine: no label `engine`, old names
vllm:cache_config_info{block_size="16",cache_dtype="fp8_e5m2",num_gpu_blocks="1000",sliding_window="None"} 1.0
vllm:num_requests_running{model_name="m"} 2.0
vllm:num_requests_swapped{model_name="m"} 7.0
vllm:num_requests_waiting{model_name="m"} 1.0
vllm:gpu_cache_usage_perc{model_name="m"} 0.25
vllm:cpu_cache_usage_perc{model_name="m"} 0.75
vllm:prompt_tokens_total{model_name="m"} 500.0
vllm:prompt_tokens_created{model_name="m"} 1.7e+09
vllm:generation_tokens_total{model_name="m"} 70.0
vllm:iteration_tokens_total_sum{model_name="m"} 570.0
vllm:time_to_first_token_seconds_sum{model_name="m"} 0.5
vllm:time_to_first_token_seconds_count{model_name="m"} 4.0
vllm:time_per_output_token_seconds_sum{model_name="m"} 1.5
vllm:time_per_output_token_seconds_count{model_name="m"} 66.0
vllm:avg_generation_throughput_toks_per_s{model_name="m"} 33.0
"""

V0_11 = b"""\
# built from recorded facts of 0.11: both names of the inter-token latency and of the KV usage
vllm:num_requests_running{engine="0",model_name="m"} 1.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.5
vllm:gpu_cache_usage_perc{engine="0",model_name="m"} 0.5
vllm:generation_tokens_total{engine="0",model_name="m"} 10.0
vllm:inter_token_latency_seconds_sum{engine="0",model_name="m"} 2.0
vllm:inter_token_latency_seconds_count{engine="0",model_name="m"} 9.0
vllm:time_per_output_token_seconds_sum{engine="0",model_name="m"} 2.0
vllm:time_per_output_token_seconds_count{engine="0",model_name="m"} 9.0
"""

RANKS = b"""\
# built from recorded facts of data parallelism: two engines behind one API server
vllm:num_requests_running{engine="0",model_name="m"} 3.0
vllm:num_requests_running{engine="1",model_name="m"} 4.0
vllm:num_requests_waiting{engine="0",model_name="m"} 0.0
vllm:num_requests_waiting{engine="1",model_name="m"} 2.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.2
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.4
vllm:generation_tokens_total{engine="0",model_name="m"} 100.0
vllm:generation_tokens_total{engine="1",model_name="m"} 200.0
vllm:prompt_tokens_by_source_total{engine="0",model_name="m",source="local_compute"} 10.0
vllm:prompt_tokens_by_source_total{engine="0",model_name="m",source="local_cache_hit"} 90.0
vllm:prompt_tokens_by_source_total{engine="1",model_name="m",source="local_compute"} 20.0
vllm:prompt_tokens_total{engine="0",model_name="m"} 100.0
vllm:prompt_tokens_total{engine="1",model_name="m"} 20.0
vllm:inter_token_latency_seconds_sum{engine="0",model_name="m"} 1.0
vllm:inter_token_latency_seconds_count{engine="0",model_name="m"} 99.0
vllm:inter_token_latency_seconds_sum{engine="1",model_name="m"} 3.0
vllm:inter_token_latency_seconds_count{engine="1",model_name="m"} 199.0
vllm:cache_config_info{engine="0",block_size="16",num_gpu_blocks="100",cache_dtype="auto"} 1.0
vllm:cache_config_info{engine="1",block_size="16",num_gpu_blocks="100",cache_dtype="auto"} 1.0
"""

SPECULATIVE = b"""\
# names and labels as the code of V1 writes them (vllm/v1/spec_decode/metrics.py), two engines behind one API server
vllm:generation_tokens_total{engine="0",model_name="m"} 250.0
vllm:generation_tokens_total{engine="1",model_name="m"} 50.0
vllm:spec_decode_num_drafts_total{engine="0",model_name="m"} 100.0
vllm:spec_decode_num_drafts_total{engine="1",model_name="m"} 20.0
vllm:spec_decode_num_drafts_created{engine="0",model_name="m"} 1.7e+09
vllm:spec_decode_num_draft_tokens_total{engine="0",model_name="m"} 300.0
vllm:spec_decode_num_draft_tokens_total{engine="1",model_name="m"} 60.0
vllm:spec_decode_num_accepted_tokens_total{engine="0",model_name="m"} 150.0
vllm:spec_decode_num_accepted_tokens_total{engine="1",model_name="m"} 30.0
vllm:spec_decode_num_accepted_tokens_per_pos_total{engine="0",model_name="m",position="0"} 80.0
vllm:spec_decode_num_accepted_tokens_per_pos_total{engine="0",model_name="m",position="1"} 70.0
"""

V0_SPECULATIVE = (
    V0
    + b"""\
vllm:spec_decode_draft_acceptance_rate{model_name="m"} 0.9
vllm:spec_decode_efficiency{model_name="m"} 0.5
vllm:spec_decode_num_accepted_tokens_total{model_name="m"} 900.0
vllm:spec_decode_num_draft_tokens_total{model_name="m"} 1000.0
vllm:spec_decode_num_emitted_tokens_total{model_name="m"} 600.0
"""
)


def server_of(serve: "Serve", metrics: bytes | str = METRICS["busy"], models: bytes | str = MODELS) -> "Server":
    return serve.paths({"/version": VERSION, "/v1/models": models, "/metrics": metrics})


def adapter_of(server: "Server", *command: str) -> Vllm | None:
    process = Process(42, command, "vllm") if command else None
    fetch = Fetch(server.url)
    return Vllm.match(Seen(Endpoint(server.url, process), fetch), fetch)


def read(server: "Server", *command: str) -> Engine:
    adapter = adapter_of(server, *command)
    assert adapter is not None
    return adapter.read()


@pytest.mark.parametrize("name", ["busy", "whole"])
def test_busy(serve: "Serve", name: str) -> None:
    server = server_of(serve, METRICS[name])
    assert read(server) == Engine(
        engine="vLLM",
        url=server.url,
        status="ok",
        version="0.32.0",
        model=ModelFacts(
            name="random-llama", source="GET /v1/models", path="/models/random-llama", context_length=2048
        ),
        decode_tokens=631,
        decode_source="GET /metrics vllm:generation_tokens_total",
        liveness="step",
        prefill_tokens=1240,
        prefill_source='GET /metrics vllm:prompt_tokens_by_source_total{source="local_compute"}, at prefill end',
        prefill_liveness="step",
        requests_running=3,
        requests_waiting=0,
        kv_cache_usage=0.003907203907203893,
        context_tokens=0.003907203907203893 * 524288,
        prefix_queries=1240,
        prefix_hits=0,
        ttft=Total(0.26630282402038574, 3),
        tpot=Total(2.6876852469999903, 628),
    )
    assert server.paths == ["/version", "/v1/models", "/metrics"]


def test_idle_and_after(serve: "Serve") -> None:
    idle, after = read(server_of(serve, METRICS["idle"])), read(server_of(serve, METRICS["after"]))
    assert (idle.status, idle.decode_tokens, idle.requests_running, idle.ttft) == ("idle", 0, 0, Total(0, 0))
    assert (after.status, after.decode_tokens, after.prefill_tokens, after.context_tokens) == ("idle", 1800, 1240, 0)


def test_counters_only_grow(serve: "Serve") -> None:
    bodies = [METRICS["idle"], METRICS["busy"], METRICS["after"]]
    paths: dict[str, bytes] = {"/version": VERSION, "/v1/models": MODELS}
    server = serve.paths(paths)
    adapter = adapter_of(server)
    assert adapter is not None
    seen: list[float | None] = []
    for body in bodies:
        paths["/metrics"] = body
        seen.append(adapter.read().decode_tokens)
    assert seen == [0, 631, 1800]
    assert server.paths.count("/v1/models") == 1


def test_v0(serve: "Serve") -> None:
    engine = read(server_of(serve, V0))
    assert (engine.status, engine.requests_running, engine.requests_waiting) == ("ok", 2, 1)
    assert (engine.decode_tokens, engine.prefill_tokens) == (70, 500)
    assert engine.prefill_source == "GET /metrics vllm:prompt_tokens_total, incl. cached, at prefill end"
    assert (engine.kv_cache_usage, engine.context_tokens, engine.kv_bytes_per_element) == (0.25, 4000, 1.0)
    assert (engine.ttft, engine.tpot) == (Total(0.5, 4), Total(1.5, 66))


def test_two_names_of_one_histogram_are_not_added(serve: "Serve") -> None:
    engine = read(server_of(serve, V0_11))
    assert (engine.tpot, engine.kv_cache_usage) == (Total(2.0, 9), 0.5)
    assert (engine.prefill_tokens, engine.prefill_source, engine.prefill_liveness) == (None, None, None)
    assert (engine.requests_waiting, engine.context_tokens, engine.ttft) == (None, None, None)


def test_ranks_are_summed(serve: "Serve") -> None:
    engine = read(server_of(serve, RANKS))
    assert (engine.requests_running, engine.requests_waiting) == (7, 2)
    assert (engine.decode_tokens, engine.prefill_tokens) == (300, 30)
    assert engine.kv_cache_usage == pytest.approx(0.3)
    assert engine.context_tokens == pytest.approx(0.3 * 3200)
    assert engine.tpot == Total(4.0, 298)


def test_drafts_of_speculative_decoding(serve: "Serve") -> None:
    engine = read(server_of(serve, SPECULATIVE))
    assert (engine.drafts, engine.drafted_tokens, engine.accepted_tokens) == (120, 360, 180)


def test_without_speculation_there_are_no_drafts(serve: "Serve") -> None:
    engine = read(server_of(serve))
    assert (engine.drafts, engine.drafted_tokens, engine.accepted_tokens) == (None, None, None)


def test_v0_counts_other_tokens_as_accepted(serve: "Serve") -> None:
    engine = read(server_of(serve, V0_SPECULATIVE))
    assert engine.decode_tokens == 70
    assert (engine.drafts, engine.drafted_tokens, engine.accepted_tokens) == (None, None, None)


@pytest.mark.parametrize("name", sorted({line.split(b"{")[0] for line in RANKS.splitlines() if line[:1] != b"#"}))
def test_any_one_name_may_be_missing(serve: "Serve", name: bytes) -> None:
    body = b"\n".join(line for line in RANKS.splitlines() if not line.startswith(name + b"{"))
    engine = read(server_of(serve, body))
    assert engine.status == "ok"
    assert (engine.problem is None) == (name != b"vllm:generation_tokens_total")


def test_asleep(serve: "Serve") -> None:
    body = METRICS["idle"].replace(b'sleep_state="awake"} 1.0', b'sleep_state="awake"} 0.0')
    body = body.replace(b'sleep_state="weights_offloaded"} 0.0', b'sleep_state="weights_offloaded"} 1.0')
    assert read(server_of(serve, body)).status == "sleeping"


def test_without_statistics(serve: "Serve") -> None:
    engine = read(server_of(serve, b"# TYPE python_info gauge\npython_info 1.0\n"))
    assert (engine.status, engine.decode_tokens, engine.liveness) == ("ok", None, None)
    assert "--disable-log-stats" in (engine.problem or "")


def test_key_guards_the_models_only(serve: "Serve") -> None:
    engine = read(server_of(serve, models="401 Unauthorized"))
    assert engine.model == ModelFacts(name="random-llama", source="GET /metrics")
    assert (engine.status, engine.decode_tokens, engine.problem) == ("ok", 631, None)


def test_key_guards_everything(serve: "Serve") -> None:
    locked = "401 Unauthorized"
    server = serve.paths({"/version": locked, "/v1/models": locked, "/metrics": locked})
    assert adapter_of(server) is None
    engine = read(server, *COMMAND)
    assert (engine.status, engine.problem, engine.model) == ("unauthorized", UNAUTHORIZED, None)


def test_command_line(serve: "Serve") -> None:
    flags = ("-q", "awq", "--kv-cache-dtype=fp8", "--max_num_seqs", "64", "--dtype", "auto")
    engine = read(server_of(serve), *COMMAND, *flags)
    assert engine.model is not None
    assert (engine.model.quantization, engine.kv_bytes_per_element, engine.slots, engine.pid) == ("awq", 1.0, 64, 42)
    wide = read(server_of(serve), *COMMAND, "--dtype", "float32", "--max-num-seqs")
    assert (wide.kv_bytes_per_element, wide.slots) == (4.0, None)


@pytest.mark.parametrize(
    ("command", "claimed"),
    [
        (("vllm", "serve", "m"), True),
        (("/opt/venv/bin/python3.12", "/opt/venv/bin/vllm", "serve", "m"), True),
        (("python", "-u", "-m", "vllm.entrypoints.openai.api_server", "--model", "m"), True),
        (("VLLM::APIServer_0",), True),
        (("VLLM::EngineCore",), False),
        (("vllm", "bench", "serve"), False),
        (("llama-server", "-m", "vllm.gguf"), False),
        (("grep", "-r", "vllm"), False),
        ((), False),
    ],
)
def test_claims(command: tuple[str, ...], claimed: bool) -> None:
    assert Vllm.claims(Process(1, command, "x")) is claimed


@pytest.mark.parametrize(
    "bodies",
    [
        {},
        {"/version": VERSION, "/v1/models": MODELS.replace(b'"vllm"', b'"sglang"'), "/metrics": METRICS["busy"]},
        {"/version": b'{"version":"1","build":"x"}', "/v1/models": MODELS, "/metrics": METRICS["busy"]},
        {"/version": b"<html>", "/v1/models": MODELS},
        {"/version": VERSION, "/v1/models": b"[]"},
        {"/version": VERSION, "/v1/models": "401 Unauthorized", "/metrics": b"\nsglang:gen_throughput 1"},
    ],
)
def test_others_are_not_matched(serve: "Serve", bodies: dict[str, bytes | str]) -> None:
    server = serve.paths(bodies)
    assert adapter_of(server) is None
    assert adapter_of(serve.paths({}), *COMMAND) is None
    assert len(server.paths) == len(set(server.paths))


def test_models_are_not_asked_where_that_is_not_free(serve: "Serve") -> None:
    server = serve.paths({"/version": VERSION, "/v1/models": MODELS}, server="BaseHTTP/0.6 Python/3.12")
    assert adapter_of(server) is None
    assert server.paths == ["/version"]


@pytest.mark.parametrize(
    ("metrics", "problem"),
    [
        ("500 Internal Server Error", "GET /metrics answers 500"),
        ("404 Not Found", "GET /metrics answers 404"),
        (b"vllm:generation_tokens_total many\n", "its metrics are not Prometheus text"),
    ],
)
def test_trouble_with_metrics(serve: "Serve", metrics: bytes | str, problem: str) -> None:
    engine = read(server_of(serve, metrics))
    assert (engine.status, engine.problem, engine.version) == ("unsupported", problem, "0.32.0")


def test_lora_adapters_are_not_the_model(serve: "Serve") -> None:
    models = (
        b'{"data":[{"id":"a","root":"/lora","parent":"b"},{"id":"b","owned_by":"vllm","root":"org/b","parent":null}]}'
    )
    engine = read(server_of(serve, models=models))
    assert engine.model == ModelFacts(name="b", source="GET /v1/models")


def test_death_and_rebirth(serve: "Serve") -> None:
    server = server_of(serve)
    adapter = adapter_of(server)
    assert adapter is not None
    server.close()
    with pytest.raises(FetchError, match="nothing listens"):
        adapter.read()
    with pytest.raises(FetchError):
        adapter_of(server)


def test_identification_shows_what_it_stumbled_over(serve: "Serve") -> None:
    server = serve(b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere/version\r\n\r\n")
    fetch = Fetch(server.url)
    seen = Seen(Endpoint(server.url), fetch)
    assert Vllm.match(seen, fetch) is None
    assert str(seen.trouble) == "answers with a redirect to https://elsewhere: give that URL"


def test_restart_falls_to_less(serve: "Serve") -> None:
    paths: dict[str, bytes] = {"/version": VERSION, "/v1/models": MODELS, "/metrics": METRICS["after"]}
    adapter = adapter_of(serve.paths(paths))
    assert adapter is not None
    first = adapter.read()
    paths["/metrics"] = METRICS["busy"]
    assert replace(adapter.read(), decode_tokens=0).model == first.model
    assert (first.decode_tokens, adapter.read().decode_tokens) == (1800, 631)


CONFIG = {
    "model_type": "llama", "hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4, "vocab_size": 100,
    "num_key_value_heads": 2, "num_hidden_layers": 2, "tie_word_embeddings": False, "max_position_embeddings": 4096,
}  # fmt: skip


def checkpoint(place: Path, dtype: str = "BF16", **more: object) -> Path:
    """A folder of weights: a table, a head and one matrix between them."""
    place.mkdir(parents=True)
    (place / "config.json").write_text(json.dumps({**CONFIG, **more}))
    width = {"BF16": 2, "F32": 4, "F8_E4M3": 1}[dtype]
    table: dict[str, object] = {}
    for index, name in enumerate(("model.embed_tokens", "model.layers.0.mlp.up_proj", "lm_head")):
        offsets = [index * 6400 * width, (index + 1) * 6400 * width]
        table[f"{name}.weight"] = {"dtype": dtype, "shape": [100, 64], "data_offsets": offsets}
    front = json.dumps(table).encode()
    (place / "model.safetensors").write_bytes(struct.pack("<Q", len(front)) + front + bytes(3 * 6400 * width))
    return place


def serving(root: str) -> bytes:
    entry = {"id": "served-name", "owned_by": "vllm", "root": root, "parent": None, "max_model_len": 2048}
    return json.dumps({"data": [entry]}).encode()


def test_a_model_in_a_folder_has_facts(serve: "Serve", tmp_path: Path) -> None:
    place = checkpoint(tmp_path / "m")
    model = read(server_of(serve, models=serving(str(place)))).model
    assert model is not None
    assert (model.name, model.path, model.source) == ("served-name", str(place), "safetensors headers")
    assert (model.weight_bytes, model.embedding_bytes, model.tied_embeddings) == (3 * 12800, 12800, False)
    assert (model.quantization, model.context_length, model.kv_elements) == ("BF16", 2048, 2 * 2 * 2 * 16)


def test_a_model_of_the_hub_is_found_in_its_cache(
    serve: "Serve", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    checkpoint(tmp_path / "models--org--m" / "snapshots" / "0123")
    model = read(server_of(serve, models=serving("org/m"))).model
    assert model is not None
    assert (model.name, model.weight_bytes, model.layers) == ("served-name", 3 * 12800, 2)
    other = read(server_of(serve, models=serving("org/other"))).model
    assert other == ModelFacts(name="served-name", source="GET /v1/models", context_length=2048)


def test_a_broken_folder_leaves_what_the_server_says(serve: "Serve", tmp_path: Path) -> None:
    place = checkpoint(tmp_path / "m")
    (place / "model.safetensors").write_bytes(b"broken")
    model = read(server_of(serve, models=serving(str(place)))).model
    assert model == ModelFacts(name="served-name", source="GET /v1/models", path=str(place), context_length=2048)


@pytest.mark.parametrize(
    ("dtype", "flags"),
    [("BF16", ("-q", "fp8")), ("BF16", ("--quantization=bitsandbytes",)), ("F32", ()), ("F32", ("--dtype", "half"))],
)
def test_weights_that_are_loaded_otherwise_have_no_size(
    serve: "Serve", tmp_path: Path, dtype: str, flags: tuple[str, ...]
) -> None:
    place = checkpoint(tmp_path / "m", dtype)
    model = read(server_of(serve, models=serving(str(place))), *COMMAND, *flags).model
    assert model is not None
    assert "but other weights are loaded" in model.source
    assert (model.weight_bytes, model.embedding_bytes, model.expert_bytes) == (None, None, 0)
    assert (model.parameters, model.kv_elements) == (3 * 6400, 2 * 2 * 2 * 16)


def test_weights_that_are_stored_so_keep_their_size(serve: "Serve", tmp_path: Path) -> None:
    place = checkpoint(tmp_path / "m", "F8_E4M3", quantization_config={"quant_method": "fp8"})
    engine = read(server_of(serve, models=serving(str(place))), *COMMAND, "-q", "fp8", "--kv-cache-dtype", "fp8_e4m3")
    assert engine.model is not None
    assert (engine.model.quantization, engine.model.weight_bytes) == ("FP8", 3 * 6400)
    assert engine.kv_bytes_per_element == 1.0
    wide = checkpoint(tmp_path / "wide", "F32")
    model = read(server_of(serve, models=serving(str(wide))), *COMMAND, "--dtype", "float32").model
    assert model is not None and model.weight_bytes == 3 * 25600


def test_a_relative_root_lies_in_the_folder_of_the_server(
    serve: "Serve", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint(tmp_path / "weights" / "m")
    monkeypatch.chdir(tmp_path)
    server = server_of(serve, models=serving("weights/m"))
    fetch = Fetch(server.url)
    process = Process(os.getpid(), COMMAND, "vllm")
    adapter = Vllm.match(Seen(Endpoint(server.url, process), fetch), fetch)
    assert adapter is not None
    model = adapter.read().model
    assert model is not None and model.weight_bytes == 3 * 12800
