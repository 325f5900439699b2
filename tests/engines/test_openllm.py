"""OpenLLM: a bento with vLLM inside, whose metrics may be there or not."""

import pytest
from llmtop.probes.engines.contract import UNAUTHORIZED
from llmtop.probes.engines.openllm import OpenLlm
from llmtop.probes.process import Process

from .conftest import Body, Emulate, once
from .data import body

COMMAND = ("/home/a/.openllm/venv/7788/bin/python", "-m", "bentoml", "serve", "llama3.1:8b-instruct")
PLAIN = body("openllm", "plain.metrics.txt")
INSIDE = body("openllm", "vllm.metrics.txt")


def answers(metrics: Body) -> dict[str, Body]:
    return {"/v1/models": body("openllm", "v1_models.json"), "/metrics": metrics}


@pytest.mark.parametrize(
    ("command", "claimed"),
    [
        (COMMAND, True),
        (("/usr/bin/python3", "/usr/local/bin/openllm", "serve", "llama3.1:8b"), True),
        (("/home/a/.openllm/venv/7788/bin/python", "-m", "_bentoml_impl.worker.service", "x"), True),
        (("python", "-m", "bentoml", "serve", "resnet:latest"), False),
        (("openllm", "repo", "list"), False),
        (("python", "-m", "vllm.entrypoints.openai.api_server"), False),
        ((), False),
    ],
)
def test_its_command_line(command: tuple[str, ...], claimed: bool) -> None:
    assert OpenLlm.claims(Process(1, command, "python")) is claimed


def test_with_the_names_of_vllm(emulate: Emulate) -> None:
    reading = emulate("OpenLLM", answers(INSIDE)).read(*COMMAND)
    assert (reading.engine, reading.status, reading.problem) == ("OpenLLM", "ok", None)
    assert (reading.decode_tokens, reading.liveness, reading.requests_running) == (77, "step", 1)
    assert reading.model is not None
    assert (reading.model.name, reading.model.context_length) == ("meta-llama/Llama-3.1-8B-Instruct", 8192)


@pytest.mark.parametrize("metrics", [PLAIN, "404 Not Found"])
def test_without_them_a_proxy_has_to_count(emulate: Emulate, metrics: Body) -> None:
    reading = emulate("OpenLLM", answers(metrics)).read(*COMMAND)
    assert (reading.status, reading.decode_tokens, reading.liveness) == ("ok", None, None)
    assert "llmtop proxy --upstream" in (reading.problem or "")


def test_on_its_port_by_the_metrics_of_bentoml(emulate: Emulate, monkeypatch: pytest.MonkeyPatch) -> None:
    server = emulate("OpenLLM", answers(PLAIN))
    monkeypatch.setattr(OpenLlm, "ports", (int(server.url.rpartition(":")[2]),))
    assert server.read().engine == "OpenLLM"


def test_another_bento_is_none(emulate: Emulate) -> None:
    server = emulate(None, {"/metrics": PLAIN})
    assert server.read("python", "-m", "bentoml", "serve", "resnet:latest").engine == "unknown"


def test_a_restart_is_a_count_that_falls(emulate: Emulate) -> None:
    server = emulate("OpenLLM", answers(INSIDE))
    source = server.source(*COMMAND)
    before = once(source).decode_tokens
    server.answers["/metrics"] = INSIDE.replace(b"} 77.0", b"} 7.0")
    assert (before, once(source).decode_tokens) == (77, 7)


def test_a_key_guards_it_all(emulate: Emulate) -> None:
    locked: dict[str, Body] = dict.fromkeys(["/version", "/v1/models", "/metrics"], "401 Unauthorized")
    reading = emulate("OpenLLM", locked).read(*COMMAND)
    assert (reading.status, reading.problem) == ("unauthorized", UNAUTHORIZED)


def test_wrong_metrics_are_one_clear_line(emulate: Emulate) -> None:
    reading = emulate("OpenLLM", answers(b"vllm:generation_tokens_total many\n")).read(*COMMAND)
    assert (reading.status, reading.problem) == ("unsupported", "its metrics are not Prometheus text")
