"""Engines without a counter: how each is known, what it is asked, and that nothing is claimed of its speed.

Bodies of mlx-lm, llama-cpp-python and transformers are recorded; those of TabbyAPI and DeepSpeed-MII are built from the
fields of their sources (endpoints/core/router.py of 2026-08, mii/entrypoints/data_models.py of 2025-06), those of oMLX
from omlx/server.py.
"""

from pathlib import Path

import pytest
from llmtop.probes.engines import ENGINES
from llmtop.probes.engines.transformers_serve import loaded as served_by_transformers
from llmtop.probes.process import Process
from llmtop.probes.sample import Engine, Gone

from .conftest import Body, Emulate

DATA = Path(__file__).parents[1] / "data"
PYTHON_404 = "404 Not Found"
BASE = "BaseHTTP/0.6 Python/3.11.7"

MLX = DATA / "mlx-lm" / "real-0.32.2"
LCP = DATA / "llama-cpp-python" / "real-0.3.36"
TRANSFORMERS = DATA / "transformers" / "real-5.19.0"
TABBY: dict[str, Body] = {
    "/.well-known/serviceinfo": b'{"version":0.1,"software":{"name":"TabbyAPI","repository":"x"},"api":{}}',
    "/v1/model": b'{"id":"Qwen3-8B-exl3-4bpw","object":"model","owned_by":"tabbyAPI","parameters":{"max_seq_len":32768,'
    b'"cache_size":65536,"cache_mode":"Q8","max_batch_size":4,"chunk_size":2048,"use_vision":false}}',
    "/v1/models": b'{"object":"list","data":[{"id":"Qwen3-8B-exl3-4bpw","object":"model","owned_by":"tabbyAPI"}]}',
    "/props": b'{"total_slots":4,"default_generation_settings":{"n_ctx":32768}}',
}
MII: dict[str, Body] = {
    "/v1/models": b'{"object":"list","data":[{"id":"mistralai/Mistral-7B-v0.1","object":"model",'
    b'"owned_by":"deepspeed-mii","root":"mistralai/Mistral-7B-v0.1","parent":null,"permission":[]}]}',
    "/health": b"{}",
}
OMLX: dict[str, Body] = {
    "/health": b'{"status":"healthy","default_model":"Qwen3-8B-4bit","engine_pool":{"model_count":3,"loaded_count":1}}',
    "/v1/models": "401 Unauthorized",
}


def silent(reading: Engine) -> bool:
    """Whether it makes no claim of any speed, and says what would bring one."""
    rates = (reading.decode_tokens, reading.decode_tps, reading.prefill_tokens, reading.prefill_tps, reading.liveness)
    return not any(rates) and "llmtop proxy --upstream" in (reading.problem or "")


def test_mlx_lm_by_its_command_line_is_asked_for_its_health_alone(emulate: Emulate) -> None:
    engine = emulate("mlx-lm", {"/health": (MLX / "health.json").read_bytes()}, server=BASE)
    reading = engine.read("/venv/bin/python", "-m", "mlx_lm", "server", "--model", "/models/Qwen3-8B-4bit")
    assert (reading.engine, reading.status, silent(reading)) == ("mlx-lm", "ok", True)
    assert reading.model is not None
    assert reading.model.name == "Qwen3-8B-4bit"
    assert set(engine.paths) == {"/health"}


def test_mlx_lm_on_its_port_is_known_by_its_server_and_its_health(emulate: Emulate) -> None:
    """Its list of models is not asked: it scans the whole cache for it."""
    engine = emulate("mlx-lm", {"/health": (MLX / "health.json").read_bytes()}, server=BASE)
    source = engine.source(explicit=True)
    assert isinstance(source.read(), Engine)
    assert "/v1/models" not in engine.paths


@pytest.mark.parametrize(
    "command",
    [
        "python -m llama_cpp.server --model /models/small-Q4_0.gguf --n_ctx 4096",
        "python3 /venv/lib/python3.11/site-packages/llama_cpp/server/__main__.py --model /models/small-Q4_0.gguf",
        "",
    ],
)
def test_llama_cpp_python(emulate: Emulate, command: str) -> None:
    engine = emulate("llama-cpp-python", {"/v1/models": (LCP / "v1_models.json").read_bytes()})
    reading = engine.read(*command.split())
    assert (reading.engine, silent(reading)) == ("llama-cpp-python", True)
    assert reading.model is not None
    assert reading.model.name == "small-Q4_0.gguf"
    assert reading.model.context_length == (4096 if "n_ctx" in command else None)


