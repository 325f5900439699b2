"""LocalAI: its counters move when a request ends, and it answers everybody's routes."""

import pytest
from llmtop.estimator.monitor import Monitor
from llmtop.probes.engines.localai import LocalAI
from llmtop.probes.process import Process
from llmtop.probes.sample import Sample

from .conftest import Body, Emulate, once
from .data import body

COMMAND = ("/usr/bin/local-ai", "run", "qwen3-4b")
METRICS = body("localai", "metrics.txt")


def answers() -> dict[str, Body]:
    return {
        "/version": body("localai", "version.json"),
        "/v1/models": body("localai", "v1_models.json"),
        "/system": body("localai", "system.json"),
        "/metrics": METRICS,
        "/": b"Ollama is running",
        "/api/version": b'{"version":"0.9.0"}',
        "/api/ps": b'{"models":[]}',
        "/props": b"{}",
    }


@pytest.mark.parametrize(
    ("command", "claimed"),
    [
        ("local-ai", True),
        ("/build/local-ai run --address :8080", True),
        ("/backends/llama-cpp/local-ai --addr 127.0.0.1:40123", False),
        ("/backends/cpu-llama-cpp/llama-cpp-fallback --addr 127.0.0.1:40123", False),
    ],
)
def test_its_command_line(command: str, claimed: bool) -> None:
    words = tuple(command.split())
    assert LocalAI.claims(Process(1, words, words[0])) is claimed


def test_counts_of_ended_requests_are_no_live_rate(emulate: Emulate) -> None:
    localai = emulate("LocalAI", answers(), server=None)
    source = localai.source(*COMMAND)
    first = once(source)
    assert (first.engine, first.version, first.status) == (
        "LocalAI",
        "v4.9.0 (82c191afa1b2c3d4e5f60718293a4b5c6d7e8f90)",
        "ok",
    )
    assert first.model is not None
    assert first.model.name == "qwen3-4b"
    assert (first.decode_tokens, first.prefill_tokens, first.liveness) == (150.0, 900.0, "request")
    assert first.problem is not None
    assert "llmtop proxy" in first.problem
    localai.answers["/metrics"] = METRICS.replace(b"} 120", b"} 820")
    monitor = Monitor()
    for moment, reading in enumerate((first, once(source), once(source))):
        monitor.feed(Sample(source=localai.url, time=float(moment), wall=0.0, period=1.0, reading=reading))
    (view,) = monitor.snapshot().engines
    assert view.decode_tps is None, "700 tokens of one long answer are no 700 tokens/s"


def test_one_far_away_is_known_by_how_it_prints_its_version(emulate: Emulate) -> None:
    """Not for Ollama, llama.cpp or vLLM, whose `/version` has the same form."""
    assert emulate("LocalAI", answers(), server=None).read().engine == "LocalAI"


@pytest.mark.parametrize("metrics", ["404 Not Found", "401 Unauthorized"])
def test_metrics_that_are_off_or_locked_are_asked_for_once(emulate: Emulate, metrics: Body) -> None:
    localai = emulate("LocalAI", answers() | {"/metrics": metrics}, server=None)
    source = localai.source(*COMMAND)
    for _ in range(3):
        reading = once(source)
        assert (reading.status, reading.decode_tokens, reading.liveness) == ("ok", None, None)
    assert localai.paths.count("/metrics") == 1


def test_metrics_without_its_counters_are_asked_again(emulate: Emulate) -> None:
    """They come with the first request that ends."""
    localai = emulate("LocalAI", answers() | {"/metrics": b"# nothing yet\n"}, server=None)
    source = localai.source(*COMMAND)
    assert once(source).decode_tokens is None
    localai.answers["/metrics"] = METRICS
    assert once(source).decode_tokens == 150.0


def test_nothing_loaded_is_idle(emulate: Emulate) -> None:
    said = answers() | {"/system": b'{"backends":[],"loaded_models":[]}'}
    reading = emulate("LocalAI", said, server=None).read(*COMMAND)
    assert (reading.status, reading.problem) == ("idle", "no model loaded")
