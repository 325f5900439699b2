"""Engines that answer alike, since they stand before others or have their routes: none is taken for another."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from llmtop.probes.engines.contract import Endpoint, EngineAdapter, Seen
from llmtop.probes.engines.koboldcpp import KoboldCpp
from llmtop.probes.engines.lemonade import Lemonade
from llmtop.probes.engines.llama_swap import LlamaSwap
from llmtop.probes.engines.llamacpp import LlamaCpp
from llmtop.probes.engines.llamafile import Llamafile
from llmtop.probes.engines.lm_studio import LMStudio
from llmtop.probes.engines.localai import LocalAI
from llmtop.probes.engines.ollama import Ollama
from llmtop.probes.engines.text_generation_webui import TextGenerationWebui
from llmtop.probes.engines.vllm import Vllm
from llmtop.probes.fetch import Fetch

from .conftest import Body, Emulated
from .data import body

KIN: tuple[type[EngineAdapter], ...] = (
    LMStudio,
    Lemonade,
    LlamaCpp,
    Vllm,
    Llamafile,
    KoboldCpp,
    LlamaSwap,
    LocalAI,
    Ollama,
    TextGenerationWebui,
)


class Like(NamedTuple):
    """How one engine answers when nobody knows its process."""

    server: str | None
    answers: dict[str, Body]
    not_found: bytes = b"{}"


OLLAMA: dict[str, Body] = {"/": b"Ollama is running", "/api/tags": b'{"models":[]}', "/api/ps": b'{"models":[]}'}
"""Routes that many answer."""
LIKE = {
    "Ollama": Like(
        None,
        {**OLLAMA, "/v1/models": body("ollama", "v1_models.json"), "/api/version": b'{"version":"0.30.1"}'},
        b"404 page not found",
    ),
    "KoboldCpp": Like(
        "KoboldCppServer",
        {
            **OLLAMA,
            "/v1/models": body("koboldcpp", "v1_models.json"),
            "/api/version": b'{"version":"0.7.0"}',
            "/api/extra/version": body("koboldcpp", "1.121-version.json"),
        },
    ),
    "Lemonade": Like(
        None,
        {
            **OLLAMA,
            "/v1/models": body("lemonade", "v1_models.json"),
            "/api/v0/models": body("lemonade", "v1_models.json"),
            "/api/version": b'{"version":"0.9.0"}',
            "/api/v1/health": body("lemonade", "11.7.0-health.json"),
        },
    ),
    "LocalAI": Like(
        None,
        {
            **OLLAMA,
            "/version": body("localai", "version.json"),
            "/v1/models": body("localai", "v1_models.json"),
            "/api/version": b'{"version":"0.9.0"}',
            "/metrics": body("localai", "metrics.txt"),
        },
    ),
    "llama-swap": Like(
        None,
        {
            "/v1/models": body("llama-swap", "v1_models.json"),
            "/running": body("llama-swap", "v150-running.json"),
            "/api/version": b'{"version":"v250","commit":"0bdb372","build_date":"2026-08-22"}',
        },
        b"404 page not found",
    ),
    "text-generation-webui": Like(
        "uvicorn",
        {
            "/v1/models": body("text-generation-webui", "v1_models.json"),
            "/v1/internal/model/info": body("text-generation-webui", "4.7-exllamav3_hf.json"),
        },
    ),
    "llama.cpp": Like(
        "llama.cpp",
        {
            **OLLAMA,
            "/props": body("llama-server", "idle.props.json"),
            "/slots": body("llama-server", "decoding.slots.json"),
            "/v1/models": b'{"data":[{"id":"a","owned_by":"llamacpp"}]}',
        },
    ),
    "llamafile": Like("llamafile/0.9.3", {"/v1/models": b'{"data":[{"id":"a"}]}'}),
    "vLLM": Like(
        "uvicorn",
        {"/version": b'{"version":"0.32.0"}', "/v1/models": body("vllm", "0.32.0-v1_models.json")},
    ),
    "SGLang": Like(
        "uvicorn",
        {**OLLAMA, "/api/version": b'{"version":"0.5.23"}', "/v1/models": b'{"data":[{"id":"a","owned_by":"sglang"}]}'},
        b'{"detail":"Not Found"}',
    ),
    "TabbyAPI": Like(
        "uvicorn",
        {
            "/props": b'{"total_slots":1,"chat_template":"","default_generation_settings":{"n_ctx":4096}}',
            "/v1/models": b'{"object":"list","data":[{"id":"a","object":"model","owned_by":"tabbyAPI"}]}',
        },
        b'{"detail":"Not Found"}',
    ),
}


@pytest.fixture
def alike(request: pytest.FixtureRequest) -> Iterator[Emulated]:
    like = LIKE[request.param]
    emulated = Emulated(like.answers, server=like.server, headers={})
    emulated.not_found = like.not_found
    yield emulated
    emulated.close()


def takers(emulated: Emulated) -> list[str]:
    """The engines of this kin that take it for theirs, each with a fresh eye."""
    endpoint, fetch = Endpoint(url=emulated.url), Fetch(emulated.url)
    return [engine.name for engine in KIN if engine.match(Seen(endpoint, fetch), fetch)]


@pytest.mark.parametrize(("alike", "name"), [(name, name) for name in LIKE], indirect=["alike"])
def test_each_is_taken_by_itself_alone(alike: Emulated, name: str) -> None:
    ours = {engine.name for engine in KIN}
    assert takers(alike) == ([name] if name in ours else [])


@pytest.mark.parametrize(("alike", "name"), [(name, name) for name in LIKE], indirect=["alike"])
def test_even_on_the_port_of_all_the_others(alike: Emulated, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may ask more because of the port sees that it is another."""
    port = int(alike.url.rpartition(":")[2])
    for engine in KIN:
        monkeypatch.setattr(engine, "ports", (port,))
    ours = {engine.name for engine in KIN}
    assert takers(alike) == ([name] if name in ours else [])