def test_transformers_serve_is_not_asked_for_what_lies_in_its_cache(emulate: Emulate) -> None:
    engine = emulate("transformers serve", {"/health": (TRANSFORMERS / "health.json").read_bytes()})
    reading = engine.read("/venv/bin/transformers", "serve", "--device", "cpu", "--port", "8000", "models/Qwen3-8B")
    assert (reading.engine, silent(reading)) == ("transformers serve", True)
    assert reading.model is not None
    assert reading.model.name == "Qwen3-8B"
    assert set(engine.paths) == {"/health"}


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("transformers serve", None),
        ("transformers serve --port 8001", None),
        ("transformers serve org/model", "model"),
        ("transformers serve org/model@main", "model@main"),
        ("transformers serve --continuous-batching --device cuda org/model", "model"),
        ("transformers serve --device=cuda --force-model org/other", "other"),
    ],
)
def test_the_model_of_transformers_serve_stands_in_its_command_line(command: str, name: str | None) -> None:
    found = served_by_transformers(Process(1, tuple(command.split()), "python"))
    assert (found.name if found else None) == name


@pytest.mark.parametrize("command", ["python main.py", "python /opt/tabbyAPI/start.py --config x.yml", ""])
def test_tabbyapi_answers_props_and_is_not_taken_for_llama_cpp(emulate: Emulate, command: str) -> None:
    engine = emulate("TabbyAPI", TABBY)
    reading = engine.read(*command.split())
    assert (reading.engine, silent(reading)) == ("TabbyAPI", True)
    assert reading.model is not None
    assert (reading.model.name, reading.model.context_length) == ("Qwen3-8B-exl3-4bpw", 32768)
    assert (reading.slots, reading.kv_bytes_per_element) == (4, 1.0)
    assert "/props" not in engine.paths


def test_tabbyapi_without_a_key_says_which_one_it_wants(emulate: Emulate) -> None:
    engine = emulate("TabbyAPI", TABBY | {"/v1/model": "401 Unauthorized", "/v1/models": "401 Unauthorized"})
    reading = engine.read("python", "/opt/tabbyAPI/main.py")
    assert (reading.status, reading.model) == ("unauthorized", None)
    assert "LLMTOP_API_KEY" in (reading.problem or "")


def test_tabbyapi_without_a_model(emulate: Emulate) -> None:
    engine = emulate("TabbyAPI", TABBY | {"/v1/model": "400 Bad Request"})
    reading = engine.read("python", "/opt/tabbyAPI/main.py")
    assert (reading.status, reading.problem) == ("idle", "no model loaded")


@pytest.mark.parametrize("command", ["python -m mii.entrypoints.openai_api_server --tensor-parallel 2", ""])
def test_deepspeed_mii(emulate: Emulate, command: str) -> None:
    reading = emulate("DeepSpeed-MII", MII).read(*command.split())
    assert (reading.engine, silent(reading)) == ("DeepSpeed-MII", True)
    assert reading.model is not None
    assert reading.model.name == "Mistral-7B-v0.1"
    assert reading.tensor_parallel == (2 if command else None)


def test_omlx_is_asked_nothing_that_it_would_warn_of(emulate: Emulate) -> None:
    """It writes each 4xx into its log: neither /version nor, without a key, /v1/models is asked."""
    engine = emulate("oMLX", OMLX)
    reading = engine.read("/opt/omlx/bin/omlx", "serve", "--model-dir", "/models")
    assert (reading.engine, silent(reading)) == ("oMLX", True)
    assert reading.model is not None
    assert reading.model.name == "Qwen3-8B-4bit"
    assert set(engine.paths) == {"/health"}


def test_an_unknown_server_is_called_no_more_than_compatible(emulate: Emulate) -> None:
    one = b'{"object":"list","data":[{"id":"some-model","object":"model","owned_by":"someone"}]}'
    reading = emulate("OpenAI-compatible", {"/v1/models": one}).read()
    assert (reading.engine, silent(reading)) == ("OpenAI-compatible", True)
    assert reading.model is not None
    assert reading.model.name == "some-model"
    two = b'{"object":"list","data":[{"id":"a"},{"id":"b"}]}'
    assert emulate("OpenAI-compatible", {"/v1/models": two}).read().model is None
    assert isinstance(emulate(None, {"/v1/models": b'{"object":"list","data":[]}'}).source(explicit=False).read(), Gone)


@pytest.mark.parametrize(
    "command",
    [
        "python main.py",
        "python -m http.server 8080",
        "mlx_lm.generate --model x",
        "python -m llama_cpp",
        "transformers download x",
        "vim mii.entrypoints",
        "omlx --help",
    ],
)
def test_other_programs_are_not_claimed(command: str) -> None:
    names = {"mlx-lm", "llama-cpp-python", "transformers serve", "TabbyAPI", "DeepSpeed-MII", "oMLX"}
    process = Process(1, tuple(command.split()), "python")
    assert not [engine.name for engine in ENGINES if engine.name in names and engine.claims(process)]
